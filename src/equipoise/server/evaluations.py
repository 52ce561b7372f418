"""What other policies would have earned, from this shop's own log: to ask, and to read again.

An evaluation walks the whole log on a thread of its own, one at a time. Lists are served meanwhile,
though slower, since they share the interpreter; ``equipoise ope`` beside the server shares nothing.
Results are kept in memory: the log can give them again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from equipoise.clock import rfc3339
from equipoise.engine import Engine
from equipoise.errors import InvalidInput
from equipoise.intake.fields import read_time
from equipoise.proof import Question, prove
from equipoise.randomness import fresh_id
from equipoise.server import examples, requests, shapes
from equipoise.server.answers import json
from equipoise.server.bodies import convert, read_body, read_object
from equipoise.server.live import live_of
from equipoise.server.openapi import about

KEPT = 100
"""Newest evaluations that can be read again."""
UNANSWERABLE = "unanswerable"
ASKED = ("placement", "outcome", "estimator", "interval", "confidence")
"""What an answer repeats of its question."""

Asked = Request[Any, Any, Any]


@dataclass(slots=True)
class Evaluations:
    """Those of this process."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    done: deque[shapes.EvaluationOut] = field(default_factory=lambda: deque(maxlen=KEPT))


@post(
    "/v1/evaluations",
    status_code=200,
    opt=about(
        tag="control",
        summary="What other policies would have earned, from the log alone.",
        description=(
            "Of every list that has had its time, with intervals, beside what the log's own policy "
            "earned. Where the log cannot tell, `answerable` is false and `reasons` say why. "
            "Answers when it is done; several wait for one another."
        ),
        body=(requests.EvaluationIn,),
        body_example=examples.EVALUATION_IN,
        answer=shapes.EvaluationOut,
        answer_example=examples.EVALUATION_OUT,
        problems=(503,),
    ),
)
async def post_evaluation(request: Asked) -> ASGIApp:
    live, kept = live_of(request), _evaluations(request)
    raw = read_object(await read_body(request, live.max_body))
    wanted = convert(raw, requests.EvaluationIn)
    made = live.engine.clock()
    async with kept.turn:
        result = await asyncio.to_thread(_evaluate, live.engine, wanted)
    evaluation = shapes.EvaluationOut(
        evaluation_id=fresh_id("v-", made), asked_at=rfc3339(made), **result
    )
    kept.done.append(evaluation)
    return json(evaluation)


@get(
    "/v1/evaluations",
    opt=about(
        tag="control",
        summary="The evaluations that this process has made, newest first.",
        answer=shapes.EvaluationsOut,
        answer_example={"evaluations": [examples.EVALUATION_OUT]},
    ),
)
async def get_evaluations(request: Asked) -> ASGIApp:
    return json(shapes.EvaluationsOut(evaluations=list(reversed(_evaluations(request).done))))


def routes() -> list[HTTPRouteHandler]:
    return [post_evaluation, get_evaluations]


def _evaluations(request: Asked) -> Evaluations:
    state = request.app.state
    if "evaluations" not in state:
        state.evaluations = Evaluations()
    found: Evaluations = state.evaluations
    return found


def _evaluate(engine: Engine, wanted: requests.EvaluationIn) -> dict[str, Any]:
    """The fields of the answer; that the log cannot tell is an answer, too."""
    given = msgspec.structs.asdict(wanted)
    questions = [_question(place, one) for place, one in enumerate(given.pop("policies"))]
    for name in ("since", "until"):
        given[name] = None if given[name] is None else read_time(given[name], f"/{name}")
    try:
        return prove(engine.log, engine.settings, questions, **given).to_dict()
    except InvalidInput as error:
        if error.code != UNANSWERABLE:
            raise
        asked = {name: given[name] for name in ASKED}
        nothing: dict[str, Any] = {"log": {}, "logged": {}, "policies": []}
        return {**asked, **nothing, "answerable": False, "reasons": [error.message]}


def _question(place: int, asked: requests.PolicyIn) -> Question:
    try:
        return Question(asked.policy, asked.parameters, asked.level)
    except InvalidInput as error:
        pointer = f"/policies/{place}{error.pointer}"
        raise InvalidInput(error.message, code=error.code, pointer=pointer) from None
