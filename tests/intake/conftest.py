"""Where the archives of the real data sets are, if they are here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.intake.data_sets import locate

BESIDE = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def data_set() -> Callable[[str], Path]:
    """The folder of a set, or a skip that says why."""
    archives = Path(os.environ.get("EQUIPOISE_DATA_SETS") or BESIDE)

    def folder(name: str) -> Path:
        if not (archives / f"{name}.tar.xz").is_file():
            pytest.skip(f"{name}.tar.xz is not here; EQUIPOISE_DATA_SETS names its folder")
        return locate(name, archives=archives)

    return folder
