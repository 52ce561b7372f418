"""The k best of many positions, exactly, in one pass and without sorting: what sources are made of.

Ties are broken by a hash of (turn, position): fair among equals, the same for the same turn. So a
shop that knows nothing yet does not show the first rows of its catalogue to everybody.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from hashlib import blake2b
from math import gcd
from typing import Any

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.types import Bools, Floats, Positions, Query, Shopper

MASK = (1 << 64) - 1


def turn_of(query: Query, shopper: Shopper) -> int:
    """A number of 63 bits that changes with who asks, what they did, and all that the query says.

    The context counts too: a caller that puts a decision's id there gets another turn each time.
    """
    said = (query.placement, shopper.key, shopper.events, query.item_ids, query.context)
    return int.from_bytes(blake2b(msgspec.json.encode(said), digest_size=8).digest(), "little") >> 1


def best(
    values: NDArray[Any], eligible: Bools, k: int, turn: int = 0
) -> tuple[Positions, NDArray[Any]]:
    """Positions and values of the at most ``k`` largest ``values`` (I,) where ``eligible`` (I',).

    Only positions that both arrays have are looked at; NaN is never chosen. O(I + hits · log k).
    """
    positions = _best(values, eligible, k, np.uint64(turn)) if k > 0 else np.empty(0, np.int32)
    return positions, values[positions]


class Shortlist:
    """``best`` over a column that most queries share: the leaders are found once, then used again.

    Exact for as long as ``key`` says that the column is the same. Where too few of the leaders are
    eligible, or those that follow them are their equals, the whole column is looked at.
    """

    def __init__(self, size: int = 4_096) -> None:
        self._size = size
        self._key: Hashable = None
        self._leaders: Positions = np.empty(0, np.int32)
        self._floor: Any = None
        """The highest value that is not among the leaders; None if all are."""

    def best(
        self, values: NDArray[Any], key: Hashable, eligible: Bools, k: int, turn: int = 0
    ) -> tuple[Positions, NDArray[Any]]:
        """As ``best(values, eligible, k, turn)``."""
        if key != self._key or key is None:
            self._key = key
            self._lead(values)
        known = self._leaders[self._leaders < min(len(values), len(eligible))]
        among = known[eligible[known]]
        if k <= 0:
            return known[:0], values[known[:0]]
        if self._floor is None or (len(among) > k and values[among[k - 1]] > self._floor):
            # Whoever equals the last one that is taken has a right to its place too.
            last = values[among[min(k, len(among)) - 1]] if len(among) else 0
            among = among[values[among] >= last]
            positions = _best_of(among.astype(np.int64), values, k, np.uint64(turn))
            return positions, values[positions]
        return best(values, eligible, k, turn)

    def _lead(self, values: NDArray[Any]) -> None:
        if len(values) <= self._size:
            order = np.argsort(-values, kind="stable")
            self._leaders, self._floor = order.astype(np.int32), None
            return
        cut = np.argpartition(-values, self._size)
        leaders = cut[: self._size]
        self._floor = values[cut[self._size]]
        self._leaders = leaders[np.argsort(-values[leaders], kind="stable")].astype(np.int32)


def walk(eligible: Bools, k: int, turn: int) -> Positions:
    """At most ``k`` eligible positions, each with the same chance over turns.

    One stride through the catalogue that meets every position once, so that all are found where
    there are fewer: O(k) steps where most is eligible.
    """
    size = len(eligible)
    if size == 0 or k <= 0:
        return np.empty(0, np.int32)
    start, step = turn % size, (turn // size) % size
    while gcd(step, size) != 1:
        step = (step + 1) % size
    found: Positions = _walk(eligible, k, start, step)
    return found


@njit(cache=True, nogil=True)
def _hash(turn, position):  # type: ignore[no-untyped-def]
    """SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    z = turn + np.uint64(0x9E3779B97F4A7C15) * np.uint64(position + 1)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def _best(values, eligible, k, turn):  # type: ignore[no-untyped-def]
    heap = [(values[0], np.uint64(0), 0) for _ in range(0)]
    least = values[:0].sum()
    # From the end, since what is new stands there: the heap then fills with the newest at once.
    for i in range(min(len(values), len(eligible)) - 1, -1, -1):
        value = values[i]
        if value < least and len(heap) == k:
            continue
        if not eligible[i] or value != value:
            continue
        one = (value, _hash(turn, i), i)
        if len(heap) < k:
            heapq.heappush(heap, one)
        elif one > heap[0]:
            heapq.heapreplace(heap, one)
        least = heap[0][0]
    out = np.empty(len(heap), np.int32)
    for place in range(len(heap) - 1, -1, -1):
        out[place] = heapq.heappop(heap)[2]
    return out


@njit(cache=True, nogil=True)
def _best_of(positions, values, k, turn):  # type: ignore[no-untyped-def]
    heap = [(values[0], np.uint64(0), 0) for _ in range(0)]
    for i in positions:
        if values[i] != values[i]:
            continue
        one = (values[i], _hash(turn, i), i)
        if len(heap) < k:
            heapq.heappush(heap, one)
        elif one > heap[0]:
            heapq.heapreplace(heap, one)
    out = np.empty(len(heap), np.int32)
    for place in range(len(heap) - 1, -1, -1):
        out[place] = heapq.heappop(heap)[2]
    return out


@njit(cache=True, nogil=True)
def _walk(eligible, k, start, step):  # type: ignore[no-untyped-def]
    size, at, found = len(eligible), start, 0
    out = np.empty(min(k, size), np.int32)
    for _ in range(size):
        if eligible[at]:
            out[found] = at
            found += 1
            if found == len(out):
                break
        at = (at + step) % size
    return out[:found]


@njit(cache=True, nogil=True)
def _weighted(share, category, values):  # type: ignore[no-untyped-def]
    size = len(category)
    out = np.full(size, np.nan, np.float32)
    for i in range(size):
        code = category[i]
        if 0 <= code < len(share) and share[code] > 0:
            value = values[i] if i < len(values) else 0.0
            out[i] = share[code] * (0.1 + 0.9 * value)
    return out


def within_categories(share: Floats, category: NDArray[Any], values: Floats) -> Floats:
    """(I,) ``share[category] · (0.1 + 0.9 · value)``, NaN where the category has no share.

    The tenth keeps items that nobody met yet in the running, behind those that many did.
    """
    weighted: Floats = _weighted(share, category, values)
    return weighted
