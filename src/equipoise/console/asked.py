"""What the address of a page asks for."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from litestar import Request

from equipoise.errors import InvalidInput

Asked: TypeAlias = Request[Any, Any, Any]

_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)


def text_of(request: Asked, name: str) -> str:
    """A word of the query string; empty where it is not there."""
    return str(request.query_params.get(name, ""))


def whole_of(request: Asked, name: str, default: int) -> int:
    """A whole number of the query string.

    Raises:
        InvalidInput: it is something else.
    """
    given = text_of(request, name)
    if not given:
        return default
    if not _WHOLE.fullmatch(given):
        raise InvalidInput(
            f"{name} is {given[:40]!r}; a whole number is wanted", code="type", pointer=f"/{name}"
        )
    return int(given)
