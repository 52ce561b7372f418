"""Chances of a whole slate and of a slot by itself, for decisions small enough to list all slates.

``iips`` and ``pseudo_inverse`` need what no log stores: how likely an item was at a slot *whatever
stood before it*. For a short list from few candidates that is a sum over all slates; for twelve
slots from three hundred it is out of reach, and an estimate of it would bias the weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy.slates import (
    every_slate,
    pair_chances,
    pseudo_inverse_weights,
    slot_chances,
)
from equipoise.interfaces import Conditional, Policy
from equipoise.proof.laid import Question, Scene
from equipoise.slates.rules import Board, Rules
from equipoise.types import Bools, Floats

MOST_SLATES = 2_000
"""Slates of one decision that are listed, in some ten milliseconds."""
MOST_CELLS = 100
"""Slots times candidates of one decision, whose pairs are inverted."""


@dataclass(frozen=True, slots=True)
class Marginals:
    """Of one list (L,), or of n lists (n, L)."""

    logged: Floats
    """Chance that the log's policy put this item at this slot."""
    target: Floats
    weight: Floats
    """(1,) or (n, 1): the pseudo-inverse's weight of the whole list."""


@dataclass(frozen=True, slots=True)
class Slates:
    """Every slate of a decision, and its chance under one policy."""

    slates: NDArray[np.integer]
    chance: Floats
    n: int

    @classmethod
    def of(cls, policy: Policy, level: float, scene: Scene) -> Self:
        n = len(scene.scored)
        conditional = _ruled(policy.bind(scene.scored, level), scene.rules)
        slates, chances = every_slate(conditional, n, len(scene.chosen))
        return cls(slates, chances.prod(axis=1), n)

    @property
    def marginal(self) -> Floats:
        """(L, n)"""
        return slot_chances(self.slates, self.n, self.chance)

    @property
    def pairs(self) -> Floats:
        """(L·n, L·n)"""
        return pair_chances(self.slates, self.n, self.chance)


def marginals_of(policy: Policy, level: float, scene: Scene, could: Slates) -> Marginals:
    """Of a policy beside the one that drew the list, whose slates are ``could``.

    Raises:
        InvalidInput: the policy shows items where the log never could.
    """
    marginal, places = Slates.of(policy, level, scene).marginal, np.arange(len(scene.chosen))
    return Marginals(
        could.marginal[places, scene.chosen],
        marginal[places, scene.chosen],
        pseudo_inverse_weights(could.pairs, marginal, scene.chosen[None, :]),
    )


def log_slates(scene: Scene) -> Slates:
    """Those that the list's own policy could have shown.

    Raises:
        InvalidInput: the list has too many slates, or a pin; or there is no such policy any more.
    """
    _check(scene)
    policy, level = Question().of(scene.decision.policy)
    return Slates.of(policy, level, scene)


def _ruled(conditional: Conditional, rules: Rules) -> Conditional:
    """The policy as the rules leave it: what is placed may close more than itself."""

    def answer(open_: Bools) -> Floats:
        board = Board(rules)
        for index in np.flatnonzero(~open_).tolist():
            board.place(index)
        return np.zeros(len(open_)) if board.spent else conditional(board.open)

    return answer


def _check(scene: Scene) -> None:
    n, slots = len(scene.scored), len(scene.chosen)
    if not scene.drawn.all():
        raise InvalidInput(
            "iips and pseudo_inverse cannot judge lists with pins; dr, rips and sips can",
            pointer="/estimator",
        )
    if math.perm(n, slots) > MOST_SLATES or n * slots > MOST_CELLS:
        raise InvalidInput(
            f"a list of {slots} from {n} candidates has too many slates to list them:"
            f" iips and pseudo_inverse need at most {MOST_SLATES:,}; dr, rips, cascade_dr and sips"
            " do without",
            pointer="/estimator",
        )
