"""Request bodies: read to a limit, inflated to the same limit, decoded, and no deeper than sixteen.

All that a stranger can make large is checked before it is held: the declared length, what arrives,
what it inflates to (a zip bomb stops at the limit, not at its end), and the nesting.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from litestar import Request

from equipoise.errors import InvalidInput
from equipoise.server.problems import Refused

Shape = TypeVar("Shape")

DEPTH = 16
ARRIVAL_S = 10.0
"""A body that has not arrived by then is cut off: slow clients hold no worker."""

_WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 47}
"""zlib's window argument: gzip alone, or zlib and gzip by their header."""
_decoder = msgspec.json.Decoder()


async def read_body(request: Request[Any, Any, Any], limit: int) -> bytes:
    """The request's body, inflated, at most ``limit`` bytes before and after.

    Raises:
        Refused: 408 it did not arrive in time, 413 too large, 415 an encoding that is not read.
        InvalidInput: what should be gzip or deflate is neither.
    """
    headers = request.headers
    _check_length(headers.get("content-length"), limit)
    body = await _arrive(request, limit)
    encoding = headers.get("content-encoding")
    return inflate(body, encoding.strip().lower(), limit) if encoding else body


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """``body`` decompressed; never more than ``limit + 1`` bytes of it are made."""
    if encoding == "identity":
        return body
    if encoding not in _WBITS:
        raise Refused(
            415,
            "content_encoding",
            f"content-encoding {encoding[:40]!r} is not read; gzip, deflate and identity are",
            headers={"accept-encoding": "gzip, deflate"},
        )
    try:
        return _inflated(body, _WBITS[encoding], limit)
    except zlib.error as error:
        if encoding == "deflate":
            return _raw_deflated(body, limit)
        raise _not(encoding) from error


def read_json(body: bytes) -> Any:
    """Any JSON value, nested at most sixteen deep.

    Raises:
        InvalidInput: ``invalid_json`` with the place, or ``too_deep``.
    """
    try:
        value = _decoder.decode(body)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the body is not JSON: {error}", code="invalid_json") from None
    if _deeper_than(value, DEPTH):
        raise _too_deep()
    return value


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises InvalidInput."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise InvalidInput("the body must be a JSON object", code="invalid_type")
    return value


def convert(raw: dict[str, Any], shape: type[Shape]) -> Shape:
    """A body that is a typed shape.

    Raises:
        InvalidInput: with a pointer to the field.
    """
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as error:
        words, _, path = str(error).partition(" - at `$")
        raise InvalidInput(words, code="type", pointer=_pointer(path.rstrip("`"))) from None


def _pointer(path: str) -> str:
    """JSON pointer of msgspec's path: ``.policies[0].level`` is ``/policies/0/level``."""
    return "".join(f"/{step}" for step in re.findall(r"[^.\[\]]+", path))


def _check_length(declared: str | None, limit: int) -> None:
    if declared is not None and declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)


async def _arrive(request: Request[Any, Any, Any], limit: int) -> bytes:
    message = await _part(request)
    if not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        return body
    try:
        async with asyncio.timeout(ARRIVAL_S):
            return await _rest(request, message, limit)
    except TimeoutError:
        raise Refused(
            408, "slow_body", f"the body did not arrive within {ARRIVAL_S:.0f} s"
        ) from None


async def _rest(request: Request[Any, Any, Any], message: Any, limit: int) -> bytes:
    body = bytearray(message.get("body", b""))
    while message.get("more_body"):
        message = await _part(request)
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


async def _part(request: Request[Any, Any, Any]) -> Any:
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise Refused(400, "disconnected", "the client went away before its body was complete")
    return message


def _inflated(body: bytes, wbits: int, limit: int) -> bytes:
    stream = zlib.decompressobj(wbits)
    out = stream.decompress(body, limit + 1)
    if len(out) > limit:
        raise _too_large(limit)
    if not stream.eof or stream.unused_data:
        raise zlib.error("the stream ends early, or something follows it")
    return out


def _raw_deflated(body: bytes, limit: int) -> bytes:
    """Some clients send deflate without zlib's header, against RFC 9110 but commonly."""
    try:
        return _inflated(body, -15, limit)
    except zlib.error as error:
        raise _not("deflate") from error


def _deeper_than(value: Any, depth: int) -> bool:
    """Level by level, so that measuring the nesting does not itself recurse."""
    level = _containers([value])
    for _ in range(depth):
        if not level:
            return False
        level = [found for outer in level for found in _containers(_inside(outer))]
    return bool(level)


def _inside(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _containers(values: Iterable[Any]) -> list[dict[str, Any] | list[Any]]:
    return [value for value in values if isinstance(value, dict | list)]


def _too_large(limit: int) -> Refused:
    return Refused(413, "body_too_large", f"the body is larger than {limit:,} bytes")


def _too_deep() -> InvalidInput:
    return InvalidInput(f"the body is nested deeper than {DEPTH} levels", code="too_deep")


def _not(encoding: str) -> InvalidInput:
    return InvalidInput(
        f"content-encoding says {encoding}, but the body is not one complete {encoding} stream",
        code="invalid_encoding",
    )
