"""The time. Nothing else in the package asks the operating system for it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

DAY = 86_400_000
"""Milliseconds."""


class Clock(Protocol):
    """Anything that can say what time it is, in milliseconds since 1970 (UTC)."""

    def __call__(self) -> int: ...


def now() -> int:
    """Wall-clock time in milliseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000_000


def elapsed() -> float:
    """A monotonic count of seconds, for measuring how long something took."""
    return time.perf_counter()


class ManualClock:
    """A clock that moves only when told to: for tests and for the simulator."""

    def __init__(self, start: int = 1_700_000_000_000) -> None:
        self.time = start

    def __call__(self) -> int:
        return self.time

    def advance(self, *, ms: int = 0, seconds: float = 0.0, days: float = 0.0) -> None:
        self.time += ms + round(seconds * 1_000) + round(days * DAY)


def rfc3339(ts: int) -> str:
    """Milliseconds as ``2026-11-24T03:08:00.000Z``."""
    moment = datetime.fromtimestamp(ts / 1_000, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ts % 1_000:03d}Z"
