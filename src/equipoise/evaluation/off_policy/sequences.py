"""Confidence sequences: intervals that hold at every time at once, however often one looks.

With probability ``confidence`` the truth lies inside *all* of (lower_1, upper_1), (lower_2,
upper_2), …, so a log may be watched as it grows and the watching stopped at will. Nothing is asked
of the rows but that each, given those before it, has the mean that is sought. So the logging policy
may learn, as long as each weight uses the propensity of its time. Several rows of one shopper break
it (the first tells of the second): give one value a shopper.

Everything rests on one side. A *lower bound* takes values of 0 or more whose mean is at most 1, and
needs no largest value, which importance weights do not have (Waudby-Smith, Wu, Ramdas,
Karampatziakis, Mineiro, "Anytime-valid off-policy inference for contextual bandits", 2022). The
upper bound of a mean of rewards in [0, 1] is one minus the lower bound of its complement: of
``1 − r``, or ``w (1 − r)`` off policy.

``betting_bound``: hedged capital, the default; two thirds as wide, some ten microseconds a row.
``bernstein_bound``: empirical Bernstein in closed form, a hundred times as fast.

A weight that is 0 where it should not be (no support), or clipped, makes both sides wider and
neither wrong. Rewards that arrive after the log was cut do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.errors import InvalidInput
from equipoise.evaluation.intervals import Interval
from equipoise.types import Floats

LowerBound: TypeAlias = Callable[[Floats, float], Floats]
"""(values (n,) ≥ 0 with conditional mean ≤ 1, alpha) → (n,) lower bounds of that mean."""

TRUNCATION = 0.5
"""Largest share of the capital that one row may lose."""


class Band(NamedTuple):
    """Bounds after each row, (n,) both. Ends that cross say that the mean has moved."""

    lower: Floats
    upper: Floats

    @property
    def last(self) -> Interval:
        """After all rows."""
        return Interval(float(self.lower[-1]), float(self.upper[-1]))


def mean_sequence(
    values: Floats,
    *,
    low: float = 0.0,
    high: float = 1.0,
    confidence: float = 0.95,
    bound: LowerBound | None = None,
    intersect: bool = True,
) -> Band:
    """For the mean of ``values`` (n,) in [low, high], in the order in which they came.

    ``bound`` is ``betting_bound`` unless told otherwise. ``intersect``: bounds never step back,
    which the guarantee allows; without it, each is what the rows up to there say.

    Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting", *JRSS B* 86
    (2024): theorem 2 (empirical Bernstein), theorem 3 (hedged capital).

    Raises:
        InvalidInput: a value outside [low, high], or a confidence outside (0, 1).
    """
    unit = _unit(values, low, high, "values")
    return _two_sided(unit, 1 - unit, 0.0, low, high, confidence, bound, intersect)


def policy_sequence(
    weights: Floats,
    rewards: Floats,
    *,
    low: float = 0.0,
    high: float = 1.0,
    confidence: float = 0.95,
    bound: LowerBound | None = None,
    intersect: bool = True,
) -> Band:
    """For the value of the policy whose ``weights`` (n,) π/p these are; rewards in [low, high].

    Lower side from ``w r``, upper side from ``w (1 − r)``; no largest weight is asked.

    Raises:
        InvalidInput: a weight below 0, a reward outside [low, high], shapes that differ.
    """
    unit = _unit(rewards, low, high, "rewards")
    if weights.shape != unit.shape or not (weights >= 0).all() or not np.isfinite(weights).all():
        raise InvalidInput(
            f"weights of shape {weights.shape} for {len(unit)} rewards: they must be one a reward,"
            " finite and 0 or more",
            pointer="/weights",
        )
    gained, missed = weights * unit, weights * (1 - unit)
    return _two_sided(gained, missed, 0.0, low, high, confidence, bound, intersect)


def doubly_robust_sequence(
    target: Floats,
    logged: Floats,
    actions: NDArray[np.integer],
    rewards: Floats,
    predicted: Floats,
    *,
    slack: float = 4.0,
    low: float = 0.0,
    high: float = 1.0,
    confidence: float = 0.95,
    bound: LowerBound | None = None,
    intersect: bool = True,
) -> Band:
    """As ``policy_sequence``, narrower by what a reward model explains; right whatever it says.

    ``target`` and ``logged`` (n, K) are the policies' probabilities, ``actions`` (n,) what was
    shown, ``predicted`` (n, K) the model's rewards, fitted on *earlier* rows or other data, and
    brought into [low, high]. Each side uses its own pseudo-outcome, ``w (r − q) + Σ_a π(a) q(a)``
    with ``q = min(prediction, slack / w)`` action by action, so that it never falls below
    −``slack``. More slack uses more of the model, and asks for more rows before the bounds move.
    A constant prediction already helps: it is a control variate for the weights (Karampatziakis,
    Mineiro, Ramdas, "Off-policy confidence sequences", ICML 2021). Waudby-Smith et al. 2022.

    Raises:
        InvalidInput: shapes that differ, a reward outside [low, high], an action that is not one,
            a logged probability of 0 for what was shown, slack below 0.
    """
    unit = _unit(rewards, low, high, "rewards")
    _check_tables(target, logged, actions, predicted, len(unit))
    if not slack >= 0:
        raise InvalidInput(f"slack is {slack}; it is 0 or more", pointer="/slack")
    model = np.clip((predicted - low) / (high - low), 0.0, 1.0)
    gained, missed = (
        _outcomes(target, logged, actions, reward, belief, slack)
        for reward, belief in ((unit, model), (1 - unit, 1 - model))
    )
    return _two_sided(gained, missed, slack, low, high, confidence, bound, intersect)


def bernstein_bound(values: Floats, alpha: float) -> Floats:
    """(n,) empirical Bernstein with predictable bets:
    ``(Σ λ_i x_i − ln(1/α) − Σ (x_i − μ̂_{i−1})² ψ(λ_i)) / Σ λ_i``, ψ(λ) = −ln(1 − λ) − λ.

    λ is at most ½. Below 0 where little has been seen. Cost n.
    """
    bets = np.minimum(_bets(values, alpha), TRUNCATION)
    # An earlier mean above 1 is luck; capped, the next value cannot fall below it by more than 1,
    # which is what the inequality asks.
    before = np.minimum(_shifted(np.cumsum(values) / np.arange(1, len(values) + 1), 0.0), 1.0)
    lost = np.cumsum((values - before) ** 2 * (-np.log1p(-bets) - bets))
    bound: Floats = (np.cumsum(bets * values) - math.log(1 / alpha) - lost) / np.cumsum(bets)
    return bound


def betting_bound(values: Floats, alpha: float, grid: Floats | None = None) -> Floats:
    """(n,) the largest m of ``grid`` against which betting has made 1 into 1/α: such m are refuted.

    Capital ``Π (1 + λ_i (x_i − m))`` with λ_i cut to ½/m. It falls as m rises, so the refuted are
    all m up to the bound, and a coarser grid only makes it lower, never wrong. ``grid`` rises from
    0 to 1; by default it is a thousand points that draw together towards the mean, each bound being
    within about one part in a hundred of its distance from there. Cost n · grid.
    """
    points = _grid(values) if grid is None else grid
    refuted = _refuted(values, _bets(values, alpha), points, 1 / alpha)
    return np.where(refuted > 0, points[np.maximum(refuted - 1, 0)], 0.0)


def _check_tables(
    target: Floats, logged: Floats, actions: NDArray[np.integer], predicted: Floats, n: int
) -> None:
    if not (target.shape == logged.shape == predicted.shape and target.shape[:1] == (n,)):
        raise InvalidInput(
            f"target {target.shape}, logged {logged.shape} and predicted {predicted.shape} must"
            f" be alike, with {n} rows",
            pointer="/target",
        )
    if not (np.isfinite(target).all() and np.isfinite(predicted).all() and (target >= 0).all()):
        raise InvalidInput(
            "target and predicted must be finite, and target 0 or more", pointer="/target"
        )
    k = target.shape[1]
    if actions.shape != (n,) or not ((actions >= 0) & (actions < k)).all():
        raise InvalidInput(f"actions must be {n} numbers from 0 to {k - 1}", pointer="/actions")
    if not (logged[np.arange(n), actions] > 0).all():
        raise InvalidInput(
            "what was shown must have a logged probability above 0", pointer="/logged"
        )


def _outcomes(
    target: Floats,
    logged: Floats,
    actions: NDArray[np.integer],
    reward: Floats,
    model: Floats,
    slack: float,
) -> Floats:
    """(n,) ``w (r − q) + Σ_a π(a) q(a)`` with ``q = min(model, slack / w)``: never below −slack."""
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(target > 0, slack * logged / target, math.inf)
    q, rows = np.minimum(model, room), np.arange(len(reward))
    weight = target[rows, actions] / logged[rows, actions]
    terms: Floats = weight * (reward - q[rows, actions]) + (target * q).sum(axis=1)
    return terms


def _two_sided(
    gained: Floats,
    missed: Floats,
    slack: float,
    low: float,
    high: float,
    confidence: float,
    bound: LowerBound | None,
    intersect: bool,
) -> Band:
    """``gained`` has the mean that is sought, ``missed`` one minus it; both are ≥ −slack."""
    if not 0 < confidence < 1:
        raise InvalidInput(
            f"confidence is {confidence}; it lies between 0 and 1", pointer="/confidence"
        )
    of, alpha = bound or betting_bound, (1 - confidence) / 2
    below, above = (
        np.maximum(of((side + slack) / (1 + slack), alpha) * (1 + slack) - slack, 0.0)
        for side in (gained, missed)
    )
    if intersect:
        below, above = np.maximum.accumulate(below), np.maximum.accumulate(above)
    span = high - low
    return Band(low + span * below, high - span * above)


def _unit(values: Floats, low: float, high: float, name: str) -> Floats:
    values = np.asarray(values, dtype=float)
    if not (values.ndim == 1 and len(values) and low <= values.min() <= values.max() <= high):
        raise InvalidInput(
            f"{name} must be one or more numbers from {low} to {high}; the shape is {values.shape}"
            + (f", they go from {values.min()} to {values.max()}" if values.size else ""),
            pointer=f"/{name}",
        )
    unit: Floats = (values - low) / (high - low)
    return unit


def _bets(values: Floats, alpha: float) -> Floats:
    """(n,) ``√(2 ln(1/α) / (σ̂²_{t−1} t ln(1 + t)))``: each known before its row."""
    t = np.arange(1, len(values) + 1)
    mean = (0.5 + np.cumsum(values)) / (t + 1)
    variance = _shifted((0.25 + np.cumsum((values - mean) ** 2)) / (t + 1), 0.25)
    bets: Floats = np.sqrt(2 * math.log(1 / alpha) / (variance * t * np.log1p(t)))
    return bets


def _shifted(values: Floats, first: float) -> Floats:
    """What was known before each row."""
    return np.concatenate(([first], values[:-1]))


def _grid(values: Floats, points: int = 1_000) -> Floats:
    """From 0 to 1, ever closer towards the mean from below; it may look at all the values, for it
    decides only how finely a bound is told."""
    mean = min(max(float(values.mean()), 1e-9), 1.0)
    nearest = max(1e-3 * float(values.std()) / math.sqrt(len(values)), 1e-9 * mean)
    below = mean - np.geomspace(mean, min(nearest, mean / 2), points)
    return np.unique(np.concatenate((below, np.linspace(mean, 1.0, points // 10))))


@njit(cache=True, nogil=True)
def _refuted(
    values: Floats, bets: Floats, grid: Floats, limit: float
) -> NDArray[np.int64]:  # pragma: no cover - compiled
    """(n,) how many points, from the first, have a capital above ``limit`` after each row.

    A capital that reaches 1e200 counts as refuted for good, one that sinks below 1e-200 as lost
    for good: the first is allowed (refuted once is refuted), the second only spares the point.
    """
    capital = np.ones(len(grid))
    refuted = np.zeros(len(values), dtype=np.int64)
    settled = 0
    for row in range(len(values)):
        refuted[row] = settled
        for point in range(settled, len(grid)):
            if capital[point] == 0.0:
                # Further up nobody is richer.
                break
            m = grid[point]
            bet = bets[row] if bets[row] * m < TRUNCATION else TRUNCATION / m
            grown = capital[point] * (1 + bet * (values[row] - m))
            capital[point] = grown if grown > 1e-200 else 0.0
            if grown > limit and refuted[row] == point:
                refuted[row] += 1
                if grown > 1e200 and settled == point:
                    settled += 1
    return refuted
