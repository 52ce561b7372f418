"""Sums by minute and hour for the console."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.state.tallies import FIELDS, HOUR, MINUTE, Tallies
from equipoise.testing.folds import little_shop, slot
from equipoise.types import Decision, Event, Kind, Line, PolicyUsed, Query, Reward

NOW = 1_700_000_040_000
"""A whole minute."""


def sale(name: str, value: float | None = None, **fields: object) -> Event:
    lines = (Line(item_id="i", quantity=2.0, price=4.0), Line(item_id="j"))
    return Event(event_id="e", event=name, ts=0, anonymous_id="a", value=value, items=lines)


def decided(placement: str, slots: int = 3, reason: str = "") -> Decision:
    return Decision(
        decision_id="r",
        ts=0,
        query=Query(placement=placement),
        shopper="",
        policy=PolicyUsed(name="greedy", version="1", level=0.0),
        slots=tuple(slot("i", 0) for _ in range(slots)),
        fallback_level="",
        reason=reason,
        expected=2.0,
        cost=0.5,
        snapshot="",
        seq=0,
        items=b"",
        mean=b"",
        variance=b"",
        groups=b"",
        max_per_group=1,
    )


def reward(outcome: str, worth: float, *, first: bool, ts: int = NOW) -> Reward:
    return Reward(decision_id="r", slot=0, outcome=outcome, worth=worth, first=first, ts=ts)


def test_events_and_sales_are_counted_for_the_whole_shop() -> None:
    """Orders by purchase; revenue by stated value, else by the lines; refunds reduce it."""
    tallies = Tallies()
    for event in (sale("view_item"), sale("purchase", 10.0), sale("purchase"), sale("refund", 3.0)):
        tallies.apply(1, NOW, Kind.EVENT, event)
    totals = tallies.totals(NOW, NOW + MINUTE)

    assert (totals["events"], totals["orders"], totals["revenue"]) == (4, 2, 10.0 + 8.0 - 3.0)


def test_decisions_are_counted_by_placement_and_in_all() -> None:
    """What the placements show sums to what the shop shows."""
    tallies = Tallies()
    for placement, reason in (("home", ""), ("home", "few items"), ("cart", "")):
        tallies.apply(1, NOW, Kind.DECISION, decided(placement, reason=reason))
    home, cart, overall = (tallies.totals(0, 2 * NOW, name) for name in ("home", "cart", None))

    assert tallies.placements == ["home", "cart"]
    assert (home["decisions"], home["served_slots"], home["lists_short"]) == (2, 6, 1)
    assert (home["expected"], home["cost"]) == (4.0, 1.0)
    for name in FIELDS:
        assert overall[name] == home[name] + cart[name]


def test_rewards_are_split_by_explored_and_exploited() -> None:
    """A first verdict is a slot shown; clicks and worth go to their arm; later worth adds."""
    tallies = Tallies()
    tallies.apply(1, NOW, Kind.DECISION, decided("home"))
    explored, exploited = slot("i", 0, explored=True), slot("j", 1)
    tallies.reward("home", explored, reward("none", 0.0, first=True))
    tallies.reward("home", explored, reward("click", 0.25, first=True))
    tallies.reward("home", exploited, reward("click", 0.25, first=True))
    tallies.reward("home", exploited, reward("purchase", 2.0, first=False))
    for placement in ("home", None):
        totals = tallies.totals(NOW, NOW + 1, placement)

        assert (totals["shown_explored"], totals["shown_exploited"]) == (2, 1)
        assert (totals["clicks_explored"], totals["clicks_exploited"]) == (1, 1)
        assert (totals["worth_explored"], totals["worth_exploited"]) == (0.25, 2.25)


def test_minutes_are_one_row_each() -> None:
    """Rows are whole minutes from since to before until, zero where nothing happened."""
    tallies = Tallies()
    for minute in (0, 0, 2):
        tallies.apply(1, NOW + minute * MINUTE + 999, Kind.EVENT, sale("view_item"))
    table = tallies.minutes(NOW, NOW + 4 * MINUTE)

    assert table["ts"].tolist() == [NOW + n * MINUTE for n in range(4)]
    assert table["events"].tolist() == [2, 0, 1, 0]
    assert tallies.minutes(NOW + 1, NOW + 4 * MINUTE)["events"].tolist() == [0, 1, 0]
    assert tallies.minutes(NOW, NOW)["ts"].tolist() == []
    assert set(table) == {"ts", *FIELDS}


def test_old_minutes_become_hours_and_nothing_is_lost() -> None:
    """Totals and hours do not change when minutes are summed up."""
    tallies, roomy = Tallies(minutes_kept=5), Tallies()
    for n in range(300):
        for each in (tallies, roomy):
            each.apply(n, NOW + n * 2 * MINUTE, Kind.DECISION, decided("home"))
    until = NOW + 300 * 2 * MINUTE
    bounded, whole = tallies.hours(NOW, until, "home"), roomy.hours(NOW, until, "home")

    assert whole["decisions"].sum() == 300
    for name in ("ts", *FIELDS):
        np.testing.assert_array_equal(bounded[name], whole[name])
    assert tallies.totals(0, until, "home") == roomy.totals(0, until, "home")
    assert np.count_nonzero(tallies.minutes(NOW, until)["decisions"]) == 5
    assert (whole["ts"] % HOUR == 0).all()


def test_what_is_kept_is_bounded() -> None:
    """Minutes, hours and placements have their bounds; the whole shop counts on."""
    tallies = Tallies(minutes_kept=3, hours_kept=2, placements_kept=2)
    for n in range(50):
        tallies.apply(n, NOW + n * HOUR, Kind.DECISION, decided(f"p{n}"))
    tallies.reward("p49", slot("i", 0), reward("click", 1.0, first=True, ts=NOW + 49 * HOUR))

    assert tallies.placements == ["p0", "p1"]
    assert tallies.totals(0, NOW + 60 * HOUR)["decisions"] == 5
    assert tallies.totals(0, NOW + 60 * HOUR)["clicks_exploited"] == 1
    assert len(tallies.dump()["minutes.start"]) == 3


@pytest.mark.parametrize("leap", [400 * DAY, -NOW + MINUTE])
def test_a_leap_of_the_clock_wipes_nothing_out(leap: int) -> None:
    """One record at a mad time, then the right time again: the charts go on."""
    tallies = Tallies(minutes_kept=30)
    for n in range(20):
        tallies.apply(n, NOW + n * MINUTE, Kind.EVENT, sale("view_item"))
    tallies.apply(20, NOW + leap, Kind.EVENT, sale("view_item"))
    for n in range(20):
        tallies.apply(n, NOW + (20 + n) * MINUTE, Kind.EVENT, sale("view_item"))

    assert tallies.totals(NOW - HOUR, NOW + 40 * MINUTE)["events"] == 40


def test_totals_are_the_log() -> None:
    """Counted over a whole log, events and decisions are as many as there are."""
    records = little_shop(5)
    tallies = Tallies()
    for record in records:
        tallies.apply(*record)
    totals = tallies.totals(0, 2 * NOW)

    assert totals["events"] == sum(record.kind is Kind.EVENT for record in records)
    assert totals["decisions"] == sum(record.kind is Kind.DECISION for record in records)
