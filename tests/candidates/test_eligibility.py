"""Eligibility: everything that may be shown, nothing that may not, before anything is ranked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.candidates.eligibility import FilterCache, eligible
from equipoise.errors import InvalidInput
from equipoise.types import Item

ITEMS: list[Item | None] = [
    Item(item_id="a", brand="x"),
    Item(item_id="b", brand="x", stock=0),
    Item(item_id="c", brand="x"),
    Item(item_id="d", brand="y"),
    Item(item_id="e", brand="x", hidden=True),
]


def ids(shop: Any, allowed: Any) -> str:
    return "".join(shop.ids[i] for i in np.flatnonzero(allowed))


@pytest.mark.parametrize(
    ("asked", "bought", "left"),
    [
        ({}, False, "acd"),
        ({"filter": {"brand": "x"}}, False, "ac"),
        ({"filter": {"brand": "y"}}, False, "d"),
        ({"exclude_item_ids": ("a", "stranger")}, False, "cd"),
        ({"item_ids": ("c", "stranger")}, False, "ad"),
        ({}, True, "ac"),
        ({"filter": {"brand": "x"}, "exclude_item_ids": ("a",), "item_ids": ("c",)}, True, ""),
    ],
)
def test_what_may_be_shown(
    catalogue: Any, shopper: Any, query: Any, asked: dict[str, Any], bought: bool, left: str
) -> None:
    """Available, admitted, not excluded, no seed, and only where wished not what was bought."""
    shop = catalogue(ITEMS)
    who = shopper(bought=np.array([3], np.int32))

    allowed = eligible(query(**asked), who, shop, 0, exclude_bought=bought, cache=FilterCache())

    assert ids(shop, allowed) == left


def test_the_catalogue_is_left_alone(catalogue: Any, shopper: Any, query: Any) -> None:
    """Excluding works on a copy: the next query finds all again."""
    shop, cache = catalogue(ITEMS), FilterCache()
    asked = query(filter={"brand": "x"}, exclude_item_ids=("a",))
    eligible(asked, shopper(), shop, 0, cache=cache)

    assert (
        ids(shop, eligible(query(filter={"brand": "x"}), shopper(), shop, 0, cache=cache)) == "ac"
    )
    assert ids(shop, eligible(query(), shopper(), shop, 0)) == "acd"


def test_a_wrong_filter_is_refused(catalogue: Any, shopper: Any, query: Any) -> None:
    """With the pointer of the request's own field."""
    with pytest.raises(InvalidInput, match="'colour' is no field") as refusal:
        eligible(query(filter={"colour": "red"}), shopper(), catalogue(ITEMS), 0)

    assert refusal.value.pointer == "/filter/colour"
