"""Splits, as masks over rows: True is test. Free functions that know arrays and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import DAY
from equipoise.errors import InvalidInteractions
from equipoise.randomness import RandomState, generator
from equipoise.types import Bools, Milliseconds, Positions


def temporal(
    timestamp: NDArray[np.int64],
    *,
    last_days: float | None = None,
    at: Milliseconds | None = None,
    fraction: float | None = None,
) -> Bools:
    """Test is what came later: name exactly one of the three.

    ``last_days``: later than the newest row less so many days. ``at``: at this time or later.
    ``fraction``: the newest share of rows, in 0..1; rows of one time stay together on the test
    side, so the share may be exceeded, but no training row is as late as a test row.
    """
    if sum(choice is not None for choice in (last_days, at, fraction)) != 1:
        raise InvalidInteractions("name one of last_days, at, fraction", code="split")
    if at is not None:
        return timestamp >= at
    if last_days is not None:
        return timestamp > _newest(timestamp) - last_days * DAY
    return timestamp >= _quantile(timestamp, fraction or 0.0)


def last(user: Positions, n: int = 1) -> Bools:
    """The last ``n`` rows of every user, rows being in time order (leave-one-out for n = 1).

    A user with no more than ``n`` rows stays in the training part: nothing could be predicted
    from an empty history.
    """
    if n < 1:
        raise InvalidInteractions(f"n is {n}; at least one row a user is held out", code="split")
    order = np.argsort(user, kind="stable")
    starts, counts = _runs(user[order])
    from_end = np.repeat(starts + counts, counts) - np.arange(len(user))
    test = np.zeros(len(user), dtype=np.bool_)
    test[order] = (from_end <= n) & (np.repeat(counts, counts) > n)
    return test


def k_folds(n: int, k: int, random_state: RandomState = None) -> Iterator[Bools]:
    """``k`` random parts of ``n`` rows, sizes differing by one at most, each the test part once."""
    if not 2 <= k <= n:
        raise InvalidInteractions(f"{k} folds of {n} rows; k must be in 2..{n}", code="split")
    fold = generator(random_state, "k_folds").permutation(np.arange(n) % k)
    for number in range(k):
        yield fold == number


def _newest(timestamp: NDArray[np.int64]) -> int:
    return int(timestamp.max()) if len(timestamp) else 0


def _quantile(timestamp: NDArray[np.int64], fraction: float) -> int:
    if not 0 < fraction < 1:
        raise InvalidInteractions(f"fraction is {fraction}; it lies between 0 and 1", code="split")
    if not len(timestamp):
        return 0
    first = min(len(timestamp) - 1, round(len(timestamp) * (1 - fraction)))
    return int(np.sort(timestamp)[first])


def _runs(sorted_codes: Positions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of equal codes starts, and how long it is."""
    starts = np.flatnonzero(np.diff(sorted_codes, prepend=-1)).astype(np.int64)
    return starts, np.diff(starts, append=len(sorted_codes))
