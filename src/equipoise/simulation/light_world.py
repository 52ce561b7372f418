"""A light world: a small shop in which a seed takes seconds, to try attackers in.

One list, one taste for all, items that differ in nothing but their click rate. That is the worst
case for a defence: no shopper's own interest stands in the forger's way. Genuine shoppers look down
the list, click by the item's rate, put some of it into the cart and pay for some of that; a tenth
of them come through one carrier's network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.feedback.provenance import network_hash, stamped_event, stamped_query
from equipoise.randomness import derive
from equipoise.settings import Settings, build
from equipoise.types import Arrays, Decision, Event, Floats, Item, Line, Query, Record

CLICK_RATE = (2.0, 38.0)
"""Beta: 5 % on average, the best of 200 some 18 %, the worst some 0.3 %."""
STEEPNESS = 0.3
"""P(looked at) of place k is (k + 1)^−0.3."""
CART, ORDER = 0.15, 0.33
"""P(cart | click), P(order | cart)."""
CARRIER = 10
"""One shopper in so many comes through the carrier's network."""
PAST = 20
"""Length of the lists that a shop has its history from."""
HISTORY: Mapping[str, Any] = MappingProxyType(
    {
        "sources": ["anything"],
        "policy": "epsilon_greedy",
        "parameters": {"epsilon": 1.0},
        "fixed_level": 1.0,
    }
)
"""The placement of those lists: just anything."""
PAUSE_S = 240.0
"""Between two genuine lists: 360 a day."""
SECRET = b"of the light world's door"


class Door:
    """What a browser with a publishable key can do, and what the shop's server does, without HTTP.

    Stamps as the server does.
    """

    def __init__(self, engine: Engine, prefix: str = "") -> None:
        self.engine = engine
        self._prefix = prefix
        self._said = 0

    def ask(self, who: str, n: int, *, placement: str = "home", **query: Any) -> Decision:
        context = stamped_query({})
        asked = Query(placement=placement, anonymous_id=who, n=n, context=context, **query)
        decision = self.engine.recommend(asked)
        self.engine.store([self.engine.decision_record(decision)])
        return decision

    def say(self, who: str, network: str, event: str, *lines: Line) -> None:
        self._store(who, event, lines, stamped_event({}, network_hash(SECRET, network)))

    def sell(self, who: str, item_id: str) -> None:
        """The shop's server reports an order: no browser, no token."""
        self._store(who, "purchase", (Line(item_id=item_id),), {})

    def see(self, who: str, network: str, decision: Decision) -> None:
        self.say(
            who, network, "view_item_list",
            *(self.line(decision, place) for place in range(len(decision.slots))),
        )  # fmt: skip

    def line(self, decision: Decision, place: int) -> Line:
        token = self.engine.token(decision, place)
        return Line(item_id=decision.slots[place].item_id, token=token)

    def _store(
        self, who: str, event: str, lines: tuple[Line, ...], context: dict[str, Any]
    ) -> None:
        self._said += 1
        said = Event(
            event_id=f"{self._prefix}{self._said}",
            event=event,
            ts=self.engine.clock(),
            anonymous_id=who,
            items=lines,
            context=context,
        )
        self.engine.store(self.engine.event_records([said]))


# ---------------------------------------------------------------- the world


@dataclass(frozen=True, kw_only=True)
class World:
    """Items with click rates, and shoppers who come back; home lists of ``slots`` items."""

    seed: int
    n_items: int = 200
    shoppers: int = 600
    slots: int = 5

    @property
    def rate(self) -> Floats:
        """(n_items,) P(click | looked at)."""
        luck = derive(self.seed, "attacks.world")
        rate: Floats = luck.beta(*CLICK_RATE, self.n_items)
        return rate

    def visit(
        self, door: Door, number: int, rate: Floats, slots: int, placement: str = "home"
    ) -> list[int]:
        """One genuine shopper asks, looks, and clicks what they like; the items that were shown.

        An item's luck is its own, whatever place it has: so the same visit meets the same luck
        whoever decides.
        """
        luck = derive(self.seed, "attacks.visit", f"{placement} {number}")
        shopper = int(luck.integers(self.shoppers))
        who, network = f"s{shopper}", f"n{shopper}" if shopper % CARRIER else "carrier"
        decision = door.ask(who, slots, placement=placement)
        door.see(who, network, decision)
        shown = [slot.position for slot in decision.slots]
        looks = luck.random(slots) < look(slots)
        likes, wants, pays = (luck.random(self.n_items) for _ in range(3))
        for place, item in enumerate(shown):
            if looks[place] and likes[item] < rate[item]:
                line = door.line(decision, place)
                door.say(who, network, "select_item", line)
                door.say(who, network, "view_item", Line(item_id=line.item_id))
                if wants[item] < CART:
                    door.say(who, network, "add_to_cart", line)
                if wants[item] < CART and pays[item] < ORDER:
                    door.sell(who, line.item_id)
        return shown


def look(slots: int) -> Floats:
    """(slots,) P(looked at)."""
    return np.asarray((np.arange(slots) + 1.0) ** -STEEPNESS)


@dataclass(frozen=True)
class Grown:
    """A shop that genuine shoppers have taught: what it knows, and the log it knows it from."""

    world: World
    now: int
    records: list[Record]
    known: dict[str, Arrays]

    def opened(self, credit: Mapping[str, float]) -> Engine:
        """A copy of it that goes on under these ``[credit]`` settings."""
        engine = _engine(self.world, ManualClock(self.now), credit)
        engine.log.append(self.records)
        engine.knowledge.load(self.known)
        return engine


def grow(world: World, *, looks: int, lists: int) -> Grown:
    """A shop with a history: ``looks`` at every item in lists of just anything, then ``lists``."""
    clock = ManualClock()
    engine = _engine(world, clock, {})
    items = [Item(item_id=f"i{n}", categories=("Things",)) for n in range(world.n_items)]
    engine.store([engine.item_record(item) for item in items])
    door, rate = Door(engine, "g"), world.rate
    before = looks * world.n_items // PAST
    for number in range(before):
        world.visit(door, number, rate, PAST, "history")
        pass_time(engine, PAUSE_S)
    for number in range(lists):
        world.visit(door, -1 - number, rate, world.slots)
        pass_time(engine, PAUSE_S)
    records = [stored.record for stored in engine.log.read()]
    return Grown(world, clock(), records, engine.knowledge.dump())


def _engine(world: World, clock: ManualClock, credit: Mapping[str, float]) -> Engine:
    settings: Settings = build({"credit": dict(credit), "placements": {"history": dict(HISTORY)}})
    return Engine.in_memory(settings=settings, seed=world.seed, clock=clock)


def pass_time(engine: Engine, seconds: float) -> None:
    clock = engine.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds=seconds)
    record = engine.tick_record()
    if record is not None:
        engine.store([record])
