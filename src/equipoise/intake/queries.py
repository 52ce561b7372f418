"""What a valid question is: a list for a placement."""

from __future__ import annotations

from typing import Any

from equipoise.errors import InvalidInput
from equipoise.intake import fields
from equipoise.types import Milliseconds, Query

MOST = 100
"""Longest list that is given."""
MOST_IDS = 1_000
MOST_BOOSTS = 50
LARGEST_FACTOR = 1_000.0


def read_query(raw: dict[str, Any], *, now: Milliseconds | None = None) -> Query:
    """A query. Fields that we do not know are kept in ``context``.

    What a filter may name is the catalogue's affair; here it only has to be an object that can be
    stored. ``now`` is taken as every reader of a request takes it; nothing in a query is dated yet.
    InvalidInput names the field.
    """
    known = fields.read(raw, _QUERY, "")
    fields.required(known, "placement", "", "a list is asked for a placement")
    unknown = known.pop("attributes", {})
    if unknown:
        known["context"] = unknown | known.get("context", {})
    return Query(**known)


def _length(value: Any, pointer: str) -> int:
    n = fields.count(value, pointer)
    if not 1 <= n <= MOST:
        fields.refuse(value, f"n lies in 1..{MOST}", code="range", pointer=pointer)
    return n


def _boost(value: Any, pointer: str) -> dict[str, Any]:
    boost = fields.read(value, _BOOST, pointer, depth=3)
    for name in sorted(boost.pop("attributes", {})):
        wanted = "a boost has a filter and a factor"
        fields.refuse(name, wanted, code="unknown_field", pointer=fields.at(pointer, name))
    for name in _BOOST:
        if name not in boost:
            raise InvalidInput(
                f"{name} is missing; a boost has a filter and a factor",
                code="required",
                pointer=f"{pointer}/{name}",
            )
    return boost


def _factor(value: Any, pointer: str) -> float:
    factor = fields.positive(value, pointer)
    if factor > LARGEST_FACTOR:
        wanted = f"a factor is at most {LARGEST_FACTOR:.0f}"
        fields.refuse(value, wanted, code="range", pointer=pointer)
    return factor


_BOOST: fields.Table = {"filter": fields.free_mapping, "factor": _factor}
_QUERY: fields.Table = {
    "placement": fields.identity,
    "user_id": fields.identity,
    "anonymous_id": fields.identity,
    "n": _length,
    "context": fields.free_mapping,
    "item_ids": fields.many(fields.identity, MOST_IDS),
    "filter": fields.free_mapping,
    "boosts": fields.many(_boost, MOST_BOOSTS),
    "exclude_item_ids": fields.many(fields.identity, MOST_IDS),
    "explain": fields.boolean,
    "dry_run": fields.boolean,
}
