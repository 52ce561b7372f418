"""A decision as it was stored, and computed again from what it stored: equal, bit for bit."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from equipoise.clock import rfc3339
from equipoise.engine import Engine
from equipoise.server import examples, shapes
from equipoise.server.addresses import id_of
from equipoise.server.answers import json
from equipoise.server.lists import policy_out
from equipoise.server.live import live_of
from equipoise.server.openapi import about
from equipoise.types import Decision, Slot


@get(
    "/v1/recommendations/{recommendation_id:str}",
    opt=about(
        tag="explain",
        summary="The stored decision.",
        answer=shapes.DecisionOut,
        answer_example=examples.DECISION,
        problems=(404,),
    ),
)
async def get_decision(request: Request[Any, Any, Any]) -> ASGIApp:
    recommendation_id = id_of(request, "recommendation_id")
    engine = live_of(request).engine
    return json(decision_out(engine, engine.decision(recommendation_id)))


@post(
    "/v1/recommendations/{recommendation_id:str}/replay",
    status_code=200,
    opt=about(
        tag="explain",
        summary="The decision computed again from what it stored: the same, bit for bit.",
        answer=shapes.DecisionOut,
        answer_example=examples.DECISION,
        problems=(404,),
    ),
)
async def replay_decision(request: Request[Any, Any, Any]) -> ASGIApp:
    recommendation_id = id_of(request, "recommendation_id")
    engine = live_of(request).engine
    return json(decision_out(engine, engine.replay(recommendation_id)))


def decision_out(engine: Engine, decision: Decision) -> shapes.DecisionOut:
    """A decision with its candidates by id. Floats are written so that they read back the same."""
    return shapes.DecisionOut(
        recommendation_id=decision.decision_id,
        decided_at=rfc3339(decision.ts),
        placement=decision.query.placement,
        shopper=decision.shopper,
        query=msgspec.to_builtins(decision.query),
        policy=policy_out(decision.policy),
        parameters=decision.policy.parameters,
        experiment=None,
        items=[_slot(place, slot) for place, slot in enumerate(decision.slots)],
        candidates=_candidates(engine, decision),
        pins=[list(pin) for pin in decision.pins],
        max_per_group=decision.max_per_group,
        fallback_level=decision.fallback_level,
        reason=decision.reason,
        expected=decision.expected,
        cost=decision.cost,
        snapshot=decision.snapshot,
        seq=decision.seq,
    )


def routes() -> list[HTTPRouteHandler]:
    return [get_decision, replay_decision]


def _slot(place: int, slot: Slot) -> shapes.SlotOut:
    return shapes.SlotOut(
        item_id=slot.item_id,
        rank=place + 1,
        score=slot.mean,
        variance=slot.variance,
        propensity=slot.propensity,
        explored=slot.explored,
        pinned=slot.pinned,
        source=slot.source,
        look=slot.look,
        rate=slot.rate,
        features=list(slot.features),
    )


def _candidates(engine: Engine, decision: Decision) -> list[shapes.CandidateOut]:
    ids = engine.knowledge.catalogue.ids
    columns = (
        np.frombuffer(decision.items, "<i4").tolist(),
        np.frombuffer(decision.mean, "<f4").tolist(),
        np.frombuffer(decision.variance, "<f4").tolist(),
        np.frombuffer(decision.groups, "<i4").tolist(),
    )
    return [
        shapes.CandidateOut(item_id=ids[item], mean=mean, variance=variance, group=group)
        for item, mean, variance, group in zip(*columns, strict=True)
    ]
