"""For whoever runs it: is it alive, is it ready, what does it count."""

from __future__ import annotations

from typing import Any

from litestar import Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from equipoise import __version__
from equipoise.server import examples, shapes
from equipoise.server.answers import Answer, json
from equipoise.server.live import live_of
from equipoise.server.metrics import MEDIA_TYPE
from equipoise.server.openapi import about

Asked = Request[Any, Any, Any]


@get(
    "/healthz",
    opt=about(
        tag="operate",
        summary="The process answers. Restart it when this does not.",
        answer=shapes.Alive,
        answer_example={"status": "alive", "version": __version__},
    ),
)
async def get_health() -> ASGIApp:
    return json(shapes.Alive(status="alive", version=__version__))


@get(
    "/readyz",
    opt=about(
        tag="operate",
        summary="The log is folded in and lists are served. Send traffic only while this is 200.",
        description="While the log refuses writes lists are still served, so that is ready, too.",
        answer=shapes.Ready,
        answer_example=examples.READY,
        problems=(503,),
    ),
)
async def get_ready(request: Asked) -> ASGIApp:
    live = live_of(request)
    ready = shapes.Ready(
        status="ready" if live.started else "starting",
        log="failing" if live.failing else "writing",
        seq=live.seq,
        items=len(live.engine.knowledge.catalogue),
        snapshot=live.engine.snapshot_id,
    )
    return json(ready, status=200 if live.started else 503)


@get(
    "/metrics",
    opt=about(
        tag="operate",
        summary="Counters for Prometheus.",
        answer=str,
        answer_media_type="text/plain",
        answer_example='equipoise_events_total{outcome="accepted"} 42.0\n',
    ),
)
async def get_metrics(request: Asked) -> ASGIApp:
    return Answer(live_of(request).metrics.text(), media_type=MEDIA_TYPE.encode())


def routes() -> list[HTTPRouteHandler]:
    return [get_health, get_ready, get_metrics]
