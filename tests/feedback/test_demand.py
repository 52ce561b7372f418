"""What of a browser's events counts as demand."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from equipoise.clock import DAY
from equipoise.feedback.caps import Caps
from equipoise.feedback.demand import Demand
from equipoise.feedback.provenance import stamped_event
from equipoise.state import Catalogue, Identities
from equipoise.testing.folds import START, Chain, Entry, check_fold, little_shop
from equipoise.types import Event, Kind, Line


class Shop:
    """Demand behind a catalogue; an event of items ``i0``, ``i1``, … at a time."""

    def __init__(self, *, views: int = 2, network: int = 4, share: float = 0.1) -> None:
        self.catalogue, self.identities = Catalogue(), Identities()
        caps = Caps(
            clicks_per_person=0,
            clicks_per_network=0,
            looks_per_person=views,
            looks_per_network=network,
            share=share,
        )
        self.demand = Demand(self.identities, self.catalogue, caps)
        self.seq = 0

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> Any:
        self.catalogue.apply(seq, arrived, kind, noun)
        self.identities.apply(seq, arrived, kind, noun)
        return self.demand.heard(arrived, kind, noun)

    def heard(
        self,
        *items: int,
        who: str = "a",
        network: str | None = "n",
        name: str = "view_item",
        after: int = 0,
    ) -> list[str]:
        """The items of it that count; ``network`` None: a server's event."""
        self.seq += 1
        event = Event(
            event_id=f"e{self.seq}",
            event=name,
            ts=START,
            anonymous_id=who,
            items=tuple(Line(item_id=f"i{item}") for item in items),
            context={} if network is None else stamped_event({}, network),
        )
        return [
            line.item_id for line in self.apply(self.seq, START + after, Kind.EVENT, event).items
        ]


def test_a_person_counts_so_often_an_item_and_period() -> None:
    """Views and carts together; the next item and the next period are others."""
    shop = Shop()
    counted = [shop.heard(0), shop.heard(0, name="add_to_cart"), shop.heard(0, 1), shop.heard(0)]

    assert counted == [["i0"], ["i0"], ["i1"], []]
    assert shop.demand.withheld == 2
    assert shop.heard(0, after=7 * DAY) == ["i0"]


def test_new_identities_of_one_network_do_not_add_up() -> None:
    """Four, and then a share of all."""
    shop = Shop()
    forged = sum(len(shop.heard(0, who=f"x{n}")) for n in range(50))
    genuine = sum(len(shop.heard(0, who=f"a{n}", network=f"n{n}")) for n in range(50))

    assert (forged, genuine) == (4, 50)


def test_what_is_not_a_browsers_or_no_demand_passes() -> None:
    """A server's events, impressions, searches and every other noun."""
    shop = Shop(views=1)

    assert [len(shop.heard(0, network=None)) for _ in range(5)] == [1] * 5
    assert [len(shop.heard(0, name="view_item_list")) for _ in range(5)] == [1] * 5
    assert shop.heard(name="search") == []
    assert shop.apply(99, START, Kind.ITEM_REMOVED, "i0") == "i0"
    assert shop.demand.withheld == 0


def test_an_erased_person_leaves_no_row() -> None:
    """Who was forgotten is found nowhere in it."""
    shop = Shop()
    shop.heard(0, who="canary")
    before = shop.demand.dump()["demand"].tobytes()
    shop.apply(8, START, Kind.USER_REMOVED, "u")
    kept = shop.demand.dump()["demand"].tobytes()
    shop.identities.link("u", "canary", START)
    shop.apply(9, START, Kind.USER_REMOVED, "u")

    assert b"canary" in before
    assert b"canary" in kept
    assert b"canary" not in shop.demand.dump()["demand"].tobytes()


class Fold(Chain):
    """A shop whose every event came from a browser."""

    def __init__(self) -> None:
        self.shop = Shop(views=1, network=3)
        super().__init__(self.shop.catalogue, self.shop.identities)

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        self.shop.apply(seq, arrived, kind, noun)

    def dump(self) -> Any:
        return {**super().dump(), **self.shop.demand.dump()}

    def load(self, arrays: Any) -> None:
        super().load({name: array for name, array in arrays.items() if name != "demand"})
        self.shop.demand.load(arrays)


def test_the_laws_of_a_fold() -> None:
    """Replay = live, and stopping anywhere changes nothing."""
    seen: list[int] = []
    records = [
        Entry(seq, arrived, kind, _stamped(noun, seq) if kind is Kind.EVENT else noun)
        for seq, arrived, kind, noun in little_shop(1)
    ]
    check_fold(Fold, records, ask=lambda fold: seen.append(fold.shop.demand.withheld))

    assert max(seen) > 10


def _stamped(event: Event, seq: int) -> Event:
    return replace(event, context=stamped_event(event.context, f"n{seq % 4}"))
