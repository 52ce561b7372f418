"""What knowing everything would be worth to a decision: the expected value of perfect information.

``EVPI = E[max_i f_i] − max_i m_i`` under the belief (Raiffa and Schlaifer, *Applied Statistical
Decision Theory*, 1961). It shrinks as the picture settles and rises with launches and drift, by
itself, so it says at any time how much there is to find out. It is a bound: no exploring, however
clever, can be worth more to a decision than this.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from equipoise.errors import InvalidInput
from equipoise.types import Floats

REACH = 6.0
"""Spreads either side of a mean beyond which nothing is looked for."""
NODES = 96
ROUNDS = 60
"""Halvings: to the last bits of a float."""


def evpi(mean: Floats, spread: Floats) -> float:
    """Of one slot, under independent Gaussian beliefs (n,); in the unit of the means.

    With leader L: ``∫ F_L (1 − Π_{j≠L} F_j) dt``, a positive integrand, by quadrature on nodes that
    widen away from where it is decided. Relative error below 1e-4. O(n).

    Raises:
        InvalidInput: no candidates, shapes that differ, or a spread below 0.
    """
    mean, spread = _checked(mean, spread)
    if not spread.any():
        return 0.0
    return float(_evpi(mean, spread))


def evpi_slate(mean: Floats, spread: Floats, look: Floats) -> float:
    """An upper bound for a slate, ``look`` (L,) the chance that each slot is looked at, falling.

    ``Σ_l (v_l − v_{l+1}) (min_t [l t + Σ_i s_i h((m_i − t) / s_i)] − Σ_{j≤l} m_(j))`` with
    ``h(z) = φ(z) + z Φ(z)``: the l best of n are worth no more than l thresholds t and what each
    item exceeds them by. The minimum is where ``Σ_i Φ((m_i − t) / s_i) = l``. O(n) a slot.

    Raises:
        InvalidInput: as ``evpi``; or looks that rise or are below 0.
    """
    mean, spread = _checked(mean, spread)
    look = np.asarray(look, dtype=float)
    if look.ndim != 1 or (np.diff(look) > 1e-12).any() or (look < 0).any():
        raise InvalidInput(
            f"look is {look}; it holds the chance that each slot is looked at, none higher than "
            "that before it and none below 0",
            pointer="/look",
        )
    slots = min(len(look), len(mean))
    steps = look[:slots] - np.append(look[1:slots], 0.0)
    return float(_evpi_slate(mean, spread, steps, -np.sort(-mean)))


def _checked(mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
    mean, spread = np.asarray(mean, dtype=float), np.asarray(spread, dtype=float)
    if mean.ndim != 1 or mean.shape != spread.shape or len(mean) == 0:
        raise InvalidInput(
            f"mean and spread have shapes {mean.shape} and {spread.shape}; each has (n,), n ≥ 1",
            pointer="/mean",
        )
    if not (np.isfinite(mean).all() and np.isfinite(spread).all() and (spread >= 0).all()):
        raise InvalidInput(
            "means and spreads must be finite, and no spread below 0", pointer="/spread"
        )
    return mean, spread


@njit(cache=True)
def _cdf(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


@njit(cache=True)
def _excess(z: float) -> float:
    """h(z): what a standard normal is expected to exceed ``−z`` by."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) + z * _cdf(z)


@njit(cache=True)
def _evpi(mean: Floats, spread: Floats) -> float:
    leader = np.argmax(mean)
    floor, ceiling, narrow = -np.inf, -np.inf, np.inf
    for i in range(len(mean)):
        if i != leader:
            floor = max(floor, mean[i] - REACH * spread[i])
        ceiling = max(ceiling, mean[i] + REACH * spread[i])
    if len(mean) == 1:
        return 0.0
    # Below the floor the rivals' best is never found: there the leader's own tail is all.
    total = 0.0
    if spread[leader] > 0.0:
        total = spread[leader] * _excess((floor - mean[leader]) / spread[leader])
    floor = max(floor, mean[leader] - REACH * spread[leader])
    for i in range(len(mean)):
        if spread[i] > 0.0 and mean[i] + REACH * spread[i] > floor:
            narrow = min(narrow, spread[i])
    if ceiling <= floor or narrow == np.inf:
        return total
    scale = 2.0 * narrow
    end = math.asinh((ceiling - floor) / scale)
    for k in range(NODES):
        u = (k + 0.5) * end / NODES
        t = floor + scale * math.sinh(u)
        ahead, rivals = _below(t, mean[leader], spread[leader]), 1.0
        for i in range(len(mean)):
            if i != leader and mean[i] + REACH * spread[i] > t:
                rivals *= _below(t, mean[i], spread[i])
        total += ahead * (1.0 - rivals) * scale * math.cosh(u) * end / NODES
    return total


@njit(cache=True)
def _below(t: float, mean: float, spread: float) -> float:
    if spread > 0.0:
        return _cdf((t - mean) / spread)
    return 1.0 if t >= mean else 0.0


@njit(cache=True)
def _evpi_slate(mean: Floats, spread: Floats, steps: Floats, ranked: Floats) -> float:
    total, best = 0.0, 0.0
    for place in range(len(steps)):
        best += ranked[place]
        if steps[place] > 0.0 and place + 1 < len(mean):
            total += steps[place] * max(_least(mean, spread, place + 1) - best, 0.0)
    return total


@njit(cache=True)
def _least(mean: Floats, spread: Floats, slots: int) -> float:
    """``min_t [slots · t + Σ_i E(f_i − t)₊]``: convex in t, by halving on its slope."""
    low, high = np.inf, -np.inf
    for i in range(len(mean)):
        low = min(low, mean[i] - REACH * spread[i])
        high = max(high, mean[i] + REACH * spread[i])
    for _ in range(ROUNDS):
        t = 0.5 * (low + high)
        above = 0.0
        for i in range(len(mean)):
            above += 1.0 - _below(t, mean[i], spread[i])
        if above > slots:
            low = t
        else:
            high = t
    total = slots * high
    for i in range(len(mean)):
        if spread[i] > 0.0:
            total += spread[i] * _excess((mean[i] - high) / spread[i])
        else:
            total += max(mean[i] - high, 0.0)
    return total
