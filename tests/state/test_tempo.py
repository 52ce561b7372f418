"""How fast the shop moves."""

from __future__ import annotations

import pytest

from equipoise.clock import DAY
from equipoise.state import Catalogue, Tempo
from equipoise.testing.folds import Chain, check_fold, little_shop
from equipoise.types import Event, Item, Kind

START = 1_700_000_000_000


class Shop:
    """Items come and go at stated times."""

    def __init__(self, half_life_days: float = 1e6) -> None:
        self.catalogue = Catalogue()
        self.tempo = Tempo(self.catalogue, half_life_days=half_life_days)
        self.seq = 0

    def tell(self, day: float, kind: Kind, noun: object) -> None:
        self.seq += 1
        for fold in (self.catalogue, self.tempo):
            fold.apply(self.seq, START + round(day * DAY), kind, noun)

    def item(self, day: float, name: str) -> None:
        self.tell(day, Kind.ITEM, Item(item_id=name))

    def hear(self, day: float) -> None:
        noun = Event(event_id="e", event="page_view", ts=START, anonymous_id="a")
        self.tell(day, Kind.EVENT, noun)


@pytest.mark.parametrize("seed", range(2))
def test_it_keeps_the_laws_of_a_fold(seed: int) -> None:
    """Replay = live, loading goes on, reading changes nothing."""

    def make() -> Chain:
        catalogue = Catalogue()
        return Chain(catalogue, Tempo(catalogue))

    check_fold(make, little_shop(seed))


def test_what_the_shop_opens_with_is_no_launch() -> None:
    """A first import of a hundred items says nothing of how fast items come."""
    shop = Shop()
    for i in range(100):
        shop.item(0.001 * i, f"i{i}")
    shop.hear(10)

    assert shop.tempo.turnover == 0.0


def test_turnover_is_changes_over_item_days() -> None:
    """Ten items for ten days, then one leaves and another comes: 2 changes in 100 item-days."""
    shop = Shop()
    for i in range(10):
        shop.item(0, f"i{i}")
    shop.hear(10)
    shop.tell(10, Kind.ITEM_REMOVED, "i0")
    shop.item(10, "new")

    assert shop.tempo.turnover == pytest.approx(2 / 100)


def test_the_horizon_is_what_is_left_of_the_plan_and_of_an_item() -> None:
    """Without turnover the whole plan; where items last as long as the plan, half of it."""
    shop = Shop()
    for i in range(10):
        shop.item(0, f"i{i}")
    decision = type("D", (), {"query": type("Q", (), {"placement": "home"})})
    for hour in range(240):
        shop.tell(hour / 24, Kind.DECISION, decision)

    assert shop.tempo.lists_per_day("home") == pytest.approx(24.0, rel=0.01)
    assert shop.tempo.horizon("home", 30.0) == pytest.approx(24.0 * 30, rel=0.01)
    assert shop.tempo.horizon("cart", 30.0) == 1.0

    shop.tell(10, Kind.ITEM_REMOVED, "i0")
    assert shop.tempo.horizon("home", 100.0) == pytest.approx(24.0 * 50, rel=0.01)


def test_a_day_that_is_not_over_counts_as_one() -> None:
    """A hundred lists in the first minute are a hundred a day so far, not a hundred thousand."""
    shop = Shop()
    decision = type("D", (), {"query": type("Q", (), {"placement": "home"})})
    for i in range(100):
        shop.tell(i / 144_000, Kind.DECISION, decision)

    assert shop.tempo.lists_per_day("home") == pytest.approx(100.0, rel=0.01)


def test_the_past_fades() -> None:
    """After many half-lives only the new tempo is left, and a clock set back takes nothing away."""
    shop = Shop(half_life_days=1.0)
    decision = type("D", (), {"query": type("Q", (), {"placement": "home"})})
    for hour in range(240):
        shop.tell(hour / 24, Kind.DECISION, decision)
    for hour in range(480):
        shop.tell(10 + hour / 48, Kind.DECISION, decision)
    before = shop.tempo.lists_per_day("home")
    shop.hear(3)

    assert before == pytest.approx(48.0, rel=0.05)
    assert shop.tempo.lists_per_day("home") == before


def test_ticks_leave_no_trace() -> None:
    """How often somebody looked at the time is of no consequence, to the last bit."""
    shops = Shop(half_life_days=3.0), Shop(half_life_days=3.0)
    for day in range(5):
        for shop in shops:
            shop.item(day, f"i{day}")
        shops[0].tell(day + 0.3, Kind.TICK, None)

    assert shops[0].tempo.dump()["json"].tobytes() == shops[1].tempo.dump()["json"].tobytes()
