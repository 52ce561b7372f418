"""Arrays by position that grow: a struct of arrays, doubled when full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from equipoise.types import Arrays

SMALLEST = 64


class Columns:
    """Named arrays of one length. ``fields`` gives each a dtype and the value of an empty row.

    Room beyond the length is no part of the state: ``dump`` leaves it out.
    """

    def __init__(self, fields: Mapping[str, tuple[DTypeLike, float | bool]]) -> None:
        self._fields = dict(fields)
        self._length = 0
        self._arrays: Arrays = {}
        self._reserve(SMALLEST)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> NDArray[Any]:
        """(len,) a view to write to."""
        return self._arrays[name][: self._length]

    @property
    def arrays(self) -> Arrays:
        """The arrays with their spare room, until the next ``grow``: no slicing, for hot paths."""
        return self._arrays

    def grow(self, length: int) -> None:
        """Make the length at least ``length``; new rows are empty."""
        if length > self._length:
            if length > len(next(iter(self._arrays.values()))):
                self._reserve(max(length, 2 * self._length))
            self._length = length

    def dump(self) -> Arrays:
        return {name: self[name].copy() for name in self._fields}

    def load(self, arrays: Arrays) -> None:
        self._arrays = {name: arrays[name].copy() for name in self._fields}
        self._length = len(next(iter(self._arrays.values())))
        self._reserve(max(SMALLEST, self._length))

    def _reserve(self, capacity: int) -> None:
        grown = {
            name: np.full(capacity, empty, dtype=dtype)
            for name, (dtype, empty) in self._fields.items()
        }
        for name, array in self._arrays.items():
            grown[name][: self._length] = array[: self._length]
        self._arrays = grown
