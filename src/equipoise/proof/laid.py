"""A policy laid over a logged list: the chance of what was shown, slot by slot, by the same rules
and from the same stored beliefs; and the list that it would have drawn itself.

``slates.probability_of`` and ``slates.draw`` are all that computes a probability here, as in
serving and replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInput, SettingsError
from equipoise.exploration import policy_from
from equipoise.interfaces import Conditional, Policy
from equipoise.randomness import derive
from equipoise.slates.draw import draw, probability_of
from equipoise.slates.rules import Rules
from equipoise.types import Bools, Decision, Floats, PolicyUsed, Scored
from equipoise.walk import considered


@dataclass(frozen=True, slots=True)
class Question:
    """A policy that was not shown, or not at this level.

    Raises:
        InvalidInput: there is no such policy or parameter, or a value that cannot be.
    """

    policy: str = ""
    """Empty: each list's own, as logged; ``parameters`` are then laid over its own ones."""
    parameters: Mapping[str, float] = field(default_factory=dict)
    level: float | None = None
    """None: each list's own level, as logged."""

    def __post_init__(self) -> None:
        if self.level is not None and not 0 <= self.level < float("inf"):
            raise InvalidInput(
                f"level is {self.level:g}; it is 0 (greedy) or more, 1 being the policy's natural"
                " amount",
                pointer="/level",
            )
        if self.policy:
            self.of(PolicyUsed(name="", version="", level=0.0))

    def of(self, used: PolicyUsed) -> tuple[Policy, float]:
        """The policy and its level for a list that ``used`` drew."""
        own = {} if self.policy else used.parameters
        level = used.level if self.level is None else self.level
        parameters = tuple(sorted({**own, **self.parameters}.items()))
        try:
            return _policy(self.policy or used.name, parameters), level
        except SettingsError as error:
            raise InvalidInput(str(error), pointer="/policy") from error

    def __str__(self) -> str:
        words = [self.policy or "as logged", *(f"{k}={v:g}" for k, v in self.parameters.items())]
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Scene:
    """A list as it was decided: what a policy must know to be asked about it."""

    decision: Decision
    scored: Scored
    rules: Rules
    chosen: NDArray[np.int64]
    """(L,) index of the candidate at each slot."""
    drawn: Bools
    """(L,) False for a pin."""
    look: Floats
    """(L,) chance of a look."""

    @classmethod
    def of(cls, decision: Decision) -> Scene:
        scored, rules = considered(decision)
        shown = np.array([slot.position for slot in decision.slots])
        return cls(
            decision=decision,
            scored=scored,
            rules=rules,
            chosen=(scored.items == shown[:, None]).argmax(axis=1),
            drawn=np.array([not slot.pinned for slot in decision.slots]),
            look=np.array([slot.look for slot in decision.slots]),
        )

    @property
    def mean(self) -> Floats:
        """(L,) expected reward of a look at what was shown."""
        return self.scored.mean[self.chosen]


@dataclass(frozen=True, slots=True)
class Laid:
    """What a policy says of a logged list. (L,) each; pins have probability 1 and no plan."""

    probability: Floats
    """Of what was shown, given the slots before it."""
    planned: Floats
    """Σ_a π(a) mean(a) after the logged slots before it, a look's worth."""
    own: Floats
    """The same after slots that the policy drew itself; 0 where its list is shorter."""
    unsupported: Floats
    """Probability on what the log could not have shown there; NaN where that is not known."""


def lay(policy: Policy, level: float, scene: Scene, could: Floats | None) -> Laid:
    """``could`` (drawn, n): what the log's policy could show at each drawn slot (``log_chances``),
    None where it cannot be told. Costs two slates."""
    heard, probability = _conditionals(policy, level, scene)
    planned, unsupported = np.zeros(len(probability)), np.zeros(len(probability))
    planned[scene.drawn] = heard @ scene.scored.mean
    gone = np.full(len(heard), np.nan) if could is None else (heard * (could <= 0)).sum(axis=1)
    unsupported[scene.drawn] = gone
    return Laid(probability, planned, _own(policy, level, scene), unsupported)


def log_chances(scene: Scene) -> Floats | None:
    """(drawn, n) chances at each drawn slot by the policy that drew the list; None where this
    version of the program has no such policy any more."""
    used = scene.decision.policy
    try:
        policy, level = Question().of(used)
    except InvalidInput:
        return None
    return _conditionals(policy, level, scene)[0]


def _conditionals(policy: Policy, level: float, scene: Scene) -> tuple[Floats, Floats]:
    """(drawn, n) whole distributions, (L,) probability of what was shown."""
    listening = _Listening(policy)
    probability = probability_of(listening, scene.scored, scene.rules, scene.chosen, level)
    return np.array(listening.heard), probability


def _own(policy: Policy, level: float, scene: Scene) -> Floats:
    """(L,) plan of a list that the policy draws itself; the same luck for every policy asked."""
    listening, slots = _Listening(policy), len(scene.chosen)
    luck = derive(0, "proof", scene.decision.decision_id)
    drawn = draw(listening, scene.scored, scene.rules, slots, level, scene.look, luck)
    planned = np.zeros(slots)
    planned[: len(drawn.chosen)][~drawn.pinned] = np.array(listening.heard) @ scene.scored.mean
    return planned


class _Listening:
    """A policy, and all that it answers: a slate's probabilities come from one place alone."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.heard: list[Floats] = []

    @property
    def name(self) -> str:
        return self._policy.name

    @property
    def parameters(self) -> dict[str, float]:
        return self._policy.parameters

    def bind(self, scored: Scored, level: float) -> Conditional:
        conditional = self._policy.bind(scored, level)

        def answer(open_: Bools) -> Floats:
            chance = conditional(open_)
            self.heard.append(chance)
            return chance

        return answer


@lru_cache(maxsize=64)
def _policy(name: str, parameters: tuple[tuple[str, float], ...]) -> Policy:
    return policy_from(name, dict(parameters))
