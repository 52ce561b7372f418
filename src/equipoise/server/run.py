"""Start the service: uvicorn with uvloop and httptools, one worker, until it is told to stop."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from equipoise.engine import Engine
from equipoise.errors import SettingsError
from equipoise.server.app import create_app
from equipoise.server.keys import Keys
from equipoise.server.live import Live

DRAIN_S = 10
"""Requests in flight get this long when the service stops."""
STARTS_WITHIN_S = 30.0
NOT_STARTED = "the service did not start; the lines above say why"


def serve(
    shop: Engine | Path,
    *,
    host: str | None = None,
    port: int | None = None,
    keys: Keys | None = None,
    workers: int = 1,
) -> None:
    """Serve a shop until SIGTERM or SIGINT; then drain, keep a checkpoint and return.

    Args:
        shop: an open engine, which stays open, or the data directory of one.
        host, port: default: the settings'. Port 0 takes a free one.
        keys: default: those of the data directory.

    Raises:
        SettingsError: an address that others can reach, without keys; or more than one worker.
        LogLocked: another process serves this data directory.
        RuntimeError: it did not start, the port being taken for instance.
    """
    check_workers(workers)
    if isinstance(shop, Path):
        engine = Engine.open(shop)
        try:
            serve(engine, host=host, port=port, keys=keys)
        finally:
            engine.close()
        return
    server = _server(shop, host, port, keys)
    with _quietly():
        _run(server)


@contextmanager
def background(
    engine: Engine, *, host: str = "127.0.0.1", port: int = 0, keys: Keys | None = None
) -> Iterator[str]:
    """A service on a thread of this process; gives its address. The engine is its own meanwhile.

    Raises:
        RuntimeError: it did not start.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        server = _server(engine, host, port, keys)
        ready = threading.Event()
        server.on_started = ready.set
        thread = threading.Thread(target=_try, args=(server, [listening]), name="equipoise-http")
        thread.start()
        try:
            if not ready.wait(STARTS_WITHIN_S) or not server.started:
                raise RuntimeError(NOT_STARTED)
            yield f"http://{host}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def check_workers(workers: int) -> None:
    """Refuse what the embedded log cannot do.

    Raises:
        SettingsError: more than one worker.
    """
    if workers != 1:
        raise SettingsError(
            f"--workers {workers}: the embedded log has one writer, so it is served by one worker; "
            "one serves hundreds of lists a second"
        )


def _nothing() -> None:
    """Nobody asked to be told."""


class Server(uvicorn.Server):
    """uvicorn's server, which says when it has started or given up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.on_started: Callable[[], None] = _nothing

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.on_started()


def _run(server: Server, sockets: list[socket.socket] | None = None) -> None:
    try:
        server.run(sockets)
    except SystemExit as ending:
        raise RuntimeError(NOT_STARTED) from ending


def _try(server: Server, sockets: list[socket.socket]) -> None:
    """For a thread, which has nobody to raise to: whoever waits sees that it has not started."""
    with suppress(RuntimeError):
        _run(server, sockets)


@contextmanager
def _quietly() -> Iterator[None]:
    """Uvicorn drains, then raises the signal that stopped it once more; draining was enough.

    Else SIGTERM would end the process before the engine is closed, and with a status of failure.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stopping = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: None) for number in stopping}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _server(engine: Engine, host: str | None, port: int | None, keys: Keys | None) -> Server:
    settings = engine.settings.server
    address = host if host is not None else settings.host
    live = Live(engine, keys=keys, host=address)
    return Server(
        uvicorn.Config(
            create_app(live),
            host=address,
            port=port if port is not None else settings.port,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            server_header=False,
            log_level="warning",
            timeout_graceful_shutdown=DRAIN_S,
            backlog=2_048,
        )
    )
