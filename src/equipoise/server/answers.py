"""Answers whose bytes are ready: no second encoding, no header that is worked out twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send

JSON = b"application/json"
_encoder = msgspec.json.Encoder()


class Answer:
    """A complete HTTP answer as an ASGI application."""

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        body: bytes,
        *,
        status: int = 200,
        media_type: bytes = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.headers = [
            (b"content-type", media_type),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        if headers:
            self.headers = [
                (name, value) for name, value in self.headers if name.decode() not in headers
            ] + [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


class Empty:
    """204: done, and nothing to say."""

    __slots__ = ("headers",)

    def __init__(self, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.headers = list(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def json(value: Any, *, status: int = 200) -> Answer:
    """``value`` (a Struct, a dictionary, a list) as JSON."""
    return Answer(_encoder.encode(value), status=status)
