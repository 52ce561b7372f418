"""Nouns ↔ the JSON bodies of the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from equipoise.errors import LogCorrupt
from equipoise.types import Coupon, Decision, Event, Item, Kind, User

_encoder = msgspec.json.Encoder()
_decoders: Mapping[Kind, msgspec.json.Decoder[Any]] = {
    Kind.EVENT: msgspec.json.Decoder(Event),
    Kind.ITEM: msgspec.json.Decoder(Item),
    Kind.COUPON: msgspec.json.Decoder(Coupon),
    Kind.USER: msgspec.json.Decoder(User),
    Kind.DECISION: msgspec.json.Decoder(Decision),
    # What can be switched is the affair of whoever obeys: here it is an object.
    Kind.CONTROL: msgspec.json.Decoder(dict[str, Any]),
}


def encode(noun: Event | Item | Coupon | User | Decision | dict[str, Any]) -> bytes:
    """The noun as JSON; bytes fields as base64."""
    return _encoder.encode(noun)


def decode(kind: Kind, key: str, body: bytes) -> Any:
    """The noun that ``encode`` wrote; for a removal its key, for a tick None.

    Raises:
        LogCorrupt: the body is not a noun of this kind.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        return key or None
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise LogCorrupt(f"the log's {kind} record {key!r} cannot be read: {error}") from error
