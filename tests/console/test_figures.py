"""Figures and charts: hand values, and the laws of sums and rates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from equipoise.clock import ManualClock
from equipoise.console.figures import (
    Terms,
    binned,
    charts,
    moving_ratio,
    settled,
    smoothing,
    spent_of,
    tiles,
)
from equipoise.console.history import KEPT, MINUTE, SMOOTH, SPANS, History, history
from equipoise.engine import Engine
from equipoise.state.tallies import FIELDS

TERMS = Terms(currency="EUR", click_window_ms=30_000)
START = 1_700_049_600_000
columns = st.lists(st.integers(0, 50), min_size=1, max_size=40)


def past_of(now_minute: int, **rows: dict[int, float]) -> History:
    """A history that ends in minute ``now_minute`` (half of it run), all else 0."""
    first = START + (now_minute - KEPT + 1) * MINUTE
    minutes: dict[str, NDArray[Any]] = {name: np.zeros(KEPT) for name in (*FIELDS, "allowed")}
    minutes["ts"] = first + np.arange(KEPT, dtype=np.int64) * MINUTE
    for name, values in rows.items():
        for minute, value in values.items():
            minutes[name][KEPT - 1 - now_minute + minute] = value
    minutes["allowed"] = 0.05 * minutes["expected"]
    now = START + now_minute * MINUTE + 30_000
    return History(minutes=minutes, now=now, begun=START, decided=START)


# ---------------------------------------------------------------- rates


def test_moving_ratio_by_hand() -> None:
    """Clicks 1, 0, 2 of 4, 4, 8 slots: 1/4, 1/8, then 2/12 over the last two."""
    rates = moving_ratio(np.array([1, 0, 2]), np.array([4, 4, 8]), width=2)

    assert rates.tolist() == [1 / 4, 1 / 8, 2 / 12]


def test_moving_ratio_of_nothing_is_unknown() -> None:
    rates = moving_ratio(np.array([0, 0, 1]), np.array([0, 0, 2]), width=2)

    assert np.isnan(rates[:2]).all()
    assert rates[2] == 0.5


@given(columns, st.integers(1, 10))
@settings(derandomize=True, max_examples=60)
def test_moving_ratio_laws(below: list[int], width: int) -> None:
    """A column by itself is 1; twice above is twice the rate; what is to come is not used."""
    column = np.array(below)
    rates = moving_ratio(column, column, width)
    known = ~np.isnan(rates)

    assert np.allclose(rates[known], 1.0)
    assert np.allclose(moving_ratio(2 * column, column, width)[known], 2.0)
    assert np.array_equal(
        moving_ratio(column, column + 1, width)[:-1],
        moving_ratio(column[:-1], column[:-1] + 1, width) if len(column) > 1 else [],
    )


@pytest.mark.parametrize("step", sorted(set(SPANS.values())))
def test_binning_keeps_sums(step: int) -> None:
    """No event is lost or doubled by larger points, and points begin at whole multiples."""
    past = past_of(7, events={0: 3, 1: 4, 7: 5})
    points = binned(past.minutes, step)

    assert points["events"].sum() == 12
    assert (points["ts"] % (step * MINUTE) == 0).all()
    assert (np.diff(points["ts"]) == step * MINUTE).all()


# ---------------------------------------------------------------- figures


def test_tiles_name_their_population() -> None:
    past = past_of(
        9,
        decisions={0: 100, 9: 1},
        clicks_exploited={5: 3, 9: 1}, shown_exploited={5: 30, 9: 2},
        cost={5: 2.5}, expected={5: 100.0}, worth_exploited={5: 7}, worth_explored={5: 0.5},
        orders={5: 2}, revenue={5: 39.8},
    )  # fmt: skip
    found = {tile.title: (tile.figure, tile.of) for tile in tiles(past, minutes=10, terms=TERMS)}

    assert found["Lists served"][0] == "101"
    assert found["Click rate, exploited"] == ("12.5 %", "4 clicks of 32 slots shown")
    assert found["Click rate, explored"] == ("none yet", "0 clicks of 0 slots shown")
    assert found["Spent on exploring"] == (
        "2.50",
        "2.5 % of 100.00 EUR that the lists were expected to earn; budget 5.0 %",
    )
    assert found["Earned by lists"][0] == "7.50"
    assert "0.50 EUR of it by explored ones" in found["Earned by lists"][1]
    assert found["Orders"][0] == "2"
    assert "39.80 EUR" in found["Orders"][1]


def test_negative_spending_is_said_in_words() -> None:
    """Where the draw looked better than greedy nothing was spent, and no minus confuses anybody."""
    past = past_of(1, decisions={0: 1}, cost={1: -0.1}, expected={1: 100.0})
    tile = tiles(past, minutes=10, terms=TERMS)[3]

    assert tile.figure == "0.00"
    assert tile.of == "nothing: what was drawn looked 0.1 % better than greedy lists; budget 5.0 %"


def test_spending_without_a_budget() -> None:
    """Where a placement keeps none no budget is named; nothing served is nothing to share."""
    free = {"cost": 1.0, "expected": 10.0, "allowed": np.nan}

    assert spent_of(free, TERMS) == "10.0 % of 10.00 EUR that the lists were expected to earn"
    assert spent_of({"cost": 0.0, "expected": 0.0}, TERMS) == "no list has been served"


def test_click_rates_wait_for_the_first_window() -> None:
    """While only clicks can be known every rate would be 100 %: nothing is said then."""
    terms = replace(TERMS, click_window_ms=30 * MINUTE)
    early = past_of(20, clicks_explored={3: 4}, shown_explored={3: 4}, decisions={0: 9})
    tile = tiles(early, minutes=60, terms=terms)[2]

    assert tile.figure == "too early"
    assert tile.of == "4 clicks so far; a slot without one counts 30 minutes after it was seen"
    assert set(charts(early, minutes=60, terms=terms)["ctr_explored"]) == {None}


def test_click_rates_leave_the_first_window_out() -> None:
    """Later, the clicks of that time are in no rate, and all other sums are as they were."""
    past = past_of(40, clicks_explored={3: 4, 35: 1}, shown_explored={3: 4, 35: 10}, events={3: 7})
    judged = settled(past, replace(TERMS, click_window_ms=30 * MINUTE))

    assert judged.minutes["clicks_explored"].sum() == 1
    assert judged.minutes["shown_explored"].sum() == 10
    assert judged.minutes["events"].sum() == 7


# ---------------------------------------------------------------- charts


def test_nothing_yet_draws_nothing() -> None:
    past = replace(past_of(3), begun=None, decided=None)
    drawn = charts(past, minutes=60, terms=TERMS)

    assert {name: column for name, column in drawn.items() if column == []}.keys() == {
        "time", "events", "ctr_exploited", "ctr_explored", "spent", "worth", "budget",
    }  # fmt: skip


def test_charts_begin_where_the_shop_began() -> None:
    """An hour is asked for, ten minutes exist: ten points, the oldest first."""
    past = past_of(9, events={0: 1}, expected={0: 2.0}, cost={0: 0.2})
    drawn = charts(past, minutes=60, terms=TERMS)

    assert drawn["time"][0] == START // 1_000
    assert np.diff(drawn["time"]).tolist() == [60] * 9
    assert drawn["budget"] == [0.05] * SMOOTH + [None] * (10 - SMOOTH)
    assert drawn["spent"][:SMOOTH] == [0.1] * SMOOTH


@pytest.mark.parametrize(("minutes", "step"), SPANS.items())
def test_columns_are_of_one_length(minutes: int, step: int) -> None:
    """A long span has larger points, never more than a hundred or so."""
    drawn = charts(replace(past_of(9), begun=0), minutes=minutes, terms=TERMS)
    lengths = {len(column) for column in drawn.values() if isinstance(column, list)}

    assert len(lengths) == 1
    assert lengths.pop() in (minutes // step, minutes // step + 1)
    assert drawn["step"] == 60 * step


def test_the_running_minute_is_a_rate() -> None:
    """Half a minute with 50 events is 100 events a minute; a fresh minute is silent."""
    drawn = charts(past_of(1, events={0: 60, 1: 50}), minutes=10, terms=TERMS)
    fresh = replace(past_of(1, events={0: 60, 1: 50}), now=START + MINUTE + 1_000)

    assert drawn["events"] == [60.0, 100.0]
    assert charts(fresh, minutes=10, terms=TERMS)["events"] == [60.0, None]


def test_rates_use_the_minutes_before_the_first_point() -> None:
    """The window of a rate is not cut by what is shown."""
    past = replace(past_of(12, cost={1: 1.0}, expected={1: 10.0}), begun=0)
    drawn = charts(past, minutes=10, terms=TERMS)

    assert drawn["spent"][0] == pytest.approx(0.1)
    assert drawn["spent"][SMOOTH] is None


@pytest.mark.parametrize(("minutes", "said"), [(60, "5 minutes"), (1_440, "75 minutes")])
def test_smoothing_is_stated_as_it_is(minutes: int, said: str) -> None:
    assert smoothing(minutes) == said
    assert SMOOTH * SPANS[minutes] == int(said.split()[0])


def test_a_busy_shop_adds_up(busy: Engine, clock: ManualClock) -> None:
    """The figures are those of the log: lists, clicks, orders."""
    past = history(busy.knowledge.tallies, clock(), "", {"home": 0.05})
    found = {tile.title: tile for tile in tiles(past, minutes=60, terms=TERMS)}
    clicks = [found[f"Click rate, {kind}"].of.split()[0] for kind in ("exploited", "explored")]

    assert found["Lists served"].figure == "20"
    assert found["Orders"].figure == "10"
    assert "200.00 EUR" in found["Orders"].of
    # One click a minute; those of the first minute came before the first window had closed.
    assert sum(map(int, clicks)) == 9
