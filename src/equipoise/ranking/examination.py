"""How likely a slot is to be looked at, learnt as it is used: so that low slots are no bad items.

Two models of what shoppers do with a list: each place has its own chance of a look (``position``),
or they read from the top and may stop, above all after a click (``cascade``). Which one holds is
chosen placement by placement by predictive likelihood: each list is foretold by both before either
learns from it.

A list is learnt from when the last of its slots is settled. Only what came into view counts: a slot
that was never seen is no part of the list that was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from equipoise.ranking.cascade import Cascade
from equipoise.ranking.model import GRAIN
from equipoise.ranking.position import (
    LEAST_RATE,
    MOST_RATE,
    SLOTS,
    Browsed,
    Position,
    first_guess,
    look_given,
)
from equipoise.types import Arrays, Decision, Floats, Milliseconds

MODELS = ("auto", "position", "cascade")
EVIDENCE = 3.0
"""By how much the log-likelihood of the cascade must lead before ``auto`` takes it."""
MEMORY = 10_000.0
"""Lists after which one counts half in that comparison."""
WEIGHT_MOST = 50.0
"""Of 1 / propensity: rarer draws count as if they were this rare."""

OPEN, UNSEEN, LEFT, CLICKED = range(4)
"""What became of a slot."""


class Awaited(NamedTuple):
    """Looks at an arm that were under way and are so no longer."""

    arm: int
    looks: float
    viewed: float = 0.0
    """That counted already, since they were in view, and do so no longer."""
    since: Milliseconds = 0
    """When they came into view; 0 where they did not."""


class _List(Struct, array_like=True, gc=False):
    """A list with slots that are not settled yet."""

    at: Milliseconds
    placement: str
    arms: list[int]
    clicks: list[float]
    """By place, expected of a certain look."""
    looks: list[float]
    """Under way, as the beliefs count them."""
    weights: list[float]
    states: list[int]
    viewed: dict[int, tuple[float, int]]
    """By place: looks that count already, and since when."""


ChoiceModel: TypeAlias = Position | Cascade
_UNREAD: tuple[tuple[str, tuple[int, ...]], Floats] = ("", ()), np.zeros(0)


class Examination:
    """The curves of a shop's placements, and the lists that will teach them. A fold of verdicts.

    A list goes from ``begin`` through one ``settle`` a slot, in any order and with any waits, to
    ``close``, which learns from the lists that are settled and forgets them.

    Args:
        models: by placement ``position``, ``cascade`` or ``auto``, which is also what holds for
            those that are not named.

    Raises:
        ValueError: a model of another name.
    """

    def __init__(self, models: Mapping[str, str] | None = None) -> None:
        self._models = dict(models or {})
        for placement, name in self._models.items():
            if name not in MODELS:
                raise ValueError(
                    f"{name!r} is no model of examination (placement {placement!r}); "
                    f"the models are {', '.join(MODELS)}"
                )
        self._positions: dict[str, Position] = {}
        self._cascades: dict[str, Cascade] = {}
        self._lead: dict[str, float] = {}
        """By placement, decayed: log-likelihood of the cascade less that of the other."""
        self._open: dict[str, _List] = {}
        self._settled: list[str] = []
        """Ids of lists that ``close`` will learn from."""
        self._read = _UNREAD
        """The list that ``looked`` was asked about last, and its answer: until ``close``."""

    def look(self, placement: str, slots: int) -> Floats:
        """(slots,) chance that each slot of a list is looked at, the first slot's being 1.

        Beyond the first hundred slots nothing is known, and the last known one goes on.
        """
        curve = self._curve(placement)[:slots]
        return np.pad(curve, (0, slots - len(curve)), mode="edge") if slots > SLOTS else curve

    def model(self, placement: str) -> str:
        """``position`` or ``cascade``: what is held true of a placement now."""
        stated = self._models.get(placement, "auto")
        if stated != "auto":
            return stated
        return "cascade" if self._lead.get(placement, 0.0) > EVIDENCE else "position"

    def lead(self, placement: str) -> float:
        """By how much the cascade foretold the clicks better (log-likelihood, decayed)."""
        return self._lead.get(placement, 0.0)

    # ------------------------------------------------------------ the way of a list

    def begin(
        self, decision: Decision, clicks: Sequence[float], looks: Sequence[float], now: Milliseconds
    ) -> None:
        """A list is served. ``clicks`` (L,): expected of a certain look at each slot; ``looks``
        (L,): under way at each, which ``settle`` gives back."""
        if decision.slots:
            self._open[decision.decision_id] = _List(
                at=now,
                placement=decision.query.placement,
                arms=[slot.position for slot in decision.slots],
                clicks=list(clicks),
                looks=list(looks),
                weights=[_weight(slot.propensity, slot.pinned) for slot in decision.slots],
                states=[OPEN] * len(decision.slots),
                viewed={},
            )

    def view(self, decision_id: str, place: int, share: float, now: Milliseconds) -> Awaited | None:
        """A slot comes into view: this share of the looks under way there counts from now on.

        None where that cannot be: it is settled, was in view before, or the list is not known.
        """
        opened = self._open.get(decision_id)
        if opened is None or opened.states[place] != OPEN or place in opened.viewed:
            return None
        moved = round(share * opened.looks[place] * GRAIN) / GRAIN
        opened.looks[place] -= moved
        opened.viewed[place] = (moved, now)
        return Awaited(opened.arms[place], moved, moved, now)

    def settle(self, decision_id: str, place: int, state: int) -> Awaited | None:
        """A slot is ``UNSEEN``, ``LEFT`` (seen, no click) or ``CLICKED``, once.

        None where it was settled before, or the list is not known.
        """
        opened = self._open.get(decision_id)
        if opened is None or opened.states[place] != OPEN:
            return None
        opened.states[place] = state
        if OPEN not in opened.states:
            self._settled.append(decision_id)
        viewed, since = opened.viewed.get(place, (0.0, 0))
        return Awaited(opened.arms[place], opened.looks[place], viewed, since)

    def expire(self, before: Milliseconds) -> Iterator[Awaited]:
        """Slots of lists served before then count as unseen: what became of them was withheld."""
        for decision_id, opened in tuple(takewhile(lambda x: x[1].at < before, self._open.items())):
            for place in range(len(opened.states)):
                awaited = self.settle(decision_id, place, UNSEEN)
                if awaited is not None:
                    yield awaited

    def looked(self, decision_id: str, place: int) -> float | None:
        """Chance that a settled slot was looked at, given what else was clicked in its list so far.

        None where the list is not known, or the slot never came into view.
        """
        opened = self._open.get(decision_id)
        if opened is None or opened.states[place] not in (LEFT, CLICKED):
            return None
        if opened.states[place] == CLICKED:
            return 1.0
        chosen, at = self._chosen(opened.placement), min(place, SLOTS - 1)
        if isinstance(chosen, Position):
            rate = min(max(opened.clicks[place], LEAST_RATE), MOST_RATE)
            return look_given(float(chosen.looks()[at]), rate)
        return float(self._chain(decision_id, opened, chosen)[at])

    def _chain(self, decision_id: str, opened: _List, cascade: Cascade) -> Floats:
        """By place; computed once for all slots that are settled by the same record."""
        key = (decision_id, tuple(opened.states))
        if self._read[0] != key:
            browsed = _browsed(opened)
            looked = np.zeros(SLOTS)
            looked[browsed.places] = cascade.looked(browsed)
            self._read = key, looked
        return self._read[1]

    def close(self) -> None:
        """Learn from the lists whose last slot is settled."""
        for decision_id in self._settled:
            opened = self._open.pop(decision_id)
            browsed = _browsed(opened)
            if len(browsed.places):
                self._learn(opened.placement, browsed)
        self._settled.clear()
        self._read = _UNREAD

    def __len__(self) -> int:
        """Lists with slots that are not settled."""
        return len(self._open)

    def _learn(self, placement: str, browsed: Browsed) -> None:
        position, cascade = self._both(placement)
        lead = cascade.likelihood(browsed) - position.likelihood(browsed)
        self._lead[placement] = self._lead.get(placement, 0.0) * 0.5 ** (1.0 / MEMORY) + lead
        position.learn(browsed)
        cascade.learn(browsed)

    def _both(self, placement: str) -> tuple[Position, Cascade]:
        if placement not in self._positions:
            self._positions[placement] = Position()
            self._cascades[placement] = Cascade(first_guess(SLOTS))
        return self._positions[placement], self._cascades[placement]

    def _chosen(self, placement: str) -> ChoiceModel:
        position, cascade = self._both(placement)
        return cascade if self.model(placement) == "cascade" else position

    def _curve(self, placement: str) -> Floats:
        # Asking changes nothing: a placement without a list has no models yet.
        if placement not in self._positions:
            return first_guess(SLOTS)
        return self._chosen(placement).looks()

    # ------------------------------------------------------------ dump and load

    def arrays(self) -> Arrays:
        """The sums, placements by name, and the lists under way."""
        names = sorted(self._positions)
        state = (names, [self._lead.get(name, 0.0) for name in names], self._open, self._settled)
        arrays: Arrays = {"lists": np.frombuffer(msgspec.msgpack.encode(state), dtype=np.uint8)}
        for number, name in enumerate(names):
            for model in self._both(name):
                for key, array in model.arrays().items():
                    arrays[f"{number}.{type(model).__name__}.{key}"] = array
        return arrays

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        kind = tuple[list[str], list[float], dict[str, _List], list[str]]
        names, leads, self._open, self._settled = msgspec.msgpack.decode(
            arrays["lists"].tobytes(), type=kind
        )
        self._positions, self._cascades = {}, {}
        self._lead = dict(zip(names, leads, strict=True))
        for number, name in enumerate(names):
            for model in self._both(name):
                model.load(_under(f"{number}.{type(model).__name__}.", arrays))


def _weight(propensity: float, pinned: bool) -> float:
    return 0.0 if pinned or propensity <= 0 else min(1.0 / propensity, WEIGHT_MOST)


def _browsed(opened: _List) -> Browsed:
    """What is known to have been in view, of the places that have a curve."""
    states = np.array(opened.states[:SLOTS])
    places = np.flatnonzero(states >= LEFT)
    rates = np.clip(np.array(opened.clicks[:SLOTS]), LEAST_RATE, MOST_RATE)
    return Browsed(
        places, states[places] == CLICKED, rates[places], np.array(opened.weights)[places]
    )


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
