"""P(item is the best) among independent Gaussian beliefs, for any subset, by quadrature in 1-D.

With density f_i and distribution F_i of each item's worth and F the product over all that are
open::

    P(i is best) = ∫ f_i(t) Π_{j≠i} F_j(t) dt = ∫ (f_i / F_i)(t) F(t) dt

The rows ``log F_i`` and ``f_i / F_i`` are computed once on a grid; each subset then costs one sum
of rows and one weighted sum of columns. Three ideas make a grid of some hundred nodes enough:

*Floor.* Write l_i = m_i − 6 s_i. The best is not below L, the highest l_i that is open; an item
that does not reach L within 6 of its own spreads cannot win and stays out.

*Nodes.* Of the items that can win, one of spread s lies within 6 s of L. So the smallest detail at
a distance D above L has a width of about D / 12: nodes may spread out in proportion to D. They are
Gauss–Legendre nodes in u, with t = L + a sinh(u) and a the width of the smallest spread; their
number grows with the logarithm of the ratio of spreads: 96 up to a ratio of 6, 168 at 100.

*Stages.* As items are taken, L falls. Items are ranked by l; a stage is a run of ranks whose
spreads are wide enough for one grid anchored at the last l of the run. The stage, hence the result,
depends on what is open alone, not on what was asked before. An item without spread ends a stage,
and holds the mass F(L) at its own value: it is treated exactly.

``top_two`` asks for one more: who is best once the best is closed, over all that it might be.

Largest error against a fine composite quadrature: 2e-9, for ratios of spreads up to 1e6 [measured].
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, exp, log, pi, sqrt

import numpy as np
from numba import njit
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from equipoise.types import Bools, Floats

REACH = 6.0
"""Spreads either side of a mean beyond which an item is not looked for: 1e-9 of its mass."""
SLACK = 3.0
"""Spreads by which a stage's anchor may lie below the floor of an item in it."""
PANEL = 24
PANELS = 4
PANEL_WIDTH = 0.75
"""In u, at most: the nodes are then closer than the width of what lies at their distance."""
NEGLIGIBLE = 1e-12
"""A spread of this share of the widest is none."""

NODE, WEIGHT = leggauss(PANEL)

FAINT = 1e-18
"""Of the mass of F: a node where F is less says nothing."""
WIDEST = 0.5 * (REACH + SLACK) ** 2 + 10.0
"""An open item's log F is above −WIDEST at every node of its stage."""
TAIL = 7.0
"""In standard deviations; the tables end here."""
STEPS = 64
"""Of the tables, to a standard deviation."""
_Z = np.arange(-TAIL * STEPS, TAIL * STEPS + 1) / STEPS
_CDF = np.array([0.5 * erfc(-z / sqrt(2.0)) for z in _Z.tolist()])
LOG_CDF = np.log(_CDF)
RATE = np.exp(-0.5 * _Z * _Z) / sqrt(2.0 * pi) / _CDF
SLOPE = -RATE * (_Z + RATE)


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of one stage: ``k`` items that can win, at ``T`` nodes, the first of them at L."""

    items: NDArray[np.int64]
    known: NDArray[np.int64]
    """Items without spread whose value is L."""
    log_cdf: Floats
    """(k, T)"""
    hazard: Floats
    """(T, k) f / F times the weight of the node; 0 at the first, which only serves F(L)."""

    def without(self) -> tuple[Floats, Floats]:
        """(k, T) twice: 1 / F, which takes an item out of the product, and hazard / F."""
        without = np.exp(-np.maximum(self.log_cdf, -WIDEST))
        return without, self.hazard.T * without


class Race:
    """Chances of being the best, for any subset of the same n items.

    O(n log n) to set up; a stage costs O(96 k) exponentials once, when it is first needed, a
    subset O(96 k) additions, k ≤ n the number of items that can win.
    """

    def __init__(self, mean: Floats, spread: Floats) -> None:
        self._mean = mean
        self._spread = np.where(spread > NEGLIGIBLE * spread.max(), spread, 0.0)
        low = mean - REACH * self._spread
        self._order = np.argsort(-low, kind="stable")
        self._low = low[self._order]
        wanted = self._low - SLACK * self._spread[self._order]
        self._first, self._last = _stages(self._low, wanted)
        self._grids: dict[int, Grid] = {}
        self._without: dict[int, tuple[Floats, Floats]] = {}

    def chances(self, open_: Bools) -> Floats:
        """(n,) P(best among the open), 0 elsewhere; the sum is 1."""
        grid = self._grid(int(np.argmax(open_[self._order])))
        chance = np.zeros(len(open_))
        chance[grid.items], below = _chances(grid.log_cdf, grid.hazard, open_[grid.items])
        known = grid.known[open_[grid.known]]
        if len(known):
            chance[known] = below / len(known)
        chance /= chance.sum()
        return chance

    def top_two(self, open_: Bools) -> tuple[Floats, Floats]:
        """(n,) twice: P(best), and P(best once the best is closed). Two at least are open.

        The second is ``Σ_j P(j best) ∫ (f_i / F_i) F / F_j`` over j ≠ i, on the grid of the first:
        taking one item out leaves its floor L where it is. Only the item that L belongs to needs a
        race without it. O(96 k) like the first.
        """
        first = self.chances(open_)
        rank = int(np.argmax(open_[self._order]))
        grid = self._grid(rank)
        known = grid.known[open_[grid.known]]
        second = np.zeros(len(open_))
        closable = first.copy()
        if len(known) < 2:
            owner = int(known[0] if len(known) else self._order[rank])
            closable[owner] = 0.0
            rest = open_.copy()
            rest[owner] = False
            second += first[owner] * self.chances(rest)
        self._add_closed(second, grid, rank, open_, closable, known)
        second /= second.sum()
        return first, second

    def _add_closed(
        self,
        second: Floats,
        grid: Grid,
        rank: int,
        open_: Bools,
        closable: Floats,
        known: NDArray[np.int64],
    ) -> None:
        """Add to ``second`` what each item wins when those ``closable`` are closed in turn."""
        stage = int(self._first[rank])
        if stage not in self._without:
            self._without[stage] = grid.without()
        inside = open_[grid.items]
        # Closing one of several known items that tie leaves the others where it was.
        ties = float(closable[known].sum())
        chance, below = _closed(
            grid.log_cdf, grid.hazard, *self._without[stage], inside, closable[grid.items], ties
        )
        second[grid.items] += chance
        second[known] += below / max(len(known), 1)

    def _grid(self, rank: int) -> Grid:
        first = int(self._first[rank])
        if first not in self._grids:
            self._grids[first] = self._build(first, int(self._last[rank]))
        return self._grids[first]

    def _build(self, first: int, last: int) -> Grid:
        anchor = self._low[last]
        left = self._order[first:]
        mean, spread = self._mean[left], self._spread[left]
        known = left[(spread == 0) & (mean == anchor)]
        items = np.sort(left[(spread > 0) & (mean + REACH * spread > anchor)])
        distance = self._mean[items] - anchor
        spread = self._spread[items]
        node, weight = _nodes(spread, distance)
        log_cdf, hazard = _rows(node, weight, distance, spread)
        return Grid(items, known, log_cdf, hazard)


def _nodes(spread: Floats, distance: Floats) -> tuple[Floats, Floats]:
    """Distances of the nodes above the anchor, the anchor first, and their weights."""
    if len(spread) == 0:
        return np.zeros(1), np.zeros(1)
    scale = 2.0 * REACH * spread.min()
    end = np.arcsinh((distance + REACH * spread).max() / scale)
    panels = max(PANELS, int(np.ceil(end / PANEL_WIDTH)))
    half = end / panels / 2.0
    u = (half * (2.0 * np.arange(panels)[:, None] + 1.0 + NODE)).ravel()
    node = np.concatenate([[0.0], scale * np.sinh(u)])
    weight = np.concatenate([[0.0], scale * np.cosh(u) * np.tile(half * WEIGHT, panels)])
    return node, weight


@njit(cache=True)
def _stages(low: Floats, wanted: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last rank of each rank's stage: a run that ends above every anchor it wants."""
    n = len(low)
    first, last = np.empty(n, np.int64), np.empty(n, np.int64)
    start, lowest = 0, wanted[0]
    for rank in range(n):
        if low[rank] < lowest:
            last[start:rank] = rank - 1
            start, lowest = rank, wanted[rank]
        lowest = max(lowest, wanted[rank])
        first[rank] = start
    last[start:] = n - 1
    return first, last


@njit(cache=True)
def _rows(node: Floats, weight: Floats, distance: Floats, spread: Floats) -> tuple[Floats, Floats]:
    log_cdf = np.zeros((len(spread), len(node)))
    hazard = np.zeros((len(node), len(spread)))
    for i in range(len(spread)):
        for t in range(len(node)):
            z = (node[t] - distance[i]) / spread[i]
            if z < -TAIL:
                # Far below this item: F is nil while the item is open, and it has no say after.
                log_cdf[i, t] = -0.5 * z * z - log(-z * 2.5066282746310002)
            elif z < TAIL:
                log_cdf[i, t], rate = log_cdf_and_rate(z)
                hazard[t, i] = weight[t] * rate / spread[i]
    return log_cdf, hazard


@njit(cache=True, inline="always")
def log_cdf_and_rate(z: float) -> tuple[float, float]:
    """log Φ and φ/Φ at z, by cubic Hermite interpolation: to 1e-10, several times faster than erfc.

    The derivatives it needs are at hand: (log Φ)' = φ/Φ =: λ and λ' = −λ (z + λ).
    """
    place = (z + TAIL) * STEPS
    k = min(int(place), len(LOG_CDF) - 2)
    x = place - k
    # Hermite's basis; the slopes are a step's.
    end = x * x * (3.0 - 2.0 * x)
    rise, fall = x * (1.0 - x) * (1.0 - x) / STEPS, x * x * (x - 1.0) / STEPS
    log_cdf = LOG_CDF[k] + end * (LOG_CDF[k + 1] - LOG_CDF[k]) + rise * RATE[k] + fall * RATE[k + 1]
    rate = RATE[k] + end * (RATE[k + 1] - RATE[k]) + rise * SLOPE[k] + fall * SLOPE[k + 1]
    return log_cdf, rate


@njit(cache=True)
def _chances(log_cdf: Floats, hazard: Floats, inside: Bools) -> tuple[Floats, float]:
    """Chances of the items of a grid, and F(L). Sums run in a fixed order: the same to the bit."""
    items, nodes = log_cdf.shape
    total = np.zeros(nodes)
    for i in range(items):
        if inside[i]:
            total += log_cdf[i]
    chance = np.zeros(items)
    for t in range(1, nodes):
        product = exp(total[t])
        if product > FAINT:
            chance += product * hazard[t]
    return np.where(inside, chance, 0.0), exp(total[0])


@njit(cache=True)
def _closed(
    log_cdf: Floats,
    hazard: Floats,
    without: Floats,
    hazard_without: Floats,
    inside: Bools,
    closable: Floats,
    ties: float,
) -> tuple[Floats, float]:
    """Σ_j closable_j P(i best without j) for the items of a grid; the same of F(L).

    Over pairs in O(T k): at each node all that may be closed is summed once, ``ties`` that change
    nothing included, and what i itself adds is taken out of the integral.
    """
    items, nodes = log_cdf.shape
    product, out = np.zeros(nodes), np.full(nodes, ties)
    for i in range(items):
        if inside[i]:
            product += log_cdf[i]
            if closable[i] > FAINT:
                out += closable[i] * without[i]
    product = np.exp(product)
    chance = np.zeros(items)
    for t in range(1, nodes):
        if product[t] * out[t] > FAINT:
            chance += product[t] * out[t] * hazard[t]
    for i in range(items):
        if closable[i] > FAINT:
            own = 0.0
            for t in range(1, nodes):
                own += product[t] * hazard_without[i, t]
            chance[i] = max(chance[i] - closable[i] * own, 0.0)
    return np.where(inside, chance, 0.0), product[0] * out[0]
