"""Shops to wire: one to speak with by hand, and one that simulated shoppers have lived in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from equipoise.clock import ManualClock
from equipoise.codec import decode
from equipoise.engine import Engine
from equipoise.home import Home
from equipoise.settings import Settings, build
from equipoise.simulation.client import InProcess
from equipoise.simulation.run import simulate
from equipoise.simulation.shop import Shop
from equipoise.types import Arrays, Decision, Event, Item, Kind, Line, Query

LISTS = 250


class Front:
    """What a shop's code does, in one line each."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.said = 0

    @property
    def looks(self) -> float:
        """What the reward model has learnt from."""
        looks: float = self.engine.knowledge.model.summary()["looks"]
        return looks

    def stock(self, *items: Item) -> None:
        self.engine.store([self.engine.item_record(item) for item in items])

    def show(self, who: str = "c-1", *, placement: str = "home", **query: Any) -> Decision:
        """A list that is served: decided and stored."""
        asked = Query(placement=placement, anonymous_id=who, **query)
        decision = self.engine.recommend(asked)
        self.engine.store([self.engine.decision_record(decision)])
        return decision

    def say(self, event: str, *lines: Line, who: str = "c-1", **fields: Any) -> None:
        self.said += 1
        self.engine.store(
            self.engine.event_records(
                [
                    Event(
                        event_id=f"e-{self.said}",
                        event=event,
                        ts=self.engine.clock(),
                        anonymous_id=who,
                        items=lines,
                        **fields,
                    )
                ]
            )
        )

    def line(self, decision: Decision, slot: int, token: str | None = None) -> Line:
        """The slot as the storefront sends it back, with its token or another."""
        good = self.engine.token(decision, slot)
        return Line(item_id=decision.slots[slot].item_id, token=token or good)

    def see(self, decision: Decision, who: str = "c-1") -> None:
        lines = [self.line(decision, slot) for slot in range(len(decision.slots))]
        self.say("view_item_list", *lines, who=who)

    def tick(self) -> bool:
        """Whether something was due."""
        record = self.engine.tick_record()
        if record is not None:
            self.engine.store([record])
        return record is not None


Open = Callable[..., Front]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def opened(clock: ManualClock) -> Open:
    """A shop without files: ``opened(seed=…, server={…})``."""

    def make(seed: int = 7, **tables: Any) -> Front:
        return Front(Engine.in_memory(seed=seed, clock=clock, settings=build(tables)))

    return make


@pytest.fixture
def front(opened: Open) -> Front:
    """Sixty items in six categories, ``sku-0`` and on."""
    front = opened()
    front.stock(*(item(number) for number in range(60)))
    return front


def item(number: int, **fields: Any) -> Item:
    return Item(
        item_id=f"sku-{number}",
        title={"en": f"Thing {number}"},
        categories=(f"Shelf {number % 6}",),
        price=10.0 + number,
        **fields,
    )


@pytest.fixture
def item_of() -> Callable[..., Item]:
    return item


Live = Callable[..., None]


def _live(engine: Engine, lists: int = LISTS, *, seed: int = 1, prefix: str = "") -> None:
    clock = engine.clock
    assert isinstance(clock, ManualClock)
    shop = Shop.make(5, n_items=120, launches=20)
    simulate(shop, InProcess(engine), decisions=lists, seed=seed, clock=clock, prefix=prefix)


@pytest.fixture(scope="session")
def live() -> Live:
    """Let simulated shoppers come to an engine: ``live(engine, lists, seed=…, prefix=…)``."""
    return _live


@pytest.fixture(scope="session")
def lived() -> Engine:
    """An engine in memory that some hundred visits have taught. To be read, not to be written."""
    # A budget that is soon felt, so that the balance has moved.
    settings = build({"placements": {"home": {"budget": 0.01}}})
    engine = Engine.in_memory(settings=settings, clock=ManualClock(), seed=3)
    _live(engine)
    return engine


@pytest.fixture(scope="session")
def quick() -> Settings:
    """For engines on disk: what they promise of power cuts is the log's own test."""
    return build({"log": {"durability": "process"}})


@pytest.fixture
def shop(tmp_path: Path, quick: Settings, live: Live) -> Iterator[Engine]:
    """An engine on disk with some history, opened for writing."""
    home = Home(tmp_path / "shop").create()
    engine = Engine.open(home.folder, settings=quick, clock=ManualClock())
    live(engine, 60)
    yield engine
    engine.close()


def _nouns(engine: Engine, kind: Kind) -> list[Any]:
    return [
        decode(kind, stored.record.key, stored.record.body)
        for stored in engine.log.read(kinds=(kind,))
    ]


@pytest.fixture(scope="session")
def nouns() -> Callable[[Engine, Kind], list[Any]]:
    """Everything of a kind on an engine's log, decoded, in order."""
    return _nouns


Tables = dict[str, Arrays]


def _differing(given: Tables, wanted: Tables) -> list[str]:
    flat, other = _flat(given), _flat(wanted)
    return sorted(name for name in flat.keys() | other.keys() if flat.get(name) != other.get(name))


def _flat(tables: Tables) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {
        f"{table}.{name}": (array.dtype.str, array.shape, array.tobytes())
        for table, arrays in tables.items()
        for name, array in arrays.items()
    }


@pytest.fixture(scope="session")
def differing() -> Callable[[Tables, Tables], list[str]]:
    """Names of the arrays of two dumps that differ by a byte, a dtype or a shape."""
    return _differing
