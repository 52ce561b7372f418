"""Nouns ↔ bodies."""

from __future__ import annotations

import pytest

from equipoise.codec import decode, encode
from equipoise.errors import LogCorrupt
from equipoise.types import Coupon, Event, Item, Kind, Line, User


@pytest.mark.parametrize(
    ("kind", "noun"),
    [
        (Kind.EVENT, Event(event_id="e", event="view_item", ts=1, user_id="u",
                           items=(Line(item_id="鞋", attributes={"x": [1, None]}),))),
        (Kind.ITEM, Item(item_id="i", title={"en": "Boot"}, categories=("A/B",), price=1.5)),
        (Kind.COUPON, Coupon(coupon_id="c", kind="percent", discount=10.0)),
        (Kind.USER, User(user_id="u", segments=("gold",))),
    ],
)  # fmt: skip
def test_round_trip(kind: Kind, noun: Event | Item | Coupon | User) -> None:
    """What is written is read again, equal."""

    assert decode(kind, "key", encode(noun)) == noun


def test_a_removal_is_its_key_and_a_tick_is_nothing() -> None:
    """Kinds without a body."""

    assert decode(Kind.ITEM_REMOVED, "sku-1", b"") == "sku-1"
    assert decode(Kind.TICK, "", b"") is None


def test_a_damaged_body_is_named() -> None:
    """The error says which record."""

    with pytest.raises(LogCorrupt, match="event record 'e-7' cannot be read"):
        decode(Kind.EVENT, "e-7", b'{"event_id": 1')
