"""The catalogue as filters read it: its arrays, and columns for what no array holds.

Tags, attributes and further category paths lie in the items themselves. They are read once, and
again for what changed. A filter over them therefore costs some 50 ms a 100,000 items the first time
and about ten after each change of the catalogue; one over arrays less than one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from equipoise.candidates.filters import Condition, Value
from equipoise.candidates.shop import Catalogue
from equipoise.types import Bools, Floats, Item

CODED = {"brand": "brand", "seller_id": "seller", "group_id": "group"}
"""Fields that the catalogue keeps as codes, with its name for them."""


class ItemColumns:
    """``filters.Columns`` over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._version = -1
        self._items: list[Item | None] = []
        self._read: dict[str, _Column] = {}

    def __len__(self) -> int:
        return len(self._catalogue)

    def numbers(self, field: str) -> Floats:
        if field == "created_at":
            created = self._catalogue.created
            return np.where(created < 0, np.nan, created.astype(np.float64))
        return self._catalogue.price if field == "price" else self._catalogue.stock

    def where(self, field: str, condition: Condition) -> Bools:
        if field == "item_id":
            return self._named(condition.wanted)
        admits = condition.admits()
        if field in CODED:
            return self._coded(CODED[field], admits)
        if field == "category":
            return self._coded("category", admits) | self._column(field).where(admits)
        return self._column(field).where(admits)

    def _named(self, ids: tuple[Value, ...]) -> Bools:
        mask = np.zeros(len(self), np.bool_)
        found = [self._catalogue.find(str(item_id)) for item_id in ids]
        mask[[position for position in found if position is not None]] = True
        return mask

    def _coded(self, kind: str, admits: Callable[[Value], bool]) -> Bools:
        names = self._catalogue.names(kind)
        verdicts = np.fromiter(map(admits, [*names, ""]), np.bool_, len(names) + 1)
        # Code -1, an item without one, reads the last verdict.
        verdicts[-1] = False
        codes: NDArray[np.int32] = getattr(self._catalogue, kind)
        mask: Bools = verdicts[codes]
        return mask

    def _column(self, field: str) -> _Column:
        self._refresh()
        column = self._read.get(field)
        if column is None:
            column = self._read[field] = _Column(field)
            column.take(self._items, range(len(self._items)))
        return column

    def _refresh(self) -> None:
        if self._version == self._catalogue.version:
            return
        self._version = self._catalogue.version
        now = list(map(self._catalogue.item, range(len(self))))
        before = self._items + [None] * (len(now) - len(self._items))
        other = np.fromiter(map(operator.is_not, now, before), np.bool_, len(now))
        changed = np.flatnonzero(other).tolist()
        self._items = now
        for column in self._read.values():
            column.take(now, changed)


class _Column:
    """The values of one field: codes by position, several or none an item."""

    def __init__(self, field: str) -> None:
        self._field = field
        self._codes: dict[tuple[type, Value], int] = {}
        self._rows: list[tuple[int, ...]] = []
        self._flat = (np.empty(0, np.int64), np.empty(0, np.int64))

    def take(self, items: Sequence[Item | None], changed: Sequence[int]) -> None:
        self._rows += [()] * (len(items) - len(self._rows))
        if sum([self._put(position, items[position]) for position in changed]):
            self._flatten()

    def _put(self, position: int, item: Item | None) -> bool:
        """Whether the item says something else than before."""
        row = () if item is None else tuple(self._coded(item))
        other = row != self._rows[position]
        self._rows[position] = row
        return other

    def _flatten(self) -> None:
        lengths = np.fromiter(map(len, self._rows), np.int64, len(self._rows))
        codes = np.fromiter(chain.from_iterable(self._rows), np.int64, int(lengths.sum()))
        self._flat = (np.repeat(np.arange(len(lengths)), lengths), codes)

    def where(self, admits: Callable[[Value], bool]) -> Bools:
        positions, codes = self._flat
        verdicts = np.fromiter((admits(value) for _, value in self._codes), np.bool_)
        mask = np.zeros(len(self._rows), np.bool_)
        mask[positions[verdicts[codes]]] = True
        return mask

    def _coded(self, item: Item) -> Iterator[int]:
        for value in _values(self._field, item):
            # By type too: True and 1 are equal and have one hash.
            yield self._codes.setdefault((type(value), value), len(self._codes))


def _values(field: str, item: Item) -> tuple[Value, ...]:
    """What an item says of a field that no array holds."""
    if field == "category":
        return item.categories[1:]
    if field == "tags":
        return item.tags
    said = item.attributes.get(field.removeprefix("attributes."))
    several = said if isinstance(said, list) else [said]
    return tuple(one for one in several if isinstance(one, str | bool | int | float))
