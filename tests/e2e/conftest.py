"""A real Chromium, a real service, and a page of a shop that is not ours."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from equipoise.clock import ManualClock
from equipoise.console.render import STATIC
from equipoise.engine import Engine
from equipoise.server.run import background
from equipoise.settings import build
from equipoise.types import Item

NOON = 1_700_049_600_000
"""2023-11-15 12:00:00 UTC."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHELVES = ("Garden/Tools", "Home/Lamps", "Kids/Toys", "Men/Hats")
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


# ---------------------------------------------------------------- the browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a file; without one its tests are skipped, which CI takes for a failure.

    No longer than a file: while Playwright is open its event loop counts as running, and no other
    test could run one of its own.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        absent = f"no browser: none of {', '.join(NAMES)} is on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(absent)
        pytest.skip(absent)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a page did besides what was asked of it."""

    origin: str
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("console", lambda said: self._heard(said.type, said.text))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin + "/", "data:")):
            self.strangers.append(request.url)

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


Visit = Callable[..., Page]


@pytest.fixture
def visits(chromium: Browser) -> Iterator[Callable[[str], Visit]]:
    """Opens fresh visitors of an origin; ``at``: what their clock says, which can be put forward.

    At the end each must have asked nobody else for anything, and have had nothing to complain of:
    a violation of the policy is a complaint.
    """
    opened: list[tuple[BrowserContext, Watch, bool]] = []

    def of(origin: str) -> Visit:
        def visit(
            path: str = "/shop", *, quiet: bool = True, at: int | None = None, **options: Any
        ) -> Page:
            options = {"viewport": {"width": 1_280, "height": 800}} | options
            context = chromium.new_context(**options)
            context.set_default_timeout(10_000)
            watch = Watch(origin)
            watch.follow(context)
            opened.append((context, watch, quiet))
            page = context.new_page()
            if at is not None:
                page.clock.install(time=at / 1_000)
            page.goto(origin + path)
            return page

        return visit

    yield of
    for context, _, _ in opened:
        context.close()
    for _, watch, quiet in opened:
        assert watch.strangers == []
        assert not quiet or watch.complaints == []


# ---------------------------------------------------------------- a real service


@dataclass
class Shop:
    """A running service with what it runs on."""

    address: str
    engine: Engine
    clock: ManualClock


@contextmanager
def serving(items: int, **tree: Any) -> Iterator[Shop]:
    """Items in four departments, ``sku-0`` and on; the engine's luck is the same every time."""
    clock = ManualClock(NOON)
    engine = Engine.in_memory(seed=11, clock=clock, settings=build(tree))
    engine.store(
        [
            engine.item_record(
                Item(
                    item_id=f"sku-{number}",
                    title={"en": f"Thing {number}"},
                    categories=(SHELVES[number % len(SHELVES)],),
                    price=10.0 + number,
                )
            )
            for number in range(items)
        ]
    )
    with background(engine) as address:
        yield Shop(address, engine, clock)


@pytest.fixture
def shop() -> Iterator[Shop]:
    # The click window of a demo: a slot without a click is judged within the minute.
    tree = {"shop": {"name": "Test shop"}, "attribution": {"click_window_s": 30.0}}
    with serving(80, **tree) as running:
        yield running


@pytest.fixture
def bare() -> Iterator[Shop]:
    """A service that has just been started: no item, no event."""
    with serving(0, shop={"name": "Bare shop"}) as running:
        yield running


# ---------------------------------------------------------------- somebody else's page


@dataclass
class Collector:
    """A shop's own server: its page, the tracker, and a collector that does as it is told."""

    address: str = ""
    page: str = ""
    statuses: list[int] = field(default_factory=list)
    """Answers of the next posts; 204 when there is none left."""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes, headers: dict[str, str], path: str) -> int:
        with self.arrived:
            self.bodies.append(body)
            self.headers.append(headers)
            self.paths.append(path)
            self.arrived.notify_all()
            return self.statuses.pop(0) if self.statuses else 204

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Everything that was posted, refused posts included."""
        with self.arrived:
            found = [one for body in self.bodies for one in json.loads(body)["events"]]
        return [one for one in found if name in ("", one["event"])]

    def wait(self, name: str, n: int = 1, seconds: float = 8.0) -> list[dict[str, Any]]:
        """Until ``n`` events of that name have arrived."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: len(self.events(name)) >= n, seconds)
        assert came, f"{n} × {name} wanted, {[one['event'] for one in self.events()]} came"
        return self.events(name)


@pytest.fixture
def collector() -> Iterator[Collector]:
    kept = Collector()
    # A condition whose lock can be taken again by the thread that holds it.
    kept.arrived = threading.Condition(threading.RLock())
    tracker = Path(STATIC / "tracker.js").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script = urlsplit(self.path).path == "/tracker.js"
            self._answer(200, "text/javascript" if script else "text/html; charset=utf-8",
                         tracker if script else kept.page.encode())  # fmt: skip

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._answer(kept.take(body, dict(self.headers), self.path), "text/plain", b"")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    kept.address = f"http://127.0.0.1:{server.server_address[1]}"
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()
