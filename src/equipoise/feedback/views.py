"""Slots in view whose click may still come: which of them may count already, and for how much.

Clicks come within seconds, and that a slot was left is only sure when its click window has closed,
half an hour later. A learner that waits for both hears clicks at once and their looks much later:
what is shown a lot seems to be clicked at nearly every look, is shown more for it, and so on. So a
look counts, without a click, as soon as it is in view, by the share of clicks that come in time::

    share = 1 − mean delay of a click / click window

which is that of clicks that have come by a moment drawn from the window, so that with steady
traffic clicks over looks are right in the mean. What is still missing goes on to be "under way".
When the verdict comes it takes the place of all that.

A view can be forged as a verdict can, and would bury an item for the window; so views pass the same
caps by person and by network (``caps``), counted for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from equipoise.feedback.caps import Caps, State
from equipoise.feedback.provenance import Origin, is_steered
from equipoise.state.packing import pack, unpack
from equipoise.types import Arrays, Kind, Milliseconds

GUESS_MS, GUESS_CLICKS = 10_000.0, 20.0
"""How long a click takes before any was seen, and as how many clicks that counts."""
MEMORY = 0.999
"""Of earlier clicks what is left at the next: half after some 700."""


class Persons(Protocol):
    """Who is who (``state.identities``)."""

    @property
    def forgotten(self) -> tuple[str, ...]: ...


class _Sums(Struct, array_like=True):
    """Faded, by placement."""

    clicks: float = 0.0
    waited_ms: float = 0.0


class Views:
    """A fold: which views count before their verdict, and how much of a look each.

    Args:
        persons: folds each record before this does.
        caps: of views as "looks"; it has no clicks to count.
        window_ms: click window of the shop.
        windows_ms: by placement, where it has its own.
    """

    def __init__(
        self,
        persons: Persons,
        caps: Caps,
        *,
        window_ms: int,
        windows_ms: Mapping[str, int] | None = None,
    ) -> None:
        self._persons = persons
        self._caps = caps
        self._window = window_ms
        self._windows = dict(windows_ms or {})
        self._sums: dict[str, _Sums] = {}

    def apply(self, seq: int, arrived: Milliseconds, kind: Kind, noun: Any) -> None:
        """Caps begin anew by the period, and forget who was erased."""
        self._caps.turn(arrived)
        if kind is Kind.DECISION:
            self._caps.serve(steered=is_steered(noun.query))
        elif kind is Kind.USER_REMOVED:
            self._caps.forget(frozenset(self._persons.forgotten))

    def counts(self, position: int, origin: Origin) -> bool:
        """Whether one more view of an item counts now. Asking counts it."""
        if self._caps.reached(position, origin):
            return False
        self._caps.credit(position, origin, clicked=False)
        return True

    def clicked(self, placement: str, waited_ms: Milliseconds) -> None:
        """A slot was clicked so long after it came into view."""
        sums = self._sums.setdefault(placement, _Sums())
        sums.clicks = MEMORY * sums.clicks + 1.0
        sums.waited_ms = MEMORY * sums.waited_ms + max(waited_ms, 0)

    def share(self, placement: str) -> float:
        """Of a look, that one in view counts for; 0 to 1."""
        window = self._windows.get(placement, self._window)
        sums = self._sums.get(placement, _Sums())
        mean = (sums.waited_ms + GUESS_CLICKS * GUESS_MS) / (sums.clicks + GUESS_CLICKS)
        return max(1.0 - mean / window, 0.0)

    def dump(self) -> Arrays:
        """The whole state."""
        return {"views": pack((self._caps.state(), self._sums))}

    def load(self, arrays: Arrays) -> None:
        """Become what ``dump`` described."""
        state, self._sums = unpack(arrays["views"], tuple[State, dict[str, _Sums]])
        self._caps.restore(state)
