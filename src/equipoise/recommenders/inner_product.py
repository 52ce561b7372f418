"""Exact search for the largest inner products with a vector, at the cost of reading a few bits.

Items lie in blocks by falling norm, so by Cauchy–Schwarz the scan may stop at the first block whose
norm cannot reach the k-th best so far (length-based pruning of LEMP: Teflioudi, Gemulla, Mykytiuk,
SIGMOD 2015). Before that it reads four bits a number (``quantised``), a certain bound on each
score, and computes only the scores whose bound reaches the floor (``finalists``).

Asked for a recall below one, items lie in groups of like direction as well, and groups and blocks
are passed over that are unlikely to hold one of the best (``direction_groups``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from equipoise.errors import InvalidInput
from equipoise.recommenders.byte_dots import LANES
from equipoise.recommenders.direction_groups import Groups
from equipoise.recommenders.finalists import (
    LEAST_ROOM,
    all_dots,
    collect,
    floor_of,
    settle,
    sift,
    waiting_room,
)
from equipoise.recommenders.quantised import TINY, Quantised, quantise, upper_bounds, work_space
from equipoise.recommenders.top import unpack
from equipoise.types import Bools, Floats32, Positions

FEW = 32
"""Where less than one in so many is allowed, their scores alone are computed."""
LARGE = 1e37
"""From here on products may leave what float32 holds, and the bounds with them."""
RECALL_WANTED = "None for an exact search, or a number between 0 and 1,"
LIKELY = 3.0
"""Standard deviations of the rounding error that an approximate search allows for."""


@njit(cache=True, nogil=True)
def _best(layout, query, visit, promise, allowed, heap):  # type: ignore[no-untyped-def]
    """Fill ``heap`` with the best of the groups ``visit``, the most promising first."""
    words, marks, rotation, order, starts, norms, factors = layout
    vector, length, share = query
    codes = np.zeros(8 * words.shape[1], np.int8)
    step, centre, lost = quantise(vector, rotation, codes)
    bytes_ = step, centre, np.float32(share * (length + lost))
    doubt = np.float32(share * lost + slack(len(vector)) * length)
    work, bounds = work_space(), np.empty(LANES, np.float32)
    k, room = len(heap), max(LEAST_ROOM, 4 * len(heap))
    waiting = waiting_room(room)
    n, size, floor, seen, due = 0, 0, np.float32(-np.inf), 0, 16
    for group in visit:
        if norms[starts[group]] * promise[group] + TINY < floor:
            break
        for b in range(starts[group], starts[group + 1]):
            if norms[b] * promise[group] + TINY < floor:
                break
            margin = norms[b] * doubt + TINY
            if upper_bounds(words[b], marks[b], codes, bytes_, margin, floor, work, bounds):
                n = collect(bounds, order[b], floor, waiting, n)
            seen += 1
            if seen < due and n <= room - LANES:
                continue
            due = max(due, 4 * seen)
            n, floor = sift(waiting, n, floor, allowed, k, factors, vector)
            if n > room // 2:
                size, n = settle(waiting, n, factors, vector, heap, size), 0
                floor = max(floor, floor_of(heap, size))
    n, _ = sift(waiting, n, floor, allowed, k, factors, vector)
    return settle(waiting, n, factors, vector, heap, size)


@njit(cache=True, nogil=True)
def _best_of(codes, factors, vector, heap):  # type: ignore[no-untyped-def]
    """Fill ``heap`` with the best of ``codes``, all of them scored."""
    size, room = 0, min(LEAST_ROOM, len(codes))
    waiting = waiting_room(room)
    for start in range(0, len(codes), max(room, 1)):
        part = codes[start : start + room]
        waiting[0][: len(part)] = part
        size = settle(waiting, len(part), factors, vector, heap, size)
    return size


@njit(cache=True, nogil=True)
def slack(d):  # type: ignore[no-untyped-def]
    """What share of the two norms float32 sums of ``d`` products are off by at most, with room."""
    return (d + 32) * 2.0**-23


@dataclass(frozen=True)
class InnerProducts:
    """Item vectors laid out for the search.

    Memory beside ``factors`` themselves, which are not copied: I · (d / 2 + 8) bytes. Built in
    O(I·d² + I·log I), with a recall in O(I^1.5·d) more.
    """

    factors: Floats32
    """(I, d) as handed in, not to be written to."""
    codes: Quantised
    order: Positions
    """(blocks, 64) the code at each place, -1 where none is; rows with NaN have no place."""
    starts: Positions
    """(groups + 1,) the first block of each group."""
    norms: Floats32
    """(blocks,) the largest norm inside each, falling inside a group."""
    groups: Groups | None = None
    """None where the search is exact."""

    @classmethod
    @np.errstate(over="ignore", invalid="ignore")
    def of(cls, factors: Floats32, *, recall: float | None = None) -> InnerProducts:
        """Lay out ``factors`` (I, d); with a ``recall`` such as 0.99, for approximate search.

        ``recall`` is the share of the true best that lists of ten and of a hundred should hold on
        average. It is met on queries made from the vectors themselves (``Groups.tried``); queries
        of another kind may fall short. Raises InvalidInput for factors without a number.
        """
        factors = np.ascontiguousarray(factors, np.float32)
        if factors.ndim != 2 or not factors.shape[1]:
            raise InvalidInput(f"factors have shape {factors.shape}; (items, at least 1) is wanted")
        norms = np.sqrt(np.einsum("if,if->i", factors, factors, dtype=np.float64))
        placed = np.flatnonzero(~np.isnan(norms)).astype(np.int32)
        groups = None if recall is None else Groups.of(factors, norms)
        member = np.zeros(len(factors), np.int32) if groups is None else groups.member
        falling = placed[np.lexsort((placed, -norms[placed], member[placed]))]
        order, starts = _in_blocks(falling, member[falling])
        largest = np.nextafter(norms[order[:, 0]].astype(np.float32), np.float32(np.inf))
        if groups is not None and recall is not None:
            reach = np.zeros(len(factors), np.float32)
            reach[order[order >= 0]] = np.repeat(largest, (order >= 0).sum(axis=1))
            groups = groups.tried(factors, reach, recall)
        codes = Quantised.of(factors, order.ravel())
        return cls(factors, codes, order, starts, largest, groups)

    @staticmethod
    def can_find(recall: float | None) -> bool:
        """Whether ``of`` takes this recall."""
        return recall is None or 0 < recall < 1

    def scores(self, vector: Floats32) -> Floats32:
        """(I,) the inner product of ``vector`` (d,) with every item, by code."""
        out = np.empty(len(self.factors), np.float32)
        all_dots(self.factors, self._checked(vector), out)
        return out

    def top(self, vector: Floats32, allowed: Bools, k: int) -> tuple[Positions, Floats32]:
        """``masked_top(self.scores(vector), allowed, k)``, bit for bit, without computing most of
        it; with a recall, most of its items, with these very scores.

        Raises InvalidInput for a vector that is not (d,) or a mask that is not (I,).
        """
        vector, items = self._checked(vector), len(self.factors)
        if allowed.shape != (items,):
            raise InvalidInput(f"the mask has shape {allowed.shape}; ({items},) is wanted")
        heap = np.empty(max(0, min(k, items)), np.uint64)
        if not len(heap):
            return unpack(heap)
        length = float(np.sqrt(np.sum(np.square(vector, dtype=np.float64))))
        bounded = len(self.norms) > 0 and float(self.norms.max()) * length < LARGE
        if bounded and np.count_nonzero(allowed) * FEW > items and 4 * k < items:
            return unpack(heap[: self._search(vector, length, allowed, heap)])
        return unpack(heap[: _best_of(np.flatnonzero(allowed), self.factors, vector, heap)])

    def _checked(self, vector: Floats32) -> Floats32:
        d = self.factors.shape[1]
        if vector.shape != (d,):
            raise InvalidInput(f"the vector has shape {vector.shape}; ({d},) is wanted")
        return np.ascontiguousarray(vector, np.float32)

    def _search(self, vector: Floats32, length: float, allowed: Bools, heap: np.ndarray) -> int:
        codes = self.codes
        layout = (
            *(codes.words, codes.marks, codes.rotation),
            *(self.order, self.starts, self.norms, self.factors),
        )
        if self.groups is None:
            promise = np.array([length * (1 + slack(len(vector)))], np.float32)
            visit, share = np.zeros(1, np.int64), 1.0
        else:
            promise = self.groups.promise(vector)
            visit = np.argsort(-promise * self.norms[self.starts[:-1]])
            share = min(1.0, LIKELY / len(vector) ** 0.5)
        size: int = _best(layout, (vector, length, share), visit, promise, allowed, heap)
        return size


def _in_blocks(codes: Positions, member: Positions) -> tuple[Positions, Positions]:
    """Codes in blocks (B, 64), each group from a new block, and the groups' first blocks."""
    groups = int(member.max(initial=0)) + 1
    counts = np.bincount(member, minlength=groups)
    starts = np.concatenate([[0], np.cumsum(-(-counts // LANES))]).astype(np.int32)
    order = np.full((starts[-1], LANES), -1, np.int32)
    inside = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    order.reshape(-1)[starts[member] * LANES + inside] = codes
    return order, starts
