"""The filter language: what is admitted, and what is refused with a place and a way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.candidates.eligibility import FilterCache, check, mask
from equipoise.errors import InvalidInput
from equipoise.types import Item

DAY = 86_400_000
ITEMS: list[Item | None] = [
    Item(item_id="boot", categories=("Women/Shoes/Boots", "Sale"), brand="Acme", price=80.0,
         stock=3, tags=("winter", "sale"), group_id="g1", seller_id="s1", created_at=10 * DAY,
         attributes={"colour": "red", "size": [38, 39], "vegan": True}),
    Item(item_id="shoe", categories=("Men/Shoes",), brand="Zenith", price=20.0, stock=0,
         tags=("summer",), group_id="g1", created_at=20 * DAY,
         attributes={"colour": "blue", "size": 39, "vegan": 1}),
    Item(item_id="hat", categories=("Women",), price=20.0, attributes={"colour": "Red"}),
    Item(item_id="bare"),
    None,
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "admitted"),
    [
        ({}, "boot shoe hat bare unlisted-4"),
        ({"category": "Women"}, "boot hat"),
        ({"category": "Women/Shoes"}, "boot"),
        ({"category": "Wom"}, ""),
        ({"category": "Sale"}, "boot"),
        ({"category": ["Men", "Sale"]}, "boot shoe"),
        ({"category": {"not": "Women"}}, "shoe bare unlisted-4"),
        ({"brand": "Acme"}, "boot"),
        ({"brand": {"not": "Acme"}}, "shoe hat bare unlisted-4"),
        ({"brand": {"in": ["Acme", "Zenith"]}}, "boot shoe"),
        ({"seller_id": "s1"}, "boot"),
        ({"group_id": "g1"}, "boot shoe"),
        ({"price": 20}, "shoe hat"),
        ({"price": {"gt": 20}}, "boot"),
        ({"price": {"gte": 20, "lt": 80}}, "shoe hat"),
        ({"price": {"lte": 20}}, "shoe hat"),
        ({"price": {"not": 20}}, "boot bare unlisted-4"),
        ({"stock": 0}, "shoe"),
        ({"stock": {"gt": 0}}, "boot"),
        ({"tags": "sale"}, "boot"),
        ({"tags": ["summer", "winter"]}, "boot shoe"),
        ({"tags": {"not": "sale"}}, "shoe hat bare unlisted-4"),
        ({"item_id": ["hat", "bare", "nobody"]}, "hat bare"),
        ({"item_id": {"not": ["hat"]}}, "boot shoe bare unlisted-4"),
        ({"created_at": {"gt": "1970-01-15T00:00:00Z"}}, "shoe"),
        ({"created_at": {"lte": 10 * 86_400}}, "boot"),
        ({"created_at": {"lt": "1970-01-21"}}, "boot"),
        ({"attributes.colour": "red"}, "boot"),
        ({"attributes.colour": {"not": ["red", "Red"]}}, "shoe bare unlisted-4"),
        ({"attributes.size": 39}, "boot shoe"),
        ({"attributes.size": {"gt": 38, "lt": 40}}, "boot shoe"),
        ({"attributes.vegan": True}, "boot"),
        ({"attributes.vegan": 1}, "shoe"),
        ({"attributes.nothing": "x"}, ""),
        ({"brand": []}, ""),
        ({"any": []}, ""),
        ({"all": []}, "boot shoe hat bare unlisted-4"),
        ({"any": [{"tags": "sale"}, {"price": {"lt": 30}}]}, "boot shoe hat"),
        ({"all": [{"category": "Women"}, {"price": {"lt": 30}}]}, "hat"),
        ({"not": {"category": "Women"}}, "shoe bare unlisted-4"),
        ({"category": "Women", "not": {"any": [{"brand": "Acme"}]}}, "hat"),
    ],
)
def test_what_a_filter_admits(catalogue: Any, given: dict[str, Any], admitted: str) -> None:
    """Each form of the language, on items some of which lack the field."""
    shop = catalogue(ITEMS)

    found = [shop.ids[i] for i in np.flatnonzero(mask(given, shop))]

    assert " ".join(found) == admitted


@pytest.mark.parametrize("given", [{"tags": "sale"}, {"price": {"gt": 20}}, {"category": "Women"}])
def test_not_is_the_complement(catalogue: Any, given: dict[str, Any]) -> None:
    """Every item is admitted by a filter or by its negation, and by one only."""
    shop = catalogue(ITEMS)

    assert np.array_equal(mask({"not": given}, shop), ~mask(given, shop))
    assert np.array_equal(mask({"not": {"not": given}}, shop), mask(given, shop))


def test_fields_of_one_object_are_joined_by_and(catalogue: Any) -> None:
    """``{a, b}`` is ``{"all": [{a}, {b}]}``, and De Morgan holds."""
    shop = catalogue(ITEMS)
    a, b = {"category": "Women"}, {"price": {"lt": 30}}

    assert np.array_equal(mask({**a, **b}, shop), mask({"all": [a, b]}, shop))
    assert np.array_equal(
        mask({"not": {"any": [a, b]}}, shop), mask({"all": [{"not": a}, {"not": b}]}, shop)
    )


@pytest.mark.parametrize(
    ("given", "code", "pointer", "text"),
    [
        ({"colour": "red"}, "unknown_field", "/filter/colour", "'colour' is no field of an item;"
         " the fields are category, brand, seller_id, price, tags, item_id, group_id,"
         r" created_at, stock, attributes\.NAME, and any, all, not join filters"),
        ({"attributes.": 1}, "unknown_field", "/filter/attributes.", "is no field"),
        ({"a/b~c": 1}, "unknown_field", "/filter/a~1b~0c", "is no field"),
        (["brand"], "bad_filter", "/filter", r"\['brand'\] is no filter; an object"),
        ({"any": {"brand": "x"}}, "bad_filter", "/filter/any", "'any' takes a list of filters"),
        ({"any": [{"brand": "x"}, 5]}, "bad_filter", "/filter/any/1", "5 is no filter"),
        ({"not": []}, "bad_filter", "/filter/not", r"\[\] is no filter"),
        ({"price": "20"}, "bad_filter", "/filter/price", "price is compared with numbers; '20'"),
        ({"price": [1, True]}, "bad_filter", "/filter/price/1", "compared with numbers; True"),
        ({"price": {"gt": float("nan")}}, "bad_filter", "/filter/price/gt", "nan is none"),
        ({"price": {"ge": 20}}, "bad_filter", "/filter/price/ge", "'ge' is no comparison; they are"
         " gt, gte, lt, lte, not, in"),
        ({"price": {"gt": [20]}}, "bad_filter", "/filter/price/gt", "'gt' takes one value"),
        ({"price": {"in": 20}}, "bad_filter", "/filter/price/in", "'in' takes a list"),
        ({"brand": 7}, "bad_filter", "/filter/brand", "brand is text; 7 is none"),
        ({"brand": {"gt": "A"}}, "bad_filter", "/filter/brand/gt", "'gt' compares numbers; 'A'"),
        ({"attributes.size": None}, "bad_filter", "/filter/attributes.size", "None is no value"),
        ({"created_at": {"gt": "soon"}}, "bad_filter", "/filter/created_at/gt", "'soon' is no"),
        ({"created_at": True}, "bad_filter", "/filter/created_at", "True is no time"),
        ({"tags": "x" * 80, "price": "y" * 80}, "bad_filter", "/filter/price", "y…"),
    ],
)  # fmt: skip
def test_what_is_refused(given: Any, code: str, pointer: str, text: str) -> None:
    """A refusal names the place and what would be right there."""
    with pytest.raises(InvalidInput, match=text) as refusal:
        check(given)

    assert (refusal.value.code, refusal.value.pointer) == (code, pointer)


def test_depth_is_bounded() -> None:
    """A filter cannot be nested until the stack ends."""
    given: dict[str, Any] = {"brand": "Acme"}
    for _ in range(100):
        given = {"not": given}

    with pytest.raises(InvalidInput, match="nested deeper than 16"):
        check(given)


def test_the_pointer_starts_where_the_caller_says() -> None:
    """Boosts hold filters too; the pointer leads to the one that is wrong."""
    with pytest.raises(InvalidInput) as refusal:
        check({"x": 1}, "/boosts/0/filter")

    assert refusal.value.pointer == "/boosts/0/filter/x"


def test_changes_of_the_catalogue_are_seen(catalogue: Any) -> None:
    """A cache answers from memory until an item changes, appears or goes, and then anew."""
    shop, cache = catalogue(ITEMS), FilterCache(2)
    sale, women = {"tags": "sale"}, {"category": "Women"}
    first = cache.mask(sale, shop)
    assert cache.mask(sale, shop) is first

    shop.put(Item(item_id="boot", tags=("winter",)))
    shop.put(Item(item_id="new", tags=("sale",), categories=("Men", "Women/Hats")))
    assert np.flatnonzero(cache.mask(sale, shop)).tolist() == [5]
    assert np.flatnonzero(cache.mask(women, shop)).tolist() == [2, 5]

    shop.rows[5] = None
    shop.version += 1
    assert not cache.mask(sale, shop).any()
    assert not first.flags.writeable


def test_the_cache_is_bounded(catalogue: Any) -> None:
    """Filters that never repeat take no more room than ``size``; the newest stay."""
    shop, cache = catalogue(ITEMS), FilterCache(3)
    for price in range(10):
        kept = cache.mask({"price": price}, shop)

    assert len(cache) == 3
    assert cache.mask({"price": 9}, shop) is kept


def test_a_cache_that_is_passed_is_used(catalogue: Any) -> None:
    """Also when it is still empty."""
    shop, cache = catalogue(ITEMS), FilterCache()

    assert mask({"tags": "sale"}, shop, cache=cache) is mask({"tags": "sale"}, shop, cache=cache)
    assert len(cache) == 1


def test_cached_equals_fresh(catalogue: Any) -> None:
    """Columns that were carried over many changes give what columns read anew give."""
    shop, cache = catalogue(ITEMS), FilterCache()
    filters = [{"tags": "a"}, {"attributes.n": {"gt": 2}}, {"category": "C"}, {"brand": "b1"}]
    for n in range(30):
        shop.put(
            Item(item_id=f"i{n % 7}", tags=("a",) * (n % 3), brand=f"b{n % 2}",
                 categories=("D", "C")[n % 2 :], attributes={"n": [n % 5, n % 4]})
        )  # fmt: skip
        for given in filters:
            assert np.array_equal(cache.mask(given, shop), mask(given, shop)), (n, given)
