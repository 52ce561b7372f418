"""How a placement's limits reach a list: from settings to terms, from a plan to what is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from equipoise.candidates.eligibility import FilterCache
from equipoise.candidates.pool import Pool
from equipoise.exploration import Apprentice, ArmBank, Balance, BetaBelief, Guarantee, Limit
from equipoise.exploration.alarms import Arms, Sentry
from equipoise.exploration.coin import FIRST, HELD, OURS
from equipoise.exploration.terms import Group, Part, Plan, Terms
from equipoise.interfaces import Source
from equipoise.placements import ItemGroup, Placement, Segment
from equipoise.settings import Settings
from equipoise.state import Catalogue
from equipoise.types import Bools, Candidates, Query, Scored, Shopper, Slot

SHARE = 1e-5
"""Of all trust in memories that each verdict deals out anew, as in the bank's benchmarks."""
LOOKS = "the looks that exploring gave"


def terms_of(settings: Settings) -> dict[str, Terms]:
    """What each placement is held to."""
    return {name: _terms(settings, placement) for name, placement in settings.placements.items()}


def balance_of(settings: Settings, target: float, floor: float = 0.0) -> Balance:
    """What holds exploring to a share of expected reward."""
    exploration = settings.exploration
    return Balance(
        target=target,
        half_life=exploration.half_life,
        step=exploration.step,
        level_max=exploration.level_max,
        start=exploration.level_start,
        floor=floor,
    )


def click_rates(settings: Settings) -> ArmBank:
    """The belief about clicks a look, at several half-lives (days); alarms make all forget."""
    ranking = settings.ranking
    return ArmBank(
        lambda: BetaBelief(
            prior_mean=ranking.click_rate,
            arm_strength=ranking.item_looks,
            group_strength=ranking.category_looks,
            overall_strength=ranking.overall_looks,
        ),
        (*ranking.click_memories_days, math.inf),
        add_lasts=0.0,
        share=SHARE,
    )


def sentry_of(settings: Settings, beliefs: Sequence[Arms], catalogue: Catalogue) -> Sentry:
    """What watches the categories' clicks."""
    return Sentry(
        beliefs,
        members=lambda part: np.flatnonzero(catalogue.category == part),
        name=lambda part: catalogue.name("category", part) if part >= 0 else "no category",
        keep=settings.exploration.alarm_keep,
    )


def _terms(settings: Settings, placement: Placement) -> Terms:
    worth = settings.worth
    # The most that one click with all that follows it earns: a list counts for no more.
    most = max(worth.click + worth.add_to_cart + worth.purchase, 1e-9)
    follows, alpha = placement.apprentice, placement.guarantee
    return Terms(
        stopped=placement.stopped,
        limit=_limit(placement),
        segments={name: _part(settings, one) for name, one in placement.segments.items()},
        groups={name: _group(settings, one) for name, one in placement.groups.items()},
        apprentice=Apprentice(most=most) if follows else None,
        guarantee=Guarantee(alpha=alpha, error=placement.guarantee_error, most=most)
        if alpha
        else None,
    )


def _limit(limits: Placement | Segment) -> Limit:
    return Limit(day=limits.day_budget, saved=limits.saved_days, total=limits.loss_budget)


def _part(settings: Settings, segment: Segment) -> Part:
    budget = segment.budget
    balance = None if budget is None else balance_of(settings, budget)
    return Part(stopped=segment.stopped, balance=balance, limit=_limit(segment))


def _group(settings: Settings, group: ItemGroup) -> Group:
    exploration = settings.exploration
    shared = Balance(
        target=group.share, half_life=exploration.half_life, step=exploration.step, of=LOOKS
    ) if group.share < 1.0 else None  # fmt: skip
    return Group(filter=group.filter, stopped=group.stopped, balance=shared)


# ---------------------------------------------------------------- what is drawn from


def led(
    plan: Plan, pool: Pool, baseline: Source | None, query: Query, shopper: Shopper, eligible: Bools
) -> tuple[Pool, dict[str, float]]:
    """The pool in the baseline's order, where there is one; and how the list is to be drawn."""
    marks = {HELD: 1.0} if any(remains == 0 for _, remains in plan.held) else {}
    if plan.ours is None:
        return pool, marks
    marks[OURS] = plan.ours
    if baseline is not None:
        pool, front = in_front(pool, baseline.propose(query, shopper, eligible, len(pool)))
        marks[FIRST] = float(front)
    return pool, marks


def in_front(pool: Pool, proposed: Candidates) -> tuple[Pool, int]:
    """The pool with a baseline's candidates first, in its order, and how many of them there are."""
    place = {item: rank for rank, item in enumerate(proposed.items.tolist())}
    rank = np.array([place.get(item, len(place)) for item in pool.items.tolist()], dtype=np.int64)
    order = np.argsort(rank, kind="stable")
    front = int(np.count_nonzero(rank < len(place)))
    return replace(
        pool, items=pool.items[order], scores=pool.scores[order], best=pool.best[order]
    ), front


def restrained(plan: Plan, scored: Scored, filters: FilterCache, catalogue: Catalogue) -> Scored:
    """Spreads of item groups shrunk to what their limits leave, 0 for what is not to be explored:
    as if more were known of them, or all. Rounded to what the decision stores."""
    if not plan.held:
        return scored
    remains = np.ones(len(scored))
    for wanted, factor in plan.held:
        mask = filters.mask(dict(wanted), catalogue)[scored.items]
        remains[mask] = np.minimum(remains[mask], factor)
    variance = (scored.variance * remains**2).astype(np.float32).astype(np.float64)
    return replace(scored, variance=variance)


def looks_of_groups(
    groups: Mapping[str, Mapping[str, Any]],
    slots: Sequence[Slot],
    filters: FilterCache,
    catalogue: Catalogue,
) -> dict[str, tuple[float, float]]:
    """(looks of a group's items by exploring, those of all items) in one list, by group."""
    items = [slot.position for slot in slots]
    looks = np.array([slot.look * slot.explored for slot in slots])
    return {
        name: (float(looks[filters.mask(dict(wanted), catalogue)[items]].sum()), float(looks.sum()))
        for name, wanted in groups.items()
    }
