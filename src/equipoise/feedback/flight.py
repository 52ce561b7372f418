"""Slots in flight: what is remembered of a list until each is settled, and what settles them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct, field

from equipoise.feedback.provenance import Origin
from equipoise.types import Milliseconds, Reward, Slot

SERVED, SHOWN, CLICKED, DROPPED = range(4)
"""The stages of a slot."""
RULES = ("last_touch", "first_touch", "linear")
"""Who earns what carries no token: of the slots of that item that a person clicked and whose window
is open, the one clicked last, the one clicked first, or all of them in equal parts."""


class Windows(NamedTuple):
    """How long the slots of a placement wait, and by which rule they earn."""

    click_ms: Milliseconds = 1_800_000
    purchase_ms: Milliseconds = 86_400_000
    rule: str = "last_touch"

    def check(self) -> None:
        """Raises ValueError: a window is not above 0, or there is no such rule."""
        if self.click_ms <= 0 or self.purchase_ms <= 0:
            raise ValueError(
                f"the click window is {self.click_ms} ms and the purchase window "
                f"{self.purchase_ms} ms; both must be above 0"
            )
        if self.rule not in RULES:
            raise ValueError(f"{self.rule!r} is no rule; the rules are {', '.join(RULES)}")


class Verdict(NamedTuple):
    """A reward, with the slot that earned it and whose doing it was."""

    slot: Slot
    placement: str
    reward: Reward
    origin: Origin = Origin()


class Dropped(NamedTuple):
    """A slot that is let go without a verdict: it was never seen, or its purchase window has
    closed, or its person was erased."""

    decision_id: str
    place: int
    slot: Slot
    erased: bool = False


class Shown(NamedTuple):
    """A slot that came into view."""

    decision_id: str
    place: int
    placement: str
    slot: Slot
    origin: Origin


class Touch(Struct, array_like=True, gc=False):
    """What a clicked slot has earned so far."""

    key: str
    """Of the person who clicked."""
    clicked: tuple[int, int]
    """(arrived, seq): the greatest is the last touch."""
    earned: dict[str, float] = field(default_factory=dict)
    """Outcome → worth: that of ``linear`` may be a part of what the outcome is worth."""
    order_id: str | None = None


class Open(Struct, array_like=True, gc=False):
    """A decision with slots in flight."""

    decision_id: str
    placement: str
    shopper: str
    anonymous: str
    """``a:…`` of the query, empty without one."""
    slots: dict[int, Slot]
    """Those in flight, by place."""
    stages: list[int]
    steered: bool
    seen_by: dict[int, Origin] = field(default_factory=dict)
    """By place, of those shown or clicked."""
    touches: dict[int, Touch] = field(default_factory=dict)

    def verdict(
        self, place: int, outcome: str, worth: float, first: bool, ts: Milliseconds, origin: Origin
    ) -> Verdict:
        """What a slot earned just now."""
        reward = Reward(
            decision_id=self.decision_id,
            slot=place,
            outcome=outcome,
            worth=worth,
            first=first,
            ts=ts,
        )
        return Verdict(self.slots[place], self.placement, reward, origin)

    def shown(self, place: int) -> Shown:
        """It has just come into view."""
        return Shown(
            self.decision_id, place, self.placement, self.slots[place], self.seen_by[place]
        )


class Touched(NamedTuple):
    """A clicked slot whose purchase window is open."""

    opened: Open
    place: int
    touch: Touch

    @property
    def order(self) -> tuple[tuple[int, int], str, int]:
        """By the time of its click; slots that one event clicked, by decision and place."""
        return self.touch.clicked, self.opened.decision_id, self.place


class Due(Struct, array_like=True, order=True, gc=False):
    """At ``ts`` the slots that are still in ``stage`` have had their time."""

    ts: int
    seq: int
    decision_id: str
    stage: int
    slots: tuple[int, ...]


def entitled(rule: str, touched: Sequence[Touched], outcome: str) -> Sequence[Touched]:
    """Which of a person's slots of an item (in order of their clicks) an outcome belongs to.

    A slot has each outcome once. ``linear`` therefore leaves out whichever had this one before, or
    a part of it: a second order belongs to the slots that were clicked since.
    """
    if rule == "linear":
        return [one for one in touched if outcome not in one.touch.earned]
    return touched[:1] if rule == "first_touch" else touched[-1:]


def parts(worth: float, n: int) -> list[float]:
    """n parts of an amount, equal to the unit in its last place; their sum is exact in any order.

    The amount is a whole number of such units, below 2^53 of them, and so is every sum of parts.
    """
    unit = math.ulp(worth)
    each, over = divmod(int(worth / unit), max(n, 1))
    return [(each + (place < over)) * unit for place in range(n)]
