"""SIGKILL to a serving process under load, again and again: no event is lost, none doubled.

Four clients post events with ids and ask for lists, and send again whatever was not acknowledged
when the connection broke. Meanwhile the server is killed at random moments: while it starts, while
it serves, while it writes its checkpoint. Each server is ``equipoise serve`` in a process of its
own, forked from a nursery that has imported everything; that spares a second of imports a life.

EQUIPOISE_KILL_CYCLES (default 50) says how many lives.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from equipoise.engine import Engine
from equipoise.home import Home
from equipoise.knowledge import Knowledge
from equipoise.randomness import derive
from equipoise.types import Arrays, Kind

CYCLES = int(os.environ.get("EQUIPOISE_KILL_CYCLES", "50"))
CLIENTS = 4
ITEMS = 40
PATIENCE_S = 60.0

NURSERY = """
import json, os, sys
from equipoise.cli.main import main
import equipoise.server.run

for line in sys.stdin:
    words, path = json.loads(line)
    child = os.fork()
    if child == 0:
        said = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(said, 1), os.dup2(said, 2)
        sys.argv = ["equipoise", *words]
        main()
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """Bears one server at a time."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.said = folder / "said.txt"
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        command = [sys.executable, "-c", NURSERY]
        self._process = subprocess.Popen(command, text=True, bufsize=1, **pipes)

    def serve(self) -> int:
        """The process id of a new server."""
        words = ["serve", "--data", str(self.folder / "shop"), "--port", str(self.port)]
        self._process.stdin.write(json.dumps([words, str(self.said)]) + "\n")
        return int(self._process.stdout.readline())

    def dead(self) -> int:
        """The exit status of the last server, once it is gone."""
        return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Client(Thread):
    """Posts for as long as it is not told to stop, and then until all it sent is acknowledged."""

    def __init__(self, number: int, port: int, stop: Event) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.number, self.port, self.stop = number, port, stop
        self.acknowledged: list[str] = []
        self.clicked: set[tuple[str, str]] = set()
        self.lists = 0
        self.broken = 0
        self.refused: list[Any] = []

    def run(self) -> None:
        for step in count():
            if self.stop.is_set():
                return
            lines = self.ask(step) if step % 4 == 0 else []
            self.tell([*self.seen(step, lines), *self.views(step)])

    def ask(self, step: int) -> list[Any]:
        """The lines of a list, with their tokens."""
        who = f"c-{self.number}-{step % 5}"
        body = {"placement": "home", "anonymous_id": who, "n": 4}
        answer = self.post("/v1/recommendations", body)
        self.lists += 1
        self.clicked |= {(answer["items"][0]["item_id"], who)}
        return [{"item_id": one["item_id"], "token": one["token"]} for one in answer["items"]]

    def seen(self, step: int, lines: list[Any]) -> list[Any]:
        if not lines:
            return []
        shown = self.event(f"l{step}", step, "view_item_list", lines)
        return [shown, self.event(f"k{step}", step, "select_item", lines[:1])]

    def views(self, step: int) -> Iterator[Any]:
        for place in range(1 + step % 3):
            line = {"item_id": f"i{(step * 7 + place) % ITEMS}", "quantity": 1, "price": 2.5}
            if (step + place) % 9 == 8:
                order = {"transaction_id": f"o-{self.number}-{step}-{place}"}
                yield self.event(f"p{step}-{place}", step, "purchase", [line]) | order
            else:
                yield self.event(f"v{step}-{place}", step, "view_item", [line])

    def event(self, name: str, step: int, event: str, items: list[Any]) -> dict[str, Any]:
        who = f"c-{self.number}-{step % 5}"
        name = f"{self.number}-{name}"
        return {"event_id": name, "event": event, "anonymous_id": who, "items": items}

    def tell(self, events: list[Any]) -> None:
        answer = self.post("/v1/events", {"events": events})
        self.refused += answer["rejected"]
        self.acknowledged += [one["event_id"] for one in events]

    def post(self, path: str, body: Any) -> Any:
        """The answer; however often it takes."""
        sent, started = json.dumps(body).encode(), time.monotonic()
        while time.monotonic() - started < PATIENCE_S:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
            try:
                connection.request("POST", path, sent, {"content-type": "application/json"})
                answer = connection.getresponse()
                said = answer.read()
                if answer.status == 200:
                    return json.loads(said)
            except (OSError, http.client.HTTPException):
                self.broken += 1
            finally:
                connection.close()
            time.sleep(0.005)
        raise TimeoutError(f"{path}: no server came back")


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    engine = Engine.open(Home(tmp_path / "shop").create().folder)
    bodies = [{"item_id": f"i{k}", "categories": [f"c{k % 4}"]} for k in range(ITEMS)]
    engine.close()
    nursery = Nursery(tmp_path, port)
    stock(nursery, bodies)
    yield nursery
    nursery.close()


def stock(nursery: Nursery, bodies: list[Any]) -> None:
    """Over HTTP, by the first server; which then ends as it should."""
    server = nursery.serve()
    Client(0, nursery.port, Event()).post("/v1/items:batch", {"items": bodies})
    os.kill(server, signal.SIGTERM)

    assert nursery.dead() == 0


def lives(nursery: Nursery, cycles: int) -> None:
    """So many servers, each killed: one in five before it serves, one in five while it ends."""
    luck = derive(0, "server kill")
    for cycle in range(cycles):
        server = nursery.serve()
        if cycle % 5 == 3:
            time.sleep(0.4 * luck.random())
        else:
            ready(nursery.port)
            time.sleep(0.6 * luck.random() ** 2)
        if cycle % 5 == 1:
            os.kill(server, signal.SIGTERM)
            time.sleep(0.15 * luck.random())
        os.kill(server, signal.SIGKILL)

        assert nursery.dead() in (-signal.SIGKILL, 0)


def ready(port: int) -> None:
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE_S:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.005)
    raise TimeoutError("the server did not start")


@pytest.mark.faults
@pytest.mark.slow
def test_killed_again_and_again(nursery: Nursery, tmp_path: Path) -> None:
    """Every acknowledged event is on the log once, ``doctor`` is content, state equals replay."""
    stop = Event()
    clients = [Client(number, nursery.port, stop) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    lives(nursery, CYCLES)
    last = nursery.serve()
    stop.set()
    for client in clients:
        client.join(PATIENCE_S)
    os.kill(last, signal.SIGTERM)
    status = nursery.dead()
    report(clients)

    assert status == 0
    assert "Traceback" not in nursery.said.read_text()
    assert not any(client.is_alive() or client.refused for client in clients)
    assert sum(client.broken for client in clients) > CYCLES // 2
    check_log(tmp_path / "shop", [name for client in clients for name in client.acknowledged])
    check_learnt(tmp_path / "shop", set().union(*(client.clicked for client in clients)))
    check_health(tmp_path / "shop")


def report(clients: list[Client]) -> None:
    events = sum(len(client.acknowledged) for client in clients)
    lists, broken = (sum(getattr(c, name) for c in clients) for name in ("lists", "broken"))
    sys.stdout.write(f"{CYCLES} kills: {events} events, {lists} lists, {broken} retries\n")


def check_log(folder: Path, acknowledged: list[str]) -> None:
    engine = Engine.open(folder, read_only=True)
    keys = [stored.record.key for stored in engine.log.read(kinds=(Kind.EVENT,))]
    replayed = Knowledge(engine.settings)
    replayed.apply(engine.log.read())
    known, again = flat(engine.knowledge.dump()), flat(replayed.dump())
    engine.close()

    assert len(acknowledged) == len(set(acknowledged)) > 10 * CYCLES
    assert len(keys) == len(set(keys))
    assert set(keys) == set(acknowledged)
    assert known == again


def check_learnt(folder: Path, clicked: set[tuple[str, str]]) -> None:
    """Of an item's clickers, each of whom counts once, as many as one network always may have.

    More have looked: a view of a product that stood in a list may be that list's doing, too.
    """
    engine = Engine.open(folder, read_only=True)
    learnt = engine.knowledge.model.summary()["looks"]
    most = engine.settings.credit.clicks_per_network
    engine.close()
    clickers = Counter(item for item, _ in clicked)

    assert clickers
    assert learnt >= sum(min(persons, most) for persons in clickers.values())


def flat(tables: dict[str, Arrays]) -> dict[str, tuple[str, bytes]]:
    return {
        f"{table}.{name}": (array.dtype.str, array.tobytes())
        for table, arrays in tables.items()
        for name, array in arrays.items()
    }


def check_health(folder: Path) -> None:
    command = [sys.executable, "-m", "equipoise.cli.main", "doctor", "--json", "--data"]
    answer = subprocess.run([*command, str(folder)], capture_output=True, text=True)
    findings = {one["check"]: one for one in json.loads(answer.stdout)}

    assert findings["log"]["ok"]
    assert findings["data directory"]["ok"]
    assert findings["snapshots"]["ok"]
