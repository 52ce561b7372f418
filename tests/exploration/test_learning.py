"""The room at work: beliefs, policy, draw and balance in one loop, against a known world."""

from __future__ import annotations

import numpy as np

from equipoise.exploration import Balance, Greedy, RateBelief, Thompson
from equipoise.interfaces import Policy
from equipoise.randomness import derive
from equipoise.slates.draw import draw
from equipoise.slates.rules import Rules
from equipoise.types import Scored

ARMS, DECISIONS = np.arange(20, dtype=np.int32), 2_500


def earned(policy: Policy, seed: int, balance: Balance) -> tuple[float, float]:
    """(share of the oracle's clicks, share of expected reward spent) of one learner."""
    world, luck = derive(seed, "world"), derive(seed, "luck", policy.name)
    rate = world.beta(2, 38, 20)
    rates = RateBelief(prior_mean=0.05, prior_variance=0.05, arm_strength=40.0)
    state, reward, spent, expected = balance.init(), 0.0, 0.0, 0.0
    for ts in range(DECISIONS):
        scored = Scored(ARMS, *rates.predict(ARMS))
        level = balance.level(state)
        drawn = draw(policy, scored, Rules.of(n=20), 1, level, np.ones(1), luck)
        arm = int(drawn.chosen[0])
        rates.add(arm, 1.0, float(luck.random() < rate[arm]))
        state, _ = balance.update(state, cost=drawn.cost, expected=drawn.expected, ts=ts)
        reward += rate[arm]
        spent, expected = spent + drawn.cost, expected + drawn.expected
    return reward / (DECISIONS * rate.max()), spent / expected


def test_a_budgeted_learner_beats_greedy() -> None:
    """Over 10 worlds Thompson under a cap of 5 % earns more than greedy and spends the cap.

    Against other explorers the difference is smaller than the luck of 10 worlds: that comparison
    is a benchmark's, not a test's.
    """
    runs = [earned(Thompson(), seed, Balance(target=0.05)) for seed in range(10)]
    greedy = [earned(Greedy(), seed, Balance(target=0.05)) for seed in range(10)]

    assert np.mean(runs, axis=0)[0] > np.mean(greedy, axis=0)[0] + 0.05
    assert abs(np.mean(runs, axis=0)[1] - 0.05) < 0.01
