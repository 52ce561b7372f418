"""GA4 Measurement Protocol → our raw events. Names and line fields are ours already.

Source: Google's Measurement Protocol reference (``client_id, user_id, timestamp_micros,
events[{name, params{items[]}}]``). What we have no name for goes to ``attributes``.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from equipoise.intake import fields

_OURS = ("items", "search_term", "transaction_id", "currency", "value", "coupon", "session_id")


def translate(body: dict[str, Any]) -> list[Any]:
    """The raw events of one request, for ``canonical.read_all``. InvalidInput if it has no list.

    - ``timestamp_micros`` of the event wins over that of the request; without either the event is
      dated by its arrival.
    - GA4 has no message id: a dated event gets a hash of all that it says, so that a repeated
      request adds nothing. An undated one gets none: two views would be taken for one.
    - ``value`` without ``currency`` stays without: it is then in the shop's own.
    - Where a line has no ``item_id``, its ``item_name`` (GA4 requires one of the two) is its id.
    """
    events = fields.mapping(body, "").get("events")
    if not isinstance(events, list):
        fields.refuse(events, "a list of events is wanted", code="type", pointer="/events")
    return [_event(body, event) for event in events]


def _event(body: dict[str, Any], event: Any) -> Any:
    if not isinstance(event, dict) or not isinstance(event.get("params", {}), dict):
        return event
    params = event.get("params", {})
    micros = event.get("timestamp_micros", body.get("timestamp_micros"))
    raw = {
        "event_id": None if micros is None else _hash(body, event, micros),
        "event": event.get("name"),
        "ts": None if micros is None else _milliseconds(micros),
        "user_id": body.get("user_id"),
        "anonymous_id": body.get("client_id", body.get("app_instance_id")),
        **{name: params[name] for name in _OURS if name in params},
        "attributes": {name: value for name, value in params.items() if name not in _OURS},
        "consent": _consent(body.get("consent")),
    }
    if isinstance(raw.get("items"), list):
        raw["items"] = [_line(line) for line in raw["items"]]
    if "session_id" in raw:
        raw["session_id"] = _text(raw["session_id"])
    return {name: value for name, value in raw.items() if value not in (None, {})}


def _line(line: Any) -> Any:
    if not isinstance(line, dict):
        return line
    item_id = line.get("item_id", line.get("item_name"))
    return {**line, "item_id": _text(item_id)}


def _consent(given: Any) -> dict[str, Any] | None:
    """``ad_personalization`` is the purpose nearest to ours."""
    word = given.get("ad_personalization") if isinstance(given, dict) else None
    if word not in ("GRANTED", "DENIED"):
        return None
    return {"personalization": word == "GRANTED"}


def _milliseconds(micros: Any) -> Any:
    """What is no count of microseconds is left as it is, for the reader to refuse."""
    text = str(micros)
    return int(text) // 1_000 if text.isascii() and text.isdecimal() and len(text) < 20 else micros


def _text(value: Any) -> Any:
    """Ids are often sent as bare numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _hash(body: dict[str, Any], event: dict[str, Any], micros: Any) -> str:
    said = [body.get("client_id"), body.get("user_id"), micros, event]
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return "ga4-" + hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()
