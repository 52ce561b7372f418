"""Real data sets, unpacked once outside the repository; absent ones skip their tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.errors import InvalidInput
from equipoise.intake.data_sets import locate


@pytest.fixture(scope="session")
def data_set() -> Callable[[str], Path]:
    """A function from a set's name to its folder."""

    def folder(name: str) -> Path:
        try:
            return locate(name)
        except InvalidInput as error:
            pytest.skip(str(error))

    return folder
