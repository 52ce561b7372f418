"""What shoppers do on a page, against what the world says they should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from equipoise.clock import ManualClock
from equipoise.ranking.value import Worth
from equipoise.simulation.agenda import Agenda
from equipoise.simulation.meter import Meter
from equipoise.simulation.shop import Shop
from equipoise.simulation.shoppers import Shoppers, Visit
from equipoise.simulation.visits import (
    COLUMNS,
    SCROLLS,
    Scene,
    Session,
    attention,
    click_worth,
    look,
)

CLOCK = ManualClock()


@pytest.fixture
def scene(stranger: Any) -> Scene:
    shop = Shop.make(2, n_items=60, launches=0)
    return Scene(
        seed=0,
        shop=shop,
        shoppers=Shoppers(shop, 0),
        shopfront=stranger,
        agenda=Agenda(),
        meter=Meter(("home",)),
        stamp=lambda ms: CLOCK() + round(ms),
        opening=CLOCK(),
        worth=Worth(),
        stock=shop.labels.stock.copy(),
        prefix="",
        n=12,
        similar=True,
    )


def test_clicks_follow_the_stated_chances(scene: Scene) -> None:
    """Over 8,000 pages each slot is clicked as often as look × chance says: χ²."""
    rng = np.random.Generator(np.random.PCG64(1))
    shown, chance = list(range(12)), rng.uniform(0.05, 0.6, 60)
    clicks, pages = np.zeros(12), 8_000
    for number in range(pages):
        session = Session(scene, Visit(number, 0.0, number % 50, 0))
        _, clicked = session._eyes(shown, chance)
        clicks[clicked] += 1
    expected = pages * look(12) * chance[:12]
    observed = np.stack([clicks, pages - clicks])
    slots = [
        chisquare(observed[:, k], [expected[k], pages - expected[k]]).pvalue for k in range(12)
    ]

    assert min(slots) > 0.001
    assert clicks.sum() == pytest.approx(expected.sum(), rel=0.03)


def test_rows_come_into_view_as_stated(scene: Scene) -> None:
    """The first row always, each further one for SCROLLS of those who saw the last."""
    rows = np.zeros(3)
    for number in range(4_000):
        seen, _ = Session(scene, Visit(number, 0.0, 0, 0))._eyes(list(range(12)), np.zeros(60))
        assert seen % COLUMNS == 0
        rows[: seen // COLUMNS] += 1

    assert rows[0] == 4_000
    assert rows[1:] / 4_000 == pytest.approx([SCROLLS, SCROLLS**2], abs=0.025)


def test_luck_belongs_to_visit_and_item(scene: Scene) -> None:
    """The same item meets the same luck in whatever list it is seen first."""
    chance = np.full(60, 0.5)
    first = [Session(scene, Visit(9, 0.0, 0, 0))._eyes([item], chance)[1] for item in range(60)]
    swapped = [
        Session(scene, Visit(9, 0.0, 0, 0))._eyes([item, 0], chance)[1][:1] for item in range(60)
    ]

    assert [0 in clicked for clicked in first] == [0 in clicked for clicked in swapped]
    assert 15 < sum(map(bool, first)) < 45


def test_look_is_view_times_attention() -> None:
    """The first slot is always looked at; no later one more than it; rows are steps."""
    curve = look(12)

    assert curve[0] == 1.0
    assert (np.diff(curve) < 0).all()
    assert curve[8:] == pytest.approx(SCROLLS**2 * attention(12)[8:])
    assert curve[8:].sum() / curve[:4].sum() == pytest.approx(0.28, abs=0.01)


def test_worth_of_a_click(scene: Scene) -> None:
    """It is the expectation over the three ends a click can have: left, in the cart, bought."""
    shopper = scene.shoppers.arrive(Visit(0, 0.0, 0, 0))
    worth = Worth(click=1.0, add_to_cart=10.0, purchase=100.0)
    cart, buy = scene.shoppers.cart(shopper), scene.shoppers.purchase()
    by_hand = (1 - cart) * 1.0 + cart * (1 - buy) * 11.0 + cart * buy * 111.0

    assert click_worth(worth, scene.shoppers, shopper) == pytest.approx(by_hand)


def test_a_visit_reads_like_a_tracker(scene: Scene, stranger: Any) -> None:
    """Clicks carry the token of their slot; what was not in view is not named."""
    stranger.put_items([scene.shop.body(i, CLOCK()) for i in range(60)])
    for number in range(200):
        Session(scene, Visit(number, 0.0, number, 0)).begin(0.0)
    while len(scene.agenda):
        ms, action = scene.agenda.next()
        action(ms)
    tokens = {
        slot["token"]: slot["item_id"] for answer in stranger.answers for slot in answer["items"]
    }
    clicked = [
        line
        for event in stranger.events
        if event["event"] == "select_item" and "recommendation_id" in event
        for line in event["items"]
    ]
    seen = [line for event in stranger.events if event["event"] == "view_item_list"
            for line in event["items"] if "token" in line]  # fmt: skip

    assert not stranger.rejected
    assert len(clicked) > 10
    assert all(tokens[line["token"]] == line["item_id"] for line in clicked)
    assert {line["token"] for line in clicked} <= {line["token"] for line in seen}
    assert len(seen) < len(tokens)
    assert len({event["event_id"] for event in stranger.events}) == len(stranger.events)


def test_an_empty_shelf_is_reported_and_filled_again(scene: Scene, stranger: Any) -> None:
    """The last piece sold takes the item out of the shop for some days, and no order is refused."""
    scene.stock[3] = 1.0
    scene.sell(3, 2.0, 0.0)
    sold_out = scene.available(0.0)[3]
    ms, restock = scene.agenda.next()
    restock(ms)

    assert not sold_out
    assert scene.available(ms)[3]
    assert [body["stock"] for _, kind, body in stranger.said if kind == "item"] == [
        0.0,
        scene.shop.labels.stock[3],
    ]
