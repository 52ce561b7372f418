"""How much arms differ, from the data: the strength of a prior by empirical Bayes.

An arm's clicks are beta-binomial: their likelihood says how far arms spread about what their group
has in common. Moments would be cheaper and wrong: a policy that shows an arm again because it was
clicked biases every moment, but no likelihood, since why an arm was shown depends on nothing but
what had been seen (ignorable design; Gelman et al., *Bayesian Data Analysis*, 8).

The maximum is a penalised one (a normal on the logarithm of the strength, about the given guess),
so that few arms move it little; with some dozens of seen arms the data decide. Leave one out: each
arm is set against what the *others* say of its group, known by mean and variance, lest a small
group's mean follow its arms and make them look alike.

Everything is a function of the arms' sums and the guesses alone, whatever was fitted before.
"""

from __future__ import annotations

from math import exp, lgamma, log, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.exploration.beliefs.beta_kernels import (
    NO_NAME,
    below,
    had,
    overall,
    retell,
    seen,
    told,
)
from equipoise.types import Floats

LEAST, MOST = 1.0, 1e5
"""A strength is within these: from "any rate will do" to "all are the same"."""
FREE = 1.5
"""Standard deviation of the log of a strength about its guess: a factor of 4.5 either way."""
KIN = 0.5
"""The same for a group's about that of all groups."""
ROUNDS = 3
"""Strengths weigh what is told, and what is told shows the strengths: so often in turn."""
ENOUGH = 4_000
"""Arms: of more, every second, third, … is looked at. The error left is 3 %."""
GOLDEN = (sqrt(5.0) - 1.0) / 2.0
WITHIN = 0.02
"""Of the logarithm: a maximum is found to 2 %."""
STEP = 0.2
"""Of the logarithm, either side of the maximum, to see how it bends."""


@njit(cache=True)
def log_evidence(
    strength: float, looks: Floats, clicks: Floats, mean: Floats, variance: Floats
) -> float:
    """Log likelihood of a prior strength, beta-binomial without its coefficients.

    Arms with ``looks`` and ``clicks``, each (n,), are spread with this strength about means that
    are themselves known by ``mean`` and ``variance``.
    """
    total = 0.0
    for i in range(len(looks)):
        m, v = below(mean[i], variance[i], strength, 0.0, 0.0)
        n = m * (1.0 - m) / v - 1.0
        a, b = n * m, n * (1.0 - m)
        total += lgamma(a + clicks[i]) - lgamma(a) + lgamma(b + looks[i] - clicks[i]) - lgamma(b)
        total += lgamma(n) - lgamma(n + looks[i])
    return total


@njit(cache=True)
def fit_strength(
    looks: Floats,
    clicks: Floats,
    mean: Floats,
    variance: Floats,
    guess: float,
    freedom: float,
) -> float:
    """The strength that stands for what ``log_evidence`` and the guess leave possible.

    On the logarithm: the maximum by golden-section search, then its spread σ by the curvature
    there. Belief in an arm needs the mean of the prior's *variance*, about ``1 / strength``, which
    is that at the maximum times ``exp(σ² / 2)``: not knowing how much arms differ is a reason to
    expect more, and spares the dear mistake, too narrow a prior.
    """

    def worth(x: float) -> float:
        away = (x - log(guess)) / freedom
        return log_evidence(exp(x), looks, clicks, mean, variance) - 0.5 * away * away

    if len(looks) == 0:
        return guess
    low, high = log(LEAST), log(MOST)
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = worth(left), worth(right)
    while high - low > WITHIN:
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = worth(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = worth(right)
    best = 0.5 * (low + high)
    bend = (2.0 * worth(best) - worth(best - STEP) - worth(best + STEP)) / (STEP * STEP)
    # The guess alone bends by 1 / freedom²; less is where the evidence is flat beside its peak.
    return exp(best - 0.5 / max(bend, 1.0 / (freedom * freedom)))


@njit(cache=True)
def refit(
    arms: Floats, slot: NDArray[np.int64], groups: Floats, top: Floats, guess: Floats
) -> None:
    """Fit all strengths, and tell all sums anew. O(arms) for the telling.

    ``guess`` (2,): strengths of groups and of arms before any data.
    """
    rows = _sample(arms, slot)
    top[4], top[5] = guess[0], guess[1]
    groups[:, 2] = guess[1]
    for _ in range(ROUNDS):
        retell(arms, slot, groups, top)
        top[4] = fit_strength(*_other_groups(groups, top), guess[0], FREE)
        retell(arms, slot, groups, top)
        looks, clicks, mean, variance = _other_arms(rows, arms, slot, groups, top)
        top[5] = fit_strength(looks, clicks, mean, variance, guess[1], FREE)
        groups[:, 2] = top[5]
    start = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or slot[rows[end]] != slot[rows[start]]:
            groups[slot[rows[start]], 2] = fit_strength(
                looks[start:end], clicks[start:end], mean[start:end], variance[start:end],
                top[5], KIN,
            )  # fmt: skip
            start = end
    retell(arms, slot, groups, top)


@njit(cache=True)
def _sample(arms: Floats, slot: NDArray[np.int64]) -> NDArray[np.int64]:
    """Arms that have been seen, at most ``ENOUGH``, those of a group together."""
    shown = np.flatnonzero(
        (slot != NO_NAME) & ((arms[:, 0] + arms[:, 3] > 0.0) | (arms[:, 1] > 0.0))
    )
    shown = shown[:: 1 + len(shown) // ENOUGH]
    return shown[np.argsort(slot[shown], kind="mergesort")]


@njit(cache=True)
def _other_groups(groups: Floats, top: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Looks and clicks of each group with any, mean and variance of what the others say of all."""
    rows = np.flatnonzero(groups[:, 0] > 0.0)
    out = np.empty((4, len(rows)))
    for k in range(len(rows)):
        looks, clicks = groups[rows[k], 0], groups[rows[k], 1]
        less, fewer = told(looks, clicks, top[4])
        mean, variance = below(top[2], 0.0, top[3], top[0] - less, top[1] - fewer)
        out[0, k], out[1, k], out[2, k], out[3, k] = looks, clicks, mean, variance
    return out[0], out[1], out[2], out[3]


@njit(cache=True)
def _other_arms(
    rows: NDArray[np.int64], arms: Floats, slot: NDArray[np.int64], groups: Floats, top: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Looks and clicks of each arm, mean and variance of what the others say of its group."""
    top_mean, top_variance = overall(top)
    out = np.empty((4, len(rows)))
    for k in range(len(rows)):
        looks, clicks = seen(had(arms, rows[k]), arms[rows[k], 1])
        g = slot[rows[k]]
        less, fewer = told(looks, clicks, groups[g, 2])
        mean, variance = below(
            top_mean, top_variance, top[4], groups[g, 0] - less, groups[g, 1] - fewer
        )
        out[0, k], out[1, k], out[2, k], out[3, k] = looks, clicks, mean, variance
    return out[0], out[1], out[2], out[3]
