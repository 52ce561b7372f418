"""What is due when in the simulated world, and how its time runs against a clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from threading import Event as Signal
from typing import Protocol

from equipoise.clock import Clock, ManualClock

LATE_MS = 1_000.0
"""Real milliseconds of lag after which a world that cannot keep up stops trying to catch up."""


class Agenda:
    """Actions in order of their time; those of the same moment in the order they were made."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._made = 0

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, ms: float, action: Callable[[float], None]) -> None:
        """``action(ms)`` is due at this time of the world."""
        heapq.heappush(self._heap, (ms, self._made, action))
        self._made += 1

    def due(self) -> float:
        """When the next action is due; infinity where none is."""
        return self._heap[0][0] if self._heap else float("inf")

    def next(self) -> tuple[float, Callable[[float], None]]:
        ms, _, action = heapq.heappop(self._heap)
        return ms, action


class Pace(Protocol):
    """Maps the world's milliseconds since its opening to a clock's milliseconds since 1970."""

    def stamp(self, ms: float) -> int:
        """The clock's time at this moment of the world."""

    def wait(self, ms: float) -> bool:
        """Return when it is that moment; False where the world is to end instead."""


class Stepped:
    """A manual clock that is moved on: as fast as the machine can, and the same on any machine."""

    def __init__(self, clock: ManualClock, speed: float = 1.0) -> None:
        _positive(speed)
        self.clock, self.speed, self.opening = clock, speed, clock()

    def stamp(self, ms: float) -> int:
        return self.opening + round(ms / self.speed)

    def wait(self, ms: float) -> bool:
        self.clock.time = max(self.clock.time, self.stamp(ms))
        return True


class Paced:
    """A clock that runs by itself: actions wait for their time, ``speed`` world seconds a second.

    A machine that cannot keep up lets the world run late instead of sending bursts.
    """

    def __init__(self, clock: Clock, speed: float, stop: Signal) -> None:
        _positive(speed)
        self.clock, self.speed, self.stop = clock, speed, stop
        self._anchor, self._world = float(clock()), 0.0

    def stamp(self, ms: float) -> int:
        """Never later than now: a sender's clock that runs ahead would be corrected at the door."""
        return round(min(self._real(ms), self.clock()))

    def wait(self, ms: float) -> bool:
        ahead = self._real(ms) - self.clock()
        if ahead < -LATE_MS:
            self._anchor, self._world = float(self.clock()), ms
        if ahead > 0:
            self.stop.wait(ahead / 1_000)
        return not self.stop.is_set()

    def change(self, speed: float, ms: float) -> None:
        """Run at another speed from this moment of the world on."""
        _positive(speed)
        self._anchor, self._world, self.speed = self._real(ms), ms, speed

    def _real(self, ms: float) -> float:
        return self._anchor + (ms - self._world) / self.speed


def _positive(speed: float) -> None:
    if not speed > 0:
        raise ValueError(f"speed is {speed}; it must be above 0 world seconds a second")
