"""Exploration: from what is believed of each candidate to the probability of showing it."""

from __future__ import annotations

from equipoise.exploration.balance import Balance, BalanceState, Move
from equipoise.exploration.beliefs import GaussianBelief, RateBelief
from equipoise.exploration.policies import (
    POLICIES,
    EpsilonGreedy,
    Floored,
    Greedy,
    Optimism,
    PlackettLuce,
    Thompson,
    policy_from,
)

__all__ = [
    "POLICIES",
    "Balance",
    "BalanceState",
    "EpsilonGreedy",
    "Floored",
    "GaussianBelief",
    "Greedy",
    "Move",
    "Optimism",
    "PlackettLuce",
    "RateBelief",
    "Thompson",
    "policy_from",
]
