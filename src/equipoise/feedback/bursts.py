"""Items that suddenly earn far more clicks than anybody believed: their verdicts wait in a lane.

In an hour an item may earn ``clicks`` clicks whatever was thought of it, and ``factor`` times what
the lists of this hour were expected to earn with it (their belief at the time, looks weighted).
Beyond that it is held: what it earns stands in a lane, in order, and flows on as fast as the same
rate allows. An item that has truly become popular is delayed by hours and no more, because what is
credited raises the belief and with it the rate; a forger gets time, and somebody sees the lane.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Set

import msgspec

from equipoise.feedback.attribution import Verdict
from equipoise.types import Milliseconds, Slot

HOUR = 3_600_000
Waits = deque[tuple[Milliseconds, Verdict]]
"""Verdicts with the time since when they wait."""


class Hour(msgspec.Struct, array_like=True, gc=False):
    """Of an item, in the running hour."""

    clicks: int = 0
    expected: float = 0.0


class Bursts:
    """The running hour, and the lanes.

    Args:
        clicks: within an hour that are never a burst; 0: nothing is one.
        factor: times what was expected that are none either.
        hold_ms: how long a verdict stands in a lane at most.
        kept: verdicts in one lane.

    Raises:
        ValueError: a number that cannot be.
    """

    def __init__(
        self, *, clicks: int = 20, factor: float = 10.0, hold_ms: int = 86_400_000,
        kept: int = 200_000,
    ) -> None:  # fmt: skip
        if clicks < 0 or factor < 0 or hold_ms < 0:
            raise ValueError(
                f"bursts of {clicks} clicks, {factor} times, held {hold_ms} ms: all are 0 or more"
            )
        self._least = clicks or float("inf")
        self._factor = factor
        self._hold = hold_ms
        self._kept = kept
        self._hour = 0
        self._hours: dict[int, Hour] = {}
        self._lanes: dict[int, Waits] = {}
        """A lane that is empty is not kept."""

    def __len__(self) -> int:
        """Verdicts that are held."""
        return sum(map(len, self._lanes.values()))

    @property
    def positions(self) -> Set[int]:
        """Of the items that are held."""
        return self._lanes.keys()

    def held(self, position: int) -> int:
        """Verdicts on this item that are."""
        return len(self._lanes.get(position, ()))

    def turn(self, arrived: Milliseconds, out: list[Verdict], late: list[Verdict]) -> None:
        """A new hour lets every lane flow: into ``out``, and what stood too long into ``late``."""
        hour = arrived // HOUR
        if hour != self._hour:
            self._hour = hour
            self._hours.clear()
            for position in tuple(self._lanes):
                self._flow(position, arrived, out, late)

    def expect(self, slots: Iterable[Slot]) -> None:
        """A list is served: what it should earn, by the belief that drew it."""
        for slot in slots:
            self._of(slot.position).expected += slot.look * slot.rate

    def meet(
        self, since: Milliseconds, arrived: Milliseconds, verdict: Verdict,
        out: list[Verdict], late: list[Verdict],
    ) -> None:  # fmt: skip
        """A verdict comes, waiting ``since``: it flows, or stands behind those of its item."""
        position = verdict.slot.position
        lane = self._lanes.get(position)
        if lane is None and not (verdict.reward.first and self._bursts(position)):
            self._let(verdict, out)
        elif lane is not None and len(lane) >= self._kept:
            late.append(verdict)
        else:
            self._lanes.setdefault(position, deque()).append((since, verdict))
            self._flow(position, arrived, out, late)

    def forget(self, keys: frozenset[str]) -> None:
        """Drop what an erased person has in the lanes."""
        for position, lane in tuple(self._lanes.items()):
            self._lanes[position] = without(lane, keys)
            if not self._lanes[position]:
                del self._lanes[position]

    def _of(self, position: int) -> Hour:
        return self._hours.setdefault(position, Hour())

    def _bursts(self, position: int) -> bool:
        hour = self._of(position)
        return hour.clicks >= self._least + self._factor * hour.expected

    def _let(self, verdict: Verdict, out: list[Verdict]) -> None:
        out.append(verdict)
        if verdict.reward.first and verdict.reward.outcome != "none":
            self._of(verdict.slot.position).clicks += 1

    def _flow(
        self, position: int, arrived: Milliseconds, out: list[Verdict], late: list[Verdict]
    ) -> None:
        lane = self._lanes[position]
        while lane:
            since, verdict = lane[0]
            # A time that lies ahead is from a clock that was set back since.
            if not 0 <= arrived - since < self._hold:
                late.append(verdict)
            elif self._bursts(position):
                return
            else:
                self._let(verdict, out)
            lane.popleft()
        del self._lanes[position]

    def state(self) -> State:
        """All that is known, for a dump."""
        lanes = {position: list(lane) for position, lane in self._lanes.items()}
        return State(self._hour, self._hours, lanes)

    def restore(self, state: State) -> None:
        """Become what ``state`` described."""
        self._hour, self._hours = state.hour, state.hours
        self._lanes = {position: deque(lane) for position, lane in state.lanes.items()}


class State(msgspec.Struct, array_like=True):
    """The hour and the lanes."""

    hour: int
    hours: dict[int, Hour]
    lanes: dict[int, list[tuple[int, Verdict]]]


def without(waits: Waits, keys: frozenset[str]) -> Waits:
    """Those that no erased person made."""
    return deque(one for one in waits if one[1].origin.person not in keys)
