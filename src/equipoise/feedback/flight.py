"""Slots in flight: what is remembered of a list until each of its slots is settled."""

from __future__ import annotations

from msgspec import Struct, field

from equipoise.feedback.provenance import Origin
from equipoise.types import Slot

SERVED, SHOWN, CLICKED, DROPPED = range(4)
"""The stages of a slot."""


class Touch(Struct, array_like=True, gc=False):
    """What a clicked slot has earned so far."""

    key: str
    """Of the person who clicked."""
    clicked: tuple[int, int]
    """(arrived, seq): the greatest is the last touch."""
    earned: list[str] = field(default_factory=list)
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


class Due(Struct, array_like=True, order=True, gc=False):
    """At ``ts`` the slots that are still in ``stage`` have had their time."""

    ts: int
    seq: int
    decision_id: str
    stage: int
    slots: tuple[int, ...]
