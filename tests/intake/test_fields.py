"""equipoise.intake.fields: one reader a kind of field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.clock import rfc3339
from equipoise.errors import InvalidInput
from equipoise.intake import fields

MS = 1_795_489_680_000


@pytest.mark.parametrize(
    "value",
    [
        MS,
        MS // 1_000,
        float(MS // 1_000),
        str(MS),
        "2026-11-24T03:08:00Z",
        "2026-11-24T03:08:00.000+00:00",
        "2026-11-24T04:08:00+01:00",
        "2026-11-24 03:08:00",
        "20261124T030800Z",
    ],
)
def test_a_moment_has_one_number(value: Any) -> None:
    """RFC 3339, other ISO 8601, epoch seconds and milliseconds agree; without a zone it is UTC."""
    assert fields.read_time(value) == MS


@settings(derandomize=True, max_examples=100)
@given(ms=st.integers(fields.SECONDS_BELOW, fields.LAST_TIME))
def test_what_we_write_we_read(ms: int) -> None:
    """Milliseconds, their RFC 3339 and their seconds with decimals are the same moment."""
    assert fields.read_time(ms) == ms
    assert fields.read_time(rfc3339(ms)) == ms
    assert ms >= fields.SECONDS_BELOW * 1_000 or fields.read_time(ms / 1_000) == ms


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("soon", r"/ts is 'soon'; a time is wanted: RFC 3339 or epoch"),
        (True, r"a time is wanted: RFC 3339 or epoch"),
        ([], r"a time is wanted"),
        (-1, r"a time from 1970 to 9999"),
        (10**20, r"a time from 1970 to 9999"),
        (float("nan"), r"a time from 1970 to 9999"),
        ("1e999", r"a time from 1970 to 9999"),
        ("1969-12-31T23:59:59Z", r"a time from 1970 to 9999"),
        ("\ud800", r"a time is wanted"),
    ],
)
def test_what_is_no_time_is_refused(value: Any, message: str) -> None:
    """Each with its place and what would be right."""
    with pytest.raises(InvalidInput, match=message) as refused:
        fields.read_time(value, "/ts")

    assert (refused.value.code, refused.value.pointer) == ("time", "/ts")


@pytest.mark.parametrize(
    ("reader", "value", "code"),
    [
        (fields.identity, 5, "type"),
        (fields.identity, "", "empty"),
        (fields.identity, "x" * 129, "too_long"),
        (fields.identity, "a\x00b", "control"),
        (fields.identity, "\ud800", "unicode"),
        (fields.text, None, "type"),
        (fields.number, True, "type"),
        (fields.number, "12,5", "type"),
        (fields.number, "1_000", "type"),
        (fields.number, "٣", "type"),
        (fields.number, "nan", "type"),
        (fields.number, float("nan"), "range"),
        (fields.number, float("inf"), "range"),
        (fields.number, "1e400", "range"),
        (fields.number, 10**400, "range"),
        (fields.number, 1e308, "range"),
        (fields.amount, -0.01, "range"),
        (fields.positive, 0, "range"),
        (fields.count, 1.5, "type"),
        (fields.boolean, 1, "type"),
        (fields.boolean, "true", "type"),
        (fields.currency, "EURO", "currency"),
        (fields.currency, "E1R", "currency"),
        (fields.mapping, [], "type"),
        (fields.texts, {"not a language": "x"}, "language"),
        (fields.texts, 5, "type"),
        (fields.many(fields.text, 2), ["a", "b", "c"], "too_many"),
        (fields.many(fields.text, 2), [1], "type"),
        (fields.consent, {"analytics": "yes"}, "type"),
        (fields.free, 2**63, "range"),
        (fields.free, float("inf"), "range"),
        (fields.free, {"a": ["\udc00"]}, "unicode"),
        (fields.free, {"\udc00": 1}, "unicode"),
    ],
)
def test_a_bad_value_is_refused_with_its_code(reader: fields.Reader, value: Any, code: str) -> None:
    """The message shows the place and can be sent, whatever the value was."""
    with pytest.raises(InvalidInput) as refused:
        reader(value, "/x")

    assert refused.value.code == code
    assert refused.value.pointer.startswith("/x")
    assert refused.value.message.startswith("/x")
    assert (refused.value.message + refused.value.pointer).encode()


@pytest.mark.parametrize(
    ("reader", "value", "expected"),
    [
        (fields.identity, "x" * 128, "x" * 128),
        (fields.number, " 12.50 ", 12.5),
        (fields.number, "-1e3", -1000.0),
        (fields.amount, 0, 0.0),
        (fields.count, "3", 3),
        (fields.currency, "cny", "CNY"),
        (fields.texts, "Schuh", {"und": "Schuh"}),
        (
            fields.texts,
            {"de": "Schuh", "pt-BR": "sapato", "fr": None},
            {"de": "Schuh", "pt-BR": "sapato"},
        ),
        (fields.many(fields.text, 2), "one", ("one",)),
        (fields.free, {"a": [1, None, "é", {"b": True}]}, {"a": [1, None, "é", {"b": True}]}),
    ],
)
def test_a_good_value_is_read(reader: fields.Reader, value: Any, expected: Any) -> None:
    """What it means, in our types."""
    assert reader(value, "/x") == expected


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_sixteen_levels_are_read() -> None:
    """A free value at level 2 may have 15 levels of its own."""
    assert fields.free(nested(15), "/attributes") == nested(15)
    with pytest.raises(InvalidInput, match="lies deeper than 16 levels"):
        fields.free(nested(16), "/attributes")


def test_pointers_are_escaped() -> None:
    """RFC 6901: ~ and / inside a name."""
    assert fields.at("/attributes", "a/b~c") == "/attributes/a~1b~0c"


def test_unknown_fields_are_kept() -> None:
    """Beside attributes or in them, they end there; two that differ are refused."""
    table: fields.Table = {"a": fields.number, "attributes": fields.free_mapping}

    read = fields.read({"a": 1, "b": 2, "attributes": {"c": 3, "b": 2}}, table, "")
    assert read == {"a": 1.0, "attributes": {"b": 2, "c": 3}}
    with pytest.raises(InvalidInput, match="/b is 2; attributes holds another") as refused:
        fields.read({"b": 2, "attributes": {"b": 3}}, table, "")
    assert refused.value.code == "conflict"


def test_purposes_that_we_do_not_know_are_kept() -> None:
    """They move to the attributes, unless something stands there already."""
    raw = {"consent": {"analytics": True, "ads": False}}

    assert fields.purposes_apart(raw)["attributes"] == {"consent": {"ads": False}}
    with pytest.raises(InvalidInput, match=r"/consent is .*; attributes holds another"):
        fields.purposes_apart({**raw, "attributes": {"consent": 1}})


def test_a_required_field_is_asked_for() -> None:
    """With the pointer to where it should stand."""
    with pytest.raises(InvalidInput, match="item_id is missing; an id is wanted") as refused:
        fields.required({}, "item_id", "/items/0", "an id is wanted")

    assert (refused.value.code, refused.value.pointer) == ("required", "/items/0/item_id")
