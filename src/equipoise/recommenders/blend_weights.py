"""Weights of a blend: coordinate ascent on nDCG over held-out lists."""

from __future__ import annotations

import numpy as np
from numba import njit

from equipoise.recommenders.blend_lessons import Lessons
from equipoise.types import Floats, Floats32

STEPS = (0.3, 0.1, 0.03)
"""How far a weight is moved before all are scaled to the sum 1 again."""
SWEEPS = 50
LUCK = 0.5
"""A step must gain so many standard errors of its gain over the users."""
TIE = 1e-5
"""A rival so near counts as above, so that no list hangs on a rounding."""


def learnt_weights(lessons: Lessons, n: int) -> Floats32:
    """(M,) weights of sum 1, with the largest mean nDCG@n found; equal ones without lessons."""
    members = lessons.standings.shape[1]
    equal = np.full(members, 1 / members)
    if not len(lessons):
        return equal.astype(np.float32)
    alone = np.eye(members)
    best = alone[int(np.argmax([judge(lessons, one, n).mean() for one in alone]))]
    found = [ascend(lessons, start, n) for start in (equal, best)]
    chosen = max(found, key=lambda weights: float(judge(lessons, weights, n).mean()))
    return chosen.astype(np.float32)


def ascend(lessons: Lessons, start: Floats, n: int) -> Floats:
    """From ``start`` the steepest step after the other, until none gains more than luck."""
    weights, marks = start, judge(lessons, start, n)
    for _ in range(SWEEPS):
        tried = [(one, judge(lessons, one, n)) for one in _around(weights)]
        gains = [_sure_gain(new - marks) for _, new in tried]
        if not gains or max(gains) <= 0:
            break
        weights, marks = tried[int(np.argmax(gains))]
    return weights


def judge(lessons: Lessons, weights: Floats, n: int) -> Floats:
    """(users,) nDCG@n of the held-out items under ``weights``, ties lost."""
    marks = np.empty(len(lessons))
    discount = 1 / np.log2(np.arange(2, n + 2))
    weights = weights.astype(np.float32)
    _judge(lessons.standings, lessons.indptr, lessons.wanted, weights, discount, marks)
    return marks


def _around(weights: Floats) -> list[Floats]:
    """Each weight moved up and down by each step, then all scaled to the sum 1."""
    moved = []
    for m in range(len(weights)):
        for step in (sign * size for size in STEPS for sign in (1, -1)):
            other = weights.copy()
            other[m] = max(0.0, other[m] + step)
            if other[m] != weights[m] and other.sum() > 0:
                moved.append(other / other.sum())
    return moved


def _sure_gain(gains: Floats) -> float:
    """The mean, or 0 where it is within luck."""
    mean = float(gains.mean())
    return mean if mean > LUCK * float(gains.std()) / np.sqrt(len(gains)) else 0.0


@njit(cache=True, nogil=True)
def _judge(standings, indptr, wanted, weights, discount, marks):  # type: ignore[no-untyped-def]
    n = len(discount)
    for user in range(len(wanted)):
        start, hits = indptr[user], wanted[user]
        scores = _scores(standings[start : indptr[user + 1]], weights)
        own = np.sort(scores[:hits])[::-1]
        gained = ideal = 0.0
        for place in range(hits):
            if place < n:
                ideal += discount[place]
            if own[place] > -np.inf:
                rank = place
                for rival in scores[hits:]:
                    rank += rival >= own[place] - TIE
                gained += discount[rank] if rank < n else 0.0
        marks[user] = gained / ideal


@njit(cache=True, nogil=True)
def _scores(standings, weights):  # type: ignore[no-untyped-def]
    """The weighted sums; −inf where no member of positive weight can say."""
    out = np.full(len(standings), -np.inf, np.float32)
    for j in range(len(out)):
        total, said = np.float32(0), False
        for m in range(len(weights)):
            if weights[m] > 0 and not np.isnan(standings[j, m]):
                total += weights[m] * standings[j, m]
                said = True
        if said:
            out[j] = total
    return out
