"""How often items are met, decayed; and with which others."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from equipoise.clock import DAY
from equipoise.state.catalogue import Catalogue
from equipoise.state.columns import Columns
from equipoise.state.covisits import CoVisits
from equipoise.state.shoppers import Shoppers
from equipoise.types import Arrays, Event, Floats, Floats32, Kind, Milliseconds, Positions

COUNTED: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "view_item_list": ("impressions", 0.0),
        "view_item": ("views", 1.0),
        "add_to_cart": ("carts", 3.0),
        "purchase": ("purchases", 5.0),
    }
)
"""Event → what it counts as, and what it adds to an item's trend. A refund takes nothing back: the
interest was there."""
MEETINGS = frozenset({"view_item", "add_to_cart", "add_to_wishlist", "purchase", "review"})
REBASE = 500
"""Half-lives after which units are counted afresh: long before a double ends (2^1023)."""


class Counts:
    """A ``Fold``: decayed counts by item, forward (Cormode et al. 2009, "Forward decay").

    An event adds ``2^((ts - landmark) / half-life)``, and reading scales back: the order of arrival
    does not matter (up to rounding), and time passing touches nothing. The kept pairs of
    ``together`` alone depend on the order, once an item has more companions than places.

    Args:
        catalogue, shoppers: fold each record before this does.
        half_life_days: after which what was done counts half.
        companions: see ``CoVisits``.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        shoppers: Shoppers,
        *,
        half_life_days: float = 7.0,
        companions: int = 64,
    ) -> None:
        self._catalogue = catalogue
        self._shoppers = shoppers
        self._half_life = round(half_life_days * DAY)
        self._landmark = 0
        self._newest = 0
        names = (*dict.fromkeys(name for name, _ in COUNTED.values()), "trend")
        self._columns = Columns(dict.fromkeys(names, (np.float64, 0.0)))
        self._covisits = CoVisits(companions=companions)

    # ------------------------------------------------------------ what is asked

    def trending(self, now: Milliseconds) -> Floats:
        """(I,) views, three times carts and five times purchases, decayed to ``now``."""
        return self.decayed("trend", now)

    def decayed(self, name: str, now: Milliseconds) -> Floats:
        """(I,) ``impressions``, ``views``, ``carts``, ``purchases`` or ``trend`` of each item."""
        self._columns.grow(len(self._catalogue))
        # Beyond the ends of a double the ranking still holds, which is what is wanted of it.
        age = min(max((now - self._landmark) / self._half_life, -REBASE), 2.0 * REBASE)
        scaled: Floats = self._columns[name] * 2.0**-age
        return scaled

    def categories(self, now: Milliseconds) -> Floats:
        """(C,) ``trending`` summed by category code, those below included."""
        trend, leaf = self.trending(now), self._catalogue.category
        parents = self._catalogue.parents
        sums: Floats = np.zeros(len(parents))
        np.add.at(sums, leaf[leaf >= 0], trend[leaf >= 0])
        for code in range(len(parents) - 1, -1, -1):
            if parents[code] >= 0:
                sums[parents[code]] += sums[code]
        return sums

    def together(self, position: int) -> tuple[Positions, Floats32]:
        """Items met with this one by the same shopper, strength in 0..1, strongest first."""
        self._covisits.grow(len(self._catalogue))
        return self._covisits.together(position, self._unit(self._newest))

    # ------------------------------------------------------------ the fold

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        if kind is Kind.EVENT:
            event: Event = noun
            counts = event.event in COUNTED or event.event in MEETINGS
            if counts and self._shoppers.analytics(event.user_id, event.anonymous_id):
                self._count(event, min(event.ts, arrived))
        elif kind is Kind.USER_REMOVED:
            for part in self._shoppers.identities.forgotten:
                self._covisits.forget(part)

    def _count(self, event: Event, ts: int) -> None:
        unit = self._advance(ts)
        positions = self._catalogue.positions
        items = [positions[line.item_id] for line in event.items]
        counted = COUNTED.get(event.event)
        if counted is not None:
            name, worth = counted
            self._columns.grow(len(positions))
            column, trend = self._columns.arrays[name], self._columns.arrays["trend"]
            for item in items:
                column[item] += unit
                trend[item] += unit * worth
        if event.event in MEETINGS:
            self._covisits.grow(len(positions))
            self._meet(event, items, ts, unit)

    def _meet(self, event: Event, items: list[int], ts: int, unit: float) -> None:
        if len(items) > 1:
            self._covisits.basket(list(dict.fromkeys(items)), unit)
        elif items:
            # By browser rather than by person: a visit goes on when its shopper logs in.
            browser = f"a:{event.anonymous_id}" if event.anonymous_id else f"u:{event.user_id}"
            self._covisits.meet(browser, items[0], ts, unit)

    def _advance(self, ts: int) -> float:
        """The unit of an event of this time."""
        if self._newest == 0:
            self._landmark = ts
        if ts > self._newest:
            self._newest = ts
            shift = int((ts - self._landmark) // self._half_life)
            if shift > REBASE:
                self._rescale(shift)
        return self._unit(ts)

    def _unit(self, ts: int) -> float:
        return float(2.0 ** ((ts - self._landmark) / self._half_life))

    def _rescale(self, shift: int) -> None:
        self._landmark += shift * self._half_life
        for name in self._columns.dump():
            self._columns[name][:] = np.ldexp(self._columns[name], -shift)
        self._covisits.rescale(shift)

    def dump(self) -> Arrays:
        # Arrays grow when read, too; their length in a dump must depend on the log alone.
        self._columns.grow(len(self._catalogue))
        self._covisits.grow(len(self._catalogue))
        pairs = {f"together.{name}": array for name, array in self._covisits.dump().items()}
        return {
            **self._columns.dump(),
            **pairs,
            "time": np.array([self._landmark, self._newest], dtype=np.int64),
        }

    def load(self, arrays: Arrays) -> None:
        self._columns.load(arrays)
        prefix = "together."
        pairs = {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
        self._covisits.load(pairs)
        self._landmark, self._newest = (int(one) for one in arrays["time"])
