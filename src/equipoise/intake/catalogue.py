"""What a valid item, coupon and shopper is. Reads what a shop says of its own things."""

from __future__ import annotations

from typing import Any

import msgspec

from equipoise.errors import InvalidInput
from equipoise.intake import fields
from equipoise.types import Coupon, Item, User

KINDS = ("percent", "amount", "shipping")
LONGEST_LIST = 1_000
LONGEST_EMBEDDING = 4_096


def read_item(raw: dict[str, Any], *, item_id: str | None = None) -> Item:
    """An item as the shop sends it; ``item_id`` is that of the address, if it has one.

    A title or description that is one text is kept under ``und``. InvalidInput names the field.
    """
    known = _named(fields.read(raw, _ITEM, ""), "item_id", item_id)
    item = Item(**known)
    _check_span(item.available_from, item.available_until, "available_until")
    return item


def patch_item(item: Item, raw: dict[str, Any]) -> Item:
    """The item with some fields changed, by the rules of a JSON merge patch (RFC 7396).

    A ``null`` takes a field (a language, an attribute) back to its absence; title, description and
    attributes are merged, everything else is replaced. The id stays.
    """
    known = fields.read(raw, _ITEM, "")
    if known.get("item_id", item.item_id) != item.item_id:
        fields.refuse(known["item_id"], "an id is not changed", code="conflict", pointer="/item_id")
    for name in ("title", "description", "attributes"):
        if name in known:
            known[name] = _merged(getattr(item, name), raw, name, known[name])
    patched = msgspec.structs.replace(item, **(_absent(raw) | known))
    _check_span(patched.available_from, patched.available_until, "available_until")
    return patched


def read_coupon(raw: dict[str, Any], *, coupon_id: str | None = None) -> Coupon:
    """A coupon. Its discount is in percent (at most 100) or in money; ``applies_to`` is a filter.

    The noun has no ``attributes``: an unknown field is refused, so that no limit is misspelt.
    """
    known = _named(fields.read(raw, _COUPON, ""), "coupon_id", coupon_id)
    for name in sorted(known.pop("attributes", {})):
        wanted = f"the fields are {', '.join(_COUPON)}"
        fields.refuse(name, wanted, code="unknown_field", pointer=fields.at("", name))
    for name in ("kind", "discount"):
        if name not in known:
            raise InvalidInput(
                f"{name} is missing; a coupon has a kind and a discount",
                code="required",
                pointer=f"/{name}",
            )
    coupon = Coupon(**known)
    if coupon.kind == "percent" and coupon.discount > 100:
        wanted = "a percentage is at most 100"
        fields.refuse(coupon.discount, wanted, code="range", pointer="/discount")
    _check_span(coupon.valid_from, coupon.valid_until, "valid_until")
    return coupon


def read_user(raw: dict[str, Any], *, user_id: str | None = None) -> User:
    """What the shop says about a shopper."""
    return User(**_named(fields.read(fields.purposes_apart(raw), _USER, ""), "user_id", user_id))


def _kind(value: Any, pointer: str) -> str:
    if value not in KINDS:
        fields.refuse(value, f"the kinds are {', '.join(KINDS)}", code="kind", pointer=pointer)
    return str(value)


def _path(value: Any, pointer: str) -> str:
    """A category path without blanks around its parts: ``Women / Shoes`` is ``Women/Shoes``."""
    parts = [part.strip() for part in fields.text(value, pointer).split("/")]
    if not any(parts):
        fields.refuse(value, "a category has a name", code="empty", pointer=pointer)
    return "/".join(part for part in parts if part)


_texts = fields.many(fields.text, LONGEST_LIST)
_ids = fields.many(fields.identity, LONGEST_LIST)

_ITEM: fields.Table = {
    "item_id": fields.identity,
    "group_id": fields.identity,
    "title": fields.texts,
    "description": fields.texts,
    "categories": fields.many(_path, LONGEST_LIST),
    "brand": fields.text,
    "seller_id": fields.identity,
    "price": fields.amount,
    "cost": fields.amount,
    "currency": fields.currency,
    "stock": fields.number,
    "available_from": fields.read_time,
    "available_until": fields.read_time,
    "images": _texts,
    "tags": _texts,
    "attributes": fields.free_mapping,
    "embedding": fields.many(fields.number, LONGEST_EMBEDDING),
    "hidden": fields.boolean,
    "created_at": fields.read_time,
}
_COUPON: fields.Table = {
    "coupon_id": fields.identity,
    "kind": _kind,
    "discount": fields.amount,
    "min_spend": fields.amount,
    "cost": fields.amount,
    "budget": fields.amount,
    "valid_from": fields.read_time,
    "valid_until": fields.read_time,
    "applies_to": fields.free_mapping,
    "cap_per_user": fields.count,
}
_USER: fields.Table = {
    "user_id": fields.identity,
    "attributes": fields.free_mapping,
    "locale": fields.text,
    "segments": _texts,
    "follows": _ids,
    "consent": fields.consent,
    "linked_ids": _ids,
}


def _named(known: dict[str, Any], name: str, address: str | None) -> dict[str, Any]:
    """The fields with the id of the address, which the body may repeat but not contradict."""
    if address is not None:
        given = known.setdefault(name, fields.identity(address, f"/{name}"))
        if given != address:
            wanted = f"the address says {fields.shown(address)}"
            fields.refuse(given, wanted, code="conflict", pointer=f"/{name}")
    fields.required(known, name, "", "an id is wanted")
    return known


def _merged(old: dict[str, Any], raw: dict[str, Any], name: str, new: dict[str, Any]) -> Any:
    given = raw.get(name)
    gone = {key for key, value in given.items() if value is None} if isinstance(given, dict) else ()
    return {key: value for key, value in (old | new).items() if key not in gone}


def _absent(raw: dict[str, Any]) -> dict[str, Any]:
    """The defaults of the fields that a patch sets to ``null``."""
    empty = Item(item_id="")
    return {name: getattr(empty, name) for name in _nulls(raw) if name != "item_id"}


def _nulls(raw: dict[str, Any]) -> list[str]:
    return [name for name, value in raw.items() if value is None and name in _ITEM]


def _check_span(start: int | None, end: int | None, name: str) -> None:
    if start is not None and end is not None and end <= start:
        fields.refuse(end, "it must be later than the start", code="range", pointer=f"/{name}")
