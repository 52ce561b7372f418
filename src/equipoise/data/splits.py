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


def at_random(n: int, fraction: float, random_state: RandomState = None) -> Bools:
    """``fraction`` of ``n`` rows, drawn without replacement; at least one, never all.

    Later rows then teach what earlier ones are asked: for ratings without times; else ``temporal``.
    """
    _share(fraction)
    if n < 2:
        raise InvalidInteractions(f"{n} rows cannot be split; 2 are wanted", code="split")
    held = min(max(round(n * fraction), 1), n - 1)
    test = np.zeros(n, dtype=np.bool_)
    test[generator(random_state, "at_random").choice(n, held, replace=False)] = True
    return test


def user_fraction(
    user: Positions,
    fraction: float,
    *,
    shuffled: bool = False,
    random_state: RandomState = None,
) -> Bools:
    """Of each user the last ``fraction`` of rows, rounded down, or with ``shuffled`` as many drawn
    at random (NGCF's and LightGCN's splits: 0.2 shuffled). Each user keeps a training row.
    """
    _share(fraction)
    place = np.arange(len(user))
    if shuffled:
        place = generator(random_state, "user_fraction").permutation(place)
    order = np.lexsort((place, user))
    starts, counts = _runs(user[order])
    from_end = np.repeat(starts + counts, counts) - np.arange(len(user))
    test = np.zeros(len(user), dtype=np.bool_)
    # A hair more, lest 0.1 · 30 come out as 2.
    test[order] = from_end <= np.repeat(np.floor(counts * fraction + 1e-9), counts)
    return test


def sessions(user: Positions, timestamp: NDArray[np.int64], gap: Milliseconds) -> NDArray[np.int64]:
    """(n,) which session of its user a row belongs to, from 0: a new one starts where more than
    ``gap`` passed since the user's row before. Rows are in time order.

    Thirty minutes is the web's custom (Catledge, Pitkow, *Computer Networks* 27, 1995, measured
    25.5).
    """
    if gap <= 0:
        raise InvalidInteractions(f"the gap is {gap} ms; time above 0 is wanted", code="split")
    order = np.argsort(user, kind="stable")
    starts, counts = _runs(user[order])
    fresh = np.diff(timestamp[order], prepend=0) > gap
    fresh[starts] = False
    risen = np.cumsum(fresh)
    number = np.empty(len(user), np.int64)
    number[order] = risen - np.repeat(risen[starts], counts)
    return number


def whole_users(user: Positions, some: Bools) -> Bools:
    """All rows of the users of whom any row is in ``some`` (n,): sessions stay in one piece."""
    marked = np.zeros(int(user.max(initial=-1)) + 1, dtype=np.bool_)
    marked[user[some]] = True
    whole: Bools = marked[user]
    return whole


def _newest(timestamp: NDArray[np.int64]) -> int:
    return int(timestamp.max()) if len(timestamp) else 0


def _share(fraction: float) -> None:
    if not 0 < fraction < 1:
        raise InvalidInteractions(f"fraction is {fraction}; it lies between 0 and 1", code="split")


def _quantile(timestamp: NDArray[np.int64], fraction: float) -> int:
    _share(fraction)
    if not len(timestamp):
        return 0
    first = min(len(timestamp) - 1, round(len(timestamp) * (1 - fraction)))
    return int(np.sort(timestamp)[first])


def _runs(sorted_codes: Positions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of equal codes starts, and how long it is."""
    starts = np.flatnonzero(np.diff(sorted_codes, prepend=-1)).astype(np.int64)
    return starts, np.diff(starts, append=len(sorted_codes))
