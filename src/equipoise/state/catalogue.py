"""What the shop sells: items by position, in arrays; coupons.

A position is given at the first mention in the log, by an event or by the shop, and never changes.
What an event mentions before the shop has described it has a position but is not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInput
from equipoise.state.columns import Columns
from equipoise.state.names import Names, Paths
from equipoise.state.packing import pack, unpack
from equipoise.types import Arrays, Bools, Coupon, Floats, Item, ItemId, Kind, Milliseconds

NEVER = np.iinfo(np.int64).max
KINDS = ("category", "seller", "brand", "group")
"""What has codes."""

_FIELDS: Mapping[str, tuple[Any, float | bool]] = {
    "price": (np.float64, np.nan),
    "stock": (np.float64, np.nan),
    "category": (np.int32, -1),
    "department": (np.int32, -1),
    "seller": (np.int32, -1),
    "brand": (np.int32, -1),
    "group": (np.int32, -1),
    "created": (np.int64, -1),
    "available_from": (np.int64, -NEVER),
    "available_until": (np.int64, NEVER),
    "listed": (np.bool_, False),
    "hidden": (np.bool_, False),
}


class Catalogue:
    """A ``Fold`` over items, coupons and whatever mentions an item.

    The arrays are views: read them, do not keep them, never write to them. Where an item has no
    value a code is -1, a price and a stock NaN, a time of creation -1.
    """

    def __init__(self) -> None:
        self.ids: list[ItemId] = []
        self.positions: dict[ItemId, int] = {}
        self.coupons: dict[str, Coupon] = {}
        self._items: list[Item | None] = []
        self._columns = Columns(_FIELDS)
        self._names: dict[str, Names] = {kind: Names() for kind in KINDS}
        self._paths = self._names["category"] = Paths()
        self._version = 0
        self._supply = 0
        self._available = _Available()

    # ------------------------------------------------------------ what is asked

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def version(self) -> int:
        """Rises with each change, a new position included."""
        return self._version

    @property
    def price(self) -> Floats:
        return self._columns["price"]

    @property
    def stock(self) -> Floats:
        """NaN: not tracked, always in stock."""
        return self._columns["stock"]

    @property
    def category(self) -> NDArray[np.int32]:
        """Code of the item's first category path, in full."""
        return self._columns["category"]

    @property
    def department(self) -> NDArray[np.int32]:
        """Code (kind ``category``) of the first level of that path."""
        return self._columns["department"]

    @property
    def seller(self) -> NDArray[np.int32]:
        return self._columns["seller"]

    @property
    def brand(self) -> NDArray[np.int32]:
        return self._columns["brand"]

    @property
    def group(self) -> NDArray[np.int32]:
        """Code of the ``group_id``: variants of one product share it."""
        return self._columns["group"]

    @property
    def created(self) -> NDArray[np.int64]:
        """Milliseconds: what the shop said, else when it first described the item."""
        return self._columns["created"]

    @property
    def listed(self) -> Bools:
        """Described by the shop and not removed since."""
        return self._columns["listed"]

    @property
    def parents(self) -> list[int]:
        """The code of the category one level up, by category code; -1 at the top."""
        return self._paths.parents

    def category_of(self, position: int) -> int:
        """One element of ``category``, quickly."""
        return int(self._columns.arrays["category"].item(position))

    def price_of(self, position: int) -> float:
        """One element of ``price``, quickly."""
        return float(self._columns.arrays["price"].item(position))

    def find(self, item_id: ItemId) -> int | None:
        """The item's position, None for one that the log never mentioned."""
        return self.positions.get(item_id)

    def item(self, position: int) -> Item | None:
        """What the shop said of it, embeddings and images included; None unless it is listed."""
        return self._items[position]

    def code(self, kind: str, name: str) -> int | None:
        """The code of a category path, seller, brand or group; None for one never seen."""
        return self._names[kind].find(name)

    def name(self, kind: str, code: int) -> str:
        return self._names[kind][code]

    def names(self, kind: str) -> Sequence[str]:
        """All names of a kind, by code."""
        return self._names[kind].all

    def available(self, now: Milliseconds) -> Bools:
        """(I,) read-only: listed, not hidden, in stock, within its dates. Kept until it changes."""
        if not self._available.holds(self._supply, len(self), now):
            self._available = _Available(self._columns, self._supply, now)
        return self._available.mask

    def items(
        self, after_id: ItemId | None = None, limit: int = 100, query: str = ""
    ) -> list[Item]:
        """A page of listed items in order of position, those whose id or title holds ``query``.

        Raises:
            InvalidInput: ``after_id`` is no item of this catalogue.
        """
        found: list[Item] = []
        wanted = query.casefold()
        for item in self._items[self._after(after_id) :]:
            if len(found) == limit:
                break
            if item is not None and _mentions(item, wanted):
                found.append(item)
        return found

    def _after(self, after_id: ItemId | None) -> int:
        if after_id is None:
            return 0
        position = self.find(after_id)
        if position is None:
            raise InvalidInput(
                f"the cursor names the item {after_id!r}, which this catalogue never had; "
                "go on from the last item of the page before",
                code="unknown_cursor",
                pointer="/cursor",
            )
        return position + 1

    # ------------------------------------------------------------ the fold

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        if kind is Kind.EVENT:
            for line in noun.items:
                if line.item_id not in self.positions:
                    self.position(line.item_id)
        elif kind is Kind.ITEM:
            self._describe(arrived, noun)
        elif kind is Kind.ITEM_REMOVED:
            self._remove(noun)
        elif kind is Kind.COUPON:
            self.coupons[noun.coupon_id] = noun
            self._version += 1
        elif kind is Kind.COUPON_REMOVED:
            self.coupons.pop(noun, None)
            self._version += 1

    def position(self, item_id: ItemId) -> int:
        """The item's position, a new one if it has none. For the fold; others ``find``."""
        position = self.positions.get(item_id)
        if position is None:
            position = self.positions[item_id] = len(self.ids)
            self.ids.append(item_id)
            self._items.append(None)
            self._columns.grow(len(self.ids))
            self._version += 1
        return position

    def _describe(self, arrived: int, item: Item) -> None:
        position = self.position(item.item_id)
        created = item.created_at
        if created is None:
            first = int(self._columns["created"][position])
            created = first if first >= 0 else arrived
        for name, value in self._row(item, created).items():
            self._columns[name][position] = value
        self._items[position] = item
        self._version += 1
        self._supply += 1

    def _row(self, item: Item, created: int) -> dict[str, Any]:
        category = self._paths.intern(item.categories[0]) if item.categories else -1
        return {
            "price": np.nan if item.price is None else item.price,
            "stock": np.nan if item.stock is None else item.stock,
            "category": category,
            "department": self._paths.top(category) if category >= 0 else -1,
            "seller": self._code("seller", item.seller_id),
            "brand": self._code("brand", item.brand),
            "group": self._code("group", item.group_id),
            "created": created,
            "available_from": -NEVER if item.available_from is None else item.available_from,
            "available_until": NEVER if item.available_until is None else item.available_until,
            "listed": True,
            "hidden": item.hidden,
        }

    def _code(self, kind: str, name: str | None) -> int:
        return -1 if name is None else self._names[kind].intern(name)

    def _remove(self, item_id: ItemId) -> None:
        position = self.find(item_id)
        if position is not None:
            # Price and category stay: histories still speak of the item.
            self._columns["listed"][position] = False
            self._items[position] = None
            self._version += 1
            self._supply += 1

    def dump(self) -> Arrays:
        tables = {f"names.{kind}": pack(list(names)) for kind, names in self._names.items()}
        return {
            **self._columns.dump(),
            **tables,
            "ids": pack(self.ids),
            "items": pack(self._items),
            "coupons": pack(list(self.coupons.values())),
            "version": np.array([self._version, self._supply], dtype=np.int64),
        }

    def load(self, arrays: Arrays) -> None:
        self._columns.load(arrays)
        for kind in KINDS:
            self._names[kind] = Names(unpack(arrays[f"names.{kind}"], list[str]))
        self._paths = self._names["category"] = Paths(self._names["category"])
        self.ids = unpack(arrays["ids"], list[str])
        self.positions = {item_id: position for position, item_id in enumerate(self.ids)}
        self._items = unpack(arrays["items"], list[Item | None])
        coupons = unpack(arrays["coupons"], list[Coupon])
        self.coupons = {coupon.coupon_id: coupon for coupon in coupons}
        self._version, self._supply = (int(one) for one in arrays["version"])
        self._available = _Available()


class _Available:
    """A mask with the span of time and the supply that it holds for."""

    def __init__(self, columns: Columns | None = None, supply: int = -1, now: int = 0) -> None:
        self.supply = supply
        self.since, self.until = -NEVER, NEVER
        self.mask: Bools = np.zeros(0, dtype=np.bool_)
        if columns is not None:
            self._compute(columns, now)
        self.mask.flags.writeable = False

    def holds(self, supply: int, length: int, now: int) -> bool:
        return self.supply == supply and len(self.mask) == length and self.since <= now < self.until

    def _compute(self, columns: Columns, now: int) -> None:
        start, end = columns["available_from"], columns["available_until"]
        in_stock = ~(columns["stock"] <= 0)
        self.mask = columns["listed"] & ~columns["hidden"] & in_stock & (start <= now) & (now < end)
        edges = np.concatenate([start, end])
        self.since = int(edges[edges <= now].max(initial=-NEVER))
        self.until = int(edges[edges > now].min(initial=NEVER))


def _mentions(item: Item, wanted: str) -> bool:
    return wanted in item.item_id.casefold() or any(
        wanted in title.casefold() for title in item.title.values()
    )
