"""Which items may be shown at all: decided before anything is ranked, so that no list runs short.

Stock, dates and hiding are the catalogue's ``available``; the filter is the caller's.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from equipoise.candidates.columns import ItemColumns
from equipoise.candidates.filters import parse
from equipoise.candidates.shop import Catalogue
from equipoise.types import Bools, Milliseconds, Query, Shopper


class FilterCache:
    """Masks of the filters in use, until the catalogue changes; at most ``size``, a byte an item.

    Also keeps the columns that filters over tags and attributes read. One cache serves one
    catalogue.
    """

    def __init__(self, size: int = 64) -> None:
        self._size = size
        self._version = -1
        self._masks: OrderedDict[bytes, Bools] = OrderedDict()
        self._columns: ItemColumns | None = None

    def __len__(self) -> int:
        return len(self._masks)

    def mask(self, given: dict[str, Any], catalogue: Catalogue, pointer: str = "/filter") -> Bools:
        """(I,) read-only: what the filter admits. Raises InvalidInput as ``check`` does."""
        self._renew(catalogue)
        key = msgspec.json.encode(given)
        mask = self._masks.get(key)
        if mask is None:
            mask = self._masks[key] = _mask(given, self._columns_of(catalogue), pointer)
            if len(self._masks) > self._size:
                self._masks.popitem(last=False)
        self._masks.move_to_end(key)
        return mask

    def _renew(self, catalogue: Catalogue) -> None:
        if self._version != catalogue.version:
            self._version = catalogue.version
            self._masks.clear()

    def _columns_of(self, catalogue: Catalogue) -> ItemColumns:
        if self._columns is None:
            self._columns = ItemColumns(catalogue)
        return self._columns


def check(given: Any, pointer: str = "/filter") -> None:
    """Refuse a filter that cannot be, before there is a catalogue to hold it against.

    Raises:
        InvalidInput: ``unknown_field`` names the fields, ``bad_filter`` says what would be right;
            ``pointer`` leads to the place.
    """
    parse(given, pointer)


def mask(
    given: dict[str, Any],
    catalogue: Catalogue,
    *,
    cache: FilterCache | None = None,
    pointer: str = "/filter",
) -> Bools:
    """(I,) read-only: the items that a filter admits, listed or not.

    Raises InvalidInput as ``check`` does. Without a ``cache`` everything is read afresh.
    """
    # An empty cache is falsy, so ``or`` would pass it over.
    kept = FilterCache(1) if cache is None else cache
    return kept.mask(given, catalogue, pointer)


def eligible(
    query: Query,
    shopper: Shopper,
    catalogue: Catalogue,
    now: Milliseconds,
    *,
    exclude_bought: bool = False,
    cache: FilterCache | None = None,
) -> Bools:
    """(I,) available, admitted by the filter, not excluded, no seed; if so wished not bought yet.

    Read it, do not write to it: it may be the catalogue's own. Raises InvalidInput for the filter.
    """
    allowed = catalogue.available(now)
    if query.filter:
        allowed = allowed & mask(query.filter, catalogue, cache=cache)
    named = [catalogue.find(item_id) for item_id in (*query.exclude_item_ids, *query.item_ids)]
    closed = [position for position in named if position is not None]
    if exclude_bought:
        closed += shopper.bought.tolist()
    if closed:
        allowed = allowed.copy()
        allowed[closed] = False
    return allowed


def _mask(given: dict[str, Any], columns: ItemColumns, pointer: str) -> Bools:
    mask = parse(given, pointer)(columns)
    mask.flags.writeable = False
    return mask
