"""A log with a known answer: two crowds, each of which keeps to its own half of the shop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from equipoise.clock import DAY
from equipoise.randomness import derive
from equipoise.types import Event, Item, Line

START = 1_700_000_000_000


@pytest.fixture
def log() -> Callable[..., list[Event]]:
    def make(
        *, users: int = 60, items: int = 30, days: float = 40.0, each: int = 12, seed: int = 0
    ) -> list[Event]:
        """``each`` views a user, at random times, of items of the user's own parity."""
        luck = derive(seed, "log")
        times = luck.uniform(0, days * DAY, (users, each)).astype(int)
        chosen = 2 * luck.integers(0, items // 2, (users, each))
        events = [
            Event(
                event_id=f"e{user}-{n}",
                event="view_item",
                ts=START + int(times[user, n]),
                user_id=f"u{user}",
                items=(Line(item_id=f"i{int(chosen[user, n]) + user % 2:03d}"),),
            )
            for user in range(users)
            for n in range(each)
        ]
        return sorted(events, key=lambda event: event.ts)

    return make


@pytest.fixture
def shelf() -> Callable[..., list[Item]]:
    def make(items: int = 30) -> list[Item]:
        halves = ("Even", "Odd")
        return [Item(item_id=f"i{n:03d}", categories=(halves[n % 2],)) for n in range(items)]

    return make
