"""The application: all groups of the contract over one live shop, behind one door.

The door sees every request, those included that no route takes: it times and counts, sets the
headers that every answer has, answers the preflights of browsers, and keeps an encoded slash of an
id (``/v1/items/a%2Fb``) apart from the slashes of the path.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.types import Message, Send

from equipoise import console
from equipoise.clock import elapsed
from equipoise.errors import SettingsError
from equipoise.server import (
    catalogue,
    control,
    docs,
    evaluations,
    events,
    explain,
    lists,
    operate,
    shoppers,
)
from equipoise.server.access import COLLECT, allowed, authorise
from equipoise.server.addresses import keep_slashes
from equipoise.server.answers import Empty
from equipoise.server.keys import KeyKind
from equipoise.server.live import Live
from equipoise.server.openapi import handlers
from equipoise.server.problems import respond

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
FOR_BROWSERS = frozenset({"/v1/events", "/v1/recommendations"})
"""What a page of the shop may call from its own origin, with a pk_ key."""
ANY_ORIGIN = (b"access-control-allow-origin", b"*")
PREFLIGHT = [
    ANY_ORIGIN,
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"authorization, content-type, x-api-key"),
    (b"access-control-max-age", b"7200"),
]


def create_app(live: Live) -> Litestar:
    """The HTTP application of a shop; its lifespan starts and stops ``live``.

    Raises:
        SettingsError: a route has no row in the table of access.
    """

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with live.running():
            yield

    app = Door(
        route_handlers=[*contract(), *console.routes(live)],
        guards=[authorise],
        exception_handlers={Exception: respond},
        lifespan=[lifespan],
        state=State({"live": live}),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )
    _check_access(app)
    return app


def contract() -> Iterator[HTTPRouteHandler | Router]:
    """The routes of the public contract, group by group."""
    groups = (events, catalogue, shoppers, lists, explain, control, evaluations, operate, docs)
    for group in groups:
        yield from group.routes()


class Door(Litestar):
    """Litestar, and what holds for every request."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        started = elapsed()
        keep_slashes(scope)
        passing = _Passing(scope, send, self.state.live)
        if passing.preflight():
            await Empty(headers=PREFLIGHT)(scope, receive, passing.send)
        else:
            await super().__call__(scope, receive, passing.send)
        self.state.live.metrics.request(
            scope["method"], passing.route(), passing.status, elapsed() - started
        )


class _Passing:
    """One request on its way through the door."""

    __slots__ = ("_live", "_scope", "_send", "status")

    def __init__(self, scope: dict[str, Any], send: Send, live: Live) -> None:
        self._scope = scope
        self._send = send
        self._live = live
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self._headers(message["headers"])]
        await self._send(message)

    def preflight(self) -> bool:
        """Whether this asks if a page elsewhere may call what such pages may call."""
        if self._scope["method"] != "OPTIONS":
            return False
        path = self._scope["path"]
        return path == COLLECT or (path in FOR_BROWSERS and not self._live.open)

    def route(self) -> str:
        """The path's template: paths themselves are too many to count by."""
        return str(self._scope.get("path_template", "unmatched"))

    def _headers(self, given: Any) -> Iterator[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in given}
        yield from (pair for pair in ALWAYS if pair[0] not in names)
        if b"content-security-policy" not in names and _is_html(given):
            yield (b"content-security-policy", POLICY.encode())
        if self._for_any_origin():
            yield ANY_ORIGIN

    def _for_any_origin(self) -> bool:
        if self.preflight():
            return False
        if self._scope["path"] == COLLECT:
            return True
        caller = self._scope.get("state", {}).get("caller")
        return (
            self._scope["path"] in FOR_BROWSERS
            and caller is not None
            and caller.kind is KeyKind.PUBLISHABLE
        )


def _is_html(headers: Any) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/html")
        for name, value in headers
    )


def _check_access(app: Litestar) -> None:
    missing = [
        f"{method} {path}" for path, method, _ in handlers(app) if allowed(method, path) is None
    ]
    if missing:
        raise SettingsError(
            f"no row in server/access.py says who may call {', '.join(sorted(missing))}"
        )
