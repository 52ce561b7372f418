"""Attackers on the learner, and what they achieve.

They come between the genuine shoppers of a ``light_world``, through the same door, and know all
that a browser can know, the rates too. Names follow the literature on shilling (Lam and Riedl, WWW
2004; Mobasher et al., TOIT 2007), where a profile promotes one item and hides that behind fillers:

==========  ======================================================================================
random      clicks the item wherever it is shown to them, and fillers at random
average     the same, each filler as often as shoppers click it: the best disguise
bandwagon   fillers are what is popular; views without a token tie the item to it
co-visit    views without tokens alone: what is popular, then the item, over and over
forged      boosts the item to the top of lists of their own, clicks it and puts it into the cart
replayed    the same with one token, again and again, in turns, and by others
nuke        puts the best item on top of lists of their own, and looks away
mixed       all of these by turns
idle        asks for lists and does nothing: what such a crowd changes by being there
==========  ======================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from equipoise.randomness import derive
from equipoise.simulation.light_world import PAUSE_S, Door, Grown, World, look, pass_time
from equipoise.types import Decision, Floats, Line

TOKEN_ONLY: Mapping[str, float] = MappingProxyType(
    {
        "clicks_per_person": 0, "looks_per_person": 0, "clicks_per_network": 0,
        "looks_per_network": 0, "share": 1.0, "burst_clicks": 0,
        "views_per_person": 0, "views_per_network": 0,
    }
)  # fmt: skip
"""``[credit]`` of a learner that believes every signed token."""


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


def idle(raid: Raid) -> None:
    raid.door.ask(raid.who, raid.world.slots)


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
MIXED, IDLE = "mixed", "idle"


@dataclass(frozen=True, kw_only=True)
class Attackers:
    """Who comes, and how many.

    Raises:
        ValueError: no attack has that name, or the share is not within 0 and 1.
    """

    attack: str
    """A name of ``ATTACKS``, ``MIXED`` or ``IDLE``."""
    share: float
    """Of all lists that are asked for while they are there."""
    identities: int | None = None
    """They share so many; None: each visit is by somebody new."""
    networks: int | None = None
    """They come from so many; None: each identity from its own."""

    def __post_init__(self) -> None:
        if self.attack not in (*ATTACKS, MIXED, IDLE):
            known = ", ".join((*ATTACKS, MIXED, IDLE))
            raise ValueError(f"{self.attack!r} is no attack; there are {known}")
        if not 0 < self.share < 1:
            raise ValueError(f"share is {self.share}; it lies between 0 and 1")

    def raid(self, door: Door, world: World, number: int, rate: Floats) -> None:
        """The visit of this number."""
        who = number if self.identities is None else number % self.identities
        network = who if self.networks is None else who % self.networks
        attack = tuple(ATTACKS)[number % len(ATTACKS)] if self.attack == MIXED else self.attack
        item = np.argmax(rate) if attack == "nuke" else np.argmin(rate)
        luck = derive(world.seed, "attacks.raid", f"{self.attack} {number}")
        raid = Raid(door, world, number, f"x{who}", f"x{network}", int(item), rate, luck)
        ATTACKS.get(attack, idle)(raid)


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
        pass_time(engine, PAUSE_S)
    return Outcome(
        promoted=float(np.mean([np.argmin(rate) in items for items in shown])),
        clicks=float((rate[np.array(shown)] * look(world.slots)).sum(axis=1).mean()),
        withheld={
            reason: number - before[reason] for reason, number in engine.knowledge.withheld.items()
        },
    )
