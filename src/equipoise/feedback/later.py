"""Clicks that one of the learners hears only when the same list's other slots are heard.

A slot that was left is known as such when its click window has closed; a click is known at once.
What compares slots with one another (which matches are clicked?) must not hear the one before the
other, or all that is on the way is missing from the side of those that were left. It can wait: it
learns slowly anyhow. ``feedback.views`` has the other way, for what cannot.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import TypeAlias

from equipoise.state.packing import pack, unpack
from equipoise.types import Arrays, Milliseconds, Slot

_Waiting: TypeAlias = tuple[Milliseconds, int, Slot, float | None]
"""When, in which order, what."""


class Later:
    """Slots that were clicked, each until its time. Mutable; a function of the log."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, due: Milliseconds, slot: Slot, looked: float | None) -> None:
        """A clicked slot, and the chance that it was looked at, to be heard from ``due`` on."""
        self._number += 1
        heapq.heappush(self._waiting, (due, self._number, slot, looked))

    def until(self, now: Milliseconds) -> Iterator[tuple[Slot, float | None]]:
        """Those whose time has come, the earliest first; they are let go."""
        while self._waiting and self._waiting[0][0] <= now:
            _, _, slot, looked = heapq.heappop(self._waiting)
            yield slot, looked

    def dump(self) -> Arrays:
        """The whole state."""
        return {"later": pack((sorted(self._waiting, key=_order), self._number))}

    def load(self, arrays: Arrays) -> None:
        """Become what ``dump`` described."""
        self._waiting, self._number = unpack(arrays["later"], tuple[list[_Waiting], int])


def _order(one: _Waiting) -> tuple[Milliseconds, int]:
    return one[0], one[1]
