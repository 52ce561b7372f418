"""``serve`` and ``demo``: the HTTP service, and a stocked shop with shoppers in it."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.output import DEFAULT_DATA, Data, say
from equipoise.engine import Engine
from equipoise.errors import EquipoiseError
from equipoise.home import Home
from equipoise.intake.data_sets import DATA_SETS
from equipoise.server.keys import Keys, check_binding
from equipoise.settings import Settings, build

LOOPBACK = "127.0.0.1"
DEMO_PORT = 8765
DEMO: dict[str, Any] = {
    "shop": {"name": "Equipoise demo shop", "currency": "EUR"},
    # A demo's days pass in minutes, so do its windows.
    "attribution": {"click_window_s": 15.0, "purchase_window_s": 600.0},
    "server": {"requests_per_second": 20_000.0, "burst": 40_000},
}


def serve(
    data: Data = DEFAULT_DATA,
    host: Annotated[str | None, typer.Option(help="Default: the settings' host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Default: the settings' port.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=1, help="The embedded log has one writer, so one.")
    ] = 1,
) -> None:
    """The HTTP service, with storefront and console, until it is told to stop."""
    with closing(Engine.open(data)) as engine:
        chosen = engine.settings.server
        address = (host or chosen.host, port or chosen.port)
        check_binding(address[0], Keys(Home(data).keys_file))
        check_free(*address)
        url = f"http://{address[0]}:{address[1]}"
        say(f"Serving {data} at {url}  (console: {url}/console, API: {url}/docs)")
        _run(engine, *address)


def demo(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="On loopback.")] = DEMO_PORT,
    data_set: Annotated[
        str,
        typer.Option("--data-set", help=f"Replay a real shop's log: {', '.join(DATA_SETS)}."),
    ] = "",
    visitors: Annotated[float, typer.Option(min=1.0, help="Simulated visitors a minute.")] = 120.0,
    seed: Annotated[int, typer.Option(help="Of the simulated shop.")] = 7,
    data: Annotated[
        Path | None, typer.Option("--data", help="Keep the data here; default: thrown away.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the console in a browser.")] = True,
) -> None:
    """A stocked shop with simulated shoppers, storefront and console, on loopback."""
    if data_set and data_set not in DATA_SETS:
        raise typer.BadParameter(f"--data-set {data_set!r} is none of {', '.join(DATA_SETS)}")
    check_free(LOOPBACK, port)
    with _folder(data) as folder:
        Home(folder).create()
        url = f"http://{LOOPBACK}:{port}"
        with (
            closing(Engine.open(folder, settings=_settings(folder, data_set))) as engine,
            _shoppers(url, data_set, visitors, seed),
        ):
            say(
                f"Storefront  {url}/shop\nConsole     {url}/console\nAPI         {url}/docs\n"
                "Shoppers are coming in. Ctrl-C ends the demo."
            )
            if browser:
                webbrowser.open(f"{url}/console")
            _run(engine, LOOPBACK, port)


def check_free(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on, before anything is started.

    Raises:
        EquipoiseError: the name is unknown, the port taken or forbidden.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
    except OSError as error:
        raise EquipoiseError(
            f"cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}; "
            "--host and --port choose another address"
        ) from error


def _run(engine: Engine, host: str, port: int) -> None:
    # Loaded here: every other command starts without a web server.
    from equipoise.server.run import serve as run

    try:
        run(engine, host=host, port=port)
    except RuntimeError as error:
        raise EquipoiseError(str(error)) from error


def _settings(folder: Path, data_set: str) -> Settings:
    chosen = Home(folder).settings_file
    if chosen.exists():
        return Home(folder).settings()
    tree = {**DEMO}
    if data_set:
        tree["shop"] = {"name": f"Replay of {data_set}", "currency": "GBP"}
    return build(tree)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="equipoise-demo-") as folder:
        yield Path(folder)


@contextmanager
def _shoppers(url: str, data_set: str, visitors: float, seed: int) -> Iterator[None]:
    """The shoppers live in a process of their own and know the shop by HTTP alone."""
    command = [sys.executable, "-m", "equipoise.cli.visitors", url, str(visitors), str(seed)]
    process = subprocess.Popen([*command, data_set] if data_set else command)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


commands: dict[str, Callable[..., Any]] = {"serve": serve, "demo": demo}
