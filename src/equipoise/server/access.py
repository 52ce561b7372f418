"""Who may do what: every route with the kinds of key that open it, in one table.

Denied by default: a route without a row stops the server from starting. On loopback, while no key
exists, everything is open to whoever sits at the machine, but not to the web pages in his browser.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from msgspec import Struct

from equipoise.server.keys import KeyKind, is_loopback
from equipoise.server.problems import Refused

if TYPE_CHECKING:
    from equipoise.server.live import Live

Connection = ASGIConnection[Any, Any, Any, Any]

ADMIN = frozenset({KeyKind.ADMIN})
SERVER = frozenset({KeyKind.SECRET, KeyKind.ADMIN})
BROWSER = frozenset({KeyKind.PUBLISHABLE, KeyKind.SECRET, KeyKind.ADMIN})
PUBLIC = frozenset({*KeyKind, None})
"""Without a key, too."""

Kinds = frozenset[KeyKind] | frozenset[KeyKind | None]

ACCESS: dict[tuple[str, str], Kinds] = {
    ("POST", "/v1/events"): BROWSER,
    ("POST", "/v1/collect"): BROWSER,
    ("GET", "/v1/events/rejected"): SERVER,
    ("POST", "/v1/events/rejected/replay"): SERVER,
    ("GET", "/v1/items"): SERVER,
    ("POST", "/v1/items:batch"): SERVER,
    ("GET", "/v1/items/{item_id}"): SERVER,
    ("PUT", "/v1/items/{item_id}"): SERVER,
    ("PATCH", "/v1/items/{item_id}"): SERVER,
    ("DELETE", "/v1/items/{item_id}"): SERVER,
    ("GET", "/v1/coupons"): SERVER,
    ("POST", "/v1/coupons:batch"): SERVER,
    ("GET", "/v1/coupons/{coupon_id}"): SERVER,
    ("PUT", "/v1/coupons/{coupon_id}"): SERVER,
    ("PATCH", "/v1/coupons/{coupon_id}"): SERVER,
    ("DELETE", "/v1/coupons/{coupon_id}"): SERVER,
    ("GET", "/v1/users/{user_id}"): SERVER,
    ("PUT", "/v1/users/{user_id}"): SERVER,
    ("DELETE", "/v1/users/{user_id}"): SERVER,
    ("GET", "/v1/users/{user_id}/profile"): SERVER,
    ("GET", "/v1/users/{user_id}/export"): SERVER,
    ("PUT", "/v1/users/{user_id}/consent"): SERVER,
    ("GET", "/v1/recommendations"): BROWSER,
    ("POST", "/v1/recommendations"): BROWSER,
    ("GET", "/v1/items/{item_id}/similar"): BROWSER,
    ("GET", "/v1/trending"): BROWSER,
    ("GET", "/v1/recommendations/{recommendation_id}"): SERVER,
    ("POST", "/v1/recommendations/{recommendation_id}/replay"): SERVER,
    ("GET", "/v1/balances"): ADMIN,
    ("PUT", "/v1/balances/{placement}"): ADMIN,
    ("GET", "/v1/balances/{placement}/ahead"): ADMIN,
    ("GET", "/v1/placements"): ADMIN,
    ("GET", "/v1/models"): ADMIN,
    ("GET", "/v1/evaluations"): ADMIN,
    ("POST", "/v1/evaluations"): ADMIN,
    ("GET", "/metrics"): SERVER,
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/docs"): PUBLIC,
    ("GET", "/docs/docs.js"): PUBLIC,
    ("GET", "/docs/docs.css"): PUBLIC,
}

PREFIXES: dict[str, Kinds] = {"/console": ADMIN, "/shop": ADMIN, "/static": PUBLIC, "/": PUBLIC}
"""Pages for people, read-only. ``/`` stands for itself alone; all else for its whole branch.

The storefront is a preview: it asks for lists in the name of whatever visitor the page names.
"""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
COLLECT = "/v1/collect"


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks."""

    kind: KeyKind | None
    name: str

    @property
    def browser(self) -> bool:
        """Whether anybody could be behind this key: then purchases and other shoppers are off."""
        return self.kind is KeyKind.PUBLISHABLE


ANYBODY = Caller(kind=None, name="")


def allowed(method: str, path: str) -> Kinds | None:
    """The kinds of key that open a route, or None where the table has no row."""
    row = ACCESS.get((method, path))
    if row is not None or method not in SAFE:
        return row
    return next(
        (
            kinds
            for prefix, kinds in PREFIXES.items()
            if path == prefix or (path.startswith(prefix + "/") and prefix != "/")
        ),
        None,
    )


async def authorise(connection: Connection, _: BaseRouteHandler) -> None:
    """Litestar's guard: identify, limit, and compare with the table.

    Raises:
        Refused: 401 no or an unknown key, 403 a key of the wrong kind, 429 too many.
    """
    scope = connection.scope
    method = scope.get("method", "GET")
    if method == "OPTIONS":
        return
    live: Live = connection.app.state.live
    if live.open:
        _refuse_foreign_pages(connection, str(method))
        scope["state"]["caller"] = ANYBODY
        return
    caller = _identify(connection, live, str(method))
    scope["state"]["caller"] = caller
    live.limits.take(caller.name, _client(connection))
    _check(caller, allowed(str(method), scope["path_template"]), connection)


def caller_of(connection: Connection) -> Caller:
    """Who asks, as the guard found it."""
    caller: Caller = connection.scope["state"]["caller"]
    return caller


def _identify(connection: Connection, live: Live, method: str) -> Caller:
    key = _key(connection, method)
    if not key:
        return ANYBODY
    stored = live.keys.find(key)
    if stored is None:
        live.limits.take("", _client(connection))
        raise _unauthorised("this key is unknown or was revoked", connection)
    return Caller(kind=stored.kind, name=stored.name)


def _key(connection: Connection, method: str) -> str:
    """From ``Authorization`` or ``X-API-Key``; a beacon can set neither: it has ``?key=``."""
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic" and method in SAFE:
        # For the console in a browser. Browsers send it along from foreign pages too, so it
        # opens nothing that changes anything.
        return _password(value)
    if connection.scope["path"] == COLLECT:
        return str(connection.query_params.get("key", ""))
    return connection.headers.get("x-api-key", "")


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _check(caller: Caller, kinds: Kinds | None, connection: Connection) -> None:
    if kinds is not None and caller.kind in kinds:
        return
    if caller.kind is None:
        raise _unauthorised("this needs a key", connection)
    wanted = " or ".join(sorted(f"{kind}_" for kind in kinds or () if kind)) or "no key"
    raise Refused(403, "forbidden", f"a {caller.kind}_ key does not open this; {wanted} does")


def _unauthorised(reason: str, connection: Connection) -> Refused:
    page = connection.scope["path"].startswith(("/console", "/shop"))
    return Refused(
        401,
        "unauthorised",
        f"{reason}; send `Authorization: Bearer KEY`",
        headers={"www-authenticate": 'Basic realm="Equipoise"' if page else "Bearer"},
    )


def _client(connection: Connection) -> str:
    client = connection.scope.get("client")
    return client[0] if client else ""


def _refuse_foreign_pages(connection: Connection, method: str) -> None:
    """An open server trusts its machine, not the pages of the web that a browser there shows.

    A page elsewhere may send a form or a beacon here (``Origin`` tells), and by DNS rebinding make
    its own name mean 127.0.0.1 (``Host`` tells).
    """
    headers = connection.headers
    host = headers.get("host", "")
    if not _local(host):
        raise Refused(
            403, "foreign_host", f"without keys only local names are answered, not {host[:80]!r}"
        )
    origin = headers.get("origin", "")
    collecting = connection.scope["path"] == COLLECT
    if origin and method not in SAFE and not collecting and _split(origin).netloc != host:
        raise Refused(
            403, "foreign_origin", f"without keys no page of {origin[:80]!r} may change anything"
        )


def _local(host: str) -> bool:
    """Loopback addresses and names that no public DNS can give (no dot, .localhost, .local)."""
    name = _split(f"//{host}").hostname or ""
    return "." not in name or is_loopback(name) or name.endswith((".localhost", ".local"))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("//not.a.name")
