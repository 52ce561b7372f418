"""What no log takes, and who is whose duplicate."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from equipoise.errors import InvalidInput
from equipoise.log.rows import digest, marks, settle
from equipoise.testing.logs import record
from equipoise.types import Receipt


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("kind", "rumour", "record 1: kind 'rumour' is none of event, item, item_removed"),
        ("key", "a\ud800", "record 1: key 'a\\ud800' holds a lone surrogate and is no text"),
        ("shopper", "\udc00", "record 1: shopper '\\udc00' holds a lone surrogate and is no text"),
        ("arrived", -5, "record 1: arrived -5 is not within the years 1970 to 9999"),
        ("arrived", 2**63, f"record 1: arrived {2**63} is not within the years 1970 to 9999"),
        ("body", bytes(16_777_217), "record 1: body 16777217 bytes; at most 16777216 are kept"),
    ],
)
def test_refusals(field: str, value: object, message: str) -> None:
    """A refusal names the record, the field, the value, and points at it."""
    with pytest.raises(InvalidInput, match=re.escape(message)) as refusal:
        marks([record(0), replace(record(1), **{field: value})])

    assert (refusal.value.code, refusal.value.pointer) == ("unstorable", f"/1/{field}")


def test_any_id_will_do() -> None:
    """An id is only hashed, so even what is no text may be one; different ids differ."""
    (mark,) = marks([replace(record(0), ids=("\ud800", "\ud801", ""))])

    assert len(set(mark.ids)) == 3
    assert {len(one) for one in mark.ids} == {16}
    # Fixed for ever: another digest would forget every id on every log.
    assert digest("event:a").hex() == "d6ffd1d83171bcbe23894dce74fe8e1a"


def test_settling() -> None:
    """The first bearer of an id wins, and what is known already beats what comes."""
    known = {digest("purchase:1"): 3}
    sent = [("event:a",), ("event:b", "purchase:1"), ("event:b",), (), ("event:a", "event:b")]
    receipts = settle(marks([replace(record(0), ids=ids) for ids in sent]), known, 7)

    assert receipts == [
        Receipt(seq=8),
        Receipt(seq=3, duplicate=True),
        Receipt(seq=9),
        Receipt(seq=10),
        Receipt(seq=8, duplicate=True),
    ]
