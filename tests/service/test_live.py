"""A running shop: the log that fails and comes back, the clock, the checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.errors import LogFull, SettingsError
from equipoise.home import Home
from equipoise.log.memory import MemoryLog
from equipoise.server import live as living
from equipoise.server.app import create_app
from equipoise.server.live import Live
from equipoise.types import Item, Kind, Receipt, Record, Rejected

Client = TestClient[Litestar]
EVENT = {"event": "search", "search_term": "oak", "anonymous_id": "c"}
ASK = {"placement": "home", "n": 2, "anonymous_id": "c"}


class FullDisk:
    """Makes a memory log refuse while ``full``."""

    def __init__(self, log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self._log: MemoryLog = log
        self._append, self._reject = log.append, log.reject
        monkeypatch.setattr(log, "append", self.append)
        monkeypatch.setattr(log, "reject", self.reject)

    def append(self, records: Sequence[Record]) -> list[Receipt]:
        if self.full:
            raise LogFull("no space left on /srv/data")
        found: list[Receipt] = self._append(records)
        return found

    def reject(self, letters: Sequence[Rejected]) -> None:
        if self.full:
            raise LogFull("no space left on /srv/data")
        self._reject(letters)


def test_full_disk(client: Client, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes answer 503 with Retry-After, lists keep coming, and it goes on without a restart."""
    disk = FullDisk(live.engine.log, monkeypatch)
    disk.full = True
    writes = [
        client.post("/v1/events", json=EVENT),
        client.post("/v1/collect", json=EVENT),
        client.put("/v1/items/x", json={}),
        client.patch("/v1/items/sku-1", json={}),
        client.delete("/v1/items/sku-1"),
        client.post("/v1/items:batch", json={"items": [{"item_id": "x"}]}),
        client.put("/v1/coupons/x", json={"kind": "amount", "discount": 1}),
        client.put("/v1/users/x", json={}),
        client.put("/v1/users/x/consent", json={}),
        client.delete("/v1/users/x"),
    ]
    lists = [client.post("/v1/recommendations", json=ASK) for _ in range(5)]
    ready = client.get("/readyz")
    refused = client.post("/v1/events", json={"event": "nope", "anonymous_id": "c"})
    metrics = client.get("/metrics").text
    disk.full = False
    after = client.post("/v1/events", json=EVENT)

    assert {answer.status_code for answer in writes} == {503}
    assert {answer.headers["retry-after"] for answer in writes} == {"1"}
    assert {answer.json()["code"] for answer in writes} == {"log_full"}
    assert "/srv" not in writes[0].text
    assert [len(answer.json()["items"]) for answer in lists] == [2] * 5
    assert (ready.status_code, ready.json()["log"]) == (200, "failing")
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_event")
    assert "equipoise_decisions_lost_total 5.0" in metrics
    assert "equipoise_rejected_events_unkept_total 1.0" in metrics
    assert after.status_code == 200
    assert client.get("/readyz").json()["log"] == "writing"


def test_metrics_count(client: Client) -> None:
    """Requests by template, events by outcome, decisions and their cost, commits, balances."""
    client.post("/v1/events", json={"events": [{**EVENT, "event_id": "e"}, {}]})
    client.post("/v1/events", json={**EVENT, "event_id": "e"})
    client.post("/v1/recommendations", json=ASK)
    client.get("/v1/items/sku-1")
    client.get("/v1/items/sku-2")
    client.get("/nowhere/at/all")
    text = client.get("/metrics").text

    for line in (
        'equipoise_events_total{outcome="accepted"} 1.0',
        'equipoise_events_total{outcome="duplicated"} 1.0',
        'equipoise_events_total{outcome="rejected"} 1.0',
        'equipoise_requests_total{method="GET",route="/v1/items/{item_id}",status="200"} 2.0',
        'equipoise_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'equipoise_exploration_level{placement="home"} ',
        'equipoise_exploration_cost_total{placement="home"} ',
        'equipoise_slots_total{explored="false",placement="home"} ',
        "equipoise_log_commit_seconds_count 2.0",
        "equipoise_decisions_lost_total 0.0",
        "equipoise_limit_buckets 0.0",
        'equipoise_withheld_total{reason="demand"} 0.0',
        "equipoise_credit_held 0.0",
    ):
        assert line in text, line


def test_tick_closes_windows(client: Client, live: Live, clock: ManualClock) -> None:
    """Without another event, time itself turns a shown slot into a zero."""
    shown = client.post("/v1/recommendations", json=ASK).json()["items"]
    lines = [{"item_id": one["item_id"], "token": one["token"]} for one in shown]
    client.post("/v1/events", json={"event": "view_item_list", "anonymous_id": "c", "items": lines})
    clock.advance(seconds=1_801)
    with client.portal() as portal:
        portal.call(live._tick)
    kinds = [stored.record.kind for stored in live.engine.log.read()]

    assert kinds[-1] is Kind.TICK
    assert live.engine.knowledge.model.summary()["looks"] > 0


def test_tick_survives_what_it_meets(
    live: Live, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A tick that fails is written down, and the next one comes."""
    monkeypatch.setattr(living, "TICK_S", 0.01)
    monkeypatch.setattr(living, "STATE_EVERY_S", 0.0)
    failures = [ZeroDivisionError("odd"), SettingsError("keys.json is damaged")]
    beats = []

    def failing() -> bool:
        beats.append(1)
        if failures:
            raise failures.pop()
        return False

    monkeypatch.setattr(live.keys, "reload", failing)
    with caplog.at_level(logging.ERROR, "equipoise.server"), TestClient(create_app(live)) as client:
        while len(beats) < 4:
            client.get("/healthz")

    assert "keys.json is damaged" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_before_start_and_after_stop(live: Live) -> None:
    """Not ready, and writes are refused, not lost in silence."""
    client = TestClient(create_app(live), raise_server_exceptions=False)
    ready, written = client.get("/readyz"), client.post("/v1/events", json=EVENT)

    assert (ready.status_code, ready.json()["status"]) == (503, "starting")
    assert (written.status_code, written.json()["code"]) == (503, "log_error")


def test_restart_keeps_everything(tmp_path: Path) -> None:
    """What was acknowledged is there again, and the decision replays to the same bytes."""
    Home(tmp_path).create()
    engine = Engine.open(tmp_path)
    engine.store([engine.item_record(Item(item_id=f"i-{n}", price=n)) for n in range(30)])
    with TestClient(create_app(Live(engine))) as client:
        line = {"item_id": "i-3"}
        client.post(
            "/v1/events",
            json={"event": "view_item", "user_id": "u", "event_id": "e", "items": [line]},
        )
        shown = client.post("/v1/recommendations", json={"placement": "home", "user_id": "u"})
        name = shown.json()["recommendation_id"]
        before = client.get(f"/v1/recommendations/{name}").content
        profile = client.get("/v1/users/u/profile").json()
    engine.close()
    engine = Engine.open(tmp_path)
    with TestClient(create_app(Live(engine))) as client:
        stored = client.get(f"/v1/recommendations/{name}").content
        again = client.post(f"/v1/recommendations/{name}/replay").content
        held = client.get("/v1/users/u/export").json()
        same = client.get("/v1/users/u/profile").json()
        feature_time = client.post("/v1/recommendations", json={"placement": "home"}).json()
    engine.close()

    assert before == stored == again
    assert [one["event_id"] for one in held["events"]] == ["e"]
    assert [one["recommendation_id"] for one in held["decisions"]] == [name]
    assert same == profile
    assert feature_time["feature_time"] is not None
