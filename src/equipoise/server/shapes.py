"""The bodies that we answer with, as typed shapes: what is documented, and sent, is this."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from equipoise.server.requests import CouponIn, ItemIn, UserIn

TimeOut = Annotated[str, Meta(description="RFC 3339, UTC.")]


# ---------------------------------------------------------------- answers: events


class Refusal(Struct, kw_only=True):
    """An event that was not taken, and why."""

    index: int
    event_id: str | None
    code: str
    pointer: str
    message: str


class EventsOut(Struct, kw_only=True):
    """What became of the events. Accepted ones are on disk."""

    accepted: int
    duplicated: int
    rejected: list[Refusal]
    without_event_id: Annotated[
        list[int] | UnsetType,
        Meta(description="Indexes of events that came without an id: repeats are not noticed."),
    ] = UNSET


class DeadLetter(Struct, kw_only=True):
    """A refused event as it came."""

    rejected_id: int
    event_id: str | None
    code: str
    pointer: str
    message: str
    arrived: TimeOut
    source: str
    body: str


class DeadLetters(Struct, kw_only=True):
    """A page of dead letters, oldest first."""

    rejected: list[DeadLetter]
    next_cursor: str | None


# ---------------------------------------------------------------- answers: catalogue, shoppers


class ItemOut(ItemIn, kw_only=True):
    """An item as it is kept."""

    item_id: str


class ItemsOut(Struct, kw_only=True):
    """A page of items. It may be short, even empty; there is more while ``next_cursor`` is set."""

    items: list[ItemOut]
    next_cursor: str | None


class CouponOut(CouponIn, kw_only=True):
    """A coupon as it is kept."""

    coupon_id: str


class CouponsOut(Struct, kw_only=True):
    """A page of coupons."""

    coupons: list[CouponOut]
    next_cursor: str | None


class BatchRefusal(Struct, kw_only=True):
    """A part of a batch that was not taken, and why."""

    index: int
    id: str | None
    code: str
    pointer: str
    message: str


class BatchOut(Struct, kw_only=True):
    """What became of a batch of items or coupons. Accepted ones are on disk."""

    accepted: int
    rejected: list[BatchRefusal]


class UserOut(UserIn, kw_only=True):
    """A shopper's record as it is kept."""

    user_id: str


class Removed(Struct, kw_only=True):
    """What was removed, and what was not."""

    removed: str
    erased: Annotated[
        bool, Meta(description="True only where every trace is gone from every file.")
    ]
    detail: str


class ProfileOut(Struct, kw_only=True):
    """What the events say about a shopper."""

    user_id: str
    profile: dict[str, Any]


class Export(Struct, kw_only=True):
    """Everything that is held about a shopper."""

    user: dict[str, Any] | None
    events: list[dict[str, Any]]
    profile: dict[str, Any]
    decisions: list[dict[str, Any]]


# ---------------------------------------------------------------- answers: lists


class PolicyOut(Struct, kw_only=True):
    """Which policy drew the list."""

    name: str
    version: str
    exploration_rate: Annotated[
        float,
        Meta(
            description="How much the balance lets it explore now: 0 greedy, 1 its natural amount."
        ),
    ]


class ListItem(Struct, kw_only=True):
    """One place of a list."""

    item_id: str
    rank: Annotated[int, Meta(description="From 1.")]
    score: Annotated[
        float, Meta(description="Expected reward of one look, in the shop's currency.")
    ]
    propensity: Annotated[
        float, Meta(description="P(this item at this place, given the places before).")
    ]
    explored: Annotated[bool, Meta(description="Greedy would have shown another here.")]
    source: str
    token: Annotated[
        str | None,
        Meta(description="Send it back with a click or a purchase; null for a dry run."),
    ]
    reasons: list[str] | UnsetType = UNSET


class ListOut(Struct, kw_only=True):
    """A list, with all that is needed to audit it."""

    recommendation_id: str
    placement: str
    policy: PolicyOut
    experiment: dict[str, Any] | None
    items: list[ListItem]
    fallback_level: str
    reason: Annotated[str, Meta(description="Why the list is short or empty; else empty.")]
    feature_time: Annotated[
        str | None, Meta(description="Arrival of the newest record that this list knows.")
    ]
    took_ms: float


class SlotOut(Struct, kw_only=True):
    """One place of a stored decision."""

    item_id: str
    rank: int
    score: float
    variance: float
    propensity: float
    explored: bool
    pinned: bool
    source: str
    look: float
    rate: float
    features: list[float]


class CandidateOut(Struct, kw_only=True):
    """What the policy saw of one candidate."""

    item_id: str
    mean: float
    variance: float
    group: int


class DecisionOut(Struct, kw_only=True):
    """A decision as it is stored, or computed again: the same shape, the same bits."""

    recommendation_id: str
    decided_at: TimeOut
    placement: str
    shopper: str
    query: dict[str, Any]
    policy: PolicyOut
    parameters: dict[str, float]
    experiment: dict[str, Any] | None
    items: list[SlotOut]
    candidates: list[CandidateOut]
    pins: list[list[int]]
    max_per_group: int
    fallback_level: str
    reason: str
    expected: float
    cost: float
    snapshot: str
    seq: int


# ---------------------------------------------------------------- answers: control, operate


class MoveOut(Struct, kw_only=True):
    """The level changed by enough to say why."""

    at: TimeOut
    before: float
    after: float
    measured: float
    reason: str


class BalanceOut(Struct, kw_only=True):
    """One balance: what it aims at, what it measured, and where it stands."""

    placement: str
    balance: Annotated[
        str,
        Meta(description="exploration, margin, tail, variety or sellers.NAME."),
    ]
    policy: str
    bound: Annotated[str, Meta(description="at most or at least.")]
    target: Annotated[
        float,
        Meta(description="A share: of expected reward, of order value (margin), or of looks."),
    ]
    measured: Annotated[float, Meta(description="The same share, of late.")]
    multiplier: Annotated[
        float,
        Meta(description="λ: 0 while the target is met without help; exploring: of its price."),
    ]
    price: Annotated[
        float | None,
        Meta(description="What a unit counts for, in the shop's currency; null for exploring."),
    ]
    level: Annotated[
        float | None,
        Meta(description="How much it explores now: 0 greedy, 1 natural; null for all others."),
    ]
    decisions: Annotated[float, Meta(description="Decisions behind `measured`, decayed.")]
    history: Annotated[list[MoveOut], Meta(description="Of level or λ; newest last.")]
    limits: Annotated[
        LimitsOut | None, Meta(description="Of exploring, and where each stands; else null.")
    ] = None


class LimitsOut(Struct, kw_only=True):
    """What exploring is held to beside its balance, and where each limit stands."""

    stopped: bool
    why: Annotated[str, Meta(description="Why nothing is explored now; empty where it may be.")]
    limit: Annotated[dict[str, Any], Meta(description="Money a day and in all; 0: no limit.")]
    segments: dict[str, dict[str, Any]]
    groups: Annotated[dict[str, dict[str, Any]], Meta(description="`spread` 0: not explored.")]
    guarantee: Annotated[dict[str, Any] | None, Meta(description="`credit`: reward above it.")]
    apprentice: Annotated[dict[str, Any] | None, Meta(description="`share`: lists that are ours.")]


class AlarmOut(Struct, kw_only=True):
    """Clicks are no longer what they were."""

    at: TimeOut
    where: Annotated[str, Meta(description="A category, or the shop.")]
    since: TimeOut
    before: Annotated[float, Meta(description="Clicks a look.")]
    after: float
    reason: str


class BalancesOut(Struct, kw_only=True):
    """Every placement's balances: exploring first, then what its settings ask for."""

    balances: list[BalanceOut]
    alarms: Annotated[list[AlarmOut], Meta(description="Of the whole shop; newest last.")]


class CapOut(Struct, kw_only=True):
    """What exploring up to this share would earn; money is of all days together."""

    cap: float
    reward_per_list: float
    reward: float
    low: Annotated[float, Meta(description="In nine of ten drawn worlds it is more.")]
    high: Annotated[float, Meta(description="In nine of ten drawn worlds it is less.")]
    gain: Annotated[float, Meta(description="Over never exploring, in the same worlds.")]
    gain_error: Annotated[float, Meta(description="Standard error of the gain.")]
    spent: Annotated[float, Meta(description="Share of expected reward.")]


class AheadOut(Struct, kw_only=True):
    """Other caps on exploring, simulated ahead from the present beliefs."""

    placement: str
    currency: str
    days: float
    lists: Annotated[float, Meta(description="In these days, at the traffic of late.")]
    budget: Annotated[
        float | None, Meta(description="The cap that is set now; null for a fixed level.")
    ]
    best: Annotated[float, Meta(description="The cap that earned most.")]
    unknown: Annotated[
        float,
        Meta(
            description="What knowing everything would add to the next list, at most (expected "
            "value of perfect information), as a share of what the list is expected to earn."
        ),
    ]
    caps: list[CapOut]


class PlacementOut(Struct, kw_only=True):
    """A place in the shop where lists are shown, and how they are made."""

    placement: str
    settings: dict[str, Any]


class PlacementsOut(Struct, kw_only=True):
    """Every placement."""

    placements: list[PlacementOut]


class ModelsOut(Struct, kw_only=True):
    """The published snapshot in use and the learner's state."""

    snapshot: str
    learner: dict[str, Any]


class EvaluationOut(Struct, kw_only=True):
    """What policies would have earned a list. What the log cannot tell is null, with reasons."""

    evaluation_id: str
    asked_at: TimeOut
    placement: str
    outcome: str
    estimator: str
    interval: str
    confidence: float
    answerable: bool
    reasons: Annotated[list[str], Meta(description="Why not; empty where all are answered.")]
    log: Annotated[dict[str, Any], Meta(description="Lists judged and lists left out.")]
    logged: Annotated[dict[str, Any], Meta(description="What the log's own lists earned.")]
    policies: Annotated[list[dict[str, Any]], Meta(description="In the order asked.")]


class EvaluationsOut(Struct, kw_only=True):
    """Newest first."""

    evaluations: list[EvaluationOut]


class Alive(Struct, kw_only=True):
    """The process answers."""

    status: str
    version: str


class Ready(Struct, kw_only=True):
    """Whether lists are served, and whether events can be stored."""

    status: str
    log: Annotated[str, Meta(description="writing, or failing: lists are served either way.")]
    seq: int
    items: int
    snapshot: str
