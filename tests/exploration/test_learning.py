"""The room at work: beliefs, policy, draw and balance in one loop, against a known world."""

from __future__ import annotations

import numpy as np

from equipoise.exploration import Balance, EpsilonGreedy, Greedy, RateBelief, Thompson
from equipoise.interfaces import Policy
from equipoise.randomness import derive
from equipoise.slates.draw import draw
from equipoise.slates.rules import Rules
from equipoise.types import Scored

ARMS, DECISIONS = np.arange(20, dtype=np.int32), 4_000


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


def test_a_budgeted_learner_beats_greedy_and_epsilon() -> None:
    """Over 6 worlds Thompson under a cap of 5 % earns more than greedy and than ε = 0.1.

    Its spending stays at the cap, ε's is what it happens to be.
    """
    capped, free = Balance(target=0.05), Balance(target=0.99)
    learners = {Thompson(): capped, Greedy(): free, EpsilonGreedy(0.1): free}
    mean = {
        policy.name: np.mean([earned(policy, seed, balance) for seed in range(6)], axis=0)
        for policy, balance in learners.items()
    }

    assert mean["thompson"][0] > mean["greedy"][0]
    assert mean["thompson"][0] > mean["epsilon_greedy"][0]
    assert abs(mean["thompson"][1] - 0.05) < 0.005
