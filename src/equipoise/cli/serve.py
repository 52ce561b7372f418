"""``serve`` and ``demo``: the HTTP service, and a stocked shop with shoppers in it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.output import DEFAULT_DATA, Data, say
from equipoise.engine import Engine
from equipoise.errors import InvalidInput
from equipoise.home import Home
from equipoise.intake.data_sets import DATA_SETS
from equipoise.server.run import serve as run
from equipoise.settings import Settings, build

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
    port: Annotated[int | None, typer.Option(help="Default: the settings' port.")] = None,
    workers: Annotated[int, typer.Option(help="The embedded size has one.")] = 1,
) -> None:
    """The HTTP service, with storefront and console, until it is told to stop."""
    settings = Home(data).settings()
    address = f"http://{host or settings.server.host}:{port or settings.server.port}"
    say(f"Serving {data} at {address}  (console: {address}/console, API: {address}/docs)")
    run(data, host=host, port=port, workers=workers)


def demo(
    port: Annotated[int, typer.Option(help="On loopback.")] = DEMO_PORT,
    data_set: Annotated[
        str, typer.Option("--data-set", help="Replay a real shop's log: online-retail, …")
    ] = "",
    visitors: Annotated[float, typer.Option(help="Simulated visitors a minute.")] = 120.0,
    seed: Annotated[int, typer.Option(help="Of the simulated shop.")] = 7,
    data: Annotated[
        Path | None, typer.Option("--data", help="Keep the data here; default: thrown away.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the console in a browser.")] = True,
) -> None:
    """A stocked shop with simulated shoppers, storefront and console, on loopback."""
    if data_set and data_set not in DATA_SETS:
        raise InvalidInput(
            f"{data_set!r} is no known data set; the data sets are {', '.join(DATA_SETS)}"
        )
    with _folder(data) as folder:
        Home(folder).create()
        engine = Engine.open(folder, settings=_settings(folder, data_set))
        url = f"http://127.0.0.1:{port}"
        say(
            f"[bold]Storefront[/]  {url}/shop\n[bold]Console[/]     {url}/console\n"
            f"[bold]API[/]         {url}/docs\nShoppers are coming in. Ctrl-C ends the demo."
        )
        try:
            with _shoppers(url, data_set, visitors, seed):
                if browser:
                    webbrowser.open(f"{url}/console")
                run(engine, host="127.0.0.1", port=port)
        finally:
            engine.close()


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
