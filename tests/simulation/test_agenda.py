"""Time in the simulated world."""

from __future__ import annotations

from threading import Event as Signal

import pytest

from equipoise.clock import ManualClock, now
from equipoise.simulation.agenda import Agenda, Paced, Stepped


def test_in_order_of_time_then_of_making() -> None:
    """Actions happen by their time; those of one moment in the order they were made."""
    agenda, done = Agenda(), []
    for ms, name in [(5.0, "late"), (1.0, "first"), (1.0, "second")]:
        agenda.at(ms, lambda _, name=name: done.append(name))
    while len(agenda):
        ms, action = agenda.next()
        action(ms)

    assert done == ["first", "second", "late"]
    assert agenda.due() == float("inf")


def test_a_manual_clock_is_moved_on_and_never_back() -> None:
    """Waiting sets the clock to the moment; an earlier moment leaves it alone."""
    clock = ManualClock(1_000)
    pace = Stepped(clock, speed=10.0)

    assert pace.wait(500.0)
    assert clock() == 1_050
    assert pace.wait(100.0)
    assert clock() == 1_050


def test_a_running_clock_is_waited_for() -> None:
    """At speed 1000, 50 seconds of the world take 50 ms of ours; stamps never lie in the future."""
    pace = Paced(now, 1_000.0, Signal())
    began = now()
    going = pace.wait(50_000.0)

    assert going
    assert 45 <= now() - began < 1_000
    assert pace.stamp(9e12) <= now()


def test_a_late_world_does_not_hurry() -> None:
    """Far behind, the world starts anew from now instead of sending a burst."""
    clock = ManualClock(0)
    pace = Paced(clock, 1.0, Signal())
    clock.advance(seconds=60)
    pace.wait(1_000.0)

    assert pace.stamp(1_000.0) == 60_000
    assert pace._real(2_000.0) == 61_000


def test_speed_changes_from_a_moment_on() -> None:
    """Before the change times map as before, after it by the new speed."""
    pace = Paced(ManualClock(0), 10.0, Signal())
    pace.change(1.0, 10_000.0)

    assert pace._real(10_000.0) == 1_000
    assert pace._real(11_000.0) == 2_000


def test_stops_when_told() -> None:
    """A set signal ends the world at once."""
    stop = Signal()
    stop.set()

    assert not Paced(now, 1.0, stop).wait(1e9)


def test_refuses_to_stand_still() -> None:
    """Time has to pass."""
    with pytest.raises(ValueError, match="speed is 0; it must be above 0 world seconds a second"):
        Stepped(ManualClock(), 0)
