"""What a valid event is. A refusal has a code and a pointer, and never sinks the good beside it.

Two ways in that agree: plain events are decoded straight into a typed struct (``quick``); whatever
that does not take is read field by field here, which alone decides what is refused, and says why.
"""

from __future__ import annotations

import difflib
import json
import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from equipoise.errors import InvalidInput
from equipoise.intake import fields, quick
from equipoise.randomness import fresh_id
from equipoise.types import Event, Line, Milliseconds, Rejected

EVENT_BYTES = 32_768
BODY_BYTES = 512_000
BODY_EVENTS = 500


class Known(NamedTuple):
    """An event that we know by name."""

    name: str
    needs_items: bool


EVENTS: tuple[Known, ...] = (
    Known("view_item_list", True),
    Known("select_item", True),
    Known("view_item", True),
    Known("view_portion", True),
    Known("search", False),
    Known("view_search_results", False),
    Known("add_to_cart", True),
    Known("remove_from_cart", True),
    Known("view_cart", False),
    Known("begin_checkout", False),
    Known("add_shipping_info", False),
    Known("add_payment_info", False),
    Known("purchase", True),
    Known("refund", False),
    Known("add_to_wishlist", True),
    Known("view_promotion", False),
    Known("select_promotion", False),
    Known("coupon_offered", False),
    Known("coupon_redeemed", False),
    Known("review", True),
    Known("share", True),
    Known("dislike", True),
    Known("follow", False),
    Known("unfollow", False),
    Known("identify", False),
)
NEEDS_ITEMS: dict[str, bool] = dict(EVENTS)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not taken, and why."""

    index: int
    """Place in the body, from 0."""
    event_id: str | None
    code: str
    pointer: str
    """From the event on: ``/items/0/item_id``."""
    message: str
    body: bytes

    def letter(self, arrived: Milliseconds, source: str = "") -> Rejected:
        """The dead letter that the log keeps."""
        return Rejected(
            code=self.code,
            pointer=self.pointer,
            message=self.message,
            body=self.body,
            arrived=arrived,
            source=source,
            event_id=self.event_id,
        )


@dataclass(slots=True)
class Batch:
    """What a body held."""

    events: list[Event] = field(default_factory=list)
    rejected: list[Refusal] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    """Place in the body of each of ``events``."""
    made_ids: list[int] = field(default_factory=list)
    """Places in the body of events without an id of their own: a repetition cannot be told."""
    source: str = ""

    def letters(self, arrived: Milliseconds) -> list[Rejected]:
        """The dead letters of all that was refused."""
        return [refusal.letter(arrived, self.source) for refusal in self.rejected]


class _Envelope(msgspec.Struct):
    events: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def read_events(body: bytes, *, now: Milliseconds, source: str = "") -> Batch:
    """One event or ``{"events": [...]}``; other fields beside ``events`` are the sender's own.

    InvalidInput, and nothing is taken, only if the body is no JSON object, holds more than 512,000
    bytes or 500 events, or is nested so deeply that it cannot be read.
    """
    if len(body) > BODY_BYTES:
        raise InvalidInput(
            f"the body has {len(body)} bytes; at most {BODY_BYTES} are taken", code="too_large"
        )
    try:
        events = _ENVELOPE.decode(body).events
    except msgspec.ValidationError as error:
        raise _no_events(error) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return read_all(_leniently(body), now=now, source=source)
    if isinstance(events, msgspec.UnsetType):
        events = [msgspec.Raw(body)]
    _check_number(len(events))
    batch = Batch(source=source)
    for index, raw in enumerate(events):
        _take(batch, index, raw, now)
    return batch


def read_all(raws: list[Any], *, now: Milliseconds, source: str = "") -> Batch:
    """As ``read_events``, from events that are decoded already: a vendor's, translated."""
    _check_number(len(raws))
    batch = Batch(source=source)
    for index, raw in enumerate(raws):
        body = json.dumps(raw, separators=(",", ":")).encode()
        try:
            _check_size(len(body))
            _keep(batch, index, read_event(raw, now=now), _has_id(raw))
        except InvalidInput as error:
            batch.rejected.append(_refusal(index, raw, body, error))
    return batch


def read_event(raw: dict[str, Any], *, now: Milliseconds) -> Event:
    """One event, read field by field. InvalidInput says what is wrong with it.

    ``ts`` defaults to ``now``, a missing ``event_id`` is made.
    """
    known = fields.read(fields.purposes_apart(raw), _EVENT, "")
    _check_event(known)
    known.setdefault("event_id", None)
    return Event(
        event_id=known.pop("event_id") or fresh_id("e", now), ts=known.pop("ts", now), **known
    )


def record_ids(event: Event) -> tuple[str, ...]:
    """The ids by which the log knows an event again: a purchase also by its transaction."""
    if event.event == "purchase" and event.transaction_id:
        return (f"event:{event.event_id}", f"purchase:{event.transaction_id}")
    return (f"event:{event.event_id}",)


# ---------------------------------------------------------------- the careful way


def _line(value: Any, pointer: str) -> Line:
    known = fields.read(value, _LINE, pointer, depth=3)
    fields.required(known, "item_id", pointer, "each line names its item")
    return Line(**known)


def _event_name(value: Any, pointer: str) -> str:
    name = fields.text(value, pointer)
    if name not in NEEDS_ITEMS:
        near = difflib.get_close_matches(name[: fields.ID_LENGTH], NEEDS_ITEMS, n=1)
        wanted = f"did you mean {near[0]}?" if near else "the names are GA4's, such as view_item"
        fields.refuse(value, wanted, code="unknown_event", pointer=pointer)
    return name


_LINE: fields.Table = {
    "item_id": fields.identity,
    "quantity": fields.positive,
    "price": fields.amount,
    "index": fields.count,
    "token": fields.text,
    # A slot is believed on a signed token alone.
    "impression": None,
    "attributes": lambda value, pointer: fields.free(fields.mapping(value, pointer), pointer, 4),
}
_EVENT: fields.Table = {
    "event_id": fields.identity,
    "event": _event_name,
    "ts": fields.read_time,
    "user_id": fields.identity,
    "anonymous_id": fields.identity,
    "session_id": fields.identity,
    "items": fields.many(_line, BODY_EVENTS),
    "search_term": fields.text,
    "recommendation_id": fields.identity,
    "transaction_id": fields.identity,
    "currency": fields.currency,
    "value": fields.number,
    "coupon": fields.text,
    "consent": fields.consent,
    "context": fields.free_mapping,
    "attributes": fields.free_mapping,
}


def _check_event(known: dict[str, Any]) -> None:
    fields.required(known, "event", "", "each event has a name")
    if not (known.get("user_id") or known.get("anonymous_id")):
        raise InvalidInput(
            "user_id and anonymous_id are missing; one of them is wanted",
            code="required",
            pointer="/user_id",
        )
    if NEEDS_ITEMS[known["event"]]:
        fields.required(known, "items", "", f"{known['event']} speaks of at least one item")


# ---------------------------------------------------------------- bodies


def _take(batch: Batch, index: int, raw: msgspec.Raw, now: Milliseconds) -> None:
    plain = quick.read(raw, now, NEEDS_ITEMS) if len(memoryview(raw)) <= EVENT_BYTES else None
    if plain is not None:
        _keep(batch, index, *plain)
        return
    body = bytes(raw)
    decoded: Any = None
    try:
        _check_size(len(body))
        decoded = _decoded(body)
        _keep(batch, index, read_event(decoded, now=now), _has_id(decoded))
    except InvalidInput as error:
        batch.rejected.append(_refusal(index, decoded, body, error))


def _keep(batch: Batch, index: int, event: Event, has_id: bool) -> None:
    batch.events.append(event)
    batch.indexes.append(index)
    if not has_id:
        batch.made_ids.append(index)


def _has_id(raw: Any) -> bool:
    return raw.get("event_id") is not None


def _leniently(body: bytes) -> list[Any]:
    """The events of a body that strict JSON does not take, so that the good ones are not lost with
    a NaN, a lone surrogate or a bad byte beside them."""
    decoded = _decoded(body)
    if not isinstance(decoded, dict):
        raise InvalidInput("the body is no JSON object", code="type")
    events = decoded.get("events", [decoded])
    if not isinstance(events, list):
        raise InvalidInput("events is no list", code="type", pointer="/events")
    return events


def _decoded(body: bytes) -> Any:
    # Bad bytes become lone surrogates, which are refused where they stand.
    text = body.decode("utf-8", "surrogateescape")
    try:
        return json.loads(text.lstrip("\ufeff"), parse_int=_integer, strict=False)
    except RecursionError as error:
        raise InvalidInput(f"nested deeper than {fields.DEPTH} levels", code="too_deep") from error
    except ValueError as error:
        raise InvalidInput(f"no JSON: {error}", code="json") from error


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < 400 else math.inf


def _no_events(error: msgspec.ValidationError) -> InvalidInput:
    pointer = "/events" if "$.events" in str(error) else ""
    return InvalidInput(
        f'the body is one event or {{"events": [...]}}: {error}', code="type", pointer=pointer
    )


def _refusal(index: int, raw: Any, body: bytes, error: InvalidInput) -> Refusal:
    try:
        event_id = fields.identity(raw.get("event_id"), "") if isinstance(raw, dict) else None
    except InvalidInput:
        event_id = None
    return Refusal(index, event_id, error.code, error.pointer, error.message, body)


def _check_size(size: int) -> None:
    if size > EVENT_BYTES:
        raise InvalidInput(
            f"the event has {size} bytes; at most {EVENT_BYTES} are taken", code="too_large"
        )


def _check_number(number: int) -> None:
    if number > BODY_EVENTS:
        raise InvalidInput(
            f"the body holds {number} events; at most {BODY_EVENTS} are taken",
            code="too_many",
            pointer="/events",
        )
