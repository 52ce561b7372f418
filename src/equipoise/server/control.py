"""How the shop is steered, to read: placements, balances, the models in use."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from equipoise.clock import rfc3339
from equipoise.engine import Engine
from equipoise.exploration import Move
from equipoise.server import examples, shapes
from equipoise.server.answers import json
from equipoise.server.live import live_of
from equipoise.server.openapi import about

Asked = Request[Any, Any, Any]


@get(
    "/v1/balances",
    opt=about(
        tag="control",
        summary="What exploring may cost, what it costs, and how the level moved.",
        answer=shapes.BalancesOut,
        answer_example=examples.BALANCES,
    ),
)
async def get_balances(request: Asked) -> ASGIApp:
    engine = live_of(request).engine
    return json(
        shapes.BalancesOut(
            balances=[balance_out(engine, name) for name in sorted(engine.settings.placements)]
        )
    )


@get(
    "/v1/placements",
    opt=about(
        tag="control",
        summary="The places in the shop where lists are shown, and how they are made.",
        answer=shapes.PlacementsOut,
        answer_example=examples.PLACEMENTS,
    ),
)
async def get_placements(request: Asked) -> ASGIApp:
    placements = live_of(request).engine.settings.placements
    return json(
        shapes.PlacementsOut(
            placements=[
                shapes.PlacementOut(placement=name, settings=msgspec.to_builtins(placement))
                for name, placement in sorted(placements.items())
            ]
        )
    )


@get(
    "/v1/models",
    opt=about(
        tag="control",
        summary="The published snapshot in use, and the learner's state.",
        answer=shapes.ModelsOut,
        answer_example=examples.MODELS,
    ),
)
async def get_models(request: Asked) -> ASGIApp:
    engine = live_of(request).engine
    return json(shapes.ModelsOut(snapshot=engine.snapshot_id, learner=engine.summary()))


def balance_out(engine: Engine, placement: str) -> shapes.BalanceOut:
    """A balance with its moves."""
    known = engine.knowledge
    balance, state = known.balance(placement), known.balance_state(placement)
    return shapes.BalanceOut(
        placement=placement,
        policy=engine.settings.placements[placement].policy,
        target=balance.target,
        measured=balance.measured(state),
        multiplier=state.multiplier,
        level=engine.level(placement),
        decisions=state.decisions,
        history=[_move(move) for move in known.moves.get(placement, ())],
    )


def routes() -> list[HTTPRouteHandler]:
    return [get_balances, get_placements, get_models]


def _move(move: Move) -> shapes.MoveOut:
    return shapes.MoveOut(
        at=rfc3339(move.ts),
        before=move.before,
        after=move.after,
        measured=move.measured,
        reason=move.reason,
    )
