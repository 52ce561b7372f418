"""Decayed counts, trends, and what is met together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.clock import DAY
from equipoise.randomness import derive
from equipoise.state import Catalogue, Counts, Shoppers
from equipoise.state.covisits import RECENT, CoVisits
from equipoise.types import Consent, Event, Item, Kind, Line

NOW = 1_700_000_000_000
HOUR = 3_600_000


class Shop:
    def __init__(self, items: int = 10, **keywords: Any) -> None:
        self.catalogue = Catalogue()
        self.shoppers = Shoppers(self.catalogue)
        self.counts = Counts(self.catalogue, self.shoppers, **keywords)
        for n in range(items):
            item = Item(item_id=f"i{n}", categories=(f"D{n % 2}/S{n % 4}",) if n else ())
            self.catalogue.apply(n, NOW, Kind.ITEM, item)

    def tell(self, name: str, *items: int, ts: int = NOW, who: str = "a", **fields: Any) -> None:
        lines = tuple(Line(item_id=f"i{item}") for item in items)
        event = Event(event_id="e", event=name, ts=ts, anonymous_id=who, items=lines, **fields)
        for fold in (self.catalogue, self.shoppers, self.counts):
            fold.apply(1, NOW + 10_000 * DAY, Kind.EVENT, event)

    def companions(self, item: int) -> dict[int, float]:
        items, strength = self.counts.together(item)
        return dict(zip(items.tolist(), strength.tolist(), strict=True))


def test_each_kind_is_counted_apart_and_trend_weighs_them() -> None:
    """Views, carts, purchases, impressions have their counts; the trend is 1, 3, 5, 0 of them."""
    shop = Shop(4)
    shop.tell("view_item", 1)
    shop.tell("add_to_cart", 1)
    shop.tell("purchase", 1, 2)
    shop.tell("view_item_list", 1, 2, 3)
    counts = {name: shop.counts.decayed(name, NOW).tolist() for name in
              ("views", "carts", "purchases", "impressions")}  # fmt: skip

    assert counts == {
        "views": [0, 1, 0, 0],
        "carts": [0, 1, 0, 0],
        "purchases": [0, 1, 1, 0],
        "impressions": [0, 1, 1, 1],
    }
    assert shop.counts.trending(NOW).tolist() == [0, 9, 5, 0]


def test_a_count_halves_with_each_half_life() -> None:
    """Read a half-life later everything is half; a new event counts whole."""
    shop = Shop(3, half_life_days=7.0)
    shop.tell("view_item", 1, ts=NOW)
    shop.tell("view_item", 2, ts=NOW + 7 * DAY)

    assert shop.counts.trending(NOW + 7 * DAY).tolist() == pytest.approx([0, 0.5, 1.0])
    assert shop.counts.trending(NOW + 21 * DAY).tolist() == pytest.approx([0, 0.125, 0.25])


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.permutations(range(6)), st.integers(0, 3))
def test_counts_do_not_depend_on_the_order_of_arrival(order: list[int], gap: int) -> None:
    """Shuffled events give the same trend up to rounding."""
    plain, shuffled = Shop(6), Shop(6)
    for n in range(6):
        plain.tell("view_item", n, ts=NOW + n * gap * 40 * DAY, who=f"{n}")
        at = order[n]
        shuffled.tell("view_item", at, ts=NOW + at * gap * 40 * DAY, who=f"{at}")
    later = NOW + 200 * DAY

    np.testing.assert_allclose(
        plain.counts.trending(later), shuffled.counts.trending(later), rtol=1e-12
    )


def test_decades_do_not_overflow() -> None:
    """Units are counted afresh; the ranking is that of late; nothing is negative or infinite."""
    shop = Shop(4, half_life_days=1.0)
    shop.tell("view_item", 1, 2, ts=1_000)
    for year in range(25):
        ts = NOW + year * 365 * DAY
        shop.tell("view_item", 1 + year % 2, ts=ts)
        shop.tell("view_item", 3, ts=ts)
    trend = shop.counts.trending(NOW + 24 * 365 * DAY)

    assert np.isfinite(trend).all()
    assert (trend >= 0).all()
    assert trend.tolist() == pytest.approx([0, 1, 0, 1])
    assert shop.companions(3)[1] > 0.3
    for odd in (0, 10**15):
        assert np.isfinite(shop.counts.trending(odd)).all()


def test_category_trends_are_sums_of_their_items() -> None:
    """A leaf's trend is its items', a parent's that of all below; no category, no sum."""
    shop = Shop(8)
    for item in range(8):
        shop.tell("view_item", item, who=f"w{item}")
    sums = dict(
        zip(shop.catalogue.names("category"), shop.counts.categories(NOW).tolist(), strict=True)
    )

    assert sums == {"D0": 3, "D1": 4, "D0/S0": 1, "D0/S2": 2, "D1/S1": 2, "D1/S3": 2}


def test_items_met_by_one_shopper_are_companions_of_each_other() -> None:
    """Both ways, as strongly; never with themselves; not across shoppers."""
    shop = Shop()
    shop.tell("view_item", 1, ts=NOW, who="a")
    shop.tell("view_item", 2, ts=NOW + 1_000, who="a")
    shop.tell("view_item", 3, ts=NOW + 1_000, who="b")

    assert shop.companions(1).keys() == {2}
    assert shop.companions(2) == {1: shop.companions(1)[2]}
    assert shop.companions(3) == {}
    assert shop.companions(0) == {}


def test_strength_lies_in_0_to_1_strongest_first() -> None:
    """Whatever happens, strength is a share and sorted."""
    luck = derive(1, "visits")
    shop = Shop(30, companions=4)
    for step in range(800):
        shop.tell("view_item", int(luck.integers(30)), ts=NOW + step * 60_000, who=f"{step % 7}")
    for item in range(30):
        items, strength = shop.counts.together(item)

        assert items.dtype == np.int32
        assert strength.dtype == np.float32
        assert len(items) <= 4
        assert item not in items.tolist()
        assert ((strength > 0) & (strength <= 1)).all()
        assert (np.diff(strength) <= 0).all()


def test_more_visits_in_common_are_stronger() -> None:
    """A pair met by many is stronger than one met once, and approaches 1."""
    shop = Shop()
    for n in range(50):
        shop.tell("view_item", 1, ts=NOW, who=f"w{n}")
        shop.tell("view_item", 2, ts=NOW + 1, who=f"w{n}")
    shop.tell("view_item", 3, ts=NOW + 2, who="w1")

    assert shop.companions(1)[2] > 0.95
    assert shop.companions(1)[3] < 0.2


def test_the_longer_between_two_meetings_the_less() -> None:
    """An hour halves a pair, more than a day is no pair."""
    strengths = []
    for gap in (0, HOUR, 2 * HOUR, 25 * HOUR):
        shop = Shop()
        shop.tell("view_item", 1, ts=NOW)
        shop.tell("view_item", 2, ts=NOW + gap)
        strengths.append(shop.companions(1).get(2, 0.0))

    assert strengths[1] == pytest.approx(strengths[0] / 2, rel=0.01)
    assert strengths[2] == pytest.approx(strengths[0] / 4, rel=0.01)
    assert strengths[3] == 0.0


def test_looking_back_and_forth_is_one_meeting() -> None:
    """Flicking between two items does not make them ever closer."""
    once, often = Shop(), Shop()
    for n in range(2):
        once.tell("view_item", 1 + n, ts=NOW + n)
    for n in range(40):
        often.tell("view_item", 1 + n % 2, ts=NOW + n)

    assert often.companions(1) == pytest.approx(once.companions(1), rel=1e-3)


def test_only_the_last_few_items_are_paired() -> None:
    """The window is the shopper's last few items."""
    shop = Shop(12)
    for n in range(10):
        shop.tell("view_item", n, ts=NOW + n)

    assert shop.companions(9).keys() == {9 - k for k in range(1, RECENT + 1)}


def test_one_basket_makes_pairs() -> None:
    """Items of one purchase are companions, each pair once though a line comes twice."""
    shop = Shop()
    shop.tell("purchase", 1, 2, 3, 2, who="a")

    assert shop.companions(1).keys() == {2, 3}
    assert shop.companions(2)[1] == pytest.approx(shop.companions(2)[3])


def test_a_frequent_pair_is_never_crowded_out() -> None:
    """Space-saving: with few places and many strangers the regular companion stays."""
    shop = Shop(200, companions=4)
    for n in range(150):
        shop.tell("view_item", 1, ts=NOW + n * HOUR, who=f"x{n}")
        shop.tell("view_item", 2 if n % 2 else 3 + n, ts=NOW + n * HOUR, who=f"x{n}")
    companions = shop.companions(1)

    assert len(companions) == 4
    assert max(companions, key=lambda item: companions[item]) == 2
    assert min(companions.values()) < 0.2


def test_who_refuses_analytics_is_not_counted() -> None:
    """A refusal stops the counting of that shopper alone."""
    shop = Shop()
    shop.tell("view_item", 1, who="no", consent=Consent(analytics=False))
    shop.tell("view_item", 2, who="no")
    shop.tell("view_item", 3, who="yes")

    assert np.flatnonzero(shop.counts.trending(NOW)).tolist() == [3]


def test_a_removed_shopper_leaves_no_name() -> None:
    """The ids of whoever is removed are in no byte of the dump, those of others are."""
    shop = Shop()
    for n in range(4):
        shop.tell("view_item", n, who=f"bird{n}", user_id=f"canary{n}")
    for fold in (shop.catalogue, shop.shoppers, shop.counts):
        fold.apply(9, NOW, Kind.USER_REMOVED, "canary1")
    left = b"".join(array.tobytes() for array in shop.counts.dump().values())

    assert b"bird1" not in left
    assert b"bird0" in left
    assert b"bird3" in left

    shop.tell("view_item", 5, ts=NOW + 1, who="bird3")

    assert shop.companions(5).keys() == {3}


def test_quiet_shoppers_are_let_go() -> None:
    """Beyond ``most`` the longest quiet shopper's last items are forgotten, no one else's."""
    visits = CoVisits(most=2)
    visits.grow(10)
    for step, (who, item) in enumerate(
        [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5), ("c", 6)]
    ):
        visits.meet(who, item, NOW + step, 1.0)

    assert visits.together(1, 1.0)[0].tolist() == [3]
    assert visits.together(5, 1.0)[0].tolist() == []
    assert visits.together(4, 1.0)[0].tolist() == [6]


def test_pairs_are_a_growing_table() -> None:
    """More items and shoppers than the tables began with lose nothing."""
    shop = Shop(400)
    for n in range(200):
        shop.tell("view_item", 2 * n, ts=NOW, who=f"w{n}")
        shop.tell("view_item", 2 * n + 1, ts=NOW + 1, who=f"w{n}")

    assert all(shop.companions(2 * n).keys() == {2 * n + 1} for n in range(200))
