"""equipoise.intake.catalogue: what a valid item, coupon and shopper is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InvalidInput
from equipoise.intake.catalogue import patch_item, read_coupon, read_item, read_user
from equipoise.types import Consent, Coupon, Item, User

RAW: dict[str, Any] = {
    "item_id": "sku-1",
    "group_id": "g",
    "title": "Boots",
    "description": {"de": "Stiefel"},
    "categories": ["Women / Shoes/Boots"],
    "brand": "B",
    "seller_id": "s",
    "price": "129.00",
    "cost": 60,
    "currency": "eur",
    "stock": 3,
    "available_from": "2026-01-01T00:00:00Z",
    "available_until": "2027-01-01T00:00:00Z",
    "images": "a.jpg",
    "tags": ["new", "sale"],
    "attributes": {"colour": "red"},
    "embedding": [0.5, -1],
    "hidden": False,
    "created_at": 1_795_489_680,
    "season": "winter",
}
ITEM = Item(
    item_id="sku-1",
    group_id="g",
    title={"und": "Boots"},
    description={"de": "Stiefel"},
    categories=("Women/Shoes/Boots",),
    brand="B",
    seller_id="s",
    price=129.0,
    cost=60.0,
    currency="EUR",
    stock=3.0,
    available_from=1_767_225_600_000,
    available_until=1_798_761_600_000,
    images=("a.jpg",),
    tags=("new", "sale"),
    attributes={"colour": "red", "season": "winter"},
    embedding=(0.5, -1.0),
    created_at=1_795_489_680_000,
)


def test_an_item_is_read() -> None:
    """Every field, in our types; unknown ones in attributes."""
    assert read_item(RAW) == ITEM
    assert read_item({}, item_id="x") == Item(item_id="x")


def test_an_item_that_was_read_reads_the_same_again() -> None:
    """Its own JSON is a valid item, and means itself."""
    assert read_item(msgspec.to_builtins(ITEM)) == ITEM


@settings(derandomize=True, max_examples=60)
@given(names=st.sets(st.sampled_from(sorted(set(RAW) - {"item_id", "season"}))))
def test_a_patch_changes_what_it_names(names: set[str]) -> None:
    """Patching a bare item with some fields gives those fields; with null takes them back."""
    patch = {name: RAW[name] for name in names}
    patched = patch_item(Item(item_id="sku-1"), patch)

    assert patched == read_item({**patch, "item_id": "sku-1"})
    assert patch_item(patched, dict.fromkeys(names)) == Item(item_id="sku-1")
    assert patch_item(ITEM, {}) == ITEM


def test_a_patch_merges_texts_and_attributes() -> None:
    """By RFC 7396: another language is added, null takes one away, lists are replaced."""
    patch = {"title": {"de": "Stiefel", "und": None}, "attributes": {"colour": None}, "tags": ["x"]}
    patched = patch_item(ITEM, patch)

    assert patched.title == {"de": "Stiefel"}
    assert patched.attributes == {"season": "winter"}
    assert patched.tags == ("x",)
    assert patched.description == ITEM.description


@pytest.mark.parametrize(
    ("raw", "code", "pointer", "message"),
    [
        ({}, "required", "/item_id", "item_id is missing; an id is wanted"),
        ({"item_id": "a", "price": -1}, "range", "/price", "cannot be negative"),
        ({"item_id": "a", "hidden": 1}, "type", "/hidden", "true or false"),
        ({"item_id": "a", "categories": [" / "]}, "empty", "/categories/0", "has a name"),
        ({"item_id": "a", "embedding": [float("nan")]}, "range", "/embedding/0", "a number within"),
        (
            {"item_id": "a", "available_from": 20, "available_until": 10},
            "range",
            "/available_until",
            "later than the start",
        ),
        ([], "type", "", "a JSON object is wanted"),
    ],
)
def test_a_bad_item_is_refused(raw: Any, code: str, pointer: str, message: str) -> None:
    """With code, pointer and what would be right."""
    with pytest.raises(InvalidInput, match=message) as refused:
        read_item(raw)

    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_the_address_and_the_body_name_one_thing() -> None:
    """The body may repeat the id of the address but not contradict it; a patch changes no id."""
    assert read_item(RAW, item_id="sku-1") == ITEM
    with pytest.raises(InvalidInput, match="the address says 'sku-2'"):
        read_item(RAW, item_id="sku-2")
    with pytest.raises(InvalidInput, match="an id is not changed"):
        patch_item(ITEM, {"item_id": "other"})
    with pytest.raises(InvalidInput, match="later than the start"):
        patch_item(ITEM, {"available_until": 10})


COUPON = {"coupon_id": "NOV10", "kind": "percent", "discount": 10, "cap_per_user": 2}


def test_a_coupon_is_read() -> None:
    """Its limits in our types."""
    more = {"min_spend": "50", "valid_from": 1, "valid_until": 2, "applies_to": {"brand": "B"}}

    assert read_coupon({**COUPON, **more}, coupon_id="NOV10") == Coupon(
        coupon_id="NOV10",
        kind="percent",
        discount=10.0,
        cap_per_user=2,
        min_spend=50.0,
        valid_from=1_000,
        valid_until=2_000,
        applies_to={"brand": "B"},
    )


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        ({"kind": "half"}, "/kind", "the kinds are percent, amount, shipping"),
        ({"kind": None}, "/kind", "kind is missing; a coupon has a kind and a discount"),
        ({"discount": 101}, "/discount", "a percentage is at most 100"),
        ({"cap_per_usr": 1}, "/cap_per_usr", "the fields are coupon_id, kind"),
        ({"valid_from": 20, "valid_until": 20}, "/valid_until", "later than the start"),
    ],
)
def test_a_bad_coupon_is_refused(change: dict[str, Any], pointer: str, message: str) -> None:
    """A misspelt limit above all: it would cost money."""
    with pytest.raises(InvalidInput, match=message) as refused:
        read_coupon({**COUPON, **change})

    assert refused.value.pointer == pointer


def test_a_shopper_is_read() -> None:
    """With consent, and purposes we do not know kept."""
    raw = {"locale": "de", "segments": ["vip"], "consent": {"personalization": False, "ads": True}}

    assert read_user(raw, user_id="u") == User(
        user_id="u",
        locale="de",
        segments=("vip",),
        consent=Consent(personalization=False),
        attributes={"consent": {"ads": True}},
    )
