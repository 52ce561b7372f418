"""A log played again."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.clock import DAY, ManualClock
from equipoise.simulation.replay import Orders, replay
from equipoise.types import Event, Item, Line

START = 1_291_000_000_000


def bought(who: str, day: float, *item_ids: str) -> Event:
    return Event(
        event_id=f"{who}-{day}-{'-'.join(item_ids)[:40]}",
        event="purchase",
        ts=START + round(day * DAY),
        user_id=who,
        transaction_id=f"{who}-{day}",
        items=tuple(Line(item_id=item_id, price=2.0) for item_id in item_ids),
    )


ITEMS = [Item(item_id=name, price=2.0, created_at=START) for name in "abcdefgh"]
EVENTS = [
    bought("x", 0, "a", "b"),
    bought("y", 1, "c"),
    bought("x", 3, "d"),
    bought("x", 30, "a"),
    bought("y", 40, "h"),
]
LOG = [*ITEMS, *EVENTS]


@pytest.fixture
def played(stranger: Any) -> tuple[Any, Any]:
    outcome = replay(LOG, stranger, speed=1.0, clock=stranger.clock, n=5, within_days=5.0)
    return outcome, stranger


def test_original_order_and_times(played: tuple[Any, Any]) -> None:
    """The log's events arrive in its order, as far apart as they were, and none is refused."""
    outcome, front = played
    sent = [
        (event["event_id"], at)
        for event, at in zip(front.events, front.arrived, strict=True)
        if event["event"] == "purchase"
    ]

    assert [event_id for event_id, _ in sent] == [event.event_id for event in EVENTS]
    assert [at - sent[0][1] for _, at in sent] == [event.ts - START for event in EVENTS]
    assert outcome.events == len(EVENTS)
    assert outcome.rejected == front.rejected == []


def test_clicked_exactly_if_bought_soon(played: tuple[Any, Any]) -> None:
    """A shown item is clicked if and only if this shopper's orders of the next days hold it."""
    outcome, front = played
    wanted = [{"a", "b", "d"}, {"c"}, {"d"}, {"a"}, {"h"}]
    clicked: dict[str, set[str]] = {}
    for event in front.events:
        if event["event"] == "select_item":
            named = clicked.setdefault(event["recommendation_id"], set())
            named.add(event["items"][0]["item_id"])
    for answer, ids in zip(front.answers, wanted, strict=True):
        shown = {slot["item_id"] for slot in answer["items"]}

        assert clicked.get(answer["recommendation_id"], set()) == shown & ids
    assert outcome.lists == 5
    assert outcome.clicks == sum(len(ids) for ids in clicked.values()) > 0
    assert outcome.hit_rate == len(clicked) / 5


def test_launched_when_first_sold(played: tuple[Any, Any]) -> None:
    """Items of the first days and those never sold open the shop; others come when sold."""
    _, front = played
    told = {body["item_id"]: (at, body) for at, kind, body in front.said if kind == "item"}
    opening = min(at for at, _ in told.values())

    assert {name for name, (at, _) in told.items() if at == opening} == set("abcdefg")
    assert told["h"][0] == opening + 40 * DAY
    assert "created_at" in told["h"][1]
    assert "created_at" not in told["a"][1]


def test_a_new_list_only_for_a_new_visit(stranger: Any) -> None:
    """Events of one visit share a list; half an hour's absence begins another visit."""
    events = [bought("x", day, "a") for day in (0.0, 0.01, 0.02, 0.06)]
    outcome = replay([*ITEMS, *events], stranger, speed=1.0, clock=stranger.clock)

    assert outcome.lists == 2


def test_a_second_replay_has_its_own_ids(strangers: Any) -> None:
    """With another prefix no event of a second replay is a duplicate of the first."""
    ids = []
    for prefix in ("", "again-"):
        front = strangers(0, ManualClock())
        replay(LOG, front, speed=1.0, clock=front.clock, prefix=prefix)
        ids.append({event["event_id"] for event in front.events})

    assert not ids[0] & ids[1]


def test_limit_and_order_of_a_jumbled_log(stranger: Any) -> None:
    """A log in any order is played by time, as far as asked."""
    outcome = replay(LOG[::-1], stranger, speed=1.0, clock=stranger.clock, limit=2)
    sent = [event["event_id"] for event in stranger.events if event["event"] == "purchase"]

    assert outcome.events == 2
    assert sent == [EVENTS[0].event_id, EVENTS[1].event_id]


def test_orders_count_both_ends() -> None:
    """An order at either end of the days that count is inside them."""
    orders = Orders(EVENTS)
    ts = EVENTS[2].ts

    assert orders.bought("x", "d", ts, ts)
    assert not orders.bought("x", "d", ts + 1, ts + DAY)
    assert not orders.bought("y", "d", ts, ts)


def test_refuses_an_empty_log(stranger: Any) -> None:
    """Items alone are no log."""
    with pytest.raises(ValueError, match="the log holds no event"):
        replay(ITEMS, stranger, speed=1.0, clock=stranger.clock)


def test_wholesale_orders_arrive_in_pieces(stranger: Any) -> None:
    """An order of more lines than a service takes is sent as several; no line is lost or twice."""
    names = [f"w{k}" for k in range(450)]
    log = [*(Item(item_id=name) for name in names), bought("x", 0.0, *names)]
    outcome = replay(log, stranger, speed=1.0, clock=stranger.clock)
    pieces = [event for event in stranger.events if event["event"] == "purchase"]

    assert [line["item_id"] for event in pieces for line in event["items"]] == names
    assert len({event["transaction_id"] for event in pieces}) == len(pieces) == 3
    assert outcome.events == 1
    assert outcome.rejected == []
