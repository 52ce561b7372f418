"""From beliefs to the probability of each candidate: one policy a file, each a pure function."""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.errors import SettingsError
from equipoise.exploration.policies.epsilon_greedy import EpsilonGreedy
from equipoise.exploration.policies.floor import Floored
from equipoise.exploration.policies.greedy import Greedy
from equipoise.exploration.policies.optimism import Optimism
from equipoise.exploration.policies.plackett_luce import PlackettLuce
from equipoise.exploration.policies.thompson import Thompson
from equipoise.interfaces import Policy

__all__ = [
    "POLICIES",
    "EpsilonGreedy",
    "Floored",
    "Greedy",
    "Optimism",
    "PlackettLuce",
    "Thompson",
    "policy_from",
]

POLICIES = (Greedy, EpsilonGreedy, PlackettLuce, Optimism, Thompson)


def policy_from(name: str, parameters: Mapping[str, float] | None = None) -> Policy:
    """The policy of this name with these parameters; ``floor`` may be given to any.

    Raises:
        SettingsError: an unknown name or parameter, or a value that cannot be.
    """
    keywords = dict(parameters or {})
    floor = keywords.pop("floor", None)
    try:
        policy = _class_of(name)(**keywords)
        return policy if floor is None else Floored(policy, floor)
    except (TypeError, ValueError) as error:
        names = [*_class_of(name)().parameters, "floor"]
        raise SettingsError(
            f"policy {name} with {keywords}: {error}; its parameters are {', '.join(names)}"
        ) from error


def _class_of(name: str) -> type[Policy]:
    for policy in POLICIES:
        if policy.name == name:
            return policy
    known = ", ".join(policy.name for policy in POLICIES)
    raise SettingsError(f"there is no policy {name!r}; the policies are {known}")
