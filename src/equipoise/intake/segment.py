"""Segment track, identify, alias and batch (e-commerce spec v2) → our raw events.

Source: Segment's e-commerce v2 and common-fields specifications. What we have no name for goes to
``attributes``; an event we do not know keeps its name, and is refused by it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from equipoise.errors import InvalidInput
from equipoise.intake import fields
from equipoise.types import Milliseconds

EVENTS = MappingProxyType(
    {
        "Product List Viewed": "view_item_list",
        "Product Clicked": "select_item",
        "Product Viewed": "view_item",
        "Products Searched": "search",
        "Product Added": "add_to_cart",
        "Product Removed": "remove_from_cart",
        "Cart Viewed": "view_cart",
        "Checkout Started": "begin_checkout",
        "Payment Info Entered": "add_payment_info",
        "Order Completed": "purchase",
        "Order Refunded": "refund",
        "Order Cancelled": "refund",
        "Product Added to Wishlist": "add_to_wishlist",
        "Promotion Viewed": "view_promotion",
        "Promotion Clicked": "select_promotion",
        "Coupon Applied": "coupon_redeemed",
        "Product Reviewed": "review",
        "Product Shared": "share",
    }
)
ITEM_KEYS = MappingProxyType({"product": "product_id", "variant": "variant", "sku": "sku"})
_RENAMED = MappingProxyType({"query": "search_term", "order_id": "transaction_id"})
_OURS = ("search_term", "transaction_id", "currency", "value", "coupon")
_LINE = ("quantity", "price", "position", "coupon", *ITEM_KEYS.values())
_ONE_PRODUCT = ("view_item", "select_item", "add_to_cart", "remove_from_cart", "review", "share")


def translate(
    body: dict[str, Any], *, received: Milliseconds, item_key: str = "product"
) -> list[Any]:
    """The raw events of a message or of ``{"batch": [...]}``, for ``canonical.read_all``.

    - Client clocks are wrong: a message is dated received − (sentAt − timestamp), and its own
      ``receivedAt`` wins over ``received``, the time of arrival here.
    - ``position`` counts from 1, our ``index`` from 0.
    - ``value`` is ``revenue``, without tax and shipping; where only ``total`` is sent, both are
      taken off it.
    - Product, variant and SKU are different keys: ``item_key`` says which one the catalogue uses,
      and no other ever stands in for it.
    """
    if item_key not in ITEM_KEYS:
        wanted = f"the keys are {', '.join(ITEM_KEYS)}"
        fields.refuse(item_key, wanted, code="item_key", pointer="")
    batch = fields.mapping(body, "").get("batch")
    messages = [body] if batch is None else batch
    if not isinstance(messages, list):
        fields.refuse(messages, "a list of messages is wanted", code="type", pointer="/batch")
    outer: dict[str, Any] = {name: body[name] for name in ("sentAt", "receivedAt") if name in body}
    return [
        _message({**outer, **message}, received, ITEM_KEYS[item_key])
        if isinstance(message, dict)
        else message
        for message in messages
    ]


def _message(message: dict[str, Any], received: Milliseconds, key: str) -> dict[str, Any]:
    properties = message.get("properties") or message.get("traits") or {}
    raw = {
        "event_id": message.get("messageId"),
        "event": _name(message),
        "ts": _true_time(message, received),
        "user_id": message.get("userId") or None,
        "anonymous_id": message.get("anonymousId") or message.get("previousId") or None,
        **_context(message.get("context")),
    }
    if isinstance(properties, dict):
        raw |= _properties(raw["event"], properties, key)
    return {name: value for name, value in raw.items() if value is not None}


def _name(message: dict[str, Any]) -> Any:
    kind = message.get("type", "track")
    if kind in ("identify", "alias"):
        return "identify"
    name = message.get("event") if kind == "track" else kind
    return EVENTS.get(name, name) if isinstance(name, str) else name


def _true_time(message: dict[str, Any], received: Milliseconds) -> Any:
    """A time that cannot be read is left as it is, for the reader to refuse."""
    said, sent = message.get("timestamp"), message.get("sentAt")
    if said is None or sent is None:
        return said
    try:
        arrived = fields.read_time(message.get("receivedAt", received), "/receivedAt")
        return arrived - (fields.read_time(sent, "/sentAt") - fields.read_time(said, "/timestamp"))
    except InvalidInput:
        return said


def _properties(event: Any, properties: dict[str, Any], key: str) -> dict[str, Any]:
    given = {_RENAMED.get(name, name): value for name, value in properties.items()}
    products = given.pop("products", None)
    if products is None and event in (*_ONE_PRODUCT, "add_to_wishlist"):
        products = [{name: given.pop(name) for name in _LINE if name in given}]
    given.setdefault("value", _revenue(given))
    raw = {name: given.pop(name) for name in _OURS if name in given}
    if isinstance(products, list):
        raw["items"] = [_line(product, key) for product in products]
    return raw | {"attributes": given}


def _line(product: Any, key: str) -> Any:
    if not isinstance(product, dict):
        return product
    line = dict(product)
    if key in line:
        item_id = line.pop(key)
        line["item_id"] = str(item_id) if type(item_id) is int else item_id
    position = line.get("position")
    if type(position) is int:
        line["index"] = line.pop("position") - 1
    return line


def _revenue(given: dict[str, Any]) -> Any:
    if "revenue" in given or "total" not in given:
        return given.get("revenue")
    try:
        total, *parts = (
            fields.number(given.get(name, 0), f"/{name}") for name in ("total", "tax", "shipping")
        )
    except InvalidInput:
        return given["total"]
    return round(total - sum(parts), 6)


def _context(context: Any) -> dict[str, Any]:
    """The language alone: the rest (addresses, devices, campaigns) is not ours to keep."""
    locale = context.get("locale") if isinstance(context, dict) else None
    return {"context": {"locale": locale}} if isinstance(locale, str) else {}
