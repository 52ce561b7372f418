"""equipoise.intake.queries: what a valid question is."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.errors import InvalidInput
from equipoise.intake.queries import read_query
from equipoise.types import Query

RAW: dict[str, Any] = {
    "placement": "product",
    "user_id": "u",
    "n": 20,
    "context": {"device": "mobile"},
    "item_ids": ["a"],
    "filter": {"brand": "B"},
    "boosts": [{"filter": {"tags": "sale"}, "factor": 1.5}],
    "exclude_item_ids": ["b"],
    "explain": True,
    "dry_run": False,
}


def test_a_query_is_read() -> None:
    """Every field; the ones we do not know are kept in the context."""
    assert read_query({**RAW, "page": 3}, now=0) == Query(
        placement="product",
        user_id="u",
        n=20,
        context={"device": "mobile", "page": 3},
        item_ids=("a",),
        filter={"brand": "B"},
        boosts=({"filter": {"tags": "sale"}, "factor": 1.5},),
        exclude_item_ids=("b",),
        explain=True,
    )
    assert read_query({"placement": "home", "n": "7"}) == Query(placement="home", n=7)


@pytest.mark.parametrize(
    ("change", "code", "pointer", "message"),
    [
        ({"placement": None}, "required", "/placement", "asked for a placement"),
        ({"n": 0}, "range", "/n", r"n lies in 1\.\.100"),
        ({"n": 101}, "range", "/n", r"n lies in 1\.\.100"),
        ({"n": True}, "type", "/n", "a number is wanted"),
        ({"n": 1.5}, "type", "/n", "a whole number"),
        ({"user_id": 5}, "type", "/user_id", "a text is wanted"),
        ({"filter": []}, "type", "/filter", "a JSON object"),
        ({"boosts": [{"factor": 2}]}, "required", "/boosts/0/filter", "a filter and a factor"),
        ({"boosts": [{"filter": {}, "factor": 0}]}, "range", "/boosts/0/factor", "above 0"),
        ({"boosts": [{"filter": {}, "factor": 1e9}]}, "range", "/boosts/0/factor", "at most 1000"),
        (
            {"boosts": [{"filter": {}, "factor": 1, "fctor": 2}]},
            "unknown_field",
            "/boosts/0/fctor",
            "a filter and a factor",
        ),
        ({"item_ids": ["a"] * 1_001}, "too_many", "/item_ids", "at most 1000"),
    ],
)
def test_a_bad_query_is_refused(
    change: dict[str, Any], code: str, pointer: str, message: str
) -> None:
    """With code, pointer and what would be right."""
    with pytest.raises(InvalidInput, match=message) as refused:
        read_query({**RAW, **change}, now=0)

    assert (refused.value.code, refused.value.pointer) == (code, pointer)
