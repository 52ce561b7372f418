"""A small storefront: home, departments, product page. It asks for lists as any shop would."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from equipoise.console.asked import Asked, text_of, whole_of
from equipoise.console.card import card, named
from equipoise.console.render import page
from equipoise.console.service import Service
from equipoise.console.words import chance
from equipoise.engine import Engine
from equipoise.intake.queries import read_query
from equipoise.types import Decision, Query

LISTED_DEPARTMENTS = 8


def storefront(service: Service) -> list[HTTPRouteHandler]:
    """The handlers under ``/shop``."""

    @get("/shop", include_in_schema=False, sync_to_thread=False)
    def home(request: Asked) -> Response[str]:
        frame = _frame(service.engine, text_of(request, "department"))
        empty = not service.engine.knowledge.catalogue.listed.any()
        return page("shop_home.html", empty=empty, **frame)

    @get("/shop/item", include_in_schema=False, sync_to_thread=False)
    def product(request: Asked) -> Response[str]:
        frame, item = _frame(service.engine), service.engine.item(text_of(request, "id"))
        if item is None or item.hidden:
            return page("shop_missing.html", status=404, **frame)
        return page("shop_item.html", item=card(item, service.engine.settings.shop), **frame)

    @get("/shop/list", include_in_schema=False, sync_to_thread=False)
    def shelf(request: Asked) -> Response[str]:
        query = _query(request)
        decision = service.decide(query)
        return page(
            "shop_list.html",
            placement=query.placement,
            recommendation_id=decision.decision_id,
            reason=decision.reason,
            slots=_slots(service.engine, decision),
        )

    return [home, product, shelf]


def _query(request: Asked) -> Query:
    """The question that the API would be asked. Raises InvalidInput."""
    asked: dict[str, Any] = {
        "placement": text_of(request, "placement"),
        "anonymous_id": text_of(request, "anonymous_id"),
        "n": whole_of(request, "n", 12),
    }
    if item := text_of(request, "item"):
        asked["item_ids"] = [item]
    if department := text_of(request, "department"):
        asked["filter"] = {"category": department}
    return read_query(asked)


def _slots(engine: Engine, decision: Decision) -> list[dict[str, Any]]:
    return [
        {
            "item": card(named(engine, slot.item_id), engine.settings.shop),
            "token": engine.token(decision, index),
            "explored": slot.explored,
            "chance": chance(slot.propensity),
            "why": " · ".join(engine.reasons(decision, index)),
        }
        for index, slot in enumerate(decision.slots)
    ]


def _frame(engine: Engine, department: str = "") -> dict[str, Any]:
    return {
        "shop": engine.settings.shop.name,
        "language": engine.settings.shop.default_language,
        # By name: the order by number of items would change under the shopper's hand.
        "departments": sorted(engine.departments()[:LISTED_DEPARTMENTS]),
        "department": department,
    }
