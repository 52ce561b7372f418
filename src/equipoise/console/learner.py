"""What the learner believes and how its balances stand, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from equipoise.clock import rfc3339
from equipoise.console.words import clock, percent
from equipoise.engine import Engine
from equipoise.exploration import Move
from equipoise.settings import Exploration, Placement
from equipoise.types import Milliseconds

FULL = 0.995
"""A level this near to its highest is said to be there."""
NEAR = 0.1
"""Spending within this share of the budget is said to be held at it."""
FEATURES = {
    "base": "Shown to just anybody: the unit",
    "recommended": "Fits the shopper's history, by the trained recommenders",
    "popular": "What everybody likes, now or at the last training",
    "affinity": "From a category the shopper likes",
    "co_viewed": "Often viewed with what the shopper viewed",
    "similar": "Resembles the item of the page",
    "price": "Near the prices the shopper met",
    "repeat": "Met by the shopper before",
    "shown": "Shown to the shopper before, and left",
    "fresh": "New in the shop",
}


def learner(engine: Engine, placement: str) -> dict[str, Any]:
    """What ``console_learner.html`` needs; an empty ``placement`` means all of them."""
    summary = engine.summary()
    chosen = [placement] if placement else sorted(engine.settings.placements)
    return {
        "balances": [balance(engine, name) for name in chosen],
        # As many as keep the two columns of the page about equally long.
        "moves": moves(engine, chosen, most=3 + 2 * len(chosen)),
        "weights": weights(summary["weights"]),
        "state": [(name, str(value).replace("`", "")) for name, value in summary["state"]],
    }


def balance(engine: Engine, name: str) -> dict[str, str]:
    """One placement: its budget, what is spent of late, how strongly it explores, and why."""
    placement, state = engine.settings.placements[name], engine.knowledge.balance_state(name)
    measured = engine.knowledge.balance(name).measured(state) if state.expected > 0 else None
    fixed = placement.fixed_level is not None
    return {
        "placement": name,
        "policy": placement.policy.replace("_", " "),
        "budget": "none" if fixed else percent(placement.budget),
        "spent": "no list yet" if measured is None else spent(measured),
        "level": f"{engine.level(name):.2f}",
        "stands": stands(placement, engine.level(name), measured, engine.settings.exploration),
    }


def stands(
    placement: Placement, level: float, measured: float | None, exploration: Exploration
) -> str:
    """How a balance stands, in a few words; ``measured`` is None before the first list."""
    if placement.policy == "greedy" or (placement.budget == 0 and placement.fixed_level is None):
        return "never explores"
    if placement.fixed_level is not None:
        return "fixed; no budget is kept"
    if measured is None:
        return "no list yet"
    if measured > (1 + NEAR) * placement.budget:
        return "over budget: exploring less and less"
    if level >= FULL * exploration.level_max:
        return "the most it may; the budget allows more"
    if measured < (1 - NEAR) * placement.budget:
        return "below budget: exploring more and more"
    return "held at the budget"


def moves(engine: Engine, placements: list[str], *, most: int) -> list[dict[str, str]]:
    """The newest ``most`` moves of these placements, newest first."""
    found = [(move, name) for name in placements for move in engine.knowledge.moves.get(name, ())]
    found.sort(key=lambda pair: pair[0].ts, reverse=True)
    now = engine.clock()
    return [_move(move, name, now) for move, name in found[:most]]


def _move(move: Move, placement: str, now: Milliseconds) -> dict[str, str]:
    return {
        "at": clock(move.ts, now),
        "ts": rfc3339(move.ts),
        "placement": placement,
        "level": f"{move.before:.2f} → {move.after:.2f}",
        "direction": "less" if move.after < move.before else "more",
        "spent": spent(move.measured),
        "budget": percent(move.target),
    }


def spent(share: float) -> str:
    """A share spent on exploring; below zero nothing was."""
    said = percent(share)
    return "nothing" if said.startswith("−") else said


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight of the lift model, and where to draw it: x from 0 to 100, zero at ``zero``."""

    name: str
    mean: str
    sd: str
    low: float
    middle: float
    high: float
    zero: float


def weights(rows: list[dict[str, Any]]) -> list[Weight]:
    """All on one scale, so that they can be compared by eye."""
    low = min([0.0, *(row["mean"] - row["sd"] for row in rows)])
    high = max([0.0, *(row["mean"] + row["sd"] for row in rows)])

    def place(value: float) -> float:
        return round(4 + 92 * (value - low) / (high - low), 1) if high > low else 50.0

    return [
        Weight(
            name=FEATURES.get(row["name"], row["name"]),
            mean=f"{row['mean']:.2f}".replace("-", "−"),
            sd=f"{row['sd']:.2f}",
            low=place(row["mean"] - row["sd"]),
            middle=place(row["mean"]),
            high=place(row["mean"] + row["sd"]),
            zero=place(0.0),
        )
        for row in rows
    ]
