"""What a slate must obey, and what that leaves open while it fills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from equipoise.slates.diversity import NO_GROUP, Quota
from equipoise.types import Bools, Positions


@dataclass(frozen=True, slots=True)
class Rules:
    """Masks and fixed places for ``n`` candidates. All is settled before a draw, nothing after.

    A pinned candidate stands at its slot and is open at no other, so pass only the pins that the
    slate has room for. Pins are a person's wish: they count towards a group's limit from the
    start, and may exceed it.

    Raises:
        ValueError: shapes that differ, a pin that points nowhere, is closed or comes twice.
    """

    closed: Bools
    """(n,) never to be shown here."""
    pins: tuple[tuple[int, int], ...]
    """(slot from 0, index of the candidate)"""
    groups: Positions
    """(n,) variants of one thing share a code; -1: of no group, never limited."""
    max_per_group: int
    """How many of one group a slate may hold; 0: any number."""

    def __post_init__(self) -> None:
        if self.closed.ndim != 1 or self.closed.shape != self.groups.shape:
            raise ValueError(
                f"closed and groups have shapes {self.closed.shape} and {self.groups.shape}; "
                "each has one entry a candidate"
            )
        if self.max_per_group < 0:
            raise ValueError(f"max_per_group is {self.max_per_group}; 0 means any number")
        for pin in self.pins:
            self._check_pin(*pin)
        _check_once("slot", (slot for slot, _ in self.pins))
        _check_once("candidate", (index for _, index in self.pins))

    def __len__(self) -> int:
        return len(self.closed)

    @classmethod
    def of(
        cls,
        *,
        n: int,
        closed: Bools | None = None,
        pins: tuple[tuple[int, int], ...] = (),
        groups: Positions | None = None,
        max_per_group: int = 0,
    ) -> Self:
        """Rules for ``n`` candidates; what is left out restricts nothing."""
        return cls(
            closed=np.zeros(n, dtype=bool) if closed is None else closed,
            pins=pins,
            groups=np.full(n, NO_GROUP, dtype=np.int32) if groups is None else groups,
            max_per_group=max_per_group,
        )

    def _check_pin(self, slot: int, index: int) -> None:
        if slot < 0 or not 0 <= index < len(self):
            raise ValueError(
                f"pin of candidate {index} to slot {slot}: slots count from 0, "
                f"and there are {len(self)} candidates"
            )
        if self.closed[index]:
            raise ValueError(f"candidate {index} is pinned to slot {slot}, but it is closed")


class Board:
    """A slate being filled: what is placed, what waits for its slot, what is still open."""

    def __init__(self, rules: Rules) -> None:
        self.placed = 0
        self.open: Bools = ~rules.closed
        self._waiting = sorted(rules.pins)
        self._quota = Quota(rules.groups, rules.max_per_group)
        for _, index in self._waiting:
            self._take(index)

    @property
    def spent(self) -> bool:
        """True where nothing is open any more."""
        # Several times faster than any() for so few.
        return not np.count_nonzero(self.open)

    def due(self) -> int | None:
        """The pin whose turn it is: at its slot, or sooner if nothing is left to fill up with."""
        if self._waiting and (self._waiting[0][0] <= self.placed or self.spent):
            return self._waiting[0][1]
        return None

    def place(self, index: int) -> None:
        """Put a candidate at the next slot."""
        due = self.due()
        if due is not None:
            del self._waiting[0]
        if due != index:
            self._take(index)
        self.placed += 1

    def _take(self, index: int) -> None:
        self.open[index] = False
        self._quota.take(index, self.open)


def _check_once(what: str, values: Iterable[int]) -> None:
    for value, times in Counter(values).items():
        if times > 1:
            raise ValueError(f"{what} {value} is pinned {times} times; once is the most")
