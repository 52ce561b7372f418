"""Which items are met together: for each item its strongest companions, in bounded memory.

When a shopper meets an item, it is paired with the last few met before it, the less the longer ago.
An item keeps its ``companions`` heaviest pairs by the space-saving rule (Metwally, Agrawal and El
Abbadi 2005): when all places are taken the newcomer takes over the lightest pair's place *and* its
weight. So a frequent pair is never lost. What it took over is kept beside it, and only what was
seen since counts as strength: never more than the truth.
All weights decay forward (Cormode et al. 2009): events count in units that grow with time, so that
nothing needs touching when time passes.
"""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numba import njit

from equipoise.state.columns import Columns
from equipoise.state.packing import pack, unpack
from equipoise.types import Arrays, Floats, Floats32, Positions

RECENT = 5
"""Items before this one that it is paired with."""
BASKET = 32
"""Lines of one purchase that are paired with each other."""
EMPTY = -1


class CoVisits:
    """Pairs of positions with forward-decayed weights.

    Args:
        companions: places an item has.
        window_ms: two meetings further apart are no pair.
        half_gap_ms: a pair counts half when its meetings are this far apart.
        shrinkage: meetings' worth of doubt, so that a pair seen once is no perfect match.
        most: shoppers whose last few items are held; the longest quiet are let go.
    """

    def __init__(
        self,
        *,
        companions: int = 64,
        window_ms: int = 86_400_000,
        half_gap_ms: int = 3_600_000,
        shrinkage: float = 2.0,
        most: int = 65_536,
    ) -> None:
        self._window = window_ms
        self._half_gap = float(half_gap_ms)
        self._shrinkage = shrinkage
        self._most = most
        self._items = Columns({"row": (np.int32, EMPTY), "mass": (np.float64, 0.0)})
        self._rows = np.zeros(1, dtype=np.int64)
        self._ids = np.full((64, companions), EMPTY, dtype=np.int32)
        self._pairs = np.zeros((64, 2, companions))
        """Weight, and how much of it was taken over."""
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._recent = np.full((64, RECENT), EMPTY, dtype=np.int32)
        self._stamps = np.zeros((64, RECENT), dtype=np.int64)

    def grow(self, items: int) -> None:
        """Make room for positions below ``items``."""
        self._items.grow(items)

    def meet(self, who: str, item: int, ts: int, unit: float) -> None:
        """A shopper met an item. Meeting it again among the last few is no new meeting."""
        slot = self._slot(who)
        self._room(RECENT + 1)
        items = self._items.arrays
        _meet(
            self._recent, self._stamps, slot, item, ts, self._window, self._half_gap, unit,
            items["row"], items["mass"], self._rows, self._ids, self._pairs,
        )  # fmt: skip

    def basket(self, items: list[int], unit: float) -> None:
        """Items of one purchase: each pair of the first ``BASKET`` counts once."""
        chosen = np.array(items[:BASKET], dtype=np.int32)
        self._room(len(chosen))
        _basket(
            chosen, unit,
            self._items.arrays["row"], self._items.arrays["mass"],
            self._rows, self._ids, self._pairs,
        )  # fmt: skip

    def together(self, item: int, unit: float) -> tuple[Positions, Floats32]:
        """Companions and strength in 0..1, strongest first.

        Strength is the shrunk cosine ``pair / (√(mass_i mass_j) + shrinkage)``, mass being how
        often an item was met, all decayed; at most 1. ``unit``: what one meeting now would weigh.
        """
        row = int(self._items["row"][item])
        if row < 0:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        held = self._ids[row] >= 0
        ids = self._ids[row][held]
        weight, taken_over = self._pairs[row][:, held]
        mass: Floats = self._items["mass"]
        scale = np.sqrt(mass[item] * mass[ids]) + self._shrinkage * unit
        strength = np.minimum((weight - taken_over) / scale, 1.0).astype(np.float32)
        order = np.lexsort((ids, -strength))
        return ids[order], strength[order]

    def forget(self, who: str) -> None:
        """Let go of what this shopper met last; what it taught stays, and names nobody."""
        slot = self._slots.pop(who, None)
        if slot is not None:
            # The last slot moves into the gap, so that slots stay 0 … n-1.
            last = len(self._slots)
            self._recent[slot], self._stamps[slot] = self._recent[last], self._stamps[last]
            for other, held in self._slots.items():
                if held == last:
                    self._slots[other] = slot

    def rescale(self, shift: int) -> None:
        """Count in units 2^shift times as large."""
        self._items["mass"][:] = np.ldexp(self._items["mass"], -shift)
        self._pairs = np.ldexp(self._pairs, -shift)

    def _slot(self, who: str) -> int:
        slot = self._slots.get(who)
        if slot is not None:
            self._slots.move_to_end(who)
            return slot
        if len(self._slots) == self._most:
            _, slot = self._slots.popitem(last=False)
        else:
            slot = len(self._slots)
            if slot == len(self._recent):
                self._recent, self._stamps = _doubled(self._recent), _doubled(self._stamps)
        self._recent[slot] = EMPTY
        self._slots[who] = slot
        return slot

    def _room(self, rows: int) -> None:
        while self._rows.item(0) + rows > len(self._ids):
            self._ids, self._pairs = _doubled(self._ids), _doubled(self._pairs)

    def dump(self) -> Arrays:
        used, slots = int(self._rows[0]), list(self._slots.values())
        return {
            **self._items.dump(),
            "companions": self._ids[:used].copy(),
            "pairs": self._pairs[:used].copy(),
            "recent_of": pack(list(self._slots)),
            "recent": self._recent[slots],
            "recent_ts": np.where(self._recent[slots] == EMPTY, 0, self._stamps[slots]),
        }

    def load(self, arrays: Arrays) -> None:
        self._items.load(arrays)
        self._ids, self._pairs = arrays["companions"].copy(), arrays["pairs"].copy()
        self._rows = np.array([len(self._ids)], dtype=np.int64)
        # An empty table cannot double.
        self._ids, self._pairs = _doubled(self._ids, 64), _doubled(self._pairs, 64)
        names = unpack(arrays["recent_of"], list[str])
        self._slots = OrderedDict((name, slot) for slot, name in enumerate(names))
        self._recent = _doubled(arrays["recent"], 64)
        self._stamps = _doubled(arrays["recent_ts"], 64)


def _doubled(array: np.ndarray, least: int = 0) -> np.ndarray:
    empty = EMPTY if array.dtype == np.int32 else 0
    grown = np.full((max(least, 2 * len(array)), *array.shape[1:]), empty, dtype=array.dtype)
    grown[: len(array)] = array
    return grown


@njit(cache=True)
def _add(item, other, weight, row_of, rows, ids, pairs):  # type: ignore[no-untyped-def]
    row = row_of[item]
    if row < 0:
        row = row_of[item] = rows[0]
        rows[0] += 1
    lightest = 0
    for place in range(ids.shape[1]):
        if ids[row, place] == other:
            pairs[row, 0, place] += weight
            return
        if ids[row, place] < 0:
            ids[row, place], pairs[row, 0, place] = other, weight
            return
        if pairs[row, 0, place] < pairs[row, 0, lightest]:
            lightest = place
    ids[row, lightest] = other
    pairs[row, 1, lightest] = pairs[row, 0, lightest]
    pairs[row, 0, lightest] += weight


@njit(cache=True)
def _meet(  # type: ignore[no-untyped-def]
    recents, stamps, slot, item, ts, window, half_gap, unit, row_of, mass, rows, ids, pairs
):  # fmt: skip
    recent, stamp = recents[slot], stamps[slot]
    place = 0
    for k in range(len(recent)):
        if recent[k] == item or recent[k] < 0:
            place = k
            break
        if stamp[k] < stamp[place]:
            place = k
    if recent[place] == item and abs(ts - stamp[place]) <= window:
        stamp[place] = max(ts, stamp[place])
        return
    mass[item] += unit
    for k in range(len(recent)):
        gap = abs(ts - stamp[k])
        if recent[k] >= 0 and recent[k] != item and gap <= window:
            weight = unit * 2.0 ** (-gap / half_gap)
            _add(item, recent[k], weight, row_of, rows, ids, pairs)
            _add(recent[k], item, weight, row_of, rows, ids, pairs)
    if recent[place] < 0 or ts >= stamp[place]:
        recent[place], stamp[place] = item, ts


@njit(cache=True)
def _basket(items, unit, row_of, mass, rows, ids, pairs):  # type: ignore[no-untyped-def]
    for a in range(len(items)):
        mass[items[a]] += unit
        for b in range(a):
            _add(items[a], items[b], unit, row_of, rows, ids, pairs)
            _add(items[b], items[a], unit, row_of, rows, ids, pairs)
