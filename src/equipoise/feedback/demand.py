"""Which of a browser's events count as demand: what is popular, and what goes with what.

Views and carts need no token, since most of them come from no list of ours. So anybody can send
them, and without a cap a few browsers make any item the most wanted of the shop. Those that came
with a publishable key are therefore capped as clicks are, by person and by network; what the shop's
own servers report is not. Nothing else is kept from anybody: the profile of whoever sent them knows
them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from equipoise.feedback.caps import Caps, State
from equipoise.feedback.provenance import Origin, is_of_browser, network_of
from equipoise.state.packing import pack, unpack
from equipoise.types import Arrays, Event, Kind, Milliseconds

NAMES = frozenset({"view_item", "add_to_cart", "add_to_wishlist", "review"})
"""Events by which ``state.counts`` knows demand; a browser's orders have no items left."""


class Persons(Protocol):
    """Who is who (``state.identities``)."""

    @property
    def forgotten(self) -> tuple[str, ...]: ...
    def parts(self, user_id: str | None, anonymous_id: str | None) -> tuple[str, ...]: ...


class Catalogue(Protocol):
    """Ids ↔ positions."""

    @property
    def positions(self) -> Mapping[str, int]: ...


class Demand:
    """A fold that passes events on: ``heard`` gives what of one may count.

    Args:
        persons, catalogue: fold each record before this does.
        caps: of events as "looks"; it has no clicks to count.
    """

    def __init__(self, persons: Persons, catalogue: Catalogue, caps: Caps) -> None:
        self._persons = persons
        self._catalogue = catalogue
        self._caps = caps
        self._withheld = 0

    @property
    def withheld(self) -> int:
        """Lines of events that did not count."""
        return self._withheld

    @property
    def rows(self) -> int:
        """Rows that the caps remember: their memory."""
        return len(self._caps)

    def heard(self, arrived: Milliseconds, kind: Kind, noun: Any) -> Any:
        """The noun, or the event without the lines that do not count."""
        self._caps.turn(arrived)
        if kind is Kind.USER_REMOVED:
            self._caps.forget(frozenset(self._persons.forgotten))
        if kind is not Kind.EVENT or noun.event not in NAMES or not is_of_browser(noun):
            return noun
        origin = self._origin(noun)
        lines = tuple(line for line in noun.items if self._counts(line.item_id, origin))
        return noun if len(lines) == len(noun.items) else msgspec.structs.replace(noun, items=lines)

    def _origin(self, event: Event) -> Origin:
        keys = self._persons.parts(event.user_id, event.anonymous_id)
        return Origin(keys[0] if keys else "", network_of(event))

    def _counts(self, item_id: str, origin: Origin) -> bool:
        position = self._catalogue.positions[item_id]
        if self._caps.reached(position, origin):
            self._withheld += 1
            return False
        self._caps.credit(position, origin, clicked=False)
        return True

    def dump(self) -> Arrays:
        return {"demand": pack((self._caps.state(), self._withheld))}

    def load(self, arrays: Arrays) -> None:
        state, self._withheld = unpack(arrays["demand"], tuple[State, int])
        self._caps.restore(state)
