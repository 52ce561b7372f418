"""A real uvicorn on a real port."""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from equipoise.engine import Engine
from equipoise.errors import LogLocked, SettingsError
from equipoise.home import Home
from equipoise.server.keys import Keys
from equipoise.server.live import Live
from equipoise.server.run import background, check_workers, serve
from equipoise.types import Item

EVENT = {"event": "search", "search_term": "oak", "anonymous_id": "c"}


@pytest.fixture
def address(engine: Engine) -> Iterator[str]:
    with background(engine) as started:
        yield started


def test_whole_loop_over_real_http(address: str) -> None:
    """Event, list, click with its token, replay: as curl would."""
    with httpx.Client(base_url=address) as client:
        view = {"event": "view_item", "anonymous_id": "c", "items": [{"item_id": "sku-3"}]}
        assert client.post("/v1/events", json=view).json()["accepted"] == 1
        ask = {"placement": "home", "anonymous_id": "c", "n": 20}
        shown = client.post("/v1/recommendations", json=ask).json()
        first = shown["items"][0]
        click = {
            "event": "select_item",
            "anonymous_id": "c",
            "items": [{"item_id": first["item_id"], "token": first["token"]}],
        }
        assert client.post("/v1/events", json=click).json()["accepted"] == 1
        stored = client.get(f"/v1/recommendations/{shown['recommendation_id']}")
        again = client.post(f"/v1/recommendations/{shown['recommendation_id']}/replay")
        models = client.get("/v1/models").json()

    assert len(shown["items"]) == 20
    assert stored.content == again.content
    assert ["Looks learnt from", "1"] in models["learner"]["state"]


def test_ids_with_every_kind_of_slash(address: str) -> None:
    """uvicorn hands the path over decoded; an id still comes back as it was."""
    with httpx.Client(base_url=address) as client:
        for item_id, path in [("a/b", "a%2Fb"), ("a%2Fb", "a%252Fb"), ("/", "%2f")]:
            put = client.put(f"/v1/items/{path}", json={"price": 1})

            assert put.json()["item_id"] == item_id
            assert client.get(f"/v1/items/{path}").json()["item_id"] == item_id


def test_lists_while_events_are_written(address: str) -> None:
    """Both at once from eight threads: nothing but 200, and every event is there."""

    def work(number: int) -> set[int]:
        with httpx.Client(base_url=address) as client:
            event = {**EVENT, "anonymous_id": f"c-{number}"}
            ask = {"placement": "home", "anonymous_id": f"c-{number}", "n": 5}
            return {
                answer.status_code
                for _ in range(10)
                for answer in (
                    client.post("/v1/events", json={"events": [event] * 5}),
                    client.post("/v1/recommendations", json=ask),
                )
            }

    with ThreadPoolExecutor(8) as pool:
        statuses = set().union(*pool.map(work, range(8)))
    text = httpx.get(f"{address}/metrics").text

    assert statuses == {200}
    assert 'equipoise_events_total{outcome="accepted"} 400.0' in text


def test_binding_and_workers_are_checked(engine: Engine) -> None:
    """Before anything listens."""
    with pytest.raises(SettingsError, match="there is no API key"):
        serve(engine, host="0.0.0.0", port=0)
    with pytest.raises(SettingsError, match="--workers 4: the embedded log has one writer"):
        serve(engine, workers=4)
    check_workers(1)


def test_network_with_a_key(engine: Engine) -> None:
    """Bound to everything, with a key, it starts and asks for it."""
    keys = Keys()
    key = keys.make("sk", "shop")
    with background(engine, host="0.0.0.0", keys=keys) as address:
        local = address.replace("0.0.0.0", "127.0.0.1")
        without = httpx.get(f"{local}/v1/items").status_code
        with_it = httpx.get(f"{local}/v1/items", headers={"x-api-key": key}).status_code

    assert (without, with_it) == (401, 200)


def test_what_does_not_start_says_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start-up that fails is an error here, not a hanging thread."""

    async def broken(_: Live) -> None:
        raise OSError("no")

    monkeypatch.setattr(Live, "start", broken)

    with pytest.raises(RuntimeError, match="did not start"), background(engine):
        pass
    with pytest.raises(RuntimeError, match="did not start"):
        serve(engine, port=0)


CHILD = """
import resource, sys
from pathlib import Path
from equipoise.engine import Engine
from equipoise.server.run import serve
limit = int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
serve(Path(sys.argv[1]), port=int(sys.argv[2]))
"""


class Child:
    """A service in a process of its own."""

    def __init__(self, folder: Path, limit: int = 0) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), str(port), str(limit)],
            stderr=subprocess.PIPE,
        )
        for _ in range(300):
            try:
                httpx.get(f"{self.address}/healthz")
                return
            except httpx.TransportError:
                assert self.process.poll() is None, "the child died before it answered"
                time.sleep(0.1)
        raise RuntimeError("the child did not start")

    def end(self, signal_number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        _, errors = self.process.communicate(timeout=30)
        self.errors = errors.decode()
        return self.process.returncode


@pytest.mark.faults
def test_killed_and_started_again(tmp_path: Path) -> None:
    """SIGKILL loses nothing acknowledged; SIGTERM drains and leaves quietly."""
    Home(tmp_path).create()
    child = Child(tmp_path)
    for number in range(20):
        answer = httpx.post(f"{child.address}/v1/events", json={**EVENT, "event_id": f"e-{number}"})
        assert answer.json()["accepted"] == 1
    with pytest.raises(LogLocked, match="is writing to this log"):
        serve(tmp_path, port=0)
    child.end(signal.SIGKILL)
    child = Child(tmp_path)
    again = httpx.post(
        f"{child.address}/v1/events",
        json={"events": [{**EVENT, "event_id": f"e-{number}"} for number in range(25)]},
    )
    code = child.end()

    assert (again.json()["accepted"], again.json()["duplicated"]) == (5, 20)
    assert code == 0
    assert "Traceback" not in child.errors


@pytest.mark.faults
def test_file_size_limit(tmp_path: Path) -> None:
    """The log can grow no more: 503, lists keep coming; with space again, it goes on by itself."""
    Home(tmp_path).create()
    engine = Engine.open(tmp_path)
    engine.store([engine.item_record(Item(item_id=f"i-{n}", price=n)) for n in range(30)])
    engine.close()
    child = Child(tmp_path, limit=600_000)
    big = {**EVENT, "attributes": {"note": "x" * 20_000}}
    with httpx.Client(base_url=child.address) as client:
        statuses = [client.post("/v1/events", json=big).status_code for _ in range(60)]
        lists = [
            client.post("/v1/recommendations", json={"placement": "home", "n": 3})
            for _ in range(10)
        ]
        resource.prlimit(
            child.process.pid,
            resource.RLIMIT_FSIZE,
            (resource.RLIM_INFINITY, resource.RLIM_INFINITY),
        )
        started = time.perf_counter()
        while client.post("/v1/events", json=EVENT).status_code != 200:
            assert time.perf_counter() - started < 5
            time.sleep(0.05)
    child.end()

    assert statuses[0] == 200
    assert statuses[-1] == 503
    assert set(statuses) == {200, 503}
    assert {answer.status_code for answer in lists} == {200}
    assert {len(answer.json()["items"]) for answer in lists} == {3}
