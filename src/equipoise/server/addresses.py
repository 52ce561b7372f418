"""What the address of a request says: ids in its path, query parameters, cursors.

A cursor is opaque to the caller: where the page before ended.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote

from litestar import Request

from equipoise.errors import InvalidInput

PAGE = 100
LARGEST = 500

SLASH = "\x1f"
"""Stands for an encoded slash while a path is routed; no id may hold a control character."""

Asked = Request[Any, Any, Any]


def keep_slashes(scope: dict[str, Any]) -> None:
    """Before routing: tell the slashes of an id (``/v1/items/a%2Fb``) from those of the path."""
    raw: bytes = scope.get("raw_path") or b""
    if raw.startswith(b"/v1/") and b"%2f" in raw.lower() and b"%1f" not in raw.lower():
        parts = raw.split(b"?", 1)[0].decode("latin-1").split("/")
        scope["path"] = "/".join(unquote(part).replace("/", SLASH) for part in parts)


def id_of(request: Asked, name: str) -> str:
    """An id of the path, with its slashes."""
    given = str(request.path_params[name])
    raw: bytes = request.scope.get("raw_path") or b""
    return given.replace(SLASH, "/") if b"%2f" in raw.lower() else given


def cursor(last: str | int) -> str:
    """For the next page, from the last entry of this one."""
    return base64.urlsafe_b64encode(str(last).encode()).decode().rstrip("=")


def after_of(request: Asked) -> str | None:
    """The id that the cursor names, None without one. Raises InvalidInput."""
    given = request.query_params.get("cursor")
    if not given:
        return None
    try:
        return base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _no_cursor(given) from None


def position_of(request: Asked) -> int:
    """The number that the cursor names, 0 without one. Raises InvalidInput."""
    after = after_of(request)
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise _no_cursor(after)
    return int(after)


def limit_of(request: Asked) -> int:
    """Entries a page, 1 to 500. Raises InvalidInput."""
    return whole_of(request, "limit", 1, LARGEST, PAGE)


def whole_of(request: Asked, name: str, least: int, most: int, default: int) -> int:
    """A whole number from the query string. Raises InvalidInput."""
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise InvalidInput(f"{name} is {given[:40]!r}; a whole number is wanted", code="type",
                           pointer=f"/{name}")  # fmt: skip
    if not least <= int(given) <= most:
        raise InvalidInput(f"{name} is {given}; it is {least} to {most}", code="range",
                           pointer=f"/{name}")  # fmt: skip
    return int(given)


def _no_cursor(given: str) -> InvalidInput:
    return InvalidInput(
        f"cursor {given[:40]!r} is none of ours; take next_cursor of the page before",
        code="unknown_cursor",
        pointer="/cursor",
    )
