"""Decisions as the console shows them: a row of a list, and one of them in full."""

from __future__ import annotations

import math
from typing import Any

from equipoise.clock import rfc3339
from equipoise.console.card import address, named, title
from equipoise.console.learner import spent
from equipoise.console.words import moment, money, percent, shopper
from equipoise.engine import Engine
from equipoise.types import Decision

SHORT = 8
"""Characters of an id that tell it from its neighbours: its last ones."""
RUNGS = {
    "personalised": "the shopper's history, by trained recommenders",
    "session": "what the shopper did of late",
    "item_item": "the item of the page",
    "popular": "what everybody likes",
    "catalogue": "the whole range",
    "none": "nothing",
}
"""What the best source of a list went by."""


def row(decision: Decision) -> dict[str, Any]:
    """One line of the list of decisions."""
    return {
        "id": decision.decision_id,
        "short": f"…{decision.decision_id[-SHORT:]}",
        "at": moment(decision.ts),
        "ts": rfc3339(decision.ts),
        "placement": decision.query.placement,
        "shopper": shopper(decision.shopper),
        "shown": len(decision.slots),
        "asked": decision.query.n,
        "explored": sum(slot.explored for slot in decision.slots),
        "level": f"{decision.policy.level:.2f}",
        "cost": spent(decision.cost / decision.expected) if decision.expected > 0 else "nothing",
        "rung": RUNGS.get(decision.fallback_level, decision.fallback_level),
    }


def facts(decision: Decision, currency: str) -> list[tuple[str, str]]:
    """A decision in names and values."""
    policy, pool = decision.policy, f"{len(decision.items) // 4:,}"
    return [
        ("Placement", decision.query.placement),
        ("Shopper", shopper(decision.shopper)),
        ("Policy", f"{policy.name.replace('_', ' ')} {policy.version} at level {policy.level:.2f}"),
        ("Slots", f"{len(decision.slots)} of {decision.query.n} asked for, {pool} candidates"),
        ("Chosen by", RUNGS.get(decision.fallback_level, decision.fallback_level)),
        ("Price of exploring", _price(decision, currency)),
        ("Recommenders", decision.snapshot or "none published yet"),
        ("Knew the log up to", f"record {decision.seq:,}"),
    ]


def slots(engine: Engine, decision: Decision) -> list[dict[str, Any]]:
    """The slate, slot by slot."""
    language = engine.settings.shop.default_language
    return [
        {
            "rank": index + 1,
            "href": address(slot.item_id),
            "title": title(named(engine, slot.item_id), language),
            "why": " · ".join(engine.reasons(decision, index)),
            "propensity": f"{slot.propensity:.4f}",
            "kind": _kind(slot.pinned, slot.explored),
            "mean": f"{slot.mean:.4f}",
            "sd": f"{math.sqrt(slot.variance):.4f}",
            "look": percent(slot.look, 0),
            "source": slot.source.replace("_", " "),
        }
        for index, slot in enumerate(decision.slots)
    ]


def _kind(pinned: bool, explored: bool) -> str:
    return "pinned" if pinned else "explored" if explored else "exploited"


def _price(decision: Decision, currency: str) -> str:
    if decision.expected <= 0:
        return "nothing was expected of this list"
    share = spent(decision.cost / decision.expected)
    greedy = f"{money(decision.expected, currency)} that the greedy list was expected to earn"
    return f"{share} of the {greedy}"
