"""equipoise.data.weights: what a row counts."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from equipoise.clock import DAY
from equipoise.data import WEIGHTS, Interactions, decayed, weigh
from equipoise.errors import InvalidInteractions

KINDS = {
    "user_id": ["a", "a", "b", "b"],
    "item_id": ["x", "x", "x", "y"],
    "event": ["view_item", "purchase", "add_to_cart", "dislike"],
    "amount": [1.0, 2.0, 1.0, 1.0],
}


def test_what_means_more_counts_more() -> None:
    """View < wish < cart < purchase; what takes interest back is negative."""
    rising = [WEIGHTS[kind] for kind in ("view_item", "add_to_wishlist", "add_to_cart", "purchase")]

    assert rising == sorted(set(rising))
    assert all(WEIGHTS[kind] < 0 for kind in ("refund", "dislike", "remove_from_cart"))
    assert WEIGHTS["refund"] == -WEIGHTS["purchase"]


@pytest.mark.parametrize("column", [list, np.array, pl.Series])
def test_any_names_have_weights(column) -> None:
    """The caller's own kinds, in any column; a weight of 0 keeps the row."""
    kinds = column(["play", "skip", "play", "end"])

    assert weigh(kinds, {"play": 1, "skip": -1, "end": 0}).tolist() == [1, -1, 1, 0]
    assert weigh(kinds, {"play": 1, "skip": -1, "end": 0}).dtype == np.float32


def test_a_table_of_events_is_weighed() -> None:
    """The column of events becomes the value, times the value where there is one."""
    plain = Interactions.from_frame(KINDS, event="event")
    times = Interactions.from_frame(KINDS, event="event", value="amount")
    own = Interactions.from_frame(KINDS, event="event", weights=dict.fromkeys(KINDS["event"], 2))

    assert plain.matrix().toarray().tolist() == [[1 + 5, 0], [3, -5]]
    assert times.matrix().toarray().tolist() == [[1 + 2 * 5, 0], [3, -5]]
    assert own.matrix().toarray().tolist() == [[4, 0], [2, 2]]


def test_what_has_no_weight_is_named() -> None:
    """With its row and the kinds that have one; nothing is dropped silently."""
    with pytest.raises(
        InvalidInteractions,
        match=r"row 1 of column 'events' is 'buy', which has no weight; .* sell",
    ):
        weigh(["sell", "buy"], {"sell": 1.0})
    with pytest.raises(InvalidInteractions, match="the weight of 'sell' is nan; a finite number"):
        weigh(["sell"], {"sell": float("nan")})


def test_half_is_left_after_a_half_life() -> None:
    """Two days before the newest, with two days' half-life: half; four: a quarter."""
    days = np.array([0, 2, 4], np.int64) * DAY
    faded = decayed(np.array([8.0, 8.0, 8.0]), days, 2)

    assert faded.tolist() == [2, 4, 8]
    assert faded.dtype == np.float32


def test_now_is_a_common_factor() -> None:
    """Looked at a half-life later, everything is half; no value grows."""
    days, values = np.array([0, 3, 4], np.int64) * DAY, np.array([1.0, -2.0, 3.0])
    early, late = (decayed(values, days, 5, now=now * DAY) for now in (4, 9))

    assert late.tolist() == pytest.approx((early / 2).tolist())
    assert (np.abs(early) <= np.abs(values)).all()


def test_decay_in_a_table() -> None:
    """Values go through ``with_values``; ids, codes and times stay."""
    data = Interactions.from_columns("aab", "xyx", [4.0, 4.0, 4.0], [0, 2 * DAY, 4 * DAY])
    faded = data.with_values(decayed(data.value, data.timestamp, 2))

    assert faded.value.tolist() == [1, 2, 4]
    assert faded.histories() == data.histories()


def test_what_cannot_fade_is_refused() -> None:
    """No times, no half-life, or a row of the future."""
    day, one = np.array([DAY], np.int64), np.ones(1)
    with pytest.raises(InvalidInteractions, match="decay needs timestamps"):
        decayed(one, None, 1)
    with pytest.raises(InvalidInteractions, match="half_life_days is 0; days above 0"):
        decayed(one, day, 0)
    with pytest.raises(InvalidInteractions, match="half_life_days is nan; days above 0"):
        decayed(one, day, float("nan"))
    with pytest.raises(InvalidInteractions, match=r"later than now: 86400000 > 5"):
        decayed(one, day, 1, now=5)
