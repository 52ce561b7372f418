"""/openapi.json and /docs: the contract, for programs and for people. No CDN, no inline script."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, Request, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from equipoise.server.answers import Answer
from equipoise.server.openapi import about, document

FOLDER = Path(__file__).parent / "static"
TYPES = {".html": b"text/html; charset=utf-8", ".js": b"text/javascript", ".css": b"text/css"}


@get("/openapi.json", opt=about(tag="operate", summary="This contract as an OpenAPI document."))
async def openapi_json(request: Request[Any, Any, Any]) -> ASGIApp:
    return Answer(_document(request.app))


@get("/docs")
async def docs_page() -> ASGIApp:
    return _file("docs.html")


@get("/docs/docs.js")
async def docs_script() -> ASGIApp:
    return _file("docs.js")


@get("/docs/docs.css")
async def docs_style() -> ASGIApp:
    return _file("docs.css")


def routes() -> list[HTTPRouteHandler]:
    return [openapi_json, docs_page, docs_script, docs_style]


def _document(app: Litestar) -> bytes:
    """Made once an application: its routes do not change."""
    if "openapi" not in app.state:
        app.state.openapi = msgspec.json.encode(document(app))
    made: bytes = app.state.openapi
    return made


@cache
def _file(name: str) -> Answer:
    return Answer((FOLDER / name).read_bytes(), media_type=TYPES[Path(name).suffix])
