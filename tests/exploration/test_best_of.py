"""P(best) against a fine quadrature, Monte Carlo, closed forms, and with known items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from equipoise.exploration.policies.best_of import Race
from equipoise.randomness import derive
from equipoise.types import Bools, Floats


def everything(n: int) -> Bools:
    return np.ones(n, dtype=bool)


def fine(mean: Floats, spread: Floats, open_: Bools) -> Floats:
    """P(best) by composite Gauss–Legendre: a break at every half spread of every open item."""
    index = np.flatnonzero(open_)
    breaks = np.unique(
        np.concatenate([mean[index] + k * spread[index] for k in np.linspace(-9, 9, 37)])
    )
    x, w = np.polynomial.legendre.leggauss(12)
    half, middle = np.diff(breaks) / 2, (breaks[1:] + breaks[:-1]) / 2
    t, weight = (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * w).ravel()
    z = (t - mean[index, None]) / spread[index, None]
    log_cdf = norm.logcdf(z)
    rest = np.exp(log_cdf.sum(axis=0) - log_cdf)
    chance = np.zeros(len(mean))
    chance[index] = (norm.pdf(z) / spread[index, None] * rest) @ weight
    return chance


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 20),
    ratio=st.sampled_from([1.0, 10.0, 1e3, 1e6]),
    width=st.sampled_from([0.1, 1.0, 5.0]),
)
def test_fine_quadrature_agrees_for_every_prefix(
    seed: int, n: int, ratio: float, width: float
) -> None:
    """Any spreads, any subset that a slate passes through: to 1e-6 (measured 2e-9)."""
    rng = derive(seed, "test best of")
    spread = np.exp(rng.uniform(0, np.log(ratio), n))
    mean = width * np.median(spread) * rng.normal(size=n)
    race, open_ = Race(mean, spread), everything(n)
    while open_.any():
        chance = race.chances(open_)

        np.testing.assert_allclose(chance, fine(mean, spread, open_), rtol=0, atol=1e-6)
        assert abs(chance.sum() - 1.0) < 1e-12
        open_[rng.choice(n, p=chance)] = False


def test_monte_carlo_agrees() -> None:
    """400,000 joint draws of 40 beliefs: within 5 standard errors of every item."""
    rng = derive(0, "test best of")
    mean, spread, draws = rng.normal(size=40), rng.uniform(0.2, 2.0, 40), 400_000
    wins = np.zeros(40)
    for _ in range(10):
        worth = mean + spread * rng.normal(size=(draws // 10, 40))
        wins += np.bincount(worth.argmax(axis=1), minlength=40)
    chance = Race(mean, spread).chances(everything(40))

    error = np.sqrt(chance * (1 - chance) / draws) + 1 / draws
    assert (np.abs(wins / draws - chance) < 5 * error).all()


def test_two_items_have_a_closed_form() -> None:
    """P(1 beats 2) = Φ((m₁ − m₂) / √(s₁² + s₂²))."""
    for gap, first, second in [(0.0, 1.0, 1.0), (1.0, 2.0, 0.01), (-3.0, 1e-4, 1.0), (0.5, 1, 5)]:
        chance = Race(np.array([gap, 0.0]), np.array([first, second])).chances(everything(2))

        assert chance[0] == pytest.approx(norm.cdf(gap / np.hypot(first, second)), abs=1e-8)


def test_a_known_item_wins_when_all_others_stay_below() -> None:
    """Items without spread are exact: P(known best) = Π Φ((m − m_j) / s_j), shared by ties."""
    mean = np.array([1.0, 1.0, 0.8, 0.0, 0.5, 0.9])
    spread = np.array([0.0, 0.0, 0.3, 1.0, 0.0, 0.05])
    race = Race(mean, spread)
    chance = race.chances(everything(6))
    below = norm.cdf(np.array([0.2 / 0.3, 1.0, 0.1 / 0.05])).prod()

    np.testing.assert_allclose(chance[:2], below / 2, atol=1e-8)
    assert chance[4] == 0.0
    alone = race.chances(np.array([False, True, False, True, True, False]))
    np.testing.assert_allclose(alone, [0, norm.cdf(1.0), 0, 1 - norm.cdf(1.0), 0, 0], atol=1e-8)
    known = race.chances(np.array([True, True, False, False, True, False]))
    assert known.tolist() == [0.5, 0.5, 0, 0, 0, 0]


def test_a_tiny_spread_is_near_to_none() -> None:
    """The chances are continuous where a spread becomes none."""
    mean, spread = np.array([1.0, 0.8, 0.0]), np.array([0.0, 0.3, 1.0])
    none = Race(mean, spread).chances(everything(3))
    for tiny in (1e-13, 1e-10, 1e-7):
        nearly = Race(mean, np.array([tiny, 0.3, 1.0])).chances(everything(3))

        np.testing.assert_allclose(nearly, none, atol=1e-6)


def test_hopeless_items_have_no_chance() -> None:
    """More than 6 of its own spreads below what is certain: exactly 0, until that is taken."""
    mean, spread = np.array([10.0, 0.0, 0.1]), np.array([0.5, 0.5, 0.5])
    race = Race(mean, spread)

    assert race.chances(everything(3)).tolist() == [1.0, 0.0, 0.0]
    rest = race.chances(np.array([False, True, True]))
    assert rest[1] == pytest.approx(norm.cdf(-0.1 / np.hypot(0.5, 0.5)), abs=1e-8)
