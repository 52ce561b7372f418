"""Shoppers: what the shop says of them, what their events say, consent, export."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, delete, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from equipoise.clock import rfc3339
from equipoise.codec import decode
from equipoise.engine import Engine
from equipoise.intake.catalogue import read_user
from equipoise.server import examples, requests, shapes
from equipoise.server.addresses import id_of
from equipoise.server.answers import json
from equipoise.server.bodies import read_body, read_object
from equipoise.server.live import live_of
from equipoise.server.openapi import about
from equipoise.server.problems import not_found
from equipoise.types import Consent, Kind, User

Asked = Request[Any, Any, Any]
NOT_ERASED = (
    "The shop's record of this shopper is removed and the profile is dropped. The events and "
    "decisions that name them stay on the log: this is no erasure."
)


@put(
    "/v1/users/{user_id:str}",
    opt=about(
        tag="shoppers",
        summary="Put a shopper's record; it replaces what was there.",
        body=(requests.UserIn,),
        body_example=examples.USER,
        answer=shapes.UserOut,
        answer_example=examples.USER_OUT,
        problems=(503,),
    ),
)
async def put_user(request: Asked) -> ASGIApp:
    user_id = id_of(request, "user_id")
    live = live_of(request)
    raw = read_object(await read_body(request, live.max_body))
    user = read_user(raw, user_id=user_id)
    async with live.turn([user_id]):
        await live.submit([live.engine.user_record(user)])
    return json(user)


@get(
    "/v1/users/{user_id:str}",
    opt=about(
        tag="shoppers",
        summary="What the shop said about a shopper.",
        answer=shapes.UserOut,
        answer_example=examples.USER_OUT,
        problems=(404,),
    ),
)
async def get_user(request: Asked) -> ASGIApp:
    user_id = id_of(request, "user_id")
    user = find_user(live_of(request).engine, user_id)
    if user is None:
        raise not_found("user", user_id)
    return json(user)


@delete(
    "/v1/users/{user_id:str}",
    status_code=200,
    opt=about(
        tag="shoppers",
        summary="Remove a shopper's record and profile. This is not yet erasure.",
        description=NOT_ERASED,
        answer=shapes.Removed,
        answer_example={"removed": "u-17", "erased": False, "detail": NOT_ERASED},
        problems=(503,),
    ),
)
async def delete_user(request: Asked) -> ASGIApp:
    user_id = id_of(request, "user_id")
    live = live_of(request)
    async with live.turn([user_id]):
        await live.submit([live.engine.user_removal(user_id)])
    return json(shapes.Removed(removed=user_id, erased=False, detail=NOT_ERASED))


@get(
    "/v1/users/{user_id:str}/profile",
    opt=about(
        tag="shoppers",
        summary="What the events say about a shopper.",
        answer=shapes.ProfileOut,
        answer_example=examples.PROFILE,
        problems=(404,),
    ),
)
async def get_profile(request: Asked) -> ASGIApp:
    user_id = id_of(request, "user_id")
    shoppers = live_of(request).engine.knowledge.shoppers
    profile = shoppers.profile(shoppers.identities.key(user_id, None))
    if not profile["events"] and find_user(live_of(request).engine, user_id) is None:
        raise not_found("user", user_id)
    return json(shapes.ProfileOut(user_id=user_id, profile=profile))


@get(
    "/v1/users/{user_id:str}/export",
    opt=about(
        tag="shoppers",
        summary="Everything that is held about a shopper.",
        description="Events and decisions of the devices linked to them included.",
        answer=shapes.Export,
        answer_example=examples.EXPORT,
    ),
)
async def get_export(request: Asked) -> ASGIApp:
    user_id = id_of(request, "user_id")
    held = live_of(request).engine.export(user_id)
    return json(
        shapes.Export(
            user=held["user"],
            events=[_dated(event) for event in held["events"]],
            profile=held["profile"],
            decisions=[
                {"recommendation_id": decision["decision_id"], **_dated(decision)}
                for decision in held["decisions"]
            ],
        )
    )


@put(
    "/v1/users/{user_id:str}/consent",
    opt=about(
        tag="shoppers",
        summary="What a shopper allows; what is not named stays as it was.",
        description="A refusal holds from the next list on, and for every event that follows.",
        body=(requests.ConsentShape,),
        body_example={"personalization": False},
        answer=shapes.UserOut,
        answer_example=examples.USER_OUT,
        problems=(503,),
    ),
)
async def put_consent(request: Asked) -> ASGIApp:
    user_id = id_of(request, "user_id")
    live = live_of(request)
    raw = read_object(await read_body(request, live.max_body))
    said = read_user({"consent": raw}, user_id=user_id).consent
    async with live.turn([user_id]):
        user = find_user(live.engine, user_id) or User(user_id=user_id)
        changed = msgspec.structs.replace(user, consent=_merged(user.consent, said))
        await live.submit([live.engine.user_record(changed)])
    return json(changed)


def find_user(engine: Engine, user_id: str) -> User | None:
    """The newest record of a shopper, None where there is none or it was removed since."""
    stored = engine.log.find(Kind.USER, user_id)
    removed = engine.log.find(Kind.USER_REMOVED, user_id)
    if stored is None or (removed is not None and removed.seq > stored.seq):
        return None
    user: User = decode(Kind.USER, user_id, stored.record.body)
    return user


def routes() -> list[HTTPRouteHandler]:
    return [put_user, get_user, delete_user, get_profile, get_export, put_consent]


def _merged(old: Consent | None, said: Consent | None) -> Consent:
    old, said = old or Consent(), said or Consent()
    return Consent(
        personalization=_newer(said.personalization, old.personalization),
        analytics=_newer(said.analytics, old.analytics),
    )


def _newer(said: bool | None, old: bool | None) -> bool | None:
    return old if said is None else said


def _dated(noun: dict[str, Any]) -> dict[str, Any]:
    return {**noun, "ts": rfc3339(noun["ts"])}
