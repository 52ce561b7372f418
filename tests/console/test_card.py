"""Items as they are drawn."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.console.card import SHAPES, address, card, named, title
from equipoise.engine import Engine
from equipoise.settings import Shop
from equipoise.types import Item

SHOP = Shop(currency="EUR", default_language="de")


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()))
@settings(derandomize=True, max_examples=100)
def test_any_id_has_an_address(item_id: str) -> None:
    """The query string gives the id back, whatever stands in it."""
    parts = urlsplit(address(item_id))

    assert parts.path == "/shop/item"
    assert parse_qs(parts.query, keep_blank_values=True)["id"] == [item_id]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"en": "Lamp", "de": "Leuchte"}, "Leuchte"),
        ({"en": "Lamp", "und": "LAMP"}, "LAMP"),
        ({"fr": "Lampe"}, "Lampe"),
        ({}, "sku-1"),
    ],
)
def test_title_in_the_language_of_the_shop(texts: dict[str, str], said: str) -> None:
    assert title(Item(item_id="sku-1", title=texts), "de") == said


@pytest.mark.parametrize(
    "attributes",
    [{}, {"hue": 725, "shape": 19}, {"hue": "red", "shape": None},
     {"hue": math.inf, "shape": 1e300}, {"hue": -40.5, "shape": -1}],
)  # fmt: skip
def test_every_item_has_a_drawing(attributes: dict[str, Any]) -> None:
    """Whatever the attributes say; without them the id decides, and always the same."""
    item = Item(item_id="sku-1", attributes=attributes)
    drawn = card(item, SHOP)

    assert 0 <= drawn["hue"] < 360
    assert 0 <= drawn["shape"] < SHAPES
    assert drawn == card(item, SHOP)


def test_money_is_of_the_item_or_of_the_shop() -> None:
    own = card(Item(item_id="a", price=1_234.5, currency="GBP"), SHOP)
    none = card(Item(item_id="a"), SHOP)

    assert own["money"] == "1,234.50 GBP"
    assert own["currency"] == "GBP"
    assert (none["money"], none["currency"]) == ("", "EUR")


def test_a_dropped_item_still_has_a_name(empty: Engine) -> None:
    """A decision may speak of what the catalogue no longer holds."""
    assert named(empty, "gone") == Item(item_id="gone")
