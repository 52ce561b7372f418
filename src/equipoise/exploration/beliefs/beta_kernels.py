"""The arithmetic of clicks a look on three floors, compiled, on plain arrays.

``BetaBelief`` holds these arrays and calls these functions; a compiled simulation may do both
itself. A belief is four arrays:

- ``arms`` (arms, 4): looks, clicks, looks in flight, looks in view that were not clicked so far
- ``slot`` (arms,): the arm's row in ``groups``; row 1 is that of no group, row 0 of no name
- ``groups`` (groups, 3): looks and clicks that its arms told it, strength of its arms' prior
- ``top`` (6,): looks and clicks that the groups told, prior mean, overall strength, group strength,
  the strength of arms in a group that has no row yet

Several beliefs stand in arrays with one axis more, ``arms[r]``, ``groups[r]``, ``top[r]``.
"""

from __future__ import annotations

from math import lgamma, log

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.types import Floats

NO_NAME = 0
NO_GROUP_SLOT = 1


@njit(cache=True)
def seen(looks: float, clicks: float) -> tuple[float, float]:
    """Looks and clicks as they may count: none below 0, and a click proves a look.

    Parts of looks are estimates, and a slot taken for .1 of a look may well be clicked.
    """
    clicks = max(clicks, 0.0)
    return max(looks, clicks), clicks


@njit(cache=True)
def had(arms: Floats, arm: int) -> float:
    """Looks at an arm, those included of which no click has come so far."""
    return float(arms[arm, 0] + arms[arm, 3])


@njit(cache=True)
def told(looks: float, clicks: float, strength: float) -> tuple[float, float]:
    """What an arm's record is worth to its group: as many looks at *any* of its arms.

    ``E`` looks at one arm of ``Beta(n₀ m, n₀ (1 − m))`` have the variance of ``E (n₀+1) / (n₀+E)``
    looks at as many arms: the first tells all, and no arm ever tells more than n₀ + 1.
    """
    looks, clicks = seen(looks, clicks)
    worth = min(1.0, (strength + 1.0) / (strength + looks))
    return worth * looks, worth * clicks


@njit(cache=True)
def below(
    mean: float, variance: float, strength: float, looks: float, clicks: float
) -> tuple[float, float]:
    """Mean and variance of a rate, whose prior's mean is itself known by mean and variance.

    Given the prior's mean the rate is Beta; its mean and variance over that are the laws of total
    expectation and of total variance, and hold exactly.
    """
    looks, clicks = seen(looks, clicks)
    n = strength + looks
    part = strength / n
    above = part * part * variance
    m = part * mean + clicks / n
    return m, (m * (1.0 - m) - above) / (n + 1.0) + above


@njit(cache=True)
def overall(top: Floats) -> tuple[float, float]:
    """Mean and variance of what all groups have in common."""
    return below(top[2], 0.0, top[3], top[0], top[1])


@njit(cache=True)
def believed(
    looks: float,
    clicks: float,
    pending: float,
    group: int,
    groups: Floats,
    top: Floats,
    top_mean: float,
    top_variance: float,
) -> tuple[float, float]:
    """Mean and variance of the rate of an arm with such a record, in a group given by its row."""
    known = group < len(groups)
    told_looks, told_clicks = (groups[group, 0], groups[group, 1]) if known else (0.0, 0.0)
    strength = groups[group, 2] if known else top[5]
    mean, variance = below(top_mean, top_variance, top[4], told_looks, told_clicks)
    mean, variance = below(mean, variance, strength, looks, clicks)
    if pending > 0.0:
        n = mean * (1.0 - mean) / variance - 1.0
        variance *= n / (n + pending)
    return mean, variance


@njit(cache=True)
def predict(
    index: NDArray[np.int64],
    otherwise: NDArray[np.int64],
    arms: Floats,
    slot: NDArray[np.int64],
    groups: Floats,
    top: Floats,
) -> tuple[Floats, Floats]:
    """Mean and variance, each (n,), of arms (n,); ``otherwise`` (n,): the row of a nameless one."""
    mean, variance = np.empty(len(index)), np.empty(len(index))
    top_mean, top_variance = overall(top)
    for k in range(len(index)):
        i = index[k]
        named = i < len(arms) and slot[i] != NO_NAME
        group = slot[i] if named else otherwise[k]
        looks, clicks, pending = (
            (had(arms, i), arms[i, 1], arms[i, 2]) if i < len(arms) else (0.0, 0.0, 0.0)
        )
        mean[k], variance[k] = believed(
            looks, clicks, pending, group, groups, top, top_mean, top_variance
        )
    return mean, variance


@njit(cache=True)
def log_chance(looks: float, clicks: float, mean: float, variance: float) -> float:
    """Log probability of so many clicks, in whatever order, at a rate known by mean and variance.

    Beta-binomial without the binomial coefficient, which every belief would share; one look is
    Bernoulli. What is taken away, or comes without looks, has no chance: 0.
    """
    if looks <= 0.0 or clicks < 0.0:
        return 0.0
    if looks == 1.0 and clicks <= 1.0:
        return clicks * log(mean) + (1.0 - clicks) * log(1.0 - mean)
    looks, clicks = seen(looks, clicks)
    n = mean * (1.0 - mean) / variance - 1.0
    a, b = n * mean, n * (1.0 - mean)
    gained = lgamma(a + clicks) - lgamma(a) + lgamma(b + looks - clicks) - lgamma(b)
    return gained - lgamma(n + looks) + lgamma(n)


@njit(cache=True)
def tell(group: int, looks: float, clicks: float, groups: Floats, top: Floats) -> None:
    """Move a group's sums, and by what that changes of its own message, those of all."""
    old_looks, old_clicks = told(groups[group, 0], groups[group, 1], top[4])
    groups[group, 0] += looks
    groups[group, 1] += clicks
    new_looks, new_clicks = told(groups[group, 0], groups[group, 1], top[4])
    top[0] += new_looks - old_looks
    top[1] += new_clicks - old_clicks


@njit(cache=True)
def learn(
    arm: int,
    looks: float,
    clicks: float,
    arms: Floats,
    slot: NDArray[np.int64],
    groups: Floats,
    top: Floats,
) -> float:
    """Add to a named arm; returns the log probability that the belief gave to it before. O(1)."""
    group = slot[arm]
    strength = groups[group, 2]
    top_mean, top_variance = overall(top)
    mean, variance = believed(
        had(arms, arm), arms[arm, 1], 0.0, group, groups, top, top_mean, top_variance
    )
    old_looks, old_clicks = told(had(arms, arm), arms[arm, 1], strength)
    arms[arm, 0] = max(arms[arm, 0] + looks, 0.0)
    arms[arm, 1] += clicks
    new_looks, new_clicks = told(had(arms, arm), arms[arm, 1], strength)
    tell(group, new_looks - old_looks, new_clicks - old_clicks, groups, top)
    return log_chance(looks, clicks, mean, variance)


@njit(cache=True)
def view(
    arm: int,
    looks: float,
    arms: Floats,
    slot: NDArray[np.int64],
    groups: Floats,
    top: Floats,
) -> None:
    """So many more looks at a named arm are in view without a click so far. O(1)."""
    group = slot[arm]
    strength = groups[group, 2]
    old_looks, old_clicks = told(had(arms, arm), arms[arm, 1], strength)
    arms[arm, 3] = max(arms[arm, 3] + looks, 0.0)
    new_looks, new_clicks = told(had(arms, arm), arms[arm, 1], strength)
    tell(group, new_looks - old_looks, new_clicks - old_clicks, groups, top)


@njit(cache=True)
def move(
    arm: int, group: int, arms: Floats, slot: NDArray[np.int64], groups: Floats, top: Floats
) -> None:
    """Put an arm into the group of a row, with all it has told."""
    if slot[arm] != NO_NAME:
        looks, clicks = told(had(arms, arm), arms[arm, 1], groups[slot[arm], 2])
        tell(slot[arm], -looks, -clicks, groups, top)
    slot[arm] = group
    looks, clicks = told(had(arms, arm), arms[arm, 1], groups[group, 2])
    tell(group, looks, clicks, groups, top)


@njit(cache=True)
def retell(arms: Floats, slot: NDArray[np.int64], groups: Floats, top: Floats) -> None:
    """The sums of groups and of all, anew from those of the arms. O(arms + groups)."""
    groups[:, :2] = 0.0
    top[:2] = 0.0
    for i in range(len(arms)):
        if slot[i] != NO_NAME:
            looks, clicks = told(had(arms, i), arms[i, 1], groups[slot[i], 2])
            groups[slot[i], 0] += looks
            groups[slot[i], 1] += clicks
    for g in range(len(groups)):
        looks, clicks = told(groups[g, 0], groups[g, 1], top[4])
        top[0] += looks
        top[1] += clicks


@njit(cache=True)
def fade(gamma: float, arms: Floats, slot: NDArray[np.int64], groups: Floats, top: Floats) -> None:
    """Forget: looks and clicks shrink to ``gamma`` of themselves. What is in flight or in view
    stays."""
    arms[:, :2] *= gamma
    retell(arms, slot, groups, top)
