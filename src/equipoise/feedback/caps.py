"""How much of what is learnt of an item may come from one person, one network, one kind of list.

Clicks are capped against promotion, looks without a click against its opposite. A person has a hard
cap. A network always has its first few, and more only as a share of what the item is credited with
in all: so a mobile carrier behind one address is heard in proportion, and a rack of machines alone
is not. Lists that browsers steered have such a share together and nothing else: nobody should be
able to choose what he is then counted for having chosen. Where most lists of a shop are such, that
is how the shop works, and they count like all others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Set
from typing import NamedTuple

import msgspec

from equipoise.clock import DAY
from equipoise.feedback.provenance import Origin
from equipoise.types import Milliseconds

STEERED = "*"
"""The source that all steered lists are together: neither a person's key nor a hash."""
NO_CAP = float("inf")

Row = tuple[str, int]
"""Source and position."""


class Limit(NamedTuple):
    """What one source may contribute to one item in a period."""

    clicks: float
    looks: float
    share: float = 0.0
    """Of the item's, where that is more."""

    def reached(self, clicks: int, looks: int, item: Sums) -> bool:
        """Whether one more of a source that has so many is more than its part of the item's."""
        most_clicks = max(self.clicks, self.share * (item.clicks + 1))
        most_looks = max(self.looks, self.share * (item.looks + 1))
        return clicks + 1 > most_clicks or looks + 1 > most_looks


class Sums(msgspec.Struct, array_like=True, gc=False):
    """An item's verdicts in this period: those that no cap withheld, and those withheld."""

    clicks: int = 0
    looks: int = 0
    withheld: int = 0


class Caps:
    """The tables of one period; emptied when it ends, and bounded within it.

    Args:
        period_ms: after which all caps count afresh.
        clicks_per_person, looks_per_person: of one item; 0: no cap.
        clicks_per_network, looks_per_network: that a network may always have; 0: no cap.
        share: of an item's clicks, and of its looks, that a network may have beyond that, and the
            steered lists together at most; 1: no cap.
        kept: rows of each table, some 0.25 KB a row; the oldest are forgotten first.

    Raises:
        ValueError: a number that cannot be.
    """

    def __init__(
        self,
        *,
        period_ms: int = 7 * DAY,
        clicks_per_person: int = 1,
        looks_per_person: int = 20,
        clicks_per_network: int = 5,
        looks_per_network: int = 100,
        share: float = 0.1,
        kept: int = 200_000,
    ) -> None:
        if period_ms <= 0 or kept <= 0:
            raise ValueError(f"a period of {period_ms} ms and {kept} rows: both must be above 0")
        caps = (clicks_per_person, looks_per_person, clicks_per_network, looks_per_network)
        if min(caps) < 0:
            raise ValueError(f"a cap is {min(caps)}; it is 0 (none) or more")
        if not 0 < share <= 1:
            raise ValueError(f"share is {share}; it lies above 0 and is at most 1")
        person = Limit(clicks_per_person or NO_CAP, looks_per_person or NO_CAP)
        network = Limit(clicks_per_network or NO_CAP, looks_per_network or NO_CAP, share)
        whole = Limit(NO_CAP, NO_CAP)
        self._limits = {
            "person": person,
            "network": network if share < 1 else whole,
            "steered": Limit(0, 0, share) if share < 1 else whole,
        }
        self._period_ms = period_ms
        self._kept = kept
        self._period = 0
        self._clicks: OrderedDict[Row, int] = OrderedDict()
        self._looks: OrderedDict[Row, int] = OrderedDict()
        self._items: dict[int, Sums] = {}
        self._lists = 0
        """Lists that were served, this period's and half of those before."""
        self._steered = 0
        """Those of them that were steered."""

    def __len__(self) -> int:
        """Rows of the tables of sources."""
        return len(self._clicks) + len(self._looks)

    @property
    def positions(self) -> Set[int]:
        """Of the items that anything was said of in this period."""
        return self._items.keys()

    def of(self, position: int) -> Sums:
        """What an item was credited with and refused."""
        return self._items.get(position, Sums())

    def turn(self, arrived: Milliseconds) -> None:
        """Begin anew where a period has ended."""
        period = arrived // self._period_ms
        if period != self._period:
            self._period = period
            self._clicks.clear()
            self._looks.clear()
            self._items.clear()
            self._lists //= 2
            self._steered //= 2

    def serve(self, *, steered: bool) -> None:
        """A list is served."""
        self._lists += 1
        self._steered += steered

    def reached(self, position: int, origin: Origin) -> str:
        """The cap that another verdict on this item would break: ``person``, …; or empty."""
        item = self._item(position)
        for kind, source in _sources(origin):
            row = source, position
            own = self._clicks.get(row, 0), self._looks.get(row, 0)
            if self._limits[kind].reached(*own, item) and not self._is_usual(kind):
                return kind
        return ""

    def credit(self, position: int, origin: Origin, *, clicked: bool) -> None:
        """Count a verdict that passed."""
        item = self._item(position)
        item.looks += 1
        item.clicks += clicked
        for _, source in _sources(origin):
            self._count(self._looks, (source, position))
            if clicked:
                self._count(self._clicks, (source, position))

    def withhold(self, position: int) -> None:
        """Count one that did not."""
        self._item(position).withheld += 1

    def forget(self, keys: frozenset[str]) -> None:
        """Drop the rows of an erased person. The sums that remain name nobody."""
        for table in (self._clicks, self._looks):
            for row in [row for row in table if row[0] in keys]:
                del table[row]

    def _is_usual(self, kind: str) -> bool:
        return kind == "steered" and 2 * self._steered > self._lists

    def _item(self, position: int) -> Sums:
        return self._items.setdefault(position, Sums())

    def _count(self, table: OrderedDict[Row, int], row: Row) -> None:
        table[row] = table.pop(row, 0) + 1
        if len(table) > self._kept:
            table.popitem(last=False)

    def state(self) -> State:
        """All that is known, for a dump."""
        clicks, looks = (
            [(source, position, number) for (source, position), number in table.items()]
            for table in (self._clicks, self._looks)
        )
        return State(self._period, clicks, looks, self._items, self._lists, self._steered)

    def restore(self, state: State) -> None:
        """Become what ``state`` described."""
        self._period, self._items = state.period, state.items
        self._lists, self._steered = state.lists, state.steered
        self._clicks = OrderedDict(((source, at), number) for source, at, number in state.clicks)
        self._looks = OrderedDict(((source, at), number) for source, at, number in state.looks)


class State(msgspec.Struct, array_like=True):
    """The tables as lists, in their order."""

    period: int
    clicks: list[tuple[str, int, int]]
    looks: list[tuple[str, int, int]]
    items: dict[int, Sums]
    lists: int
    steered: int


def _sources(origin: Origin) -> Iterator[tuple[str, str]]:
    """(kind of cap, key) of everybody whose contribution a verdict is."""
    if origin.person:
        yield "person", origin.person
    if origin.network:
        yield "network", origin.network
    if origin.steered:
        yield "steered", STEERED
