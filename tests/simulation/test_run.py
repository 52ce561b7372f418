"""A run of the whole world."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from equipoise.clock import DAY, ManualClock, now
from equipoise.ranking.value import Worth
from equipoise.simulation.run import drive, simulate
from equipoise.simulation.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop.make(6, n_items=80, launches=20, launch_days=1.0)


def test_same_seed_same_world(strangers: Any) -> None:
    """Two runs of one seed say and hear the same, word for word."""
    said, outcomes = [], []
    for _ in range(2):
        clock = ManualClock()
        front = strangers(1, clock)
        shop = Shop.make(6, n_items=80, launches=20, launch_days=1.0)
        outcomes.append(simulate(shop, front, decisions=150, seed=5, clock=clock))
        said.append(front.said)

    assert said[0] == said[1]
    assert outcomes[0].reward == outcomes[1].reward


def test_every_event_is_accepted(shop: Shop, strangers: Any) -> None:
    """The door refuses nothing, no id is used twice, and every kind of event occurs."""
    clock = ManualClock()
    front = strangers(0, clock)
    outcome = simulate(shop, front, seconds=12 * 86_400.0, seed=1, clock=clock, visits_per_day=300)
    kinds = Counter(event["event"] for event in front.events)

    assert not outcome.rejected
    assert outcome.events == len(front.events)
    assert len({event["event_id"] for event in front.events}) == len(front.events)
    assert kinds.keys() >= {
        "view_item_list", "select_item", "view_item", "add_to_cart", "begin_checkout", "purchase",
        "search", "follow", "dislike", "review",
    }  # fmt: skip
    assert any("user_id" in event for event in front.events)
    assert all("anonymous_id" in event for event in front.events)


def test_what_comes_in_is_what_was_expected(shop: Shop, strangers: Any) -> None:
    """The true expected worth of the lists is what clicks then bring: 4 sigma."""
    clock = ManualClock()
    worth = Worth(click=1.0, add_to_cart=0.0, purchase=0.0)
    outcome = simulate(
        shop, strangers(3, clock), decisions=4_000, seed=2, clock=clock, worth=worth, similar=False
    )

    assert outcome.clicks == pytest.approx(outcome.reward, abs=4 * outcome.reward**0.5)
    assert outcome.clicks > 300
    assert 0 < outcome.orders < outcome.carts < outcome.clicks


def test_items_are_launched_in_time(shop: Shop, strangers: Any) -> None:
    """An item is told of when it is launched, not before, and after a day all are there."""
    clock = ManualClock()
    front = strangers(0, clock)
    opening = clock()
    simulate(shop, front, seconds=86_400.0, seed=0, clock=clock)
    told = {body["item_id"]: at for at, kind, body in reversed(front.said) if kind == "item"}

    assert len(told) == 100
    for i in range(80, 100):
        assert told[shop.ids[i]] == pytest.approx(opening + shop.labels.launch[i], abs=1.0)


def test_ends_in_time(shop: Shop, strangers: Any) -> None:
    """A run over a day ends within it, at the speed that was asked for."""
    clock = ManualClock()
    opening = clock()
    simulate(shop, strangers(0, clock), seconds=86_400.0, seed=0, speed=24.0, clock=clock)

    assert 0.9 * DAY / 24 < clock() - opening <= DAY / 24


def test_runs_against_a_running_clock(shop: Shop, stranger: Any) -> None:
    """Sped up, a real clock sees the world go by, and no stamp lies ahead of it."""
    stranger.clock = now
    outcome = simulate(shop, stranger, decisions=20, seed=0, speed=100_000.0, clock=now)

    assert outcome.lists == 20
    assert not stranger.rejected


def test_refuses_to_run_for_ever(shop: Shop, stranger: Any) -> None:
    """Without an end there is no run."""
    with pytest.raises(ValueError, match="simulate needs decisions or seconds"):
        simulate(shop, stranger, clock=ManualClock())


def test_drive_wants_visitors() -> None:
    """Nobody a minute is nobody ever."""
    from threading import Event

    with pytest.raises(ValueError, match="visitors_per_minute is 0; it must be above 0"):
        drive("http://127.0.0.1:9", 0, 0, Event())


def test_drives_a_real_server_until_told_to_stop() -> None:
    """Over HTTP a shop fills, shoppers come, nothing is refused, and the service has learnt."""
    from threading import Event, Timer

    from equipoise.engine import Engine
    from equipoise.server.run import background

    engine, stop = Engine.in_memory(seed=1), Event()
    shop = Shop.make(1, n_items=60, launches=40, launch_days=2.0)
    with background(engine) as url:
        Timer(2.5, stop.set).start()
        outcome = drive(url, 1, 600.0, stop, shop=shop)

    assert outcome.lists > 10
    assert outcome.rejected == []
    assert len(engine.knowledge.catalogue) > 60
    assert outcome.spent is None
