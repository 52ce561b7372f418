"""Which rows to keep before anything is learnt. Free functions: arrays in, a mask out."""

from __future__ import annotations

import numpy as np

from equipoise.errors import InvalidInteractions
from equipoise.types import Bools, Positions


def k_core(
    user: Positions, item: Positions, *, users: int = 1, items: int = 1, distinct: bool = True
) -> Bools:
    """(n,) True in the largest part where each user has at least ``users`` items and each item at
    least ``items`` users.

    Seidman, "Network structure and minimum degree", Social Networks 1983, for the two sides of a
    bipartite graph; "5-core" is 5 and 5. Leaving out a user takes rows from items, and so on, until
    nothing changes: the result is the same whatever is left out first. ``distinct=False`` counts
    rows instead of partners, so that ten views of one page are ten.

    Cost O(nnz) a round, some ten rounds on real data; memory a few arrays of nnz.

    Raises:
        InvalidInteractions: a bound below 1, or nothing is left.
    """
    if users < 1 or items < 1:
        raise InvalidInteractions(
            f"users={users}, items={items}: whole numbers from 1 up are wanted", code="filter"
        )
    counted = _first_of_pair(user, item) if distinct else np.ones(len(user), np.bool_)
    kept = np.ones(len(user), np.bool_)
    while True:
        enough = _enough(user, kept & counted, users) & _enough(item, kept & counted, items)
        if (enough | ~kept).all():
            break
        kept &= enough
    if not kept.any():
        raise InvalidInteractions(
            f"none of {len(user):,} rows is left: there is no core of users={users}, items={items}",
            code="empty",
        )
    return kept


def _enough(codes: Positions, counted: Bools, least: int) -> Bools:
    """(n,) True where the row's code has at least ``least`` rows among the ``counted``."""
    counts = np.bincount(codes[counted], minlength=int(codes.max(initial=-1)) + 1)
    enough: Bools = counts[codes] >= least
    return enough


def _first_of_pair(user: Positions, item: Positions) -> Bools:
    first = np.zeros(len(user), np.bool_)
    pairs = user.astype(np.int64) * (int(item.max(initial=0)) + 1) + item
    first[np.unique(pairs, return_index=True)[1]] = True
    return first
