"""A shop in memory, empty or busy, with its pages in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.server.app import create_app
from equipoise.server.live import Live
from equipoise.settings import Settings, build
from equipoise.types import Event, Item, Line, Query

Client = TestClient[Litestar]

NOON = 1_700_049_600_000
"""2023-11-15 12:00:00 UTC."""


def stock(engine: Engine, items: int = 40) -> None:
    """``sku-0`` and on, in two departments."""
    engine.store(
        [
            engine.item_record(
                Item(
                    item_id=f"sku-{number}",
                    title={"en": f"Thing {number}"},
                    categories=(("Garden/Tools", "Home/Lamps")[number % 2],),
                    price=10.0 + number,
                    stock=5.0,
                )
            )
            for number in range(items)
        ]
    )


def visit(engine: Engine, visitor: str, *, clicks: int = 1, buys: bool = False) -> str:
    """A home list, all of it seen, its first items clicked, the first one bought."""
    decision = engine.recommend(Query(placement="home", anonymous_id=visitor))
    engine.store([engine.decision_record(decision)])
    lines = tuple(
        Line(item_id=slot.item_id, index=place, token=engine.token(decision, place))
        for place, slot in enumerate(decision.slots)
    )
    said = [("view_item_list", lines), *(("select_item", (line,)) for line in lines[:clicks])]
    events = [
        Event(event_id=f"{visitor}-{number}", event=name, ts=engine.clock(), anonymous_id=visitor,
              items=items)
        for number, (name, items) in enumerate(said)
    ]  # fmt: skip
    if buys:
        bought = (Line(item_id=lines[0].item_id, price=20.0),)
        events.append(
            Event(event_id=f"{visitor}-buys", event="purchase", ts=engine.clock(), value=20.0,
                  anonymous_id=visitor, items=bought, transaction_id=f"o-{visitor}")
        )  # fmt: skip
    engine.store(engine.event_records(events))
    return decision.decision_id


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def settings() -> Settings:
    """The click window of a demo: minutes do for a day."""
    return build({"shop": {"name": "Lamps & Co"}, "attribution": {"click_window_s": 30.0}})


@pytest.fixture
def empty(clock: ManualClock, settings: Settings) -> Engine:
    return Engine.in_memory(seed=3, clock=clock, settings=settings)


@pytest.fixture
def busy(empty: Engine, clock: ManualClock) -> Engine:
    """Ten minutes of trade from noon on, two visitors a minute; it is 12:10:30 now."""
    stock(empty)
    for minute in range(10):
        for visitor in range(2):
            visit(empty, f"c-{minute}-{visitor}", clicks=visitor, buys=visitor == 1)
        clock.advance(seconds=60)
    clock.advance(seconds=30)
    tick = empty.tick_record()
    empty.store([tick] if tick else [])
    return empty


@pytest.fixture
def browse() -> Iterator[Callable[[Engine], Client]]:
    """Opens the pages of an engine."""
    opened: list[Client] = []

    def open_(engine: Engine) -> Client:
        client = TestClient(create_app(Live(engine)), raise_server_exceptions=False)
        opened.append(client.__enter__())
        return client

    yield open_
    for client in opened:
        client.__exit__(None, None, None)
