"""Real data sets, unpacked once outside the repository; absent ones skip their tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from equipoise.errors import InvalidInput
from equipoise.intake.data_sets import locate

BESIDE = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def data_set():
    """A function from a set's name to its folder."""

    def folder(name: str) -> Path:
        archives = None if os.environ.get("EQUIPOISE_DATA_SETS") else BESIDE
        try:
            return locate(name, archives=archives)
        except InvalidInput as error:
            pytest.skip(str(error))

    return folder
