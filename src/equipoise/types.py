"""The nouns, on one page. Everything that crosses from one room to another is one of these.

Times are whole milliseconds since 1970 in UTC (written as RFC 3339 at the edge). Money is a float
in the shop's own currency. Inside, an item is known by its *position*: the order in which the log
first named it, an ``int32`` that never changes; ids (the caller's strings) live at the edges alone.

``gc=False``: nouns hold no cycles, and a full collection that walks millions of them would stop the
service for as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Floats32: TypeAlias = NDArray[np.float32]
Positions: TypeAlias = NDArray[np.int32]
Arrays: TypeAlias = dict[str, NDArray[Any]]

Milliseconds: TypeAlias = int
ItemId: TypeAlias = str


# ---------------------------------------------------------------- what a shop tells us


class Consent(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a shopper allows. Absent means: not asked, and the shop's default holds."""

    personalization: bool | None = None
    analytics: bool | None = None


class Impression(Struct, frozen=True, kw_only=True, gc=False):
    """The slot that an event speaks of: from a verified token, never the client's own word."""

    decision_id: str
    slot: int
    """Place in the slate, from 0."""


class Line(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One item of an event (GA4 ``items[]``)."""

    item_id: ItemId
    quantity: float = 1.0
    price: float | None = None
    index: int | None = None
    """Place in the list it was seen in, from 0 (GA4)."""
    token: str | None = None
    impression: Impression | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Something a shopper did, in GA4's words (``reference: events``)."""

    event_id: str
    event: str
    ts: Milliseconds
    """When it happened, by the sender's clock."""
    user_id: str | None = None
    anonymous_id: str | None = None
    session_id: str | None = None
    items: tuple[Line, ...] = ()
    search_term: str | None = None
    recommendation_id: str | None = None
    transaction_id: str | None = None
    currency: str | None = None
    value: float | None = None
    coupon: str | None = None
    consent: Consent | None = None
    context: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A thing the shop sells. ``categories`` are paths such as ``"Women/Shoes/Boots"``."""

    item_id: ItemId
    group_id: str | None = None
    title: dict[str, str] = field(default_factory=dict)
    """Text by BCP 47 language; ``und`` where the sender named none."""
    description: dict[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    brand: str | None = None
    seller_id: str | None = None
    price: float | None = None
    cost: float | None = None
    currency: str | None = None
    stock: float | None = None
    """None: not tracked, always in stock."""
    available_from: Milliseconds | None = None
    available_until: Milliseconds | None = None
    images: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    embedding: tuple[float, ...] = ()
    hidden: bool = False
    created_at: Milliseconds | None = None


class Coupon(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A price reduction that the shop may offer."""

    coupon_id: str
    kind: str
    """``percent``, ``amount`` or ``shipping``."""
    discount: float
    min_spend: float | None = None
    cost: float | None = None
    budget: float | None = None
    valid_from: Milliseconds | None = None
    valid_until: Milliseconds | None = None
    applies_to: dict[str, Any] = field(default_factory=dict)
    cap_per_user: int | None = None


class User(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the shop says about a shopper (what the events say is the *profile*)."""

    user_id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    locale: str | None = None
    segments: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    consent: Consent | None = None
    linked_ids: tuple[str, ...] = ()


# ---------------------------------------------------------------- the log


class Kind(StrEnum):
    """What a record of the log holds."""

    EVENT = "event"
    ITEM = "item"
    ITEM_REMOVED = "item_removed"
    COUPON = "coupon"
    COUPON_REMOVED = "coupon_removed"
    USER = "user"
    USER_REMOVED = "user_removed"
    DECISION = "decision"
    CONTROL = "control"
    """Somebody switched something in the running service; the key is the placement."""
    TICK = "tick"
    """Time passed and something was due: so that a fold needs no clock of its own."""


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """One line for the log, before it has a place in it. The log never looks into ``body``."""

    kind: Kind
    key: str
    """The noun's own id: event_id, item_id, decision id."""
    arrived: Milliseconds
    """By our clock: the only time a fold may treat as *now*."""
    body: bytes
    """The noun as JSON (empty for a tick)."""
    shopper: str = ""
    """``user_id`` or else ``anonymous_id``, as sent; empty where no person is meant."""
    ids: tuple[str, ...] = ()
    """Ids any of which, met before, makes this record a duplicate: ``event:…``, ``purchase:…``."""


class Stored(Struct, frozen=True, kw_only=True, gc=False):
    """A record in its place."""

    seq: int
    """From 1, rising, in the order of the log; gaps are allowed."""
    record: Record


class Receipt(Struct, frozen=True, kw_only=True, gc=False):
    """The log's answer to a record: where it stands, or where its twin does."""

    seq: int
    duplicate: bool = False


class Rejected(Struct, frozen=True, kw_only=True):
    """A dead letter: what was refused, and why."""

    code: str
    pointer: str
    """JSON pointer to the field, ``/items/0/item_id``."""
    message: str
    body: bytes
    arrived: Milliseconds
    source: str = ""
    event_id: str | None = None
    rejected_id: int = 0


# ---------------------------------------------------------------- the walk


class Query(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is asked of us: a list for a placement."""

    placement: str
    user_id: str | None = None
    anonymous_id: str | None = None
    n: int = 12
    context: dict[str, Any] = field(default_factory=dict)
    item_ids: tuple[ItemId, ...] = ()
    """Seed item of a product page, or the cart."""
    filter: dict[str, Any] = field(default_factory=dict)
    boosts: tuple[dict[str, Any], ...] = ()
    """``{"filter": {…}, "factor": 1.5}``: multiplies the mean of what the filter admits."""
    exclude_item_ids: tuple[ItemId, ...] = ()
    explain: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Shopper:
    """What the walk may know of whoever asks: a view of the profile, in positions."""

    key: str
    history: Positions
    """Items met, newest last, each once (its latest meeting)."""
    weights: Floats32
    """(len(history),) interest in each: a view less than a cart, a cart less than a purchase."""
    bought: Positions
    """Items bought, newest last."""
    categories: dict[str, float]
    """Share of the shopper's decayed interest by category path, leaves and their parents."""
    shown: Positions
    """Items that lists showed this shopper of late, in rising order."""
    shown_times: Floats32
    """(len(shown),) how often, decayed to the last time."""
    price: float | None
    """Geometric mean price of what was met."""
    locale: str | None
    personalised: bool
    """False without consent: history, bought, categories and price are then empty."""
    events: int
    """How many events stand behind this."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What one source proposes, best first."""

    items: Positions
    score: Floats32
    """(len(items),) in 0..1, 1 the source's best; comparable inside a source alone."""
    source: str


@dataclass(frozen=True, slots=True)
class Scored:
    """Candidates with what we believe of each: the reward of one look, here, by this shopper."""

    items: Positions
    mean: Floats
    variance: Floats
    """Of the belief about the *expected* reward, not of one reward."""
    noise: Floats | None = None
    """(n,) variance of *one* reward about what is expected of it; None: nobody has said. Against
    ``variance`` it tells how much one more showing would teach."""
    root: Floats | None = None
    """(n, k) with ``root @ root.T`` the covariance of the beliefs, its diagonal ``variance``; None:
    they are independent."""

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Draw:
    """A slate as it was drawn: indices into ``Scored``, not positions."""

    chosen: NDArray[np.int64]
    propensity: Floats
    """(L,) P(this one at this slot | the slots before), 1 for a pin."""
    explored: Bools
    """(L,) True where greedy, given the slots before, would have shown another."""
    pinned: Bools
    expected: float
    """What the greedy slate would earn by our own belief, looks weighted."""
    cost: float
    """``expected`` less what the policy expected to earn: the price of exploring this time."""


class PolicyUsed(Struct, frozen=True, kw_only=True, gc=False):
    """Which policy drew, and with what."""

    name: str
    version: str
    level: float
    """0 = greedy, 1 = the policy's natural amount."""
    parameters: dict[str, float] = field(default_factory=dict)


class Slot(Struct, frozen=True, kw_only=True, gc=False):
    """One place of a slate, with all that learning from it needs later."""

    item_id: ItemId
    position: int
    """The item's position in the catalogue."""
    propensity: float
    explored: bool
    pinned: bool
    source: str
    """The source that ranked it highest."""
    mean: float
    variance: float
    look: float
    """Chance that the slot is looked at, 1 for the first."""
    rate: float
    """Clicks a look that were expected of the item alone, when shown."""
    features: tuple[float, ...]
    """What the lift model saw (``ranking.features.NAMES``)."""


class Decision(Struct, frozen=True, kw_only=True, gc=False):
    """A slate with all that is needed to explain, replay and re-evaluate it."""

    decision_id: str
    ts: Milliseconds
    query: Query
    shopper: str
    """The shopper's key at that time."""
    policy: PolicyUsed
    slots: tuple[Slot, ...]
    fallback_level: str
    reason: str
    """Why the list is short or empty; empty where it is neither."""
    expected: float
    cost: float
    snapshot: str
    """Id of the published recommenders in use; empty before the first."""
    seq: int
    """The last record that had been folded in."""
    items: bytes
    """Candidates: int32 positions, little endian."""
    mean: bytes
    """float32, one a candidate, boosts included; the policy saw just these values."""
    variance: bytes
    """float32, one a candidate."""
    groups: bytes
    """int32, one a candidate: diversity group, -1 for none."""
    max_per_group: int
    pins: tuple[tuple[int, int], ...] = ()
    """(slot, index of the candidate)."""
    noise: bytes = b""
    """float32, one a candidate: variance of one look's reward. Empty where it was not known."""
    coin: dict[str, float] = field(default_factory=dict)
    """How the list was drawn, by the names of ``exploration.coin``: empty where no coin was thrown
    and nothing held back."""
    prices: dict[str, float] = field(default_factory=dict)
    """What a unit of each of the placement's balances was worth, in reward; empty where none asked
    for more."""
    besides: float = 0.0
    """How much of the greedy list's worth was no reward but what balances added."""


class Reward(Struct, frozen=True, kw_only=True, gc=False):
    """What a slot earned, or that its window closed with nothing."""

    decision_id: str
    slot: int
    outcome: str
    """``none``, ``click``, ``add_to_cart``, ``purchase``."""
    worth: float
    first: bool
    """True for the slot's first verdict: it then counts as one look. Later worth only adds."""
    ts: Milliseconds
