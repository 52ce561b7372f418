"""Times."""

from __future__ import annotations

from equipoise.clock import DAY, ManualClock, elapsed, now, rfc3339


def test_rfc3339_keeps_milliseconds() -> None:
    """Written in UTC, to the millisecond, before 1970 too."""

    assert rfc3339(1_764_000_480_007) == "2025-11-24T16:08:00.007Z"
    assert rfc3339(-1) == "1969-12-31T23:59:59.999Z"


def test_a_manual_clock_moves_only_when_told() -> None:
    """Nothing but ``advance`` moves it."""
    clock = ManualClock(1_000)
    clock.advance(ms=5, seconds=2, days=1)

    assert clock() == 1_000 + 5 + 2_000 + DAY
    assert clock() == clock()


def test_the_real_clock_is_of_this_century() -> None:
    """Milliseconds, not seconds or microseconds."""

    assert 1_600_000_000_000 < now() < 4_000_000_000_000
    assert elapsed() <= elapsed()
