"""The bodies that callers send, as typed shapes: documentation, for the intake is what reads them.

Times are read as RFC 3339, epoch seconds or milliseconds; unknown fields go to ``attributes``.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Time = Annotated[str | float, Meta(description="RFC 3339, or epoch seconds or milliseconds.")]
Text = Annotated[str | dict[str, str], Meta(description="Text, or text by BCP 47 language.")]


class ConsentShape(Struct, kw_only=True):
    """What the shopper allows; absent means not asked."""

    personalization: bool | None = None
    analytics: bool | None = None


class LineIn(Struct, kw_only=True):
    """One item of an event (GA4 ``items[]``)."""

    item_id: Id
    quantity: float = 1.0
    price: float | None = None
    index: Annotated[int | None, Meta(description="Place in the list, from 0.")] = None
    token: Annotated[
        str | None, Meta(description="The impression token that came with the item in a list.")
    ] = None


class EventIn(Struct, kw_only=True):
    """Something a shopper did, in GA4's words. ``user_id`` or ``anonymous_id`` is needed."""

    event: Annotated[str, Meta(description="GA4 name: view_item, select_item, purchase, …")]
    event_id: Annotated[
        Id | None, Meta(description="Makes a repeat a duplicate; without it nothing does.")
    ] = None
    ts: Time | None = None
    user_id: Id | None = None
    anonymous_id: Id | None = None
    session_id: str | None = None
    items: list[LineIn] = []
    search_term: str | None = None
    recommendation_id: str | None = None
    transaction_id: Annotated[
        str | None, Meta(description="A purchase seen twice is one purchase.")
    ] = None
    currency: str | None = None
    value: float | None = None
    coupon: str | None = None
    consent: ConsentShape | None = None
    context: dict[str, Any] = {}
    attributes: dict[str, Any] = {}


class EventsIn(Struct, kw_only=True):
    """A batch: at most 500 events and 500 KB."""

    events: Annotated[list[EventIn], Meta(max_length=500)]


class ItemIn(Struct, kw_only=True):
    """A thing the shop sells. Fields that are not named here are kept in ``attributes``."""

    group_id: Annotated[str | None, Meta(description="Variants of one product share it.")] = None
    title: Text | None = None
    description: Text | None = None
    categories: Annotated[list[str], Meta(description='Paths such as "Women/Shoes/Boots".')] = []
    brand: str | None = None
    seller_id: str | None = None
    price: float | None = None
    cost: float | None = None
    currency: str | None = None
    stock: Annotated[float | None, Meta(description="Absent: not tracked, always in stock.")] = None
    available_from: Time | None = None
    available_until: Time | None = None
    images: list[str] = []
    tags: list[str] = []
    attributes: dict[str, Any] = {}
    embedding: list[float] = []
    hidden: bool = False
    created_at: Time | None = None


class ItemOfBatch(ItemIn, kw_only=True):
    """An item with its id."""

    item_id: Id


class ItemsIn(Struct, kw_only=True):
    """Items to put, each replaced as a whole."""

    items: list[ItemOfBatch]


class CouponIn(Struct, kw_only=True):
    """A price reduction that the shop may offer."""

    kind: Annotated[str, Meta(description="percent, amount or shipping.")]
    discount: float
    min_spend: float | None = None
    cost: float | None = None
    budget: float | None = None
    valid_from: Time | None = None
    valid_until: Time | None = None
    applies_to: Annotated[dict[str, Any], Meta(description="A filter over items.")] = {}
    cap_per_user: int | None = None


class CouponOfBatch(CouponIn, kw_only=True):
    """A coupon with its id."""

    coupon_id: Id


class CouponsIn(Struct, kw_only=True):
    """Coupons to put, each replaced as a whole."""

    coupons: list[CouponOfBatch]


class UserIn(Struct, kw_only=True):
    """What the shop says about a shopper."""

    attributes: dict[str, Any] = {}
    locale: str | None = None
    segments: list[str] = []
    follows: list[str] = []
    consent: ConsentShape | None = None
    linked_ids: list[str] = []


class ListIn(Struct, kw_only=True):
    """A list for a placement. Filters and exclusions hold before the top n is taken."""

    placement: str
    user_id: Id | None = None
    anonymous_id: Id | None = None
    n: Annotated[int, Meta(ge=1, le=100)] | None = None
    context: dict[str, Any] = {}
    item_ids: Annotated[list[str], Meta(description="Seed item, or the cart.")] = []
    filter: dict[str, Any] = {}
    boosts: list[dict[str, Any]] = []
    exclude_item_ids: list[str] = []
    explain: Annotated[bool, Meta(description="Adds reasons[] to every item.")] = False
    dry_run: Annotated[bool, Meta(description="Decides, but stores nothing.")] = False


class GroupSwitchIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether items are explored. A group that the settings do not name says what it holds."""

    stopped: bool | None = None
    filter: dict[str, Any] | None = None


class SwitchIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """True stops exploring, false allows it, null: as the settings say. What is left out stays."""

    stopped: bool | UnsetType | None = UNSET
    segments: dict[str, bool | None] = {}
    groups: dict[str, GroupSwitchIn] = {}
    reason: Annotated[str, Meta(max_length=200, description="For whoever reads it later.")] = ""


class RejectedIn(Struct, kw_only=True):
    """Which dead letters to try again; all (at most 500) where none is named."""

    rejected_ids: list[int] = []


class PolicyIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A policy to ask about. What is left out is as it was logged."""

    policy: Annotated[str, Meta(description="By name; empty: each list's own.")] = ""
    parameters: dict[str, float] = {}
    level: Annotated[float | None, Meta(description="0 greedy, 1 natural.")] = None


class EvaluationIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to estimate from the log."""

    policies: Annotated[list[PolicyIn], Meta(min_length=1, max_length=16)] = field(
        default_factory=lambda: [PolicyIn()]
    )
    placement: str = "home"
    since: Time | None = None
    until: Time | None = None
    outcome: Annotated[str, Meta(description="worth or click.")] = "worth"
    estimator: Annotated[str, Meta(description="dr, ips, snips, rips, …; docs/ope.md.")] = "dr"
    interval: Annotated[str, Meta(description="shopper, bernstein or anytime.")] = "shopper"
    confidence: Annotated[float, Meta(gt=0, lt=1)] = 0.95
