"""What comes with a publishable key is marked at the door, and believed accordingly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from equipoise.codec import decode
from equipoise.engine import Engine
from equipoise.feedback.provenance import is_of_browser, network_of
from equipoise.home import Home
from equipoise.server.app import create_app
from equipoise.server.keys import Keys
from equipoise.server.limits import public_prefix
from equipoise.server.live import Live
from equipoise.settings import build
from equipoise.types import Kind, Rejected

CLAIM = {"_door": {"network": "mine", "browser": False}}
VIEW = {"event": "view_item", "anonymous_id": "c", "items": [{"item_id": "sku-1"}]}


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def key(keys: Keys) -> dict[str, dict[str, str]]:
    return {
        kind: {"authorization": f"Bearer {keys.make(kind, kind)}"} for kind in ("pk", "sk", "ak")
    }


@pytest.fixture
def outside(engine: Engine, keys: Keys) -> Iterator[Any]:
    """A client in a network of the public internet."""
    app = create_app(Live(engine, keys=keys))

    async def from_there(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"client": ("8.8.8.8", 4_000)}, receive, send)

    with TestClient(from_there) as client:
        yield client


def events(engine: Engine) -> list[Any]:
    return [
        decode(Kind.EVENT, stored.record.key, stored.record.body)
        for stored in engine.log.read(kinds=(Kind.EVENT,))
    ]


@pytest.mark.parametrize("path", ["/v1/events", "/v1/collect"])
def test_a_browsers_event_is_marked(outside: Any, engine: Engine, key: Any, path: str) -> None:
    """With a hash of its network, never the address, and over what it says itself."""
    where = f"{path}?key={key['pk']['authorization'].removeprefix('Bearer ')}"
    outside.post(where, json={**VIEW, "context": CLAIM | {"locale": "de"}}, headers=key["pk"])
    (event,) = events(engine)

    assert is_of_browser(event)
    assert network_of(event) not in ("", "mine")
    assert event.context["locale"] == "de"
    assert all(b"8.8.8" not in one.record.body for one in engine.log.read())


def test_a_servers_event_is_left_as_it_is(outside: Any, engine: Engine, key: Any) -> None:
    """Its address is the shop's, not the shopper's; what it knows of theirs it may pass on."""
    outside.post("/v1/events", json={**VIEW, "context": CLAIM}, headers=key["sk"])
    (event,) = events(engine)

    assert event.context == CLAIM


def test_a_browsers_list_is_marked(outside: Any, engine: Engine, key: Any) -> None:
    """So that one which it filtered for itself proves little."""
    body = {"placement": "home", "anonymous_id": "c", "n": 2, "context": CLAIM}
    marked = [
        outside.post("/v1/recommendations", json=body, headers=key[kind]).json() for kind in
        ("pk", "sk")
    ]  # fmt: skip
    queries = [engine.decision(one["recommendation_id"]).query for one in marked]

    assert [is_of_browser(query) for query in queries] == [True, False]


@pytest.mark.parametrize(
    ("client", "known"),
    [
        ("8.8.8.8", "80808/24"),
        ("8.8.8.200", "80808/24"),
        ("::ffff:8.8.8.8", "80808/24"),
        ("2001:4860:4860::8888", "200148604860/48"),
        ("10.1.2.3", ""),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_only_public_networks_are_networks(client: str, known: str) -> None:
    """Behind a private address stands a proxy, and with it everybody."""

    assert public_prefix(client) == known


def test_a_replayed_letter_stays_a_browsers(outside: Any, engine: Engine, key: Any) -> None:
    """Whoever replays it vouches for nothing: a forged order is still worth nothing."""
    order = b'{"event":"purchase","anonymous_id":"c","transaction_id":"o","items":"sku-1"}'
    answer = outside.post("/v1/events", content=order, headers=key["pk"])
    (letter,) = outside.get("/v1/events/rejected", headers=key["sk"]).json()["rejected"]
    good = order.replace(b'"items":"sku-1"', b'"items":[{"item_id":"sku-1"}]')
    for source in (letter["source"], "events"):
        engine.log.reject(
            [Rejected(code="x", pointer="", message="m", body=good, arrived=1, source=source)]
        )
        good = good.replace(b'"o"', b'"o-2"')
    replayed = outside.post("/v1/events/rejected/replay", headers=key["sk"]).json()
    theirs, ours = events(engine)

    assert answer.status_code == 400
    assert letter["source"] == "events (pk_)"
    assert replayed["accepted"] == 2
    assert (theirs.items, theirs.attributes["unverified"]["transaction_id"]) == ((), "o")
    assert (ours.items[0].item_id, ours.transaction_id) == ("sku-1", "o-2")


def test_networks_are_known_again_after_a_restart(tmp_path: Any) -> None:
    """Their key is the data directory's, so that caps hold across a restart."""
    Home(tmp_path).create()
    hashes = []
    for _ in range(2):
        engine = Engine.open(tmp_path, settings=build({"log": {"durability": "process"}}))
        hashes.append(Live(engine).network("8.8.8.8"))
        engine.close()

    assert hashes[0] == hashes[1] != ""


def test_a_forged_crowd_from_one_network_is_capped(outside: Any, engine: Engine, key: Any) -> None:
    """From the token over HTTP to the learner: five clicks on an item, and why the rest is not."""
    ask = {"placement": "home", "n": 60}
    for number in range(9):
        who = {"anonymous_id": f"x{number}"}
        shown = outside.post("/v1/recommendations", json=ask | who, headers=key["pk"]).json()
        (token,) = (one["token"] for one in shown["items"] if one["item_id"] == "sku-1")
        line = {"item_id": "sku-1", "token": token}
        click = {"event": "select_item", **who, "items": [line]}
        outside.post("/v1/events", json=click, headers=key["pk"])

    assert engine.knowledge.credit.credited == 5
    assert engine.knowledge.withheld["network"] == 4
