"""equipoise.intake.segment: e-commerce v2 messages, and their traps."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.errors import InvalidInput
from equipoise.intake import segment
from equipoise.intake.canonical import NEEDS_ITEMS, read_all, record_ids
from equipoise.types import Event, Line

NOW = 1_800_000_000_000
CLICK: dict[str, Any] = {
    "type": "track",
    "messageId": "m1",
    "anonymousId": "c",
    "event": "Product Clicked",
    "timestamp": "2026-11-24T03:00:00Z",
    "properties": {"product_id": "p", "sku": "s", "variant": "v", "price": "9.5", "position": 1},
    "context": {"locale": "de-DE", "ip": "203.0.113.7"},
}
ORDER: dict[str, Any] = {
    "type": "track",
    "messageId": "m2",
    "userId": "u",
    "event": "Order Completed",
    "properties": {
        "order_id": "o-1",
        "revenue": 25.0,
        "total": 30.0,
        "tax": 2.0,
        "shipping": 3.0,
        "currency": "USD",
        "products": [
            {"product_id": 507, "price": 12.5, "quantity": 2, "name": "Game", "position": 3}
        ],
    },
}


def read(message: dict[str, Any], **options: Any) -> Event:
    batch = read_all(segment.translate(message, received=NOW, **options), now=NOW)
    assert not batch.rejected, batch.rejected
    return batch.events[0]


def with_properties(message: dict[str, Any], **change: Any) -> dict[str, Any]:
    properties = {**message["properties"], **change}
    return {**message, "properties": {k: v for k, v in properties.items() if v is not None}}


def test_position_counts_from_one() -> None:
    """Our index, as GA4's, counts from 0."""
    (line,) = read(CLICK).items

    assert line == Line(item_id="p", price=9.5, index=0, attributes={"sku": "s", "variant": "v"})


@pytest.mark.parametrize(("key", "item_id"), [("product", "p"), ("variant", "v"), ("sku", "s")])
def test_one_key_is_the_item(key: str, item_id: str) -> None:
    """Product, variant and SKU are different keys, and none stands in for another."""
    bare = with_properties(CLICK, product_id=None, sku=None, variant=None)
    refused = read_all(segment.translate(bare, received=NOW, item_key=key), now=NOW).rejected

    assert read(CLICK, item_key=key).items[0].item_id == item_id
    assert [r.pointer for r in refused] == ["/items/0/item_id"]
    with pytest.raises(InvalidInput, match="the keys are product, variant, sku"):
        segment.translate(CLICK, received=NOW, item_key="gtin")


def test_client_clocks_are_corrected() -> None:
    """True time = received − (sent − said), whatever day the client believes it is."""
    wrong = {**CLICK, "timestamp": "2031-01-01T00:00:00Z", "sentAt": "2031-01-01T00:00:05Z"}

    assert read(wrong).ts == NOW - 5_000
    assert read({**wrong, "receivedAt": NOW - 60_000}).ts == NOW - 65_000
    assert read(CLICK).ts == 1_795_489_200_000


def test_a_time_that_cannot_be_read_is_refused() -> None:
    """Not corrected into something."""
    batch = read_all(
        segment.translate({**CLICK, "timestamp": "soon", "sentAt": NOW}, received=NOW), now=NOW
    )

    assert [(r.code, r.pointer) for r in batch.rejected] == [("time", "/ts")]


def test_revenue_is_without_tax_and_shipping() -> None:
    """value is revenue; from a total alone both are taken off; an own value wins."""
    assert read(ORDER).value == 25.0
    assert read(with_properties(ORDER, revenue=None)).value == 25.0
    assert read(with_properties(ORDER, revenue=None, tax=None, shipping=None)).value == 30.0
    assert read(with_properties(ORDER, value=1)).value == 1.0


def test_a_total_that_is_no_number_is_refused() -> None:
    """It is passed on for the reader to name."""
    bad = with_properties(ORDER, revenue=None, total="much")

    assert read_all(segment.translate(bad, received=NOW), now=NOW).rejected[0].pointer == "/value"


def test_an_order_is_known_by_its_number() -> None:
    """messageId and order_id, so that the webhook's purchase is the same one."""
    order = read(ORDER)

    assert record_ids(order) == ("event:m2", "purchase:o-1")
    assert order.items == (
        Line(item_id="507", quantity=2.0, price=12.5, index=2, attributes={"name": "Game"}),
    )
    assert order.attributes == {"revenue": 25.0, "total": 30.0, "tax": 2.0, "shipping": 3.0}


def test_a_batch_shares_its_times() -> None:
    """sentAt of the envelope corrects each message; a bad message sinks none beside it."""
    said = {**CLICK, "timestamp": "2026-11-24T03:00:00Z"}
    body = {"batch": [said, 5, ORDER], "sentAt": "2026-11-24T03:00:10Z"}
    batch = read_all(segment.translate(body, received=NOW), now=NOW)

    assert [event.ts for event in batch.events] == [NOW - 10_000, NOW]
    assert batch.indexes == [0, 2]


def test_identify_and_alias_link() -> None:
    """Both become identify; an alias names the previous id."""
    raw = {"type": "alias", "messageId": "m", "previousId": "c", "userId": "u"}
    event = read(raw)

    assert (event.event, event.user_id, event.anonymous_id) == ("identify", "u", "c")
    assert read({"type": "identify", "userId": "u", "traits": {"plan": "x"}}).attributes == {
        "plan": "x"
    }


def test_addresses_are_not_kept() -> None:
    """Of the context the language alone."""
    assert read(CLICK).context == {"locale": "de-DE"}


@pytest.mark.parametrize(("theirs", "ours"), segment.EVENTS.items())
def test_every_event_has_a_name_of_ours(theirs: str, ours: str) -> None:
    """The table leads to events that the reader knows, and each can be read."""
    message = {
        **CLICK,
        "event": theirs,
        "properties": {"products": [{"product_id": "p"}], "query": "q"},
    }
    event = read(message)

    assert ours in NEEDS_ITEMS
    assert (event.event, event.search_term) == (ours, "q")


@pytest.mark.parametrize(
    "message",
    [{**CLICK, "event": "Video Played"}, {**CLICK, "type": "page"}, {**CLICK, "properties": 5}],
)
def test_what_we_do_not_know_is_refused_by_its_name(message: dict[str, Any]) -> None:
    """Not dropped in silence."""
    assert read_all(segment.translate(message, received=NOW), now=NOW).rejected[0].code in (
        "unknown_event",
        "required",
    )


def test_a_batch_is_a_list() -> None:
    """Else there is nothing to translate."""
    with pytest.raises(InvalidInput, match="a list of messages is wanted"):
        segment.translate({"batch": 5}, received=NOW)
