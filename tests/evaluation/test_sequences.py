"""Confidence sequences: right at every time, and as narrow as they can be shown to be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy.sequences import (
    bernstein_bound,
    betting_bound,
    doubly_robust_sequence,
    mean_sequence,
    policy_sequence,
)
from equipoise.randomness import derive

BOUNDS = (betting_bound, bernstein_bound)


def logs(number: int, rows: int, purpose: str):
    """Weights (unbounded in the size of the log) and rewards of two arms: value .6·.5 + .4·.2."""
    for one in range(number):
        rng = derive(one, purpose)
        chance = 0.02 + 0.96 * rng.random(rows)
        first = rng.random(rows) < chance
        reward = (rng.random(rows) < np.where(first, 0.5, 0.2)).astype(float)
        weight = np.where(first, 0.6 / chance, 0.4 / (1 - chance))
        yield weight, reward, chance, first


VALUE = 0.6 * 0.5 + 0.4 * 0.2


@pytest.mark.parametrize("bound", BOUNDS)
def test_holds_at_all_times_together(bound) -> None:
    """80 % sequences of a mean: of 400 no more than one in five ever leaves the truth out."""
    missed = 0
    for number in range(400):
        values = derive(number, "sequence").beta(0.3, 2.0, 300)
        lower, upper = mean_sequence(values, confidence=0.8, bound=bound)
        missed += not ((lower <= 0.3 / 2.3).all() and (upper >= 0.3 / 2.3).all())

    assert missed / 400 < 0.2 + 3 * math.sqrt(0.2 * 0.8 / 400)


@pytest.mark.parametrize("bound", BOUNDS)
def test_holds_off_policy(bound) -> None:
    """The same off policy, where weights go up to 30 and no largest one is told."""
    missed = 0
    for weight, reward, _, _ in logs(300, 400, "policy"):
        lower, upper = policy_sequence(weight, reward, confidence=0.8, bound=bound)
        missed += not ((lower <= VALUE).all() and (upper >= VALUE).all())

    assert missed / 300 < 0.2 + 3 * math.sqrt(0.2 * 0.8 / 300)


@pytest.mark.parametrize("predicted", [(0.5, 0.2), (0.0, 1.0), (7.0, -3.0)])
def test_holds_with_any_model(predicted) -> None:
    """Doubly robust, right model or wrong, within the range or outside it."""
    missed = 0
    for _, reward, chance, first in logs(200, 300, "model"):
        lower, upper = doubly_robust_sequence(
            *table(chance, first, reward, predicted), confidence=0.8
        )
        missed += not ((lower <= VALUE).all() and (upper >= VALUE).all())

    assert missed / 200 < 0.2 + 3 * math.sqrt(0.2 * 0.8 / 200)


def table(chance, first, reward, predicted):
    """What ``doubly_robust_sequence`` takes, of two arms."""
    n = len(reward)
    logged = np.column_stack([chance, 1 - chance])
    return (
        np.tile([0.6, 0.4], (n, 1)),
        logged,
        np.where(first, 0, 1),
        reward,
        np.tile(predicted, (n, 1)),
    )


def test_a_model_narrows() -> None:
    """A right model gives a narrower band at 3,000 rows; slack 0 uses nothing of it."""
    weight, reward, chance, first = next(logs(1, 3_000, "narrow"))
    plain = policy_sequence(weight, reward).last
    helped = doubly_robust_sequence(*table(chance, first, reward, (0.5, 0.2))).last
    unused = doubly_robust_sequence(*table(chance, first, reward, (0.5, 0.2)), slack=0).last

    assert helped.high - helped.low < 0.8 * (plain.high - plain.low)
    assert unused == pytest.approx(plain)


def test_missing_support_only_widens() -> None:
    """Where the log never shows the second arm, both ends still hold; so with clipped weights."""
    rng = derive(0, "support")
    reward = (rng.random(4_000) < 0.5).astype(float)
    lower, upper = policy_sequence(np.full(4_000, 0.6), reward)
    whole = next(logs(1, 4_000, "clip"))
    clipped = policy_sequence(np.minimum(whole[0], 2), whole[1])

    assert lower[-1] <= 0.6 * 0.5
    assert upper[-1] >= 0.6 * 0.5 + 0.4
    assert clipped.lower[-1] <= VALUE <= clipped.upper[-1]


@pytest.mark.parametrize("bound", BOUNDS)
def test_the_past_is_not_rewritten(bound) -> None:
    """Bounds after t rows depend on those rows alone; the betting grid may only round them down."""
    values = derive(3, "past").random(500)
    whole = mean_sequence(values, bound=bound)
    part = mean_sequence(values[:200], bound=bound)

    assert part.lower == pytest.approx(whole.lower[:200], abs=0.01)
    assert part.upper == pytest.approx(whole.upper[:200], abs=0.01)


@given(st.lists(st.floats(0.0, 4.0), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_a_coarser_grid_is_never_higher(values: list[float]) -> None:
    """The bound on any grid is at most that on a finer one, and that on the default one is at most
    the exact one: at the next point of a fine grid the capital has not reached 1/alpha."""
    x = np.array(values)
    fine = np.linspace(0, 1, 2_001)
    coarse = fine[::50]

    assert (betting_bound(x, 0.1, coarse) <= betting_bound(x, 0.1, fine)).all()
    assert (betting_bound(x, 0.1) <= betting_bound(x, 0.1, fine) + fine[1]).all()


def test_capital_by_hand() -> None:
    """Three ones at α = ½: m is refuted when (1 + λ_1 (1 − m)) … exceeds 2, λ cut to ½/m."""
    ones = np.ones(3)
    mean = np.array([0.5, 0.75, 2.5 / 3])
    variance = [0.25, 0.25, 0.3125 / 2, 0]
    variance[1] = (0.25 + (1 - mean[1]) ** 2) / 2
    variance[2] = (0.25 + (1 - mean[1]) ** 2 + (1 - mean[2]) ** 2) / 3
    bets = [
        math.sqrt(2 * math.log(2) / (variance[t] * (t + 1) * math.log(t + 2))) for t in range(3)
    ]
    grid = np.linspace(0, 1, 101)
    capital = np.cumprod(
        [1 + np.minimum(bet, 0.5 / np.maximum(grid, 1e-12)) * (1 - grid) for bet in bets], axis=0
    )
    expected = [grid[(row > 2).nonzero()[0][-1]] for row in capital]

    assert betting_bound(ones, 0.5, grid) == pytest.approx(expected)


def test_long_logs_neither_overflow_nor_freeze() -> None:
    """Capitals of 50,000 rows leave the range of a float; the bound still closes in on the mean."""
    values = derive(4, "long").random(50_000)
    band = mean_sequence(values)

    assert band.lower[-1] < values.mean() < band.upper[-1]
    assert band.upper[-1] - band.lower[-1] < 3.2 * 2 * 1.96 * values.std() / math.sqrt(50_000)
    assert (np.diff(band.lower) >= 0).all()
    assert (np.diff(band.upper) <= 0).all()


@pytest.mark.parametrize("bound", BOUNDS)
def test_range_and_direction(bound) -> None:
    """a + b x in [a, a + b] has a + b (band of x); 1 − x has the band mirrored."""
    values = derive(5, "range").beta(1, 3, 400)
    band = mean_sequence(values, bound=bound)
    moved = mean_sequence(values * 10 - 4, low=-4, high=6, bound=bound)
    mirrored = mean_sequence(1 - values, bound=bound)

    assert moved.lower == pytest.approx(band.lower * 10 - 4, abs=1e-6)
    assert moved.upper == pytest.approx(band.upper * 10 - 4, abs=1e-6)
    assert mirrored.lower == pytest.approx(1 - band.upper, abs=1e-6)


def test_weight_one_is_the_mean() -> None:
    """On policy all weights are 1, and the band is that of the rewards' own mean."""
    reward = derive(6, "one").random(300)

    assert policy_sequence(np.ones(300), reward).last == mean_sequence(reward).last


def test_luck_above_one_is_capped() -> None:
    """Weights may lift an early mean above 1; a next row of 0 then counts as a loss of 1, no more:
    (Σ λ x − ln(1/α) − 9² ψ(λ_1) − 1² ψ(λ_2)) / Σ λ.
    """
    psi = math.log(2) - 0.5
    bound = bernstein_bound(np.array([9.0, 0.0]), math.exp(-1))
    bet = min(0.5, math.sqrt(2 / (((0.25 + (9 - 4.75) ** 2) / 2) * 2 * math.log(3))))
    second = -math.log1p(-bet) - bet

    assert bound[0] == pytest.approx((0.5 * 9 - 1 - 81 * psi) / 0.5)
    assert bound[1] == pytest.approx((0.5 * 9 - 1 - 81 * psi - second) / (0.5 + bet))


def test_refusals() -> None:
    """What cannot be meant is refused in words."""
    with pytest.raises(
        InvalidInput, match=r"values must be .* from 0.0 to 1.0; .* from 0.5 to 2.0"
    ):
        mean_sequence(np.array([0.5, 2.0]))
    with pytest.raises(InvalidInput, match=r"values must be one or more numbers"):
        mean_sequence(np.array([]))
    with pytest.raises(InvalidInput, match="confidence is 1; it lies between 0 and 1"):
        mean_sequence(np.array([0.5]), confidence=1)
    for weights in (np.array([1.0]), np.array([1.0, -1.0]), np.array([1.0, np.inf])):
        with pytest.raises(InvalidInput, match="one a reward, finite and 0 or more"):
            policy_sequence(weights, np.array([0.0, 1.0]))
    half = np.full((2, 2), 0.5)
    shown, reward = np.array([0, 1]), np.array([0.0, 1.0])
    with pytest.raises(InvalidInput, match=r"predicted \(2, 3\) must be alike, with 2 rows"):
        doubly_robust_sequence(half, half, shown, reward, np.zeros((2, 3)))
    with pytest.raises(InvalidInput, match="logged probability above 0"):
        doubly_robust_sequence(half, np.array([[0.0, 1.0], [0.5, 0.5]]), shown, reward, half)
    with pytest.raises(InvalidInput, match="slack is -1; it is 0 or more"):
        doubly_robust_sequence(half, half, shown, reward, half, slack=-1)
    with pytest.raises(InvalidInput, match="actions must be 2 numbers from 0 to 1"):
        doubly_robust_sequence(half, half, np.array([0, 2]), reward, half)
    with pytest.raises(InvalidInput, match="target and predicted must be finite"):
        doubly_robust_sequence(half, half, shown, reward, half * np.nan)
