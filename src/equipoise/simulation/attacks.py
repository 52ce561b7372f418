"""Attackers on the learner, and a light world to try them in.

The world is small on purpose, so that a seed takes seconds: one list, one taste for all, items that
differ in nothing but their click rate. That is the worst case for a defence: no shopper's own
interest stands in the forger's way. Genuine shoppers look down the list, click by the item's rate,
put some of it into the cart and pay for some of that; a tenth of them come through one carrier's
network. Attackers come between them, through the same door, and know all that a browser can know,
the rates too. Names follow the literature on shilling (Lam and Riedl, WWW 2004; Mobasher et al.,
TOIT 2007), where a profile promotes one item and hides that behind fillers:

==========  ======================================================================================
random      clicks the item wherever it is shown to them, and fillers at random
average     the same, each filler as often as shoppers click it: the best disguise
bandwagon   fillers are what is popular; views without a token tie the item to it
co-visit    views without tokens alone: what is popular, then the item, over and over
forged      boosts the item to the top of lists of their own, clicks it and puts it into the cart
replayed    the same with one token, again and again, in turns, and by others
nuke        puts the best item on top of lists of their own, and looks away
mixed       all of these by turns
==========  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
TOKEN_ONLY: Mapping[str, float] = MappingProxyType(
    {
        "clicks_per_person": 0, "looks_per_person": 0, "clicks_per_network": 0,
        "looks_per_network": 0, "share": 1.0, "burst_clicks": 0,
        "views_per_person": 0, "views_per_network": 0,
    }
)  # fmt: skip
"""``[credit]`` of a learner that believes every signed token."""


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
        _pass(engine, PAUSE_S)
    for number in range(lists):
        world.visit(door, -1 - number, rate, world.slots)
        _pass(engine, PAUSE_S)
    records = [stored.record for stored in engine.log.read()]
    return Grown(world, clock(), records, engine.knowledge.dump())


def _engine(world: World, clock: ManualClock, credit: Mapping[str, float]) -> Engine:
    settings: Settings = build({"credit": dict(credit), "placements": {"history": dict(HISTORY)}})
    return Engine.in_memory(settings=settings, seed=world.seed, clock=clock)


def _pass(engine: Engine, seconds: float) -> None:
    clock = engine.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds=seconds)
    record = engine.tick_record()
    if record is not None:
        engine.store([record])


# ---------------------------------------------------------------- attackers


@dataclass(frozen=True)
class Raid:
    """One visit of one attacker."""

    door: Door
    world: World
    number: int
    who: str
    network: str
    item: int
    """Whose rank is to be changed."""
    rate: Floats
    luck: np.random.Generator

    def click(self, decision: Decision, place: int, event: str = "select_item") -> None:
        self.door.say(self.who, self.network, event, self.door.line(decision, place))

    def view(self, item: int) -> None:
        """A product page, without a token."""
        self.door.say(self.who, self.network, "view_item", Line(item_id=f"i{item}"))

    def top(self) -> Decision:
        """A list of their own with the item on top."""
        boost = {"filter": {"item_id": f"i{self.item}"}, "factor": 1_000.0}
        return self.door.ask(self.who, self.world.slots, boosts=(boost,))


def fillers(chance: Callable[[Raid], Any]) -> Callable[[Raid], None]:
    """Ask as shoppers do, click the item if it is there, and others by ``chance`` (n_items,)."""

    def play(raid: Raid) -> None:
        decision = raid.door.ask(raid.who, raid.world.slots)
        raid.door.see(raid.who, raid.network, decision)
        likes = raid.luck.random(raid.world.n_items) < chance(raid)
        for place, slot in enumerate(decision.slots):
            if slot.position == raid.item or likes[slot.position]:
                raid.click(decision, place)

    return play


def popular(raid: Raid) -> list[int]:
    """The ten best items, the best first."""
    best: list[int] = np.argsort(-raid.rate)[:10].tolist()
    return best


def bandwagon(raid: Raid) -> None:
    fillers(lambda raid: np.isin(np.arange(raid.world.n_items), popular(raid)) * 0.5)(raid)
    co_visit(raid)


def co_visit(raid: Raid) -> None:
    raid.view(popular(raid)[raid.number % 10])
    raid.view(raid.item)


def forged(raid: Raid) -> None:
    decision = raid.top()
    raid.door.see(raid.who, raid.network, decision)
    raid.click(decision, 0)
    raid.click(decision, 0, "add_to_cart")
    made_up = Line(item_id=f"i{raid.item}", token="Zm9yZ2VkIGJ5IGhhbmQsIG5vdCBieSB1cw")
    raid.door.say(raid.who, raid.network, "select_item", made_up)


def replayed(raid: Raid) -> None:
    decision = raid.top()
    for times in range(3):
        raid.click(decision, 0)
        passed_on = replace(raid, who=f"{raid.who}-{times}")
        passed_on.click(decision, 0)
        passed_on.click(decision, 0, "add_to_cart")


def nuke(raid: Raid) -> None:
    raid.door.see(raid.who, raid.network, raid.top())


PROMOTIONS: Mapping[str, Callable[[Raid], None]] = MappingProxyType(
    {
        "random": fillers(lambda raid: np.full(raid.world.n_items, 0.3)),
        "average": fillers(lambda raid: raid.rate),
        "bandwagon": bandwagon,
        "co-visit": co_visit,
        "forged": forged,
        "replayed": replayed,
    }
)
ATTACKS: Mapping[str, Callable[[Raid], None]] = MappingProxyType({**PROMOTIONS, "nuke": nuke})
MIXED = "mixed"


@dataclass(frozen=True, kw_only=True)
class Attackers:
    """Who comes, and how many."""

    attack: str
    """A name of ``ATTACKS``, or ``MIXED``."""
    share: float
    """Of all lists that are asked for while they are there."""
    identities: int | None = None
    """They share so many; None: each visit is by somebody new."""
    networks: int | None = None
    """They come from so many; None: each identity from its own."""

    def raid(self, door: Door, world: World, number: int, rate: Floats) -> None:
        """The visit of this number."""
        who = number if self.identities is None else number % self.identities
        network = who if self.networks is None else who % self.networks
        attack = tuple(ATTACKS)[number % len(ATTACKS)] if self.attack == MIXED else self.attack
        item = np.argmax(rate) if attack == "nuke" else np.argmin(rate)
        luck = derive(world.seed, "attacks.raid", f"{self.attack} {number}")
        raid = Raid(door, world, number, f"x{who}", f"x{network}", int(item), rate, luck)
        ATTACKS[attack](raid)


# ---------------------------------------------------------------- what came of it


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of the genuine lists, while the attackers were there."""

    promoted: float
    """Share that held the worst item."""
    clicks: float
    """Clicks that a genuine list is expected to get, by the world's own truth."""
    withheld: dict[str, int]
    """What was said and not believed, by reason."""


def besiege(
    grown: Grown, attackers: Attackers | None, lists: int, credit: Mapping[str, float]
) -> Outcome:
    """So many genuine lists in the grown shop while attackers come between them.

    Args:
        attackers: None for peace, which is what losses are measured against.
        credit: ``[credit]`` settings of the learner: ``{}`` or ``TOKEN_ONLY``.
    """
    world, rate = grown.world, grown.world.rate
    engine = grown.opened(credit)
    before = engine.knowledge.withheld
    door, theirs = Door(engine, "v"), Door(engine, "x")
    between = attackers.share / (1.0 - attackers.share) if attackers else 0.0
    raids, shown = 0, []
    for number in range(lists):
        while attackers and raids < between * (number + 1):
            attackers.raid(theirs, world, raids, rate)
            raids += 1
        shown.append(world.visit(door, number, rate, world.slots))
        _pass(engine, PAUSE_S)
    return Outcome(
        promoted=float(np.mean([np.argmin(rate) in items for items in shown])),
        clicks=float((rate[np.array(shown)] * look(world.slots)).sum(axis=1).mean()),
        withheld={
            reason: number - before[reason] for reason, number in engine.knowledge.withheld.items()
        },
    )
