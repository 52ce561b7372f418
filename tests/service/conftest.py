"""A stocked shop in memory, and its service: in process, or over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.server.app import create_app
from equipoise.server.keys import Keys
from equipoise.server.live import Live
from equipoise.settings import Placement, Settings
from equipoise.types import Item

CATEGORIES = ("Home/Tables", "Home/Chairs", "Garden/Tools")

Client = TestClient[Litestar]


def stock(engine: Engine, items: int = 60) -> None:
    """Items in three categories, ``sku-0`` and on, each with a price."""
    engine.store(
        [
            engine.item_record(
                Item(
                    item_id=f"sku-{number}",
                    title={"en": f"Thing {number}"},
                    categories=(CATEGORIES[number % len(CATEGORIES)],),
                    price=10.0 + number,
                )
            )
            for number in range(items)
        ]
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def settings() -> Settings:
    trending = Placement(sources=("trending", "new", "anything"), policy="greedy", budget=0.0)
    return Settings(placements={**Settings().placements, "trending": trending})


@pytest.fixture
def engine(clock: ManualClock, settings: Settings) -> Engine:
    shop = Engine.in_memory(seed=7, clock=clock, settings=settings)
    stock(shop)
    return shop


@pytest.fixture
def live(engine: Engine) -> Live:
    return Live(engine)


@pytest.fixture
def client(live: Live) -> Iterator[Client]:
    """Open: loopback, no keys."""
    with TestClient(create_app(live), raise_server_exceptions=False) as started:
        yield started


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def secured(engine: Engine, keys: Keys) -> Iterator[tuple[Client, dict[str, str]]]:
    """A service with a key of each kind, by kind."""
    made = {kind: keys.make(kind, f"the {kind}") for kind in ("pk", "sk", "ak")}
    app = create_app(Live(engine, keys=keys))
    with TestClient(app, raise_server_exceptions=False) as started:
        yield started, made


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}
