"""``serve`` and ``demo``: real processes that start, say where, and stop when they are told to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from equipoise.cli import visitors
from equipoise.cli.serve import check_free
from equipoise.errors import EquipoiseError

Run = Callable[..., Any]

STARTS_WITHIN_S = 60.0


@pytest.fixture
def port() -> int:
    """One that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@contextmanager
def running(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process; gone at the end in any case."""
    command = [sys.executable, "-m", "equipoise.cli.main", *words]
    clean = {name: text for name, text in os.environ.items() if not name.startswith("EQUIPOISE_")}
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def get(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data, {"content-type": "application/json"}), timeout=10) as answer:
        return json.loads(answer.read())


def wait_for(process: subprocess.Popen[str], url: str, enough: Callable[[Any], bool]) -> Any:
    """The answer, once it says what is waited for."""
    started = time.monotonic()
    while time.monotonic() - started < STARTS_WITHIN_S and process.poll() is None:
        try:
            if enough(answer := get(url)):
                return answer
        except (URLError, OSError):
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{url}: {process.poll()}")


def test_serve_until_told_to_stop(run: Run, tmp_path: Path, port: int) -> None:
    """An event and a list over HTTP; SIGTERM drains, keeps a checkpoint and is a success."""
    run("init")
    with running(tmp_path, "serve", "--port", str(port)) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(process, f"{url}/readyz", lambda answer: answer["status"] == "ready")
        get(f"{url}/v1/items:batch", {"items": [{"item_id": f"i{k}"} for k in range(5)]})
        event = {"event": "view_item", "anonymous_id": "c", "items": [{"item_id": "i1"}]}
        taken = get(f"{url}/v1/events", event)
        listed = get(
            f"{url}/v1/recommendations", {"placement": "home", "anonymous_id": "c", "n": 3}
        )
        beside = run("recommend", "-n", "2", "--json")
        second = run("serve", "--port", str(port))
        process.send_signal(signal.SIGTERM)
        code = process.wait(STARTS_WITHIN_S)
        said = process.stderr.read() if process.stderr else ""

    assert taken["accepted"] == 1
    assert len(listed["items"]) == 3
    assert len(beside.json["items"]) == 2
    assert (second.code, "is writing to this log" in second.err) == (1, True)
    assert code == 0
    assert said == f"Serving equipoise-data at {url}  (console: {url}/console, API: {url}/docs)\n"
    assert any((tmp_path / "equipoise-data" / "state").iterdir())


def test_an_address_that_is_taken(run: Run) -> None:
    """Said in one line, before anything is started; for the demo too."""
    run("init")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        answers = [run("serve", "--port", port), run("demo", "--port", port, "--no-browser")]

    for answer in answers:
        assert answer.code == 1
        assert answer.err.count("\n") == 1
        assert f"cannot listen on 127.0.0.1:{port}: address already in use" in answer.err


def test_an_address_that_is_none() -> None:
    """A name that nobody knows."""

    with pytest.raises(EquipoiseError, match=r"cannot listen on nohost\.invalid:80: .*--host"):
        check_free("nohost.invalid", 80)


def test_an_address_that_others_can_reach_needs_a_key(run: Run) -> None:
    """The way to make one is a command that exists."""
    run("init")
    refused = run("serve", "--host", "0.0.0.0")
    command = refused.err.split("`")[1].split()

    assert refused.code == 1
    assert "there is no API key" in refused.err
    assert run(*command[1:]).code == 0


@pytest.mark.slow
def test_the_demo_lives(tmp_path: Path, port: int) -> None:
    """Shoppers come in by HTTP, the storefront and the console answer, and Ctrl-C ends it all."""
    words = ("demo", "--no-browser", "--port", str(port), "--data", "kept", "--visitors", "600")
    with running(tmp_path, *words) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for(process, f"{url}/readyz", lambda answer: answer["seq"] > 700)
        for page in ("/shop", "/console"):
            with urlopen(url + page, timeout=10) as answer:
                assert answer.status == 200
        process.send_signal(signal.SIGINT)
        code = process.wait(STARTS_WITHIN_S)
        said = process.stderr.read() if process.stderr else ""

    assert code == 0
    assert f"Storefront  {url}/shop" in said
    assert "Traceback" not in said
    assert (tmp_path / "kept" / "secrets.json").exists()


def test_shoppers_who_find_nobody(monkeypatch: pytest.MonkeyPatch, capsys: Any, port: int) -> None:
    """They wait for the service to start, and say so when it does not."""
    monkeypatch.setattr(visitors, "STARTS_WITHIN_S", 0.4)
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    with pytest.raises(SystemExit, match="1"):
        visitors.main(f"http://127.0.0.1:{port}", 60.0, 1)
    assert "did not start within 0.4 s" in capsys.readouterr().err


class Grumpy(BaseHTTPRequestHandler):
    """Ready, and takes nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        self.send_error(500)

    def log_message(self, *_: Any) -> None:
        pass


def test_shoppers_who_are_turned_away(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """They leave, and say why."""
    monkeypatch.setattr(visitors, "GRACE_S", 0.0)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with HTTPServer(("127.0.0.1", 0), Grumpy) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with pytest.raises(SystemExit, match="1"):
            visitors.main(f"http://127.0.0.1:{server.server_port}", 60.0, 1)
        server.shutdown()
        thread.join()

    assert "the shoppers left: POST /v1/items:batch answered 500" in capsys.readouterr().err


def test_a_service_that_does_not_start(
    run: Run, monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    """What the web server could not do is one line more."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the service did not start; the lines above say why")

    monkeypatch.setattr("equipoise.server.run.serve", fail)
    run("init")
    answer = run("serve", "--port", str(port))

    assert answer.code == 1
    assert answer.err.splitlines()[1] == "error: the service did not start; the lines above say why"
