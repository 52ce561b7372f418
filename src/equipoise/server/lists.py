"""Lists out. Whatever is asked, it is the same walk; only the query differs."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from msgspec import UNSET

from equipoise.clock import elapsed, rfc3339
from equipoise.engine import Engine
from equipoise.feedback.provenance import stamped_query
from equipoise.intake.queries import read_query
from equipoise.server import examples, requests, shapes
from equipoise.server.access import Caller, caller_of
from equipoise.server.addresses import id_of
from equipoise.server.answers import Answer, json
from equipoise.server.bodies import read_body, read_object
from equipoise.server.live import Live, live_of
from equipoise.server.openapi import Parameter, about, parameter
from equipoise.server.problems import Refused, not_found
from equipoise.types import Decision, PolicyUsed

Asked = Request[Any, Any, Any]
TRUE = frozenset({"1", "true", "yes"})
TRENDING = "trending"

WHO: tuple[Parameter, ...] = (
    parameter("user_id", "The shopper, by the shop's own id. Not with a pk_ key."),
    parameter("anonymous_id", "The visitor, by the tracker's id."),
    parameter("n", "Items wanted; default: the placement's.", "integer", minimum=1, maximum=100),
    parameter("explain", "true adds reasons[].", "boolean"),
    parameter("dry_run", "true stores nothing.", "boolean"),
)


@post(
    "/v1/recommendations",
    status_code=200,
    opt=about(
        tag="lists",
        summary="A list for a placement.",
        description=(
            "Filters and exclusions hold before the top n is taken. The decision is stored with "
            "all that explaining, replaying and re-evaluating it needs. A pk_ key may name an "
            "anonymous_id alone."
        ),
        body=(requests.ListIn,),
        body_example=examples.LIST_IN,
        answer=shapes.ListOut,
        answer_example=examples.LIST_OUT,
    ),
)
async def post_recommendations(request: Asked) -> ASGIApp:
    started = elapsed()
    live = live_of(request)
    raw = read_object(await read_body(request, live.max_body))
    return _answer(live, raw, caller_of(request), started)


@get(
    "/v1/recommendations",
    opt=about(
        tag="lists",
        summary="The same, for a query string.",
        answer=shapes.ListOut,
        answer_example=examples.LIST_OUT,
        parameters=(parameter("placement", "Where the list is shown.", required=True), *WHO),
    ),
)
async def get_recommendations(request: Asked) -> ASGIApp:
    started = elapsed()
    raw = _from_url(request, "placement")
    return _answer(live_of(request), raw, caller_of(request), started)


@get(
    "/v1/items/{item_id:str}/similar",
    opt=about(
        tag="lists",
        summary="A list beside an item: the product placement with this item as its seed.",
        answer=shapes.ListOut,
        answer_example=examples.LIST_OUT,
        parameters=(parameter("placement", "Default: product."), *WHO),
        problems=(404,),
    ),
)
async def get_similar(request: Asked) -> ASGIApp:
    item_id = id_of(request, "item_id")
    started = elapsed()
    live = live_of(request)
    if live.engine.knowledge.catalogue.find(item_id) is None:
        raise not_found("item", item_id)
    raw = {"placement": "product", **_from_url(request, "placement"), "item_ids": [item_id]}
    return _answer(live, raw, caller_of(request), started)


@get(
    "/v1/trending",
    opt=about(
        tag="lists",
        summary="What is in demand now: the trending placement.",
        answer=shapes.ListOut,
        answer_example=examples.LIST_OUT,
        parameters=(parameter("category", "Only this category path and what is below it."), *WHO),
    ),
)
async def get_trending(request: Asked) -> ASGIApp:
    started = elapsed()
    raw: dict[str, Any] = {"placement": TRENDING, **_from_url(request)}
    category = request.query_params.get("category")
    if category:
        raw["filter"] = {"category": category}
    return _answer(live_of(request), raw, caller_of(request), started)


def routes() -> list[HTTPRouteHandler]:
    return [post_recommendations, get_recommendations, get_similar, get_trending]


def _answer(live: Live, raw: dict[str, Any], caller: Caller, started: float) -> Answer:
    query = read_query(_with_length(live.engine, raw), now=live.engine.clock())
    if caller.browser and query.user_id is not None:
        raise Refused(
            403,
            "forbidden",
            "a pk_ key fetches lists for its own visitor: name anonymous_id, not user_id",
            pointer="/user_id",
        )
    if caller.browser:
        query = msgspec.structs.replace(query, context=stamped_query(query.context))
    decision = live.decide(query)
    return json(list_out(live, decision, started))


def list_out(live: Live, decision: Decision, started: float) -> shapes.ListOut:
    """A fresh decision as the caller sees it."""
    return shapes.ListOut(
        recommendation_id=decision.decision_id,
        placement=decision.query.placement,
        policy=policy_out(decision.policy),
        experiment=None,
        items=_items(live.engine, decision),
        fallback_level=decision.fallback_level,
        reason=decision.reason,
        feature_time=None if live.fresh is None else rfc3339(live.fresh),
        took_ms=round((elapsed() - started) * 1_000, 3),
    )


def policy_out(policy: PolicyUsed) -> shapes.PolicyOut:
    return shapes.PolicyOut(name=policy.name, version=policy.version, exploration_rate=policy.level)


def _items(engine: Engine, decision: Decision) -> list[shapes.ListItem]:
    query = decision.query
    return [
        shapes.ListItem(
            item_id=slot.item_id,
            rank=place + 1,
            score=slot.mean,
            propensity=slot.propensity,
            explored=slot.explored,
            source=slot.source,
            token=None if query.dry_run else engine.token(decision, place),
            reasons=engine.reasons(decision, place) if query.explain else UNSET,
        )
        for place, slot in enumerate(decision.slots)
    ]


def _with_length(engine: Engine, raw: dict[str, Any]) -> dict[str, Any]:
    """The placement says how long a list is, where the caller does not."""
    if raw.get("n") is not None:
        return raw
    name = raw.get("placement")
    placement = engine.settings.placements.get(name) if isinstance(name, str) else None
    return {**raw, "n": placement.n} if placement else raw


def _from_url(request: Asked, *names: str) -> dict[str, Any]:
    given = request.query_params
    raw: dict[str, Any] = {
        name: given[name] for name in (*names, "user_id", "anonymous_id", "n") if given.get(name)
    }
    for name in ("explain", "dry_run"):
        raw[name] = given.get(name, "").lower() in TRUE
    return raw
