"""From beliefs to the probability of each candidate: one policy a file, each a pure function."""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.errors import SettingsError
from equipoise.exploration.policies.epsilon_greedy import EpsilonGreedy
from equipoise.exploration.policies.exponential import (
    Expert,
    ExponentialState,
    ExponentialWeights,
    Mixture,
)
from equipoise.exploration.policies.floor import Floored
from equipoise.exploration.policies.gittins import Gittins
from equipoise.exploration.policies.greedy import Greedy
from equipoise.exploration.policies.joint_thompson import JointThompson
from equipoise.exploration.policies.optimism import Optimism
from equipoise.exploration.policies.plackett_luce import PlackettLuce
from equipoise.exploration.policies.square_cb import SquareCB
from equipoise.exploration.policies.thompson import Thompson
from equipoise.exploration.policies.top_two import TopTwo
from equipoise.exploration.policies.ucb import UCB
from equipoise.interfaces import Policy

__all__ = [
    "POLICIES",
    "UCB",
    "EpsilonGreedy",
    "Expert",
    "ExponentialState",
    "ExponentialWeights",
    "Floored",
    "Gittins",
    "Greedy",
    "JointThompson",
    "Mixture",
    "Optimism",
    "PlackettLuce",
    "Softmax",
    "SquareCB",
    "Thompson",
    "TopTwo",
    "policy_from",
]

POLICIES = (
    Greedy,
    EpsilonGreedy,
    PlackettLuce,
    SquareCB,
    UCB,
    Optimism,
    Gittins,
    Thompson,
    TopTwo,
    JointThompson,
)

Softmax = PlackettLuce
"""The same, by the name it has where one item is chosen."""


def policy_from(name: str, parameters: Mapping[str, float] | None = None) -> Policy:
    """The policy of this name with these parameters; ``floor`` may be given to any.

    Raises:
        SettingsError: an unknown name or parameter, or a value that cannot be.
    """
    cls, keywords = _class_of(name), dict(parameters or {})
    own = cls().parameters
    floor = None if "floor" in own else keywords.pop("floor", None)
    try:
        policy = cls(**keywords)
        return policy if floor is None else Floored(policy, floor)
    except (TypeError, ValueError) as error:
        names = dict.fromkeys([*own, "floor"])
        raise SettingsError(
            f"policy {name} with {keywords}: {error}; its parameters are {', '.join(names)}"
        ) from error


def _class_of(name: str) -> type[Policy]:
    for policy in POLICIES:
        if policy.name == name:
            return policy
    known = ", ".join(policy.name for policy in POLICIES)
    raise SettingsError(f"there is no policy {name!r}; the policies are {known}")
