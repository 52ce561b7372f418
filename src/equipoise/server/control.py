"""How the shop is steered, to read: placements, balances and what others would earn, models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Request, get, put
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from equipoise.candidates.eligibility import check
from equipoise.clock import rfc3339
from equipoise.engine import Engine
from equipoise.errors import InvalidInput
from equipoise.exploration import Alarm, Move
from equipoise.exploration.ahead import Ahead, look_ahead
from equipoise.server import examples, requests, shapes
from equipoise.server.addresses import id_of
from equipoise.server.answers import json
from equipoise.server.bodies import convert, read_body, read_object
from equipoise.server.live import live_of
from equipoise.server.openapi import about
from equipoise.server.problems import not_found

Asked = Request[Any, Any, Any]


@get(
    "/v1/balances",
    opt=about(
        tag="control",
        summary="What each placement's balances aim at, measure and do: exploring, margin, "
        "sellers, tail, variety.",
        answer=shapes.BalancesOut,
        answer_example=examples.BALANCES,
    ),
)
async def get_balances(request: Asked) -> ASGIApp:
    engine = live_of(request).engine
    return json(
        shapes.BalancesOut(
            balances=[
                balance
                for name in sorted(engine.settings.placements)
                for balance in (balance_out(engine, name), *constraints_out(engine, name))
            ],
            alarms=[_alarm(alarm) for alarm in engine.knowledge.sentry.alarms],
        )
    )


@put(
    "/v1/balances/{placement:str}",
    opt=about(
        tag="control",
        summary="Stop exploring, or allow it again: in a placement, a segment, an item group.",
        description=(
            "Holds from the next list on, and after a restart: it is a record of the log. "
            "`null` gives the word back to the settings."
        ),
        body=(requests.SwitchIn,),
        body_example=examples.SWITCH,
        answer=shapes.BalanceOut,
        answer_example=examples.BALANCES["balances"][0],
        problems=(404, 503),
    ),
)
async def put_balance(request: Asked) -> ASGIApp:
    live, placement = live_of(request), id_of(request, "placement")
    raw = read_object(await read_body(request, live.max_body))
    if placement not in live.engine.settings.placements:
        raise not_found("placement", placement)
    switched = _switched(live.engine, placement, raw)
    await live.submit([live.engine.control_record(placement, switched)])
    return json(balance_out(live.engine, placement))


@get(
    "/v1/balances/{placement:str}/ahead",
    opt=about(
        tag="control",
        summary="What other caps on exploring would earn, simulated ahead from the present "
        "beliefs.",
        description=(
            "Each world draws what every item is really worth from what is believed of it; each "
            "cap is tried in all of them, at the traffic and the rate of launches of late. Takes "
            "some seconds of one core, beside the serving; several wait for one another."
        ),
        answer=shapes.AheadOut,
        answer_example=examples.AHEAD,
        problems=(400,),
    ),
)
async def get_ahead(request: Asked) -> ASGIApp:
    engine, placement = live_of(request).engine, id_of(request, "placement")
    outlook = engine.walk.outlook(placement)
    async with _turn(request):
        ahead = await asyncio.to_thread(look_ahead, outlook)
    return json(ahead_out(engine, placement, ahead, outlook.days))


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
    """What exploring may cost, with its moves."""
    known = engine.knowledge
    balance, state = known.balance(placement), known.balance_state(placement)
    return shapes.BalanceOut(
        placement=placement,
        balance="exploration",
        policy=engine.settings.placements[placement].policy,
        bound="at most",
        target=balance.target,
        measured=balance.measured(state),
        multiplier=state.multiplier,
        price=None,
        level=engine.level(placement),
        decisions=state.decisions,
        history=[_move(move) for move in known.moves.get(placement, ())],
        limits=shapes.LimitsOut(**known.steering.describe(placement, engine.clock())),
    )


def constraints_out(engine: Engine, placement: str) -> Iterator[shapes.BalanceOut]:
    """What the placement's lists are to give besides reward."""
    held = engine.knowledge.constraints
    for name, constraint in held.of(placement).items():
        state = held.state(placement, name)
        yield shapes.BalanceOut(
            placement=placement,
            balance=name,
            policy=engine.settings.placements[placement].policy,
            bound="at most" if constraint.cap else "at least",
            target=constraint.target,
            measured=constraint.measured(state),
            multiplier=constraint.multiplier(state),
            price=constraint.price(state),
            level=None,
            decisions=state.decisions,
            history=[_move(move) for move in held.moves(placement, name)],
        )


def ahead_out(engine: Engine, placement: str, ahead: Ahead, days: float) -> shapes.AheadOut:
    """In money, over all the days."""
    chosen, lists = engine.settings.placements[placement], ahead.lists
    columns = (ahead.reward, ahead.low, ahead.high, ahead.gain, ahead.gain_error)
    return shapes.AheadOut(
        placement=placement,
        currency=engine.settings.shop.currency,
        days=days,
        lists=lists,
        budget=chosen.budget if chosen.fixed_level is None else None,
        best=ahead.caps[ahead.best],
        unknown=ahead.unknown,
        caps=[
            shapes.CapOut(
                cap=cap, reward_per_list=reward, reward=reward * lists, low=low * lists,
                high=high * lists, gain=gain * lists, gain_error=error * lists, spent=spent,
            )
            for cap, spent, reward, low, high, gain, error in zip(
                ahead.caps, ahead.spent.tolist(), *(one.tolist() for one in columns), strict=True
            )
        ],
    )  # fmt: skip


def routes() -> list[HTTPRouteHandler]:
    return [get_balances, put_balance, get_ahead, get_placements, get_models]


def _switched(engine: Engine, placement: str, raw: dict[str, Any]) -> dict[str, Any]:
    """What is to be switched, as the log keeps it. Raises InvalidInput with a pointer."""
    switched = msgspec.to_builtins(convert(raw, requests.SwitchIn))
    for name, group in switched["groups"].items():
        pointer = f"/groups/{name}"
        if group["filter"] is not None:
            check(group["filter"], f"{pointer}/filter")
        elif not engine.knowledge.steering.knows(placement, name):
            raise InvalidInput(
                f"there is no item group {name!r} in {placement}; say what it holds: filter",
                code="unknown_group",
                pointer=pointer,
            )
    return {"placement": placement, **switched}


def _alarm(alarm: Alarm) -> shapes.AlarmOut:
    return shapes.AlarmOut(
        at=rfc3339(alarm.ts),
        where=alarm.where,
        since=rfc3339(alarm.since),
        before=alarm.before,
        after=alarm.after,
        reason=alarm.reason,
    )


def _turn(request: Asked) -> asyncio.Lock:
    """One look ahead at a time: there are lists to serve."""
    state = request.app.state
    if "ahead_turn" not in state:
        state.ahead_turn = asyncio.Lock()
    turn: asyncio.Lock = state.ahead_turn
    return turn


def _move(move: Move) -> shapes.MoveOut:
    return shapes.MoveOut(
        at=rfc3339(move.ts),
        before=move.before,
        after=move.after,
        measured=move.measured,
        reason=move.reason,
    )
