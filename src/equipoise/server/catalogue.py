"""What the shop sells, and its coupons: put, patch, get, delete, a batch, a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from equipoise.clock import rfc3339
from equipoise.engine import Engine
from equipoise.errors import InvalidInput
from equipoise.intake.catalogue import patch_item, read_coupon, read_item
from equipoise.server import examples, requests, shapes
from equipoise.server.addresses import after_of, cursor, id_of, limit_of
from equipoise.server.answers import Answer, json
from equipoise.server.bodies import read_body, read_object
from equipoise.server.live import Live, live_of
from equipoise.server.openapi import Parameter, about, parameter
from equipoise.server.problems import Refused, not_found
from equipoise.types import Coupon, Record

Asked = Request[Any, Any, Any]
TIMES = ("available_from", "available_until", "created_at", "valid_from", "valid_until")
BATCH = 5_000
PAGING: tuple[Parameter, ...] = (
    parameter("q", "Only those whose id or title holds this."),
    parameter("cursor", "Where the page before ended."),
    parameter("limit", "Entries a page.", "integer", minimum=1, maximum=500, default=100),
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """One kind of noun that a shop keeps with us."""

    kind: str
    read: Callable[..., Any]
    patch: Callable[[Any, dict[str, Any]], Any]
    find: Callable[[Engine, str], Any | None]
    page: Callable[[Engine, str | None, int, str], list[Any]]
    record: Callable[[Engine, Any], Record]
    removal: Callable[[Engine, str], Record]

    @property
    def id_field(self) -> str:
        return f"{self.kind}_id"


def _patch_coupon(coupon: Coupon, raw: dict[str, Any]) -> Coupon:
    """A merge patch (RFC 7396) of the first level: null takes a field away."""
    merged = {**msgspec.to_builtins(coupon), **raw}
    kept = {name: value for name, value in merged.items() if value is not None}
    return read_coupon(kept, coupon_id=coupon.coupon_id)


def _coupons(engine: Engine, after: str | None, limit: int, query: str) -> list[Coupon]:
    wanted = query.casefold()
    names = sorted(name for name in engine.knowledge.catalogue.coupons if wanted in name.casefold())
    rest = names if after is None else [name for name in names if name > after]
    return [engine.knowledge.catalogue.coupons[name] for name in rest[:limit]]


ITEMS = Shelf(
    kind="item",
    read=read_item,
    patch=patch_item,
    find=lambda engine, item_id: engine.item(item_id),
    page=lambda engine, after, limit, q: engine.knowledge.catalogue.items(after, limit, q),
    record=lambda engine, item: engine.item_record(item),
    removal=lambda engine, item_id: engine.item_removal(item_id),
)
COUPONS = Shelf(
    kind="coupon",
    read=read_coupon,
    patch=_patch_coupon,
    find=lambda engine, coupon_id: engine.knowledge.catalogue.coupons.get(coupon_id),
    page=_coupons,
    record=lambda engine, coupon: engine.coupon_record(coupon),
    removal=lambda engine, coupon_id: engine.coupon_removal(coupon_id),
)


# ---------------------------------------------------------------- items


def _about(summary: str, noun: str, **more: Any) -> dict[str, Any]:
    shapes_of: dict[str, Any] = {
        "item": {"body": requests.ItemIn, "answer": shapes.ItemOut},
        "coupon": {"body": requests.CouponIn, "answer": shapes.CouponOut},
    }[noun]
    said = {"tag": "catalogue", "summary": summary, "answer": shapes_of["answer"]}
    said["answer_example"] = examples.OUT[noun]
    if more.pop("takes", False):
        said |= {"body": (shapes_of["body"],), "body_example": examples.IN[noun]}
    return about(**(said | more))


@put(
    "/v1/items/{item_id:str}",
    opt=_about("Put an item; it replaces what was there.", "item", takes=True, problems=(503,)),
)
async def put_item(request: Asked) -> ASGIApp:
    return await _put(request, ITEMS, id_of(request, "item_id"))


@patch(
    "/v1/items/{item_id:str}",
    opt=_about(
        "Change some fields of an item; null takes one away.",
        "item",
        takes=True,
        body_example=examples.PATCH["item"],
        problems=(404, 503),
    ),
)
async def patch_one_item(request: Asked) -> ASGIApp:
    return await _patch(request, ITEMS, id_of(request, "item_id"))


@get("/v1/items/{item_id:str}", opt=_about("An item as it is kept.", "item", problems=(404,)))
async def get_item(request: Asked) -> ASGIApp:
    return _get(request, ITEMS, id_of(request, "item_id"))


@delete(
    "/v1/items/{item_id:str}",
    status_code=204,
    opt=_about("Take an item off the shelves; histories still know it.", "item", status=204,
               answer=None, answer_example=None, problems=(404, 503)),
)  # fmt: skip
async def delete_item(request: Asked) -> None:
    await _delete(request, ITEMS, id_of(request, "item_id"))


@post(
    "/v1/items:batch",
    status_code=200,
    opt=_about("Put many items; a bad one never sinks the good.", "item", problems=(503,),
               body=(requests.ItemsIn,), body_example={"items": [examples.OUT["item"]]},
               answer=shapes.BatchOut, answer_example=examples.BATCH_OUT),
)  # fmt: skip
async def post_items(request: Asked) -> ASGIApp:
    return await _batch(request, ITEMS)


@get(
    "/v1/items",
    opt=_about("A page of items, in the order in which they were first seen.", "item",
               parameters=PAGING, answer=shapes.ItemsOut,
               answer_example={"items": [examples.OUT["item"]], "next_cursor": None}),
)  # fmt: skip
async def get_items(request: Asked) -> ASGIApp:
    return _page(request, ITEMS)


# ---------------------------------------------------------------- coupons


@put(
    "/v1/coupons/{coupon_id:str}",
    opt=_about("Put a coupon; it replaces what was there.", "coupon", takes=True, problems=(503,)),
)
async def put_coupon(request: Asked) -> ASGIApp:
    return await _put(request, COUPONS, id_of(request, "coupon_id"))


@patch(
    "/v1/coupons/{coupon_id:str}",
    opt=_about(
        "Change some fields of a coupon; null takes one away.",
        "coupon",
        takes=True,
        body_example=examples.PATCH["coupon"],
        problems=(404, 503),
    ),
)
async def patch_one_coupon(request: Asked) -> ASGIApp:
    return await _patch(request, COUPONS, id_of(request, "coupon_id"))


@get(
    "/v1/coupons/{coupon_id:str}", opt=_about("A coupon as it is kept.", "coupon", problems=(404,))
)
async def get_coupon(request: Asked) -> ASGIApp:
    return _get(request, COUPONS, id_of(request, "coupon_id"))


@delete(
    "/v1/coupons/{coupon_id:str}",
    status_code=204,
    opt=_about("Remove a coupon.", "coupon", status=204, answer=None, answer_example=None,
               problems=(404, 503)),
)  # fmt: skip
async def delete_coupon(request: Asked) -> None:
    await _delete(request, COUPONS, id_of(request, "coupon_id"))


@post(
    "/v1/coupons:batch",
    status_code=200,
    opt=_about("Put many coupons; a bad one never sinks the good.", "coupon", problems=(503,),
               body=(requests.CouponsIn,), body_example={"coupons": [examples.OUT["coupon"]]},
               answer=shapes.BatchOut, answer_example=examples.BATCH_OUT),
)  # fmt: skip
async def post_coupons(request: Asked) -> ASGIApp:
    return await _batch(request, COUPONS)


@get(
    "/v1/coupons",
    opt=_about("A page of coupons, by id.", "coupon", parameters=PAGING,
               answer=shapes.CouponsOut,
               answer_example={"coupons": [examples.OUT["coupon"]], "next_cursor": None}),
)  # fmt: skip
async def get_coupons(request: Asked) -> ASGIApp:
    return _page(request, COUPONS)


def routes() -> list[HTTPRouteHandler]:
    return [
        put_item,
        patch_one_item,
        get_item,
        delete_item,
        post_items,
        get_items,
        put_coupon,
        patch_one_coupon,
        get_coupon,
        delete_coupon,
        post_coupons,
        get_coupons,
    ]


# ---------------------------------------------------------------- the same for both


async def _put(request: Asked, shelf: Shelf, identifier: str) -> Answer:
    live = live_of(request)
    raw = read_object(await read_body(request, live.max_body))
    noun = shelf.read(raw, **{shelf.id_field: identifier})
    async with live.turn([identifier]):
        await live.submit([shelf.record(live.engine, noun)])
    return json(plain(noun))


async def _patch(request: Asked, shelf: Shelf, identifier: str) -> Answer:
    live = live_of(request)
    raw = read_object(await read_body(request, live.max_body))
    async with live.turn([identifier]):
        noun = shelf.patch(_found(live, shelf, identifier), raw)
        await live.submit([shelf.record(live.engine, noun)])
    return json(plain(noun))


def _get(request: Asked, shelf: Shelf, identifier: str) -> Answer:
    return json(plain(_found(live_of(request), shelf, identifier)))


async def _delete(request: Asked, shelf: Shelf, identifier: str) -> None:
    live = live_of(request)
    async with live.turn([identifier]):
        _found(live, shelf, identifier)
        await live.submit([shelf.removal(live.engine, identifier)])


async def _batch(request: Asked, shelf: Shelf) -> Answer:
    live = live_of(request)
    raws = _raws(read_object(await read_body(request, live.max_body)), f"{shelf.kind}s")
    nouns, refused = _sort(shelf, raws)
    async with live.turn([getattr(noun, shelf.id_field) for noun in nouns]):
        await live.submit([shelf.record(live.engine, noun) for noun in nouns])
    answer = shapes.BatchOut(accepted=len(nouns), rejected=refused)
    if refused and not nouns:
        raise _none_taken(answer)
    return json(answer)


def _page(request: Asked, shelf: Shelf) -> Answer:
    limit = limit_of(request)
    query = request.query_params.get("q", "")
    nouns = shelf.page(live_of(request).engine, after_of(request), limit, query)
    more = len(nouns) == limit
    return json(
        {
            f"{shelf.kind}s": [plain(noun) for noun in nouns],
            "next_cursor": cursor(getattr(nouns[-1], shelf.id_field)) if more else None,
        }
    )


def plain(noun: Any) -> dict[str, Any]:
    """A noun as the contract writes it: times as RFC 3339."""
    fields: dict[str, Any] = msgspec.to_builtins(noun)
    return fields | {name: rfc3339(fields[name]) for name in TIMES if name in fields}


def _found(live: Live, shelf: Shelf, identifier: str) -> Any:
    noun = shelf.find(live.engine, identifier)
    if noun is None:
        raise not_found(shelf.kind, identifier)
    return noun


def _raws(body: dict[str, Any], field: str) -> Sequence[Any]:
    raws = body.get(field)
    if not isinstance(raws, list):
        raise InvalidInput(f'the body is {{"{field}": [...]}}', code="type", pointer=f"/{field}")
    if len(raws) > BATCH:
        raise Refused(
            413, "batch_too_large", f"{len(raws)} {field}; at most {BATCH} are taken at once",
            pointer=f"/{field}",
        )  # fmt: skip
    return raws


def _sort(shelf: Shelf, raws: Sequence[Any]) -> tuple[list[Any], list[shapes.BatchRefusal]]:
    nouns, refused = [], []
    for index, raw in enumerate(raws):
        try:
            nouns.append(shelf.read(_object(raw)))
        except InvalidInput as error:
            refused.append(_refusal(shelf, index, raw, error))
    return nouns, refused


def _object(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise InvalidInput("a JSON object is wanted", code="type")
    return raw


def _refusal(shelf: Shelf, index: int, raw: Any, error: InvalidInput) -> shapes.BatchRefusal:
    named = raw.get(shelf.id_field) if isinstance(raw, dict) else None
    return shapes.BatchRefusal(
        index=index,
        id=named if isinstance(named, str) else None,
        code=error.code,
        pointer=error.pointer,
        message=error.message,
    )


def _none_taken(answer: shapes.BatchOut) -> Refused:
    first = answer.rejected[0]
    return Refused(
        400,
        first.code,
        f"none of {len(answer.rejected)} was taken; the first: {first.message}",
        pointer=first.pointer,
        extra=msgspec.to_builtins(answer),
    )
