"""A bandit as one file: plain arrays, and beside them what JSON can hold."""

from __future__ import annotations

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.types import Arrays

VERSION = 1
ABOUT = "about"


def write(path: Path, about: dict[str, Any], arrays: Arrays) -> None:
    """One ``.npz`` file; the name is kept as given."""
    text = json.dumps({"version": VERSION, **about}).encode()
    held: dict[str, Any] = {ABOUT: np.frombuffer(text, dtype=np.uint8), **arrays}
    with path.open("wb") as file:
        np.savez(file, **held)


def read(path: Path) -> tuple[dict[str, Any], Arrays]:
    """What ``write`` was given.

    Raises:
        ValueError: another version wrote it.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about: dict[str, Any] = json.loads(arrays.pop(ABOUT).tobytes())
    version = about.pop("version")
    if version != VERSION:
        raise ValueError(f"{path.name} has version {version}; this is version {VERSION}")
    return about, arrays


def within(head: str, arrays: Arrays) -> Arrays:
    """Those whose names begin with ``head``, without it."""
    return {name.removeprefix(head): a for name, a in arrays.items() if name.startswith(head)}


def plain(id_: Hashable) -> Any:
    """The id as JSON holds it, so that ``choice.frozen`` makes it again.

    Raises:
        ValueError: JSON cannot hold it.
    """
    if isinstance(id_, tuple):
        return [plain(part) for part in id_]
    if id_ is not None and type(id_) not in (str, int, float, bool):
        raise ValueError(f"action {id_!r} cannot be saved: text, numbers and tuples of them can")
    return id_
