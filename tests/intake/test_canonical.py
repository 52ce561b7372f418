"""equipoise.intake.canonical: what a valid event is, and that the two ways in agree."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InvalidInput
from equipoise.intake import canonical, quick
from equipoise.intake.canonical import EVENTS, read_all, read_event, read_events, record_ids
from equipoise.types import Consent, Event, Line

NOW = 1_800_000_000_000
FULL: dict[str, Any] = {
    "event_id": "01J",
    "event": "purchase",
    "ts": "2026-11-24T03:08:00Z",
    "user_id": "u-17",
    "anonymous_id": "c-99",
    "session_id": "s-5",
    "consent": {"personalization": True, "analytics": True},
    "context": {"placement": "cart", "locale": "zh-CN", "n": [1, {"a": None}]},
    "recommendation_id": "r-8f2",
    "transaction_id": "o-1001",
    "currency": "CNY",
    "value": 258.0,
    "coupon": "NOV10",
    "items": [{"item_id": "sku-1", "quantity": 2, "price": 129.0, "index": 3}],
    "attributes": {},
}
VIEW: dict[str, Any] = {
    "event_id": "v1",
    "event": "view_item",
    "ts": NOW,
    "user_id": "u",
    "items": [{"item_id": "a"}],
}
ABSENT = object()
ODD = st.sampled_from(
    [
        ABSENT, None, True, 0, -1, 3, 1.5, 10**11, 10**30, 1e13, "", "x", "é", "\ud800", "a\nb",
        "\u00a0", "x" * 129, "12.5", "eur", "E1R", "2026-11-24",
        "2026-11-24T03:08:00.9999999+02:00",
        [], [1], {}, {"a": 1}, {"a": {"b": [True]}}, float("nan"), float("inf"), [{"item_id": "b"}],
        [{"item_id": "b", "item_name": "B"}], [{"item_id": "b", "impression": {"slot": 1}}],
        [{"item_id": "b", "price": "3.5"}], [{"item_id": ""}], [{"item_id": "b", "index": -1}],
        [{"item_id": "b", "quantity": 0}], {"analytics": False}, {"ads": True}, {"analytics": 1},
    ]
)  # fmt: skip
NAMES = st.sampled_from([*FULL, "unknown", "events_"])


def without_made_id(event: Event, raw: dict[str, Any]) -> Event:
    return event if raw.get("event_id") else msgspec.structs.replace(event, event_id="made")


@settings(derandomize=True, max_examples=400)
@given(changes=st.dictionaries(NAMES, ODD, max_size=3), base=st.sampled_from([FULL, VIEW]))
def test_the_two_ways_in_agree(changes: dict[str, Any], base: dict[str, Any]) -> None:
    """What the quick way takes, the careful way takes too, and makes the same of it."""
    raw = {k: v for k, v in {**base, **changes}.items() if v is not ABSENT}
    body = json.dumps(raw).encode()
    quickly = quick.read(msgspec.Raw(body), NOW, canonical.NEEDS_ITEMS)
    try:
        carefully = read_event(json.loads(body), now=NOW)
    except InvalidInput:
        carefully = None

    if quickly is not None:
        assert carefully is not None
        assert without_made_id(quickly[0], raw) == without_made_id(carefully, raw)
        assert quickly[1] == (raw.get("event_id") is not None)
    batch = read_events(body, now=NOW)
    assert [without_made_id(e, raw) for e in batch.events] == (
        [] if carefully is None else [without_made_id(carefully, raw)]
    )
    for event in batch.events:
        assert msgspec.json.decode(msgspec.json.encode(event), type=Event) == event


@pytest.mark.parametrize("raw", [FULL, VIEW, {**VIEW, "ts": "2026-11-24T03:08:00Z"}])
def test_plain_events_take_the_quick_way(raw: dict[str, Any]) -> None:
    """Else the law above would hold for nothing."""
    assert quick.read(msgspec.Raw(json.dumps(raw).encode()), NOW, canonical.NEEDS_ITEMS)


@settings(derandomize=True, max_examples=200)
@given(body=st.one_of(st.binary(max_size=40), st.text('{}[]":,events\\ud8001Ee', max_size=40)))
def test_no_bytes_break_it(body: bytes | str) -> None:
    """Any bytes give a batch or InvalidInput with a code."""
    sent = body if isinstance(body, bytes) else body.encode()
    try:
        refused: list[Any] = [*read_events(sent, now=NOW).rejected]
    except InvalidInput as error:
        refused = [error]

    assert all(one.code and one.message for one in refused)


def test_an_event_is_read() -> None:
    """Every field of the contract, in our types."""
    event = read_event(FULL, now=NOW)

    assert event == Event(
        event_id="01J",
        event="purchase",
        ts=1_795_489_680_000,
        user_id="u-17",
        anonymous_id="c-99",
        session_id="s-5",
        consent=Consent(personalization=True, analytics=True),
        context=FULL["context"],
        recommendation_id="r-8f2",
        transaction_id="o-1001",
        currency="CNY",
        value=258.0,
        coupon="NOV10",
        items=(Line(item_id="sku-1", quantity=2.0, price=129.0, index=3),),
    )


@pytest.mark.parametrize("known", EVENTS)
def test_items_are_wanted_where_an_event_speaks_of_them(known: canonical.Known) -> None:
    """Each event passes with items; without, only where it needs none."""
    raw = {"event": known.name, "anonymous_id": "c", "items": [{"item_id": "a"}]}

    assert read_event(raw, now=NOW).event == known.name
    del raw["items"]
    if known.needs_items:
        with pytest.raises(InvalidInput, match="speaks of at least one item") as refused:
            read_event(raw, now=NOW)
        assert (refused.value.code, refused.value.pointer) == ("required", "/items")
    else:
        assert read_event(raw, now=NOW).items == ()


@pytest.mark.parametrize(
    ("change", "code", "pointer", "message"),
    [
        ({"event": "view_itm"}, "unknown_event", "/event", r"did you mean view_item\?"),
        ({"event": "zzz"}, "unknown_event", "/event", "the names are GA4's"),
        ({"event": None}, "required", "/event", "each event has a name"),
        ({"user_id": None}, "required", "/user_id", "one of them is wanted"),
        ({"items": [{"item_id": "a"}, {}]}, "required", "/items/1/item_id", "names its item"),
        ({"items": [{"item_id": "a", "price": "x"}]}, "type", "/items/0/price", "a number"),
        ({"items": [{"item_id": "a", "quantity": True}]}, "type", "/items/0/quantity", "a number"),
        ({"attributes": {"a": {"b/c": float("nan")}}}, "range", "/attributes/a/b~1c", "finite"),
        ({"ts": -1}, "time", "/ts", "a time from 1970 to 9999"),
        ({"items": 5}, "type", "/items/0", "a JSON object is wanted"),
    ],
)
def test_a_refusal_says_where_and_what(
    change: dict[str, Any], code: str, pointer: str, message: str
) -> None:
    """A stable code, an RFC 6901 pointer, and what would be right; the letter keeps it all."""
    batch = read_events(json.dumps({**VIEW, **change}).encode(), now=NOW, source="test")

    with pytest.raises(InvalidInput, match=message):
        read_event({**VIEW, **change}, now=NOW)
    (refusal,) = batch.rejected
    assert (refusal.index, refusal.event_id, refusal.code, refusal.pointer) == (
        0,
        "v1",
        code,
        pointer,
    )
    (letter,) = batch.letters(NOW)
    assert (letter.source, letter.code, letter.arrived) == ("test", code, NOW)
    assert json.loads(letter.body)["event_id"] == "v1"


POISON = [
    b"5",
    b"null",
    b'"x"',
    b"[]",
    b'{"event":"view_item","user_id":"\xff","items":[{"item_id":"a"}]}',
    b'{"event":"view_item","user_id":"\\ud800","items":[{"item_id":"a"}]}',
    b'{"event":"view_item","user_id":"u","items":[{"item_id":"a","price":NaN}]}',
    b'{"event":"view_item","user_id":"u","items":[{"item_id":"a","price":1e400}]}',
    b'{"event":"view_item","user_id":"u","items":[{"item_id":"a","price":1e308}]}',
    b'{"event":"view_item","user_id":"u","items":[{"item_id":"a"}],"value":' + b"9" * 5_000 + b"}",
    b'{"event":"view_item","user_id":"u","items":[{"item_id":"a"}],"x":'
    + b"[" * 99
    + b"]" * 99
    + b"}",
    b'{"event":"view_item","user_id":"u","items":[{"item_id":"a"}],"x":"' + b"y" * 33_000 + b'"}',
]


@pytest.mark.parametrize("poison", POISON)
def test_poison_never_sinks_the_good(poison: bytes) -> None:
    """Whatever one event holds, those beside it are taken, and it is refused with a reason."""
    good = json.dumps(VIEW).encode()
    batch = read_events(b'{"events":[%b,%b,%b]}' % (good, poison, good), now=NOW)

    assert batch.indexes == [0, 2]
    assert batch.events == [read_event(VIEW, now=NOW)] * 2
    (refusal,) = batch.rejected
    assert refusal.index == 1
    assert refusal.code
    assert refusal.body


def test_all_poison_at_once() -> None:
    """Also when the body has to be read leniently."""
    good = json.dumps(VIEW).encode()
    batch = read_events(b'{"events":[%b,%b]}' % (b",".join(POISON), good), now=NOW)

    assert batch.indexes == [len(POISON)]
    assert [refusal.index for refusal in batch.rejected] == list(range(len(POISON)))


@pytest.mark.parametrize(
    ("body", "code", "pointer", "message"),
    [
        (b"", "json", "", "no JSON"),
        (b"{", "json", "", "no JSON"),
        (b"\xff\xfe", "json", "", "no JSON"),
        (b"[]", "type", "", r'the body is one event or \{"events"'),
        (b"NaN", "type", "", "the body is no JSON object"),
        (b'{"events": 5}', "type", "/events", "the body is one event or"),
        (b'{"events": NaN}', "type", "/events", "events is no list"),
        (b'{"events": ' + b"[" * 50_000, "too_deep", "", "nested deeper than 16 levels"),
        (b" " * 512_001, "too_large", "", "512001 bytes; at most 512000"),
        (
            b'{"events": [' + b"{}," * 500 + b"{}]}",
            "too_many",
            "/events",
            "501 events; at most 500",
        ),
    ],
)
def test_only_a_body_that_cannot_be_read_sinks(
    body: bytes, code: str, pointer: str, message: str
) -> None:
    """Nothing is taken from it, and the error says why."""
    with pytest.raises(InvalidInput, match=message) as refused:
        read_events(body, now=NOW)

    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_one_event_is_a_body() -> None:
    """With or without a byte order mark; an empty list is an empty batch."""
    body = json.dumps(VIEW).encode()

    assert read_events(body, now=NOW).events == [read_event(VIEW, now=NOW)]
    assert read_events(b"\xef\xbb\xbf" + body, now=NOW).events == [read_event(VIEW, now=NOW)]
    assert read_events(b'{"events": []}', now=NOW) == canonical.Batch()


def test_made_ids_are_told() -> None:
    """An event without an id gets one that sorts by time, and its place is told."""
    bare = {k: v for k, v in VIEW.items() if k != "event_id"}
    tricky = {**bare, "attributes": {"event_id": "not it"}, "unknown": "\u00a0"}
    body = json.dumps({"events": [VIEW, bare, tricky, {**bare, "event_id": None}]}).encode()
    batch = read_events(body, now=NOW)

    assert batch.made_ids == [1, 2, 3]
    assert len({event.event_id for event in batch.events}) == 4
    assert read_all([VIEW, bare], now=NOW).made_ids == [1]


def test_time_defaults_to_arrival() -> None:
    """An event without ts happened now."""
    bare = {k: v for k, v in VIEW.items() if k != "ts"}

    assert read_event(bare, now=NOW).ts == NOW
    assert read_events(json.dumps(bare).encode(), now=NOW).events[0].ts == NOW


def test_a_slot_is_not_believed_on_the_senders_word() -> None:
    """impression is dropped; other fields of a line are kept, GA4's item_name among them."""
    line = {"item_id": "a", "impression": {"decision_id": "d", "slot": 0}, "item_name": "A"}
    event = read_event({**VIEW, "items": [line]}, now=NOW)

    assert event.items == (Line(item_id="a", attributes={"item_name": "A"}),)


def test_prices_may_be_texts() -> None:
    """GA4 often sends them so."""
    line = {"item_id": "a", "price": "12.50", "quantity": "2", "index": "0"}
    event = read_event({**VIEW, "items": [line], "value": "25"}, now=NOW)

    assert event.items == (Line(item_id="a", price=12.5, quantity=2.0, index=0),)
    assert event.value == 25.0


def test_a_purchase_is_known_by_its_transaction() -> None:
    """The webhook and the browser report one purchase."""
    purchase = read_event(FULL, now=NOW)

    assert record_ids(purchase) == ("event:01J", "purchase:o-1001")
    assert record_ids(msgspec.structs.replace(purchase, event="refund")) == ("event:01J",)
    assert record_ids(read_event(VIEW, now=NOW)) == ("event:v1",)


def test_translated_events_are_read_alike() -> None:
    """read_all takes decoded events, and has the same limits."""
    batch = read_all([VIEW, 5, {**VIEW, "x": "y" * 33_000}], now=NOW, source="ga4")

    assert batch.events == [read_event(VIEW, now=NOW)]
    assert [(r.index, r.code) for r in batch.rejected] == [(1, "type"), (2, "too_large")]
    assert batch.source == "ga4"
    with pytest.raises(InvalidInput, match="501 events"):
        read_all([VIEW] * 501, now=NOW)
