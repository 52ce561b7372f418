"""Variety: which candidates are variants of one thing, and how many of them a slate may hold."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.types import Bools, Positions

NO_GROUP = -1


def groups_of(*codes: NDArray[Any]) -> Positions:
    """(n,) one code a candidate: the same where all given columns agree.

    Columns are whole numbers, such as variant groups or (sellers, categories); one below 0 says
    "none", and a candidate with a none in any column is in no group (-1). The codes count from 0
    in the order of the columns' values. O(n log n).

    Raises:
        ValueError: no column, columns of different lengths, or one that is not of whole numbers.
    """
    lengths = {len(column) for column in codes}
    if len(lengths) != 1:
        raise ValueError(f"groups need columns of one length; there are {sorted(lengths)}")
    for column in codes:
        if not np.issubdtype(column.dtype, np.integer):
            raise ValueError(f"a column of groups holds {column.dtype}; it must be whole numbers")
    columns = np.stack(codes).astype(np.int64)
    grouped = (columns >= 0).all(axis=0)
    group = np.full(columns.shape[1], NO_GROUP, dtype=np.int32)
    group[grouped] = np.unique(columns[:, grouped], axis=1, return_inverse=True)[1]
    return group


class Quota:
    """At most ``most`` of each group; 0 means any number."""

    def __init__(self, groups: Positions, most: int) -> None:
        self._groups = groups
        self._most = most
        self._taken: Counter[int] = Counter()

    def take(self, index: int, open_: Bools) -> None:
        """Count one in, and close in ``open_`` the others of its group once that is full."""
        group = int(self._groups[index])
        if group == NO_GROUP or not self._most:
            return
        self._taken[group] += 1
        if self._taken[group] >= self._most:
            open_ &= self._groups != group
