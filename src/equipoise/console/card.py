"""An item as a template draws it."""

from __future__ import annotations

import hashlib
from math import isfinite
from typing import Any
from urllib.parse import quote

from equipoise.console.words import money
from equipoise.engine import Engine
from equipoise.settings import Shop
from equipoise.types import Item

SHAPES = 8
"""Drawings of ``parts.html``, by ``attributes.shape``."""
PLAIN = 7
"""Building blocks, for an item of which no shape is told: better none than a wrong one."""


def card(item: Item, shop: Shop) -> dict[str, Any]:
    """What a template needs of an item; its picture follows its attributes, its colour its id."""
    drawn = hashlib.blake2b((item.group_id or item.item_id).encode(), digest_size=4).digest()
    currency = item.currency or shop.currency
    return {
        "item_id": item.item_id,
        "href": address(item.item_id),
        "title": title(item, shop.default_language),
        "description": in_language(item.description, shop.default_language),
        "category": item.categories[0].replace("/", " · ") if item.categories else "",
        "price": item.price,
        "currency": currency,
        "money": "" if item.price is None else money(item.price, currency),
        "hue": _whole(item.attributes.get("hue"), drawn[0] * 256 + drawn[1]) % 360,
        "shape": _whole(item.attributes.get("shape"), PLAIN) % SHAPES,
        "facts": _facts(item),
    }


def named(engine: Engine, item_id: str) -> Item:
    """The item, or one of that id and nothing else where the catalogue has dropped it."""
    return engine.item(item_id) or Item(item_id=item_id)


def address(item_id: str) -> str:
    """The product page. Ids may hold ``..`` and ``//``: none of them is made part of a path."""
    return f"/shop/item?id={quote(item_id, safe='')}"


def title(item: Item, language: str) -> str:
    """In the shop's language where there is one, in any other else, or the id."""
    return in_language(item.title, language) or item.item_id


def in_language(texts: dict[str, str], language: str) -> str:
    """One of the texts, the wanted language before the unnamed and that before any other."""
    return texts.get(language) or texts.get("und") or next(iter(texts.values()), "")


def _facts(item: Item) -> list[tuple[str, str]]:
    facts = {
        "Brand": item.brand,
        "Seller": item.seller_id,
        "In stock": None if item.stock is None else f"{item.stock:,.6g}",
        "Tags": ", ".join(item.tags),
        "Item": item.item_id,
    }
    return [(name, value) for name, value in facts.items() if value]


def _whole(value: Any, otherwise: int) -> int:
    number = isinstance(value, int | float) and isfinite(value)
    return int(value) if number else otherwise
