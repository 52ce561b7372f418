"""SquareCB: the formula by hand, its own theorem's sum, and a unit-free dial."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.exploration import SquareCB
from equipoise.exploration.policies.square_cb import inverse_gap
from equipoise.randomness import derive
from equipoise.types import Scored

ALL = np.ones(4, dtype=bool)


def scored(mean: list[float], variance: list[float]) -> Scored:
    items = np.arange(len(mean), dtype=np.int32)
    return Scored(items, np.array(mean, dtype=float), np.array(variance, dtype=float))


def test_by_hand() -> None:
    """1 / (n + γ gap), γ = gamma √n / (level s); the best has what is left."""
    chance = SquareCB(gamma=3.0).bind(scored([0, 1, 2, 4], [1, 4, 4, 7]), 1.5)(ALL)
    gamma = 3.0 * 2.0 / (1.5 * 2.0)
    others = [1 / (4 + gamma * gap) for gap in (4, 3, 2)]

    np.testing.assert_allclose(chance, [*others, 1 - sum(others)], rtol=1e-14)


def test_what_is_closed_neither_leads_nor_counts() -> None:
    """n, the best and √n are of the open ones."""
    open_ = np.array([True, False, True, False])
    chance = SquareCB(gamma=2.0).bind(scored([1, 9, 2, 3], [1, 1, 1, 1]), 1.0)(open_)
    other = 1 / (2 + 2.0 * np.sqrt(2))

    np.testing.assert_allclose(chance, [other, 0, 1 - other, 0], rtol=1e-14)


def test_ties_at_the_top_share_what_is_left() -> None:
    """Whatever their order."""
    chance = inverse_gap(np.array([3.0, 1.0, 3.0, 3.0]), 8.0, ALL)

    np.testing.assert_allclose(chance, [(1 - 0.05) / 3, 0.05, (1 - 0.05) / 3, (1 - 0.05) / 3])


@settings(max_examples=40, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 30), gamma=st.floats(0.01, 1e6))
def test_cost_is_at_most_n_over_gamma(seed: int, n: int, gamma: float) -> None:
    """The exploring half of Foster and Rakhlin's bound: Σ p (m* − m) ≤ (n − 1) / γ."""
    mean = derive(seed, "test square cb").normal(size=n)
    chance = inverse_gap(mean, gamma, np.ones(n, dtype=bool))

    assert chance @ (mean.max() - mean) <= (n - 1) / gamma
    # The least likely is not forgotten.
    assert chance.min() >= 1 / (n + gamma * np.ptp(mean)) - 1e-15


def test_any_gap_is_survived_and_nothing_unknown_is_greedy() -> None:
    """No float holds 1e308 / 1e-160: its probability is 0. Without spread the best has all."""
    far = SquareCB().bind(scored([-1e308, 1e308, 0, 1], [1e-320] * 4), 1.0)(ALL)
    known = SquareCB().bind(scored([1, 3, 3, 0], [0, 0, 0, 0]), 1.0)(ALL)

    assert far.tolist() == [0, 1, 0, 0]
    assert known.tolist() == [0, 0.5, 0.5, 0]


def test_refusal() -> None:
    """A gamma from which no probability follows."""
    with pytest.raises(ValueError, match=r"gamma is 0\.0; it must be finite and above 0"):
        SquareCB(gamma=0.0)
