"""UCB: the index decides, the floor keeps the log usable."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.exploration import UCB, GaussianBelief, Greedy, policy_from
from equipoise.randomness import derive
from equipoise.slates.draw import draw, probability_of
from equipoise.slates.rules import Rules
from equipoise.types import Scored

MEAN, VARIANCE = np.array([1.0, 0.8, 0.2, 0.0]), np.array([0.01, 0.04, 0.25, 0.01])
FOUR = Scored(np.arange(4, dtype=np.int32), MEAN, VARIANCE)
ALL = np.ones(4, dtype=bool)


def test_by_hand() -> None:
    """m + c s = 1.1, 1.0, .7, .1 at c = 1; 1.3, 1.4, 1.7, .3 at c = 3."""
    policy = UCB(reach=2.0, floor=0.1)

    np.testing.assert_allclose(policy.bind(FOUR, 0.5)(ALL), [0.925, 0.025, 0.025, 0.025])
    np.testing.assert_allclose(policy.bind(FOUR, 1.5)(ALL), [0.025, 0.025, 0.925, 0.025])


def test_ties_of_the_index_share() -> None:
    """No choice is certain that another order of candidates would change."""
    tied = Scored(np.arange(3, dtype=np.int32), np.array([1.0, 2.0, 0.0]), np.array([4.0, 1, 0]))
    chance = UCB(reach=1.0, floor=0.3).bind(tied, 1.0)(np.ones(3, dtype=bool))

    np.testing.assert_allclose(chance, [0.45, 0.45, 0.1])


def test_over_a_linear_belief_it_is_lin_ucb() -> None:
    """argmax x·β + c √(σ² xᵀA⁻¹x), written out (Li et al. 2010, algorithm 1)."""
    rng = derive(0, "test ucb")
    x, seen = rng.normal(size=(9, 5)), rng.normal(size=(30, 5))
    reward = seen @ rng.normal(size=5) + rng.normal(size=30)
    mean, variance = GaussianBelief(5).update(seen, reward).predict(x)
    scored = Scored(np.arange(9, dtype=np.int32), mean, variance)
    a = np.eye(5) + seen.T @ seen
    index = x @ np.linalg.solve(a, seen.T @ reward) + 1.5 * np.sqrt(
        np.einsum("ij,ij->i", x, np.linalg.solve(a, x.T).T)
    )

    chance = UCB(reach=1.5).bind(scored, 1.0)(np.ones(9, dtype=bool))
    assert int(chance.argmax()) == int(index.argmax())


def test_its_log_can_judge_another_policy() -> None:
    """IPS of greedy from a log by UCB, which shows another item first: within its error."""
    rng, policy, rules = derive(1, "test ucb"), UCB(reach=3.0, floor=0.2), Rules.of(n=4)
    target = probability_of(Greedy(), FOUR, rules, [0], 1.0)[0]
    terms = []
    for _ in range(4_000):
        drawn = draw(policy, FOUR, rules, 1, 1.0, np.ones(1), rng)
        terms.append(target * (drawn.chosen[0] == 0) / drawn.propensity[0] * 0.7)

    error = np.std(terms) / np.sqrt(len(terms))
    assert int(policy.bind(FOUR, 1.0)(ALL).argmax()) == 2
    assert np.mean(terms) == pytest.approx(0.7, abs=4 * error)


def test_settings_give_the_floor_to_the_policy_itself() -> None:
    """``floor`` is its own parameter: no second one lies on top."""
    assert policy_from("ucb", {"floor": 0.1, "reach": 1.0}) == UCB(reach=1.0, floor=0.1)


def test_refusals() -> None:
    """No floor, no log; no reach, no optimism."""
    with pytest.raises(ValueError, match=r"floor is 0\.0; it is a share above 0, up to 1"):
        UCB(floor=0.0)
    with pytest.raises(ValueError, match=r"reach is inf; it must be finite and above 0"):
        UCB(reach=np.inf)
