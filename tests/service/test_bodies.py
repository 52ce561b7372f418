"""Bodies: limits, encodings, nesting."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.errors import InvalidInput
from equipoise.server import bodies
from equipoise.server.app import create_app
from equipoise.server.live import Live
from equipoise.server.problems import Refused

EVENT = b'{"event":"search","search_term":"oak","anonymous_id":"c"}'
LIMIT = 500 * 1_024

Client = TestClient[Litestar]


def raw_deflate(body: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(body) + stream.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(EVENT)),
        ("x-gzip", gzip.compress(EVENT)),
        ("deflate", zlib.compress(EVENT)),
        ("deflate", raw_deflate(EVENT)),
        ("GZIP", gzip.compress(EVENT)),
        ("identity", EVENT),
    ],
)
def test_compressed_bodies_are_read(client: Client, encoding: str, packed: bytes) -> None:
    """gzip, deflate in both forms, identity."""
    answer = client.post("/v1/events", content=packed, headers={"content-encoding": encoding})

    assert answer.json()["accepted"] == 1


@pytest.mark.parametrize(
    ("encoding", "packed", "status", "code"),
    [
        ("br", EVENT, 415, "content_encoding"),
        ("gzip", EVENT, 400, "invalid_encoding"),
        ("deflate", EVENT, 400, "invalid_encoding"),
        ("gzip", gzip.compress(EVENT)[:-9], 400, "invalid_encoding"),
        ("gzip", gzip.compress(EVENT) * 2, 400, "invalid_encoding"),
        ("gzip", gzip.compress(bytes(5_000_000), 1), 413, "body_too_large"),
        ("deflate", zlib.compress(bytes(5_000_000), 1), 413, "body_too_large"),
    ],
)
def test_bad_encodings_are_refused(
    client: Client, encoding: str, packed: bytes, status: int, code: str
) -> None:
    """A zip bomb ends at the limit."""
    answer = client.post("/v1/events", content=packed, headers={"content-encoding": encoding})

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_bomb_makes_no_more_than_the_limit() -> None:
    """Nothing beyond limit + 1 bytes is ever produced: a bomb costs no more than a body."""
    bomb = zlib.compress(bytes(60_000_000), 1)
    started = time.process_time()
    with pytest.raises(Refused, match="larger than 1,000 bytes"):
        bodies.inflate(bomb, "deflate", 1_000)

    assert time.process_time() - started < 0.05


def test_size_is_limited(client: Client) -> None:
    """By the declared length, and by what arrives without one."""

    declared = client.post("/v1/events", content=bytes(LIMIT + 1))
    huge = client.put("/v1/items/x", content=b"{}", headers={"content-length": "9" * 30})

    assert (declared.status_code, declared.json()["code"]) == (413, "body_too_large")
    assert huge.status_code == 413


def test_chunked_body_is_limited(live: Live) -> None:
    """Without a length, the limit falls while it arrives."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(60):
            yield bytes(10_000)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(live))
        async with (
            live.running(),
            httpx.AsyncClient(transport=transport, base_url="http://local") as client,
        ):
            return await client.post("/v1/events", content=parts())

    assert asyncio.run(send()).status_code == 413


class Slow:
    """A request whose body stops half-way, or whose client goes away."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.headers: dict[str, str] = {}
        self._messages = messages

    async def receive(self) -> dict[str, Any]:
        if not self._messages:
            await asyncio.sleep(60)
        return self._messages.pop(0)


def test_slow_body_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a body holds no worker for longer than its time."""
    monkeypatch.setattr(bodies, "ARRIVAL_S", 0.05)
    slow: Any = Slow([{"type": "http.request", "body": b"{", "more_body": True}])

    with pytest.raises(Refused, match="did not arrive") as caught:
        asyncio.run(bodies.read_body(slow, 100))
    assert caught.value.status == 408


def test_client_that_goes_away() -> None:
    """Nobody hears the answer, and nothing is half read."""
    gone: Any = Slow([{"type": "http.disconnect"}])

    with pytest.raises(Refused, match="went away"):
        asyncio.run(bodies.read_body(gone, 100))


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def test_sixteen_levels_are_read() -> None:
    """The outermost object is the first."""
    bodies.read_object(nested(16))
    with pytest.raises(InvalidInput, match="nested deeper than 16"):
        bodies.read_object(nested(17))
    with pytest.raises(InvalidInput, match="nested deeper than 16"):
        bodies.read_object(nested(100_000))

    assert bodies.read_json(b"[" * 16 + b"]" * 16) is not None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b'{"a": 1e999}', b"nul"]
)
def test_no_json_is_said_to_be_none(body: bytes) -> None:
    """With the place, where the parser knows it."""
    with pytest.raises(InvalidInput, match="the body is not JSON") as caught:
        bodies.read_object(body)
    assert caught.value.code == "invalid_json"


def test_other_json_is_no_object() -> None:
    """A list is JSON, but not what is asked for."""
    with pytest.raises(InvalidInput, match="must be a JSON object"):
        bodies.read_object(b"[]")
