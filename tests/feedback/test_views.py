"""Looks in view count before their verdict: for how much, and whose."""

from __future__ import annotations

import pytest

from equipoise.feedback.caps import Caps
from equipoise.feedback.provenance import Origin
from equipoise.feedback.views import Views
from equipoise.types import Kind

DAY = 86_400_000


class Nobody:
    forgotten: tuple[str, ...] = ()


def views(**caps: int) -> Views:
    return Views(
        Nobody(), Caps(clicks_per_person=0, **caps), window_ms=100_000, windows_ms={"fast": 10_000}
    )


def test_the_share_is_what_has_come_by_a_random_moment_of_the_window() -> None:
    """1 − mean delay / window; a guess of ten seconds before any click."""
    seen = views()

    assert seen.share("home") == pytest.approx(0.9)
    assert seen.share("fast") == 0.0
    for _ in range(5_000):
        seen.clicked("home", 20_000)
        seen.clicked("fast", 1_000)
    assert seen.share("home") == pytest.approx(0.8, abs=0.01)
    assert seen.share("fast") == pytest.approx(0.9, abs=0.02)


def test_the_share_follows_the_shop() -> None:
    """Delays of long ago fade."""
    seen = views()
    for delay in (50_000, 5_000):
        for _ in range(5_000):
            seen.clicked("home", delay)

    assert seen.share("home") == pytest.approx(0.95, abs=0.01)


def test_views_pass_the_caps_of_verdicts() -> None:
    """A person's twentieth view of an item counts, the next does not; another item's does; in a
    new period, all do."""
    seen = views(looks_per_person=20)
    one = Origin("a:1", "net")
    counted = [seen.counts(7, one) for _ in range(21)]

    assert counted == [True] * 20 + [False]
    assert seen.counts(8, one)
    assert seen.counts(7, Origin("a:2", "net"))
    seen.apply(1, 8 * DAY, Kind.TICK, None)
    assert seen.counts(7, one)


def test_erased_persons_are_forgotten() -> None:
    """Their rows go; the sums name nobody."""
    persons = Nobody()
    seen = Views(persons, Caps(looks_per_person=1), window_ms=1_000)
    assert seen.counts(7, Origin("a:1"))
    persons.forgotten = ("a:1",)
    seen.apply(1, 0, Kind.USER_REMOVED, None)

    assert seen.counts(7, Origin("a:1"))


def test_dumped_and_loaded_it_goes_on() -> None:
    """The same shares, the same caps."""
    seen, again = views(looks_per_person=1), views(looks_per_person=1)
    seen.counts(7, Origin("a:1"))
    seen.clicked("home", 30_000)
    again.load(seen.dump())

    assert again.share("home") == seen.share("home")
    assert not again.counts(7, Origin("a:1"))
