"""Exploration: from what is believed of each candidate to the probability of showing it."""

from __future__ import annotations

from equipoise.exploration.alarms import Alarm, Watch
from equipoise.exploration.apprentice import Apprentice, ApprenticeState
from equipoise.exploration.balance import Balance, BalanceState, Move
from equipoise.exploration.bandit import Choice, ContextualBandit
from equipoise.exploration.beliefs import (
    ArmBank,
    BetaBelief,
    ContextBank,
    EnsembleBelief,
    GaussianBelief,
    LogisticBelief,
    NeuralLinear,
    Outcomes,
    ProbitBelief,
    RateBelief,
    ValueBelief,
)
from equipoise.exploration.coin import InOrder, Toss
from equipoise.exploration.constraint import Constraint, Constraints, ConstraintState
from equipoise.exploration.drift import Adwin, PageHinkley
from equipoise.exploration.guarantee import Guarantee, GuaranteeState
from equipoise.exploration.limits import Limit, LimitState, Restrained
from equipoise.exploration.policies import (
    POLICIES,
    UCB,
    EpsilonGreedy,
    Expert,
    ExponentialState,
    ExponentialWeights,
    Floored,
    Gittins,
    Greedy,
    JointThompson,
    Mixture,
    Optimism,
    PlackettLuce,
    Softmax,
    SquareCB,
    Thompson,
    TopTwo,
    policy_from,
)

__all__ = [
    "POLICIES",
    "UCB",
    "Adwin",
    "Alarm",
    "Apprentice",
    "ApprenticeState",
    "ArmBank",
    "Balance",
    "BalanceState",
    "BetaBelief",
    "Choice",
    "Constraint",
    "ConstraintState",
    "Constraints",
    "ContextBank",
    "ContextualBandit",
    "EnsembleBelief",
    "EpsilonGreedy",
    "Expert",
    "ExponentialState",
    "ExponentialWeights",
    "Floored",
    "GaussianBelief",
    "Gittins",
    "Greedy",
    "Guarantee",
    "GuaranteeState",
    "InOrder",
    "JointThompson",
    "Limit",
    "LimitState",
    "LogisticBelief",
    "Mixture",
    "Move",
    "NeuralLinear",
    "Optimism",
    "Outcomes",
    "PageHinkley",
    "PlackettLuce",
    "ProbitBelief",
    "RateBelief",
    "Restrained",
    "Softmax",
    "SquareCB",
    "Thompson",
    "TopTwo",
    "Toss",
    "ValueBelief",
    "Watch",
    "policy_from",
]
