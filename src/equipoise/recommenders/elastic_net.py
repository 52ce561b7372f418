"""The elastic net from products alone, by coordinate descent on a growing set of coordinates.

Minimises x·G·x / 2 − r·x + l1·|x|₁ + Σ l2_i x_i² / 2, G = AᵀA being the products of the columns and
r = Aᵀb those with what they are to explain (Friedman, Hastie, Tibshirani, "Regularization Paths for
Generalized Linear Models via Coordinate Descent", J. Stat. Software 2010, their covariance
updates). Coordinates enter by the strength of their violation, doubling the set each time, so that
those which stay at zero are looked at a few times only.
"""

from __future__ import annotations

import numpy as np
from numba import njit

FIRST = 32
"""Coordinates that enter at first."""
SWEEPS = 1_000
"""At most, over one set."""


@njit(cache=True, nogil=True)
def elastic_net(gram, right, banned, penalties, positive, tolerance, x):  # type: ignore[no-untyped-def]
    """Write to ``x`` (m,) the minimum, given ``gram`` (m, m), ``right`` (m,) and (l1, l2 (m,)).

    x stays zero at ``banned`` (−1: nowhere) and, with ``positive``, never falls below zero. It ends
    where no coordinate's optimality is violated by more than ``tolerance`` · the largest |right|,
    or where ``SWEEPS`` did not get there.
    """
    m = len(right)
    slope, within = right.copy(), np.zeros(m, np.bool_)
    active = np.empty(m, np.int32)
    x[:] = 0
    largest = np.float32(0)
    for i in range(m):
        if i != banned:
            largest = max(largest, abs(right[i]))
    limit, size, near = tolerance * largest, 0, largest
    while largest > 0:
        entered, worst = _enter(slope, within, active, size, banned, penalties[0], positive, limit)
        if entered == size and near <= limit:
            break
        # What strong newcomers will move again need not be settled to the last.
        size, near = entered, max(limit, np.float32(0.1) * worst)
        _descend(gram, right, active[:size], penalties, positive, near, x)
        _slopes(gram, right, active[:size], x, slope)


@njit(cache=True, nogil=True)
def _enter(slope, within, active, size, banned, l1, positive, limit):  # type: ignore[no-untyped-def]
    """Let in the worst violators among the coordinates at zero, at most as many as are in.

    Returns how many are in then, and the worst violation.
    """
    excess, count = np.zeros(len(slope), np.float32), 0
    for i in range(len(slope)):
        pull = slope[i] if positive else abs(slope[i])
        if pull - l1 > limit and not within[i] and i != banned:
            excess[i] = pull - l1
            count += 1
    room, floor = max(FIRST, size), np.float32(0)
    if count > room:
        floor = np.partition(excess, len(excess) - room)[len(excess) - room]
    for i in range(len(slope)):
        if excess[i] > 0 and excess[i] >= floor:
            within[i] = True
            active[size] = i
            size += 1
    return size, excess.max()


@njit(cache=True, nogil=True)
def _descend(gram, right, active, penalties, positive, limit, x):  # type: ignore[no-untyped-def]
    """Coordinate descent over ``active`` alone, on a copy of their products."""
    l1, l2 = penalties
    size = len(active)
    inner, own = np.empty((size, size), np.float32), np.empty(size, np.float32)
    slope, ridge = np.empty(size, np.float32), np.empty(size, np.float32)
    for a in range(size):
        row = gram[active[a]]
        own[a], ridge[a] = x[active[a]], l2[active[a]]
        for b in range(size):
            inner[a, b] = row[active[b]]
    for a in range(size):
        slope[a] = right[active[a]]
    for a in range(size):
        if own[a] != 0:
            slope -= own[a] * inner[a]
    for _ in range(SWEEPS):
        worst = np.float32(0)
        for a in range(size):
            step = _step(slope[a], own[a], inner[a, a], l1, ridge[a], positive)
            if step != 0:
                own[a] += step
                slope -= step * inner[a]
                worst = max(worst, abs(step) * (inner[a, a] + ridge[a]))
        # What moved late in a sweep has moved the optimum of what came early.
        if worst <= limit and _violation(slope, own, inner, l1, ridge, positive) <= limit:
            break
    for a in range(size):
        x[active[a]] = own[a]


@njit(cache=True, nogil=True)
def _violation(slope, own, inner, l1, ridge, positive):  # type: ignore[no-untyped-def]
    worst = np.float32(0)
    for a in range(len(own)):
        step = _step(slope[a], own[a], inner[a, a], l1, ridge[a], positive)
        worst = max(worst, abs(step) * (inner[a, a] + ridge[a]))
    return worst


@njit(cache=True, nogil=True)
def _step(slope, x, square, l1, l2, positive):  # type: ignore[no-untyped-def]
    """How far one coordinate moves to its optimum."""
    pull = slope + square * x
    size = max(abs(pull) - l1, np.float32(0))
    if pull < 0:
        size = np.float32(0) if positive else -size
    curvature = square + l2
    return size / curvature - x if curvature > 0 else -x


@njit(cache=True, nogil=True)
def _slopes(gram, right, active, x, slope):  # type: ignore[no-untyped-def]
    slope[:] = right
    for i in active:
        if x[i] != 0:
            slope -= x[i] * gram[i]
