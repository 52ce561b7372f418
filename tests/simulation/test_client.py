"""Two ways to a recommender, one conversation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.simulation.client import InProcess, OverHTTP, ShopfrontRefused
from equipoise.simulation.run import simulate
from equipoise.simulation.shop import Shop


class Door(BaseHTTPRequestHandler):
    """The three routes a shopfront calls, answered by a shopfront in process."""

    protocol_version = "HTTP/1.1"
    front: Any
    requests = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        type(self).requests += 1
        if self.path == "/v1/items:batch":
            self.front.put_items(body["items"])
            self.answer(200, {"accepted": len(body["items"]), "duplicated": 0, "rejected": []})
        elif self.path == "/v1/events":
            reply = self.front.send(body["events"])
            self.answer(200 if reply["accepted"] or reply["duplicated"] else 400, reply)
        elif body["placement"] == "attic":
            self.answer(400, {"detail": "'attic' is no placement of this shop"})
        else:
            self.front.tick()
            self.answer(200, self.front.recommend(body))

    def answer(self, status: int, body: Any) -> None:
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: Any) -> None:
        pass


class Hasty(Door):
    """Closes the connection after each answer, as a proxy may."""

    def answer(self, status: int, body: Any) -> None:
        super().answer(status, body)
        self.close_connection = True


def engine(clock: ManualClock) -> Engine:
    return Engine.in_memory(clock=clock, seed=3)


@pytest.fixture(params=[Door, Hasty])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[OverHTTP, ManualClock]]:
    clock = ManualClock()
    door = type("Handler", (request.param,), {"front": InProcess(engine(clock)), "requests": 0})
    server = HTTPServer(("127.0.0.1", 0), door)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    front = OverHTTP(f"http://127.0.0.1:{server.server_port}")
    yield front, clock
    front.close()
    server.shutdown()
    server.server_close()
    thread.join()


class Scribe:
    """Keeps what passes through a shopfront."""

    def __init__(self, front: Any) -> None:
        self.front, self.lines = front, []

    def put_items(self, items: Any) -> None:
        self.lines.append(("items", items))
        self.front.put_items(items)

    def send(self, events: Any) -> Any:
        reply = self.front.send(events)
        self.lines.append(("events", events, reply))
        return reply

    def recommend(self, query: Any) -> Any:
        self.front.tick()
        answer = self.front.recommend(query)
        self.lines.append(("list", query, answer))
        return answer

    def tick(self) -> None:
        self.front.tick()


def test_the_same_conversation_either_way(served: tuple[OverHTTP, ManualClock]) -> None:
    """With one seed and one clock, both shopfronts say and hear the same, word for word."""
    over_http, http_clock = served
    here_clock = ManualClock()
    transcripts = []
    for front, clock in [(over_http, http_clock), (InProcess(engine(here_clock)), here_clock)]:
        scribe = Scribe(front)
        shop = Shop.make(1, n_items=40, launches=5, launch_days=0.2)
        outcome = simulate(shop, scribe, decisions=40, seed=2, clock=clock)
        transcripts.append(scribe.lines)

        assert outcome.rejected == []

    assert transcripts[0] == transcripts[1]
    assert sum(line[0] == "list" for line in transcripts[0]) >= 40


def test_a_click_in_process_teaches(stranger: Any) -> None:
    """Tokens hold: what the world clicks is learnt from, and its tallies are the engine's."""
    clock = ManualClock()
    recommender = engine(clock)
    shop = Shop.make(1, n_items=40, launches=0)
    outcome = simulate(shop, InProcess(recommender), decisions=60, seed=2, clock=clock)

    assert outcome.clicks > 0
    assert outcome.spent is not None
    assert outcome.expected is not None
    assert 0 < outcome.spent < outcome.expected
    assert recommender.knowledge.model.summary()["looks"] > 0


def test_a_bad_event_comes_back_with_its_reason(served: tuple[OverHTTP, ManualClock]) -> None:
    """A body of which nothing was taken is an answer, not a failure."""
    front, _ = served
    reply = front.send([{"event": "view_item", "anonymous_id": "c-1"}])

    assert reply["accepted"] == 0
    assert reply["rejected"][0]["pointer"] == "/items"


def test_a_refused_list_says_why(served: tuple[OverHTTP, ManualClock]) -> None:
    """What the server answers to a bad question is in the message."""
    front, _ = served
    with pytest.raises(ShopfrontRefused, match=r"/v1/recommendations answered 400: .*attic"):
        front.recommend({"placement": "attic", "anonymous_id": "c-1", "n": 4})


def test_in_process_refuses_what_the_door_would() -> None:
    """An item without an id and a query without a placement are refused here as over HTTP."""
    front = InProcess(engine(ManualClock()))

    with pytest.raises(ShopfrontRefused, match=r"items: .*item_id"):
        front.put_items([{"price": 3.0}])
    with pytest.raises(ShopfrontRefused, match=r"recommendations: .*placement"):
        front.recommend({"anonymous_id": "c-1"})


def test_a_refused_catalogue_says_why(served: tuple[OverHTTP, ManualClock]) -> None:
    """A batch reply that names a refusal is one."""
    front, _ = served
    front._exchange = lambda path, body: (200, b'{"rejected": [{"code": "range"}]}')  # type: ignore[method-assign]

    with pytest.raises(ShopfrontRefused, match=r"items:batch refused .*range"):
        front.put_items([{"item_id": "a"}])


def test_refuses_what_is_no_address() -> None:
    """A url without scheme or host is refused before anything is sent."""
    with pytest.raises(ValueError, match="'localhost:8765' is no address; one looks like http"):
        OverHTTP("localhost:8765")


def test_keys_and_paths(served: tuple[OverHTTP, ManualClock]) -> None:
    """A key travels as a bearer token, and a service below a path is called there."""
    front = OverHTTP("https://shop.example/reco/", key="sk_1")

    assert front._headers["authorization"] == "Bearer sk_1"
    assert front._path == "/reco"
