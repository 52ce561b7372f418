"""The catalogue: positions, arrays, what is available, pages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.state import Catalogue
from equipoise.types import Coupon, Event, Item, Kind, Line


def shop(*items: Item) -> Catalogue:
    catalogue = Catalogue()
    for seq, item in enumerate(items, 1):
        catalogue.apply(seq, 1_000 + seq, Kind.ITEM, item)
    return catalogue


def mention(catalogue: Catalogue, *item_ids: str) -> None:
    lines = tuple(Line(item_id=item_id) for item_id in item_ids)
    event = Event(event_id="e", event="view_item", ts=1, anonymous_id="a", items=lines)
    catalogue.apply(9, 9_000, Kind.EVENT, event)


def test_positions_follow_the_first_mention_and_never_change() -> None:
    """Events and descriptions give positions alike; what comes later keeps them."""
    catalogue = shop(Item(item_id="b"))
    mention(catalogue, "z", "b", "a")
    catalogue.apply(10, 10, Kind.ITEM, Item(item_id="a", price=3.0))
    catalogue.apply(11, 11, Kind.ITEM_REMOVED, "b")
    mention(catalogue, "b")

    assert catalogue.ids == ["b", "z", "a"]
    assert [catalogue.find(one) for one in ("b", "z", "a", "q")] == [0, 1, 2, None]
    assert len(catalogue) == 3


def test_what_an_event_mentions_is_not_listed_until_described() -> None:
    """A position is not a listing."""
    catalogue = Catalogue()
    mention(catalogue, "a")

    assert catalogue.item(0) is None
    assert catalogue.listed.tolist() == [False]
    assert catalogue.created.tolist() == [-1]
    assert np.isnan(catalogue.price).all()
    assert catalogue.category.tolist() == [-1]

    catalogue.apply(2, 5_000, Kind.ITEM, Item(item_id="a", price=2.5))

    assert catalogue.listed.tolist() == [True]
    assert catalogue.created.tolist() == [5_000]
    assert catalogue.price_of(0) == 2.5


def test_codes_and_names_are_inverse() -> None:
    """A code leads to its name and back; parents stand before their children."""
    catalogue = shop(
        Item(item_id="a", categories=("Women/Shoes/Boots", "Sale"), brand="Ara", seller_id="s"),
        Item(item_id="b", categories=("Women/Shoes",), group_id="g"),
        Item(item_id="c"),
    )
    boots = catalogue.code("category", "Women/Shoes/Boots")

    assert boots is not None
    assert catalogue.name("category", boots) == "Women/Shoes/Boots"
    assert catalogue.names("category") == ["Women", "Women/Shoes", "Women/Shoes/Boots"]
    assert catalogue.parents == [-1, 0, 1]
    assert catalogue.category.tolist() == [2, 1, -1]
    assert catalogue.category_of(1) == 1
    assert catalogue.department.tolist() == [0, 0, -1]
    assert catalogue.brand.tolist() == [0, -1, -1]
    assert catalogue.seller.tolist() == [0, -1, -1]
    assert catalogue.group.tolist() == [-1, 0, -1]
    assert catalogue.code("brand", "nobody") is None


def test_an_item_keeps_the_time_it_was_first_described() -> None:
    """Describing again does not make an item new; the shop's own word does."""
    catalogue = shop(Item(item_id="a"), Item(item_id="a", price=1.0))

    assert catalogue.created.tolist() == [1_001]

    catalogue.apply(3, 9_999, Kind.ITEM, Item(item_id="a", created_at=77))

    assert catalogue.created.tolist() == [77]


@pytest.mark.parametrize(
    ("fields", "open_"),
    [
        ({}, True),
        ({"stock": 0.0}, False),
        ({"stock": 0.5}, True),
        ({"hidden": True}, False),
        ({"available_from": 100}, True),
        ({"available_from": 101}, False),
        ({"available_until": 101}, True),
        ({"available_until": 100}, False),
    ],
)
def test_available_means_listed_shown_in_stock_and_in_season(
    fields: dict[str, Any], open_: bool
) -> None:
    """Each condition alone closes an item; from counts, until does not."""
    catalogue = shop(Item(item_id="a", **fields))

    assert catalogue.available(100).tolist() == [open_]


def test_a_removed_item_is_not_available() -> None:
    """Removal unlists, and a removal of what was never there changes nothing."""
    catalogue = shop(Item(item_id="a"))
    before = catalogue.version
    catalogue.apply(2, 2, Kind.ITEM_REMOVED, "never")

    assert catalogue.version == before

    catalogue.apply(3, 3, Kind.ITEM_REMOVED, "a")

    assert catalogue.available(1).tolist() == [False]
    assert catalogue.item(0) is None
    assert catalogue.version > before


def test_the_mask_is_kept_until_something_changes_or_a_date_passes() -> None:
    """The same read-only object while it holds, forwards and backwards in time; another after."""
    catalogue = shop(Item(item_id="a", available_from=100, available_until=200), Item(item_id="b"))
    inside = catalogue.available(150)

    assert catalogue.available(199) is inside
    assert catalogue.available(100) is inside
    assert not inside.flags.writeable
    assert catalogue.available(200).tolist() == [False, True]
    assert catalogue.available(99).tolist() == [False, True]
    assert catalogue.available(150).tolist() == [True, True]

    mention(catalogue, "c")

    assert catalogue.available(150).tolist() == [True, True, False]


def test_every_change_raises_the_version() -> None:
    """Items, new positions, coupons: nothing changes in silence."""
    catalogue = Catalogue()
    versions = [catalogue.version]
    coupon = Coupon(coupon_id="k", kind="percent", discount=5.0)
    mention(catalogue, "a")
    versions.append(catalogue.version)
    for kind, noun in (
        (Kind.ITEM, Item(item_id="a")),
        (Kind.COUPON, coupon),
        (Kind.COUPON_REMOVED, "k"),
        (Kind.ITEM_REMOVED, "a"),
    ):
        catalogue.apply(1, 1, kind, noun)
        versions.append(catalogue.version)

    assert versions == sorted(set(versions))


def test_coupons_are_kept_by_id() -> None:
    """The newest word on a coupon holds until it is removed."""
    catalogue = Catalogue()
    for discount in (5.0, 7.0):
        coupon = Coupon(coupon_id="k", kind="percent", discount=discount)
        catalogue.apply(1, 1, Kind.COUPON, coupon)

    assert catalogue.coupons == {"k": coupon}

    catalogue.apply(1, 1, Kind.COUPON_REMOVED, "k")

    assert catalogue.coupons == {}


def test_pages_cover_the_listed_items_once() -> None:
    """Going on from the last id of each page visits each listed item once, in order of position."""
    catalogue = shop(*(Item(item_id=f"i{n}") for n in range(10)))
    catalogue.apply(20, 20, Kind.ITEM_REMOVED, "i4")
    seen: list[str] = []
    while page := catalogue.items(seen[-1] if seen else None, limit=4):
        seen += [item.item_id for item in page]

    assert seen == [f"i{n}" for n in range(10) if n != 4]


def test_a_query_searches_ids_and_titles_in_any_case() -> None:
    """A title in any language, or the id, holds what was asked for."""
    catalogue = shop(
        Item(item_id="sku-1", title={"en": "Red Mug", "de": "Rote Tasse"}),
        Item(item_id="sku-2", title={"en": "Plate"}),
    )

    assert [item.item_id for item in catalogue.items(query="tASSE")] == ["sku-1"]
    assert [item.item_id for item in catalogue.items(query="SKU-2")] == ["sku-2"]
    assert catalogue.items(query="fork") == []


def test_an_unknown_cursor_is_refused() -> None:
    """A cursor that is no item is the caller's mistake, and said so."""
    with pytest.raises(InvalidInput, match="cursor names the item 'q', which this catalogue never"):
        Catalogue().items("q")


def test_many_items_grow_the_arrays() -> None:
    """Doubling keeps every value."""
    catalogue = shop(*(Item(item_id=f"i{n}", price=float(n)) for n in range(500)))

    assert catalogue.price.tolist() == [float(n) for n in range(500)]
