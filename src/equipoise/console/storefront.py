"""A small storefront: home, departments, product page. It asks for lists as any shop would."""

from __future__ import annotations

import hashlib
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from equipoise.console.render import page
from equipoise.console.service import Service
from equipoise.engine import Engine
from equipoise.types import Decision, Item, Query

SHAPES = 6
LISTED_DEPARTMENTS = 8


def storefront(service: Service) -> list[HTTPRouteHandler]:
    """The handlers under ``/shop``."""

    @get("/shop", include_in_schema=False, sync_to_thread=False)
    def home() -> Response[str]:
        return page("shop_home.html", department="", **_frame(service.engine))

    @get("/shop/departments/{name:path}", include_in_schema=False, sync_to_thread=False)
    def department(name: str) -> Response[str]:
        return page("shop_home.html", department=name.lstrip("/"), **_frame(service.engine))

    @get("/shop/items/{item_id:path}", include_in_schema=False, sync_to_thread=False)
    def product(item_id: str) -> Response[str]:
        engine = service.engine
        found = engine.item(item_id.lstrip("/"))
        if found is None:
            return page("shop_missing.html", status=404, department="", **_frame(engine))
        return page(
            "shop_item.html",
            item=card(found, engine.settings.shop.currency, engine.settings.shop.default_language),
            currency=found.currency or engine.settings.shop.currency,
            department="",
            **_frame(engine),
        )

    @get("/shop/list", include_in_schema=False, sync_to_thread=False)
    def shelf(
        placement: str, anonymous_id: str, n: int, item: str = "", department: str = ""
    ) -> Response[str]:
        decision = service.decide(
            Query(
                placement=placement,
                anonymous_id=anonymous_id,
                n=n,
                item_ids=(item,) if item else (),
                filter={"category": department} if department else {},
            )
        )
        return page(
            "shop_list.html",
            placement=placement,
            recommendation_id=decision.decision_id,
            reason=decision.reason,
            slots=_slots(service.engine, decision),
        )

    return [home, department, product, shelf]


def card(item: Item, currency: str, language: str) -> dict[str, Any]:
    """What a template needs of an item; a picture is drawn from its attributes, or from its id."""
    drawn = hashlib.blake2b((item.group_id or item.item_id).encode(), digest_size=4).digest()
    price = "" if item.price is None else f"{item.price:,.2f} {item.currency or currency}"
    return {
        "item_id": item.item_id,
        "title": title(item, language),
        "category": item.categories[0].replace("/", " · ") if item.categories else "",
        "price": item.price,
        "money": price,
        "hue": _whole(item.attributes.get("hue"), drawn[0] * 256 + drawn[1]) % 360,
        "shape": _whole(item.attributes.get("shape"), drawn[2]) % SHAPES,
        "facts": _facts(item),
    }


def title(item: Item, language: str) -> str:
    """In the shop's language where there is one, in any other else, or the id."""
    texts = item.title
    return texts.get(language) or texts.get("und") or next(iter(texts.values()), item.item_id)


def _facts(item: Item) -> list[tuple[str, str]]:
    facts = {
        "Brand": item.brand,
        "Seller": item.seller_id,
        "In stock": None if item.stock is None else f"{item.stock:g}",
        "Tags": ", ".join(item.tags),
        "Item": item.item_id,
    }
    return [(name, value) for name, value in facts.items() if value]


def _whole(value: Any, otherwise: int) -> int:
    return int(value) if isinstance(value, int | float) else otherwise


def _slots(engine: Engine, decision: Decision) -> list[dict[str, Any]]:
    shop = engine.settings.shop
    return [
        {
            "item": card(
                engine.item(slot.item_id) or Item(item_id=slot.item_id),
                shop.currency,
                shop.default_language,
            ),
            "token": engine.token(decision, index),
            "explored": slot.explored,
            "chance": f"{100 * slot.propensity:.0f} %",
            "why": " ".join(engine.reasons(decision, index)),
        }
        for index, slot in enumerate(decision.slots)
    ]


def _frame(engine: Engine) -> dict[str, Any]:
    return {
        "shop": engine.settings.shop.name,
        "language": engine.settings.shop.default_language,
        "departments": engine.departments()[:LISTED_DEPARTMENTS],
    }
