"""Worlds for a contest of policies: what changes in the shop, how late it hears, who lies to it.

===========  ====================================================================================
scenario     what happens
===========  ====================================================================================
stationary   nothing changes: no launches, no drift, tastes stand still
drifting     every item's appeal wanders, twice as far and twice as fast as usual; one in a hundred
             changes at once each day; no launches
launches     the shop as it is by default: a fifth of its items are launched while it runs, appeal
             and tastes drift a little
seasonal     departments have their weeks: their appeal swings by a factor of e to either side of
             the mean, once in four weeks; no launches
adversarial  as ``launches``, and a fifth of all lists are asked for by somebody who boosts the
             worst item to the top of lists of their own, clicks it and puts it into the cart
             (``attacks``)
delayed      as ``launches``, and half of all orders come more than two days after their cart
===========  ====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from equipoise.clock import DAY
from equipoise.engine import Engine
from equipoise.randomness import derive
from equipoise.simulation.attacks import Raid, forged
from equipoise.simulation.light_world import Door, World
from equipoise.simulation.shop import STILL, USUAL, Climate, Shop
from equipoise.simulation.visits import CHECKOUT_MS, Scene
from equipoise.types import Decision, Line

LAUNCHED = 0.2
"""Of all items of a shop with launches."""
WEEKS_DAYS = 28.0
"""A contest's lists are shown in so many days, whatever their number."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A world, but for its size and its seed."""

    name: str
    climate: Climate = USUAL
    launches: bool = True
    checkout_ms: float = CHECKOUT_MS
    """Median time from a cart to its order."""
    forged: float = 0.0
    """Share of all lists that an attacker asks for."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What a merchant of such a shop would set otherwise than by default."""

    def shop(self, seed: int, items: int) -> Shop:
        """Its shop, of ``items`` in the end."""
        launched = round(LAUNCHED * items) if self.launches else 0
        return Shop.make(
            seed,
            n_items=items - launched,
            launches=launched,
            launch_days=WEEKS_DAYS,
            climate=self.climate,
        )

    def besides(self, engine: Engine, every_ms: float, scene: Scene) -> None:
        """Send attackers to the engine's door, if there are any.

        ``every_ms``: a genuine list is asked for.
        """
        if self.forged:
            pause = every_ms * (1.0 - self.forged) / self.forged
            _Attackers(engine, scene, pause).expect(0)


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Scenario(name="stationary", climate=STILL, launches=False),
            Scenario(
                name="drifting",
                climate=Climate(drift=0.6, drift_days=15.0, jump=0.01, season=0.0),
                launches=False,
            ),
            Scenario(name="launches"),
            Scenario(
                name="seasonal",
                climate=Climate(drift=0.0, jump=0.0, season=1.0, season_days=28.0),
                launches=False,
            ),
            Scenario(name="adversarial", forged=0.2),
            Scenario(
                name="delayed",
                checkout_ms=2.0 * DAY,
                settings={"attribution": {"purchase_window_s": 10 * 86_400.0}},
            ),
        )
    }
)


# ---------------------------------------------------------------- attackers


@dataclass(frozen=True)
class _ShopRaid(Raid):
    """A raid on the simulated shop, whose items have the shop's own ids."""

    ids: tuple[str, ...]

    def view(self, item: int) -> None:
        self.door.say(self.who, self.network, "view_item", Line(item_id=self.ids[item]))

    def top(self) -> Decision:
        boost = {"filter": {"item_id": self.ids[self.item]}, "factor": 1_000.0}
        return self.door.ask(self.who, self.world.slots, boosts=(boost,))


class _Attackers:
    """Somebody new every time, each from a network of their own; the worst case for a cap."""

    def __init__(self, engine: Engine, scene: Scene, pause_ms: float) -> None:
        self.scene, self.pause_ms = scene, pause_ms
        self.door = Door(engine, f"{scene.prefix}x")
        self.appeal = scene.shop.appeal(0.0)
        self.worst = int(np.argmin(np.where(scene.shop.launched(0.0), self.appeal, np.inf)))

    def expect(self, number: int) -> None:
        """The visit of this number, and each after it."""
        ms = (number + 1) * self.pause_ms
        self.scene.agenda.at(ms, partial(self._come, number))

    def _come(self, number: int, ms: float) -> None:
        world = World(seed=self.scene.seed, n_items=len(self.scene.shop), slots=self.scene.n)
        luck = derive(self.scene.seed, "simulation.raid", str(number))
        ids = tuple(self.scene.shop.ids)
        who = f"x{number}"
        raid = _ShopRaid(self.door, world, number, who, who, self.worst, self.appeal, luck, ids)
        forged(raid)
        self.expect(number + 1)
