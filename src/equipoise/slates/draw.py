"""The only loop that draws a slate. Nothing is closed, moved or swapped after it.

At each slot, in order: a pin whose turn it is stands there with probability 1; else the policy
gives the probabilities of what is open, and one is drawn. Propensities are conditional on the slots
before, so the probability of a whole slate is their product, exactly, whatever the rules.

The draw is by inversion and the same on every platform: one ``rng.random()`` for each drawn slot,
in the order of slots, none for a pin; ``np.cumsum`` of the probabilities in the candidates' order,
which adds from left to right in float64; the first candidate whose sum exceeds the number times the
whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from equipoise.interfaces import Conditional, Policy
from equipoise.slates.rules import Board, Rules
from equipoise.types import Draw, Floats, Scored


@dataclass(slots=True)
class _Columns:
    """A slate as it grows, a list a column."""

    chosen: list[int] = field(default_factory=list)
    propensity: list[float] = field(default_factory=list)
    explored: list[bool] = field(default_factory=list)
    pinned: list[bool] = field(default_factory=list)
    planned: list[float] = field(default_factory=list)
    """Mean reward that the policy expected of the slot."""

    def add(self, index: int, propensity: float, explored: bool, planned: float) -> None:
        self.chosen.append(index)
        self.propensity.append(propensity)
        self.explored.append(explored)
        self.pinned.append(False)
        self.planned.append(planned)

    def pin(self, index: int, mean: float) -> None:
        self.add(index, 1.0, False, mean)
        self.pinned[-1] = True


def draw(
    policy: Policy,
    scored: Scored,
    rules: Rules,
    n: int,
    level: float,
    look: Floats,
    rng: np.random.Generator,
) -> Draw:
    """A slate of up to ``n``, with the exact propensity of every slot.

    Shorter where nothing is open any more. ``look`` is (≥ n,) the chance that each slot is looked
    at. ``cost`` is known at once, and is the model's own estimate: on average over draws it is
    what the greedy slate under the same rules earns more than this policy; for one slate it may
    be below 0, when an early choice left the best for later slots.

    Raises:
        ValueError: ``n`` below 0, ``look`` too short, rules for another number of candidates, or
            beliefs that the policy refuses.
    """
    _check(scored, rules)
    if n < 0 or len(look) < n:
        raise ValueError(f"a slate of {n} needs as many looks; there are {len(look)}")
    board = Board(rules)
    conditional = _bound(policy, scored, board, level)
    slate = _Columns()
    for _ in range(n):
        pin = board.due()
        if pin is None and board.spent:
            break
        if pin is None:
            chance = conditional(board.open)
            index = _pick(chance, rng)
            explored = bool(scored.mean[index] < scored.mean[board.open].max())
            slate.add(index, chance[index], explored, float(chance @ scored.mean))
        else:
            index = pin
            slate.pin(pin, scored.mean[pin])
        board.place(index)
    return _drawn(slate, _greedy(scored, rules, n), look)


def probability_of(
    policy: Policy,
    scored: Scored,
    rules: Rules,
    chosen: Sequence[int] | NDArray[np.int64],
    level: float,
) -> Floats:
    """(len(chosen),) what ``draw`` would have logged, had it drawn this slate.

    For replay, and to ask another policy or other rules about a logged slate. 0 where they could
    not have shown that candidate at that slot after those before it.

    Raises:
        ValueError: rules for another number of candidates, or beliefs that the policy refuses.
    """
    _check(scored, rules)
    board = Board(rules)
    conditional = _bound(policy, scored, board, level)
    propensity = np.zeros(len(chosen))
    for slot, index in enumerate(chosen):
        propensity[slot] = _chances(board, conditional)[index]
        board.place(int(index))
    return propensity


def _chances(board: Board, conditional: Conditional) -> Floats:
    """(n,) probabilities of the next slot; all 0 where nothing can come."""
    pin = board.due()
    if pin is None and not board.spent:
        return conditional(board.open)
    chance = np.zeros(len(board.open))
    if pin is not None:
        chance[pin] = 1.0
    return chance


def _pick(chance: Floats, rng: np.random.Generator) -> int:
    below = chance.cumsum()
    index = int(below.searchsorted(rng.random() * below[-1], side="right"))
    # The product may round up to the whole itself, which no sum exceeds.
    return index if index < len(chance) else int(np.flatnonzero(chance)[-1])


def _greedy(scored: Scored, rules: Rules, n: int) -> list[float]:
    """Means of the greedy slate under the same rules, slot by slot."""
    board = Board(rules)
    # What is closed stays closed: one walk down the order finds the best that is open, each time.
    downwards = iter(np.argsort(-scored.mean, kind="stable").tolist())
    means: list[float] = []
    for _ in range(n):
        index = board.due()
        if index is None:
            if board.spent:
                break
            index = next(i for i in downwards if board.open[i])
        means.append(float(scored.mean[index]))
        board.place(index)
    return means


def _drawn(slate: _Columns, greedy: list[float], look: Floats) -> Draw:
    expected = float(look[: len(greedy)] @ np.array(greedy))
    planned = float(look[: len(slate.planned)] @ np.array(slate.planned))
    return Draw(
        chosen=np.array(slate.chosen, dtype=np.int64),
        propensity=np.array(slate.propensity, dtype=float),
        explored=np.array(slate.explored, dtype=bool),
        pinned=np.array(slate.pinned, dtype=bool),
        expected=expected,
        cost=expected - planned,
    )


def _bound(policy: Policy, scored: Scored, board: Board, level: float) -> Conditional:
    """Where nothing is open no policy is asked, and there may not even be a candidate."""
    return np.zeros_like if board.spent else policy.bind(scored, level)


def _check(scored: Scored, rules: Rules) -> None:
    if len(rules) != len(scored):
        raise ValueError(f"the rules are for {len(rules)} candidates; there are {len(scored)}")
