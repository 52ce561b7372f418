"""Events in: one or a batch, by a server or by a browser's beacon; and the dead letters.

An answer of 2xx means: on disk, folded in, and known to the next list.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from msgspec import UNSET

from equipoise.clock import rfc3339
from equipoise.errors import InvalidInput
from equipoise.feedback.provenance import stamped_event
from equipoise.intake.canonical import Batch, read_events
from equipoise.server import examples, requests, shapes
from equipoise.server.access import Caller, caller_of
from equipoise.server.addresses import cursor, limit_of, position_of
from equipoise.server.answers import json
from equipoise.server.bodies import read_body, read_object
from equipoise.server.live import Live, live_of
from equipoise.server.openapi import about, parameter
from equipoise.server.problems import Refused
from equipoise.types import Event, Receipt, Rejected

PURCHASES = frozenset({"purchase", "refund"})
BY_BROWSER = " (pk_)"
"""Ends the source of a dead letter that came with a publishable key."""
REPLAYED_AT_ONCE = 500


@post(
    "/v1/events",
    status_code=200,
    opt=about(
        tag="events",
        summary="Take one event or a batch; what is accepted is durable.",
        description=(
            "A bad event never sinks the good ones beside it: it is kept as a dead letter, with "
            "its reason. 200 when at least one is durable, 4xx when none is. Purchases from a pk_ "
            "key are kept under `attributes.unverified` and are worth nothing."
        ),
        body=(requests.EventIn, requests.EventsIn),
        body_example=examples.EVENT,
        answer=shapes.EventsOut,
        answer_example=examples.EVENTS_OUT,
        problems=(503,),
    ),
)
async def post_events(request: Request[Any, Any, Any]) -> ASGIApp:
    live = live_of(request)
    body = await read_body(request, live.max_body)
    return json(
        await take(live, body, caller_of(request), source="events", client=_client(request))
    )


@post(
    "/v1/collect",
    status_code=204,
    opt=about(
        tag="events",
        summary="A browser's beacon: the same bodies as text/plain, no answer.",
        description=(
            "For `navigator.sendBeacon`: no preflight, no cookies, `*` without credentials. A "
            "beacon cannot set headers, so the pk_ key goes in `?key=`."
        ),
        body=(requests.EventIn, requests.EventsIn),
        body_example=examples.EVENT,
        body_media_type="text/plain",
        parameters=(parameter("key", "The pk_ key, where keys are in use."),),
        status=204,
        problems=(503,),
    ),
)
async def post_collect(request: Request[Any, Any, Any]) -> None:
    live = live_of(request)
    body = await read_body(request, live.max_body)
    await take(live, body, caller_of(request), source="collect", client=_client(request))


@get(
    "/v1/events/rejected",
    opt=about(
        tag="events",
        summary="The dead letters, oldest first.",
        answer=shapes.DeadLetters,
        answer_example=examples.DEAD_LETTERS,
        parameters=(
            parameter("cursor", "Where the page before ended."),
            parameter("limit", "Letters a page.", "integer", minimum=1, maximum=500, default=100),
        ),
    ),
)
async def get_rejected(request: Request[Any, Any, Any]) -> ASGIApp:
    live, limit = live_of(request), limit_of(request)
    letters = live.log.rejected(position_of(request), limit)
    after = cursor(letters[-1].rejected_id) if len(letters) == limit else None
    return json(shapes.DeadLetters(rejected=[*map(_letter, letters)], next_cursor=after))


@post(
    "/v1/events/rejected/replay",
    status_code=200,
    opt=about(
        tag="events",
        summary="Try dead letters again; those that pass now are dead no longer.",
        description=(
            "At most 500 a call: call again while `accepted` is not 0. An event without `ts` keeps "
            "the time of its first arrival. `index` is the place among the letters that were tried."
        ),
        body=(requests.RejectedIn,),
        body_example={"rejected_ids": [1]},
        body_required=False,
        answer=shapes.EventsOut,
        answer_example=examples.EVENTS_OUT,
        problems=(503,),
    ),
)
async def replay_rejected(request: Request[Any, Any, Any]) -> ASGIApp:
    live = live_of(request)
    body = await read_body(request, live.max_body)
    wanted = _wanted(read_object(body)) if body else None
    answer, batch, letters = _read_again(_chosen(live, wanted))
    receipts = await live.submit(live.engine.event_records(batch.events))
    await live.forget([letter.rejected_id for letter in letters])
    answer.duplicated = sum(receipt.duplicate for receipt in receipts)
    answer.accepted = len(receipts) - answer.duplicated
    return json(answer)


async def take(
    live: Live, body: bytes, caller: Caller, *, source: str, client: str = ""
) -> shapes.EventsOut:
    """The way of every event body; ``client`` is the address it came from.

    Raises:
        Refused: not one event of it was taken; the document lists why.
        InvalidInput: the body is no JSON object. LogError: nothing was stored.
    """
    doubted = caller.browser
    batch = read_events(body, now=live.engine.clock(), source=source + BY_BROWSER * doubted)
    network = live.network(client) if doubted else ""
    events = [_doubted(event, network) for event in batch.events] if doubted else batch.events
    receipts = await live.submit(live.engine.event_records(events)) if events else []
    await live.reject(batch.letters(live.engine.clock()))
    answer = _answer(batch, receipts)
    live.metrics.accepted.inc(answer.accepted)
    live.metrics.duplicated.inc(answer.duplicated)
    if batch.rejected and not receipts:
        raise _none_taken(answer)
    return answer


def routes() -> list[HTTPRouteHandler]:
    return [post_events, post_collect, get_rejected, replay_rejected]


def _doubted(event: Event, network: str) -> Event:
    """An event by a publishable key: anybody could have sent it. Its network goes with it.

    A purchase is kept but earns nothing. All of it that could teach moves into
    ``attributes.unverified``: the items (else forged orders would pass for demand), the value, and
    the order number (else the shop's own report of the same order would look like a repetition).
    """
    context = stamped_event(event.context, network)
    if event.event not in PURCHASES:
        return msgspec.structs.replace(event, context=context)
    claimed = {name: value for name, value in _claims(event).items() if value}
    return msgspec.structs.replace(
        event,
        items=(),
        value=None,
        transaction_id=None,
        recommendation_id=None,
        context=context,
        attributes={**event.attributes, "unverified": claimed},
    )


def _claims(event: Event) -> dict[str, Any]:
    return {
        "items": [msgspec.to_builtins(line) for line in event.items],
        "value": event.value,
        "transaction_id": event.transaction_id,
        "recommendation_id": event.recommendation_id,
    }


def _answer(batch: Batch, receipts: list[Receipt]) -> shapes.EventsOut:
    duplicated = sum(receipt.duplicate for receipt in receipts)
    return shapes.EventsOut(
        accepted=len(receipts) - duplicated,
        duplicated=duplicated,
        rejected=[
            shapes.Refusal(
                index=one.index,
                event_id=one.event_id,
                code=one.code,
                pointer=one.pointer,
                message=one.message,
            )
            for one in batch.rejected
        ],
        without_event_id=batch.made_ids or UNSET,
    )


def _none_taken(answer: shapes.EventsOut) -> Refused:
    first = answer.rejected[0]
    return Refused(
        413 if first.code == "too_large" else 400,
        first.code,
        first.message
        if len(answer.rejected) == 1
        else f"none of {len(answer.rejected)} events was taken; the first: {first.message}",
        pointer=first.pointer,
        extra=msgspec.to_builtins(answer),
    )


def _letter(letter: Rejected) -> shapes.DeadLetter:
    return shapes.DeadLetter(
        rejected_id=letter.rejected_id,
        event_id=letter.event_id,
        code=letter.code,
        pointer=letter.pointer,
        message=letter.message,
        arrived=rfc3339(letter.arrived),
        source=letter.source,
        body=letter.body.decode("utf-8", "backslashreplace"),
    )


def _wanted(raw: dict[str, Any]) -> set[int] | None:
    ids = raw.get("rejected_ids", [])
    if not isinstance(ids, list) or not all(type(one) is int for one in ids):
        raise InvalidInput(
            "rejected_ids is a list of whole numbers", code="type", pointer="/rejected_ids"
        )
    return set(ids) or None


def _chosen(live: Live, wanted: set[int] | None) -> list[Rejected]:
    first = min(wanted) - 1 if wanted else 0
    letters = live.log.rejected(first, REPLAYED_AT_ONCE)
    return [one for one in letters if wanted is None or one.rejected_id in wanted]


def _read_again(letters: list[Rejected]) -> tuple[shapes.EventsOut, Batch, list[Rejected]]:
    """An answer with what is refused again, the events that pass now, and the letters of those."""
    answer = shapes.EventsOut(accepted=0, duplicated=0, rejected=[])
    passed, theirs = Batch(), []
    for index, letter in enumerate(letters):
        try:
            passed.events.append(_once_more(letter))
            theirs.append(letter)
        except InvalidInput as error:
            answer.rejected.append(
                shapes.Refusal(
                    index=index,
                    event_id=letter.event_id,
                    code=error.code,
                    pointer=error.pointer,
                    message=error.message,
                )
            )
    return answer, passed, theirs


def _once_more(letter: Rejected) -> Event:
    batch = read_events(letter.body, now=letter.arrived, source=letter.source)
    for one in batch.rejected:
        raise InvalidInput(one.message, code=one.code, pointer=one.pointer)
    (event,) = batch.events
    # Whoever asks for the replay has not sent it: what a browser said stays what a browser said.
    return _doubted(event, "") if letter.source.endswith(BY_BROWSER) else event


def _client(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else ""
