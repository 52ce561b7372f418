"""A load generator that costs little: raw sockets, answers parsed no further than they must be.

Closed loop: each connection sends its next request when the last was answered, so that rate and
latency belong together (rate = connections / mean latency).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import uvloop
from msgspec import Struct

from equipoise.clock import elapsed

Request: TypeAlias = Callable[[int], tuple[str, bytes]]
"""The path and body of the request of this number."""


STUCK_S = 30.0
"""A server that stops answering ends the measurement instead of holding it up."""


class Load(Struct, frozen=True, kw_only=True):
    """One measurement."""

    name: str
    make: Request
    connections: int
    units: int
    """Lists or events a request."""
    seconds: float


class Client(asyncio.Protocol):
    """One connection with one request under way."""

    def __init__(self, load: Load, numbers: Any, until: float) -> None:
        self._load = load
        self._numbers = numbers
        self._until = until
        self._buffer = b""
        self._sent = 0.0
        self._transport: Any = None
        self.done = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.failed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self.latencies.append(elapsed() - self._sent)
        self.failed += not head.startswith(b"HTTP/1.1 200")
        self._buffer = b""
        if elapsed() < self._until:
            self._send()
        else:
            self._end()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.failed += 1
            self.done.set_result(None)

    def _send(self) -> None:
        path, body = self._load.make(next(self._numbers))
        head = (
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        self._sent = elapsed()
        self._transport.write(head.encode() + body)

    def _end(self) -> None:
        self.done.set_result(None)
        self._transport.close()


def measure(host: str, port: int, load: Load, *, warm_up_s: float) -> dict[str, Any]:
    """The row of one load: rate and latencies after a warm-up that is not counted."""
    numbers = iter(range(1 << 60))
    _spend(host, port, load, numbers, warm_up_s)
    started = elapsed()
    clients = _spend(host, port, load, numbers, load.seconds)
    took = elapsed() - started
    latencies = np.concatenate([client.latencies for client in clients]) * 1_000
    return {
        "load": load.name,
        "connections": load.connections,
        "per_request": load.units,
        "per_second": round(len(latencies) * load.units / took, 1),
        "p50_ms": round(float(np.percentile(latencies, 50)), 2),
        "p99_ms": round(float(np.percentile(latencies, 99)), 2),
        "worst_ms": round(float(latencies.max()), 2),
        "requests": len(latencies),
        "failed": sum(client.failed for client in clients),
    }


def _spend(host: str, port: int, load: Load, numbers: Any, seconds: float) -> list[Client]:
    return uvloop.run(_together(host, port, load, numbers, seconds))


async def _together(host: str, port: int, load: Load, numbers: Any, seconds: float) -> list[Client]:
    loop, until = asyncio.get_running_loop(), elapsed() + seconds
    pairs = await asyncio.gather(
        *(
            loop.create_connection(lambda: Client(load, numbers, until), host, port)
            for _ in range(load.connections)
        )
    )
    clients = [client for _, client in pairs]
    async with asyncio.timeout(seconds + STUCK_S):
        await asyncio.gather(*(client.done for client in clients))
    return clients


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + 15
    return int(head[at : head.find(b"\r", at) if b"\r" in head[at:] else None])
