"""The console: what exploring costs, what it finds, what the learner believes."""

from __future__ import annotations

import math
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from equipoise.clock import rfc3339
from equipoise.console.figures import MINUTE, charts, percent, span_words, tiles
from equipoise.console.render import HEADERS, page
from equipoise.console.service import Service
from equipoise.console.storefront import title
from equipoise.engine import Engine
from equipoise.errors import UnknownDecision
from equipoise.types import Decision, Item

SPANS = (10, 60, 360, 1_440, 2_880)
ROWS = 50
MOVES = 12


def console(service: Service) -> list[HTTPRouteHandler]:
    """The handlers under ``/console``."""

    @get("/console", include_in_schema=False, sync_to_thread=False)
    def overview(placement: str = "", minutes: int = 60) -> Response[str]:
        engine = service.engine
        return page(
            "console_overview.html",
            here="overview",
            placement=placement,
            minutes=minutes,
            spans=[(value, span_words(value)) for value in SPANS],
            placements=sorted(engine.settings.placements),
            tiles=_tiles(engine, placement, minutes),
            **_learner(engine, placement),
            **_frame(engine),
        )

    @get("/console/tiles", include_in_schema=False, sync_to_thread=False)
    def tile_row(placement: str = "", minutes: int = 60) -> Response[str]:
        return page("console_tiles.html", tiles=_tiles(service.engine, placement, minutes))

    @get("/console/learner", include_in_schema=False, sync_to_thread=False)
    def learner(placement: str = "") -> Response[str]:
        return page("console_learner.html", placement=placement,
                    **_learner(service.engine, placement))  # fmt: skip

    @get("/console/series", include_in_schema=False, sync_to_thread=False)
    def series(placement: str = "", minutes: int = 60) -> Response[dict[str, Any]]:
        engine = service.engine
        columns = charts(_series(engine, placement, minutes), budget=_budget(engine, placement))
        return Response(columns, headers=HEADERS)

    @get("/console/decisions", include_in_schema=False, sync_to_thread=False)
    def decisions() -> Response[str]:
        engine = service.engine
        rows = [_row(one) for one in engine.newest_decisions(ROWS)]
        return page("console_decisions.html", here="decisions", rows=rows, **_frame(engine))

    @get("/console/decisions/{decision_id:str}", include_in_schema=False, sync_to_thread=False)
    def decision(decision_id: str) -> Response[str]:
        engine = service.engine
        try:
            stored = engine.decision(decision_id)
        except UnknownDecision:
            return page("console_missing.html", status=404, here="decisions",
                        decision_id=decision_id, **_frame(engine))  # fmt: skip
        return page(
            "console_decision.html",
            here="decisions",
            decision=_about(stored) | {"same": engine.replay(decision_id) == stored},
            slots=_slots(engine, stored),
            **_frame(engine),
        )

    return [overview, tile_row, learner, series, decisions, decision]


def _series(engine: Engine, placement: str, minutes: int) -> Any:
    now = engine.clock()
    return engine.knowledge.tallies.minutes(now - minutes * MINUTE, now, placement or None)


def _tiles(engine: Engine, placement: str, minutes: int) -> Any:
    return tiles(
        _series(engine, placement, minutes),
        minutes=minutes,
        budget=_budget(engine, placement),
        currency=engine.settings.shop.currency,
    )


def _budget(engine: Engine, placement: str) -> float | None:
    """The budget of one placement, or the common one of all; None where they differ."""
    if placement in engine.settings.placements:
        return engine.settings.placements[placement].budget
    budgets = {chosen.budget for chosen in engine.settings.placements.values()}
    return budgets.pop() if len(budgets) == 1 else None


def _learner(engine: Engine, placement: str) -> dict[str, Any]:
    summary = engine.summary()
    chosen = [placement] if placement else sorted(engine.settings.placements)
    return {
        "balances": [_balance(engine, name) for name in chosen],
        "moves": _moves(engine, chosen),
        "weights": [
            {"name": row["name"], "mean": f"{row['mean']:.2f}", "sd": f"{row['sd']:.2f}"}
            for row in summary["weights"]
        ],
        "state": summary["state"],
    }


def _balance(engine: Engine, name: str) -> dict[str, str]:
    placement = engine.settings.placements[name]
    state = engine.knowledge.balance_state(name)
    measured = engine.knowledge.balance(name).measured(state)
    return {
        "placement": name,
        "policy": placement.policy,
        "target": percent(placement.budget),
        "measured": percent(measured) if state.expected > 0 else "nothing yet",
        "level": f"{engine.level(name):.2f}",
    }


def _moves(engine: Engine, placements: list[str]) -> list[dict[str, str]]:
    moves = [(move, name) for name in placements for move in engine.knowledge.moves.get(name, ())]
    moves.sort(key=lambda pair: pair[0].ts, reverse=True)
    return [
        {"at": rfc3339(move.ts)[11:19], "placement": name, "reason": move.reason}
        for move, name in moves[:MOVES]
    ]


def _row(decision: Decision) -> dict[str, Any]:
    return _about(decision) | {
        "n": len(decision.slots),
        "explored": sum(slot.explored for slot in decision.slots),
        "cost": percent(decision.cost / decision.expected) if decision.expected > 0 else "0.0 %",
    }


def _about(decision: Decision) -> dict[str, Any]:
    return {
        "id": decision.decision_id,
        "at": rfc3339(decision.ts)[:19].replace("T", " "),
        "placement": decision.query.placement,
        "shopper": decision.shopper,
        "policy": decision.policy.name,
        "level": f"{decision.policy.level:.2f}",
        "candidates": len(decision.items) // 4,
        "fallback": decision.fallback_level,
        "reason": decision.reason,
    }


def _slots(engine: Engine, decision: Decision) -> list[dict[str, Any]]:
    language = engine.settings.shop.default_language
    return [
        {
            "rank": index + 1,
            "item_id": slot.item_id,
            "title": title(engine.item(slot.item_id) or Item(item_id=slot.item_id), language),
            "why": " ".join(engine.reasons(decision, index)),
            "propensity": f"{slot.propensity:.4f}",
            "explored": slot.explored,
            "mean": f"{slot.mean:.5f}",
            "sd": f"{math.sqrt(slot.variance):.5f}",
            "source": slot.source,
        }
        for index, slot in enumerate(decision.slots)
    ]


def _frame(engine: Engine) -> dict[str, Any]:
    shop = engine.settings.shop
    return {"shop": shop.name, "language": "en", "currency": shop.currency}
