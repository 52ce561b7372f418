"""``/v1/balances`` and what other caps would earn, over the service."""

from __future__ import annotations

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.exploration.ahead import CAPS
from equipoise.server.app import create_app
from equipoise.server.live import Live
from equipoise.settings import build
from equipoise.types import Item, Query


@pytest.fixture
def served() -> Engine:
    """Forty lists of a shop that asks for a seller's looks."""
    clock = ManualClock()
    home = {"balances": {"sellers": {"a": ">= 0.5"}, "variety": "<= 0.9"}}
    engine = Engine.in_memory(clock=clock, settings=build({"placements": {"home": home}}))
    engine.store(
        [engine.item_record(Item(item_id=f"i-{k}", seller_id="ab"[k % 4 > 0])) for k in range(30)]
    )
    for visit in range(40):
        decision = engine.recommend(Query(placement="home", anonymous_id=f"c-{visit}"))
        engine.store([engine.decision_record(decision)])
        clock.advance(seconds=60)
    return engine


def test_every_balance_is_told(served: Engine) -> None:
    """Exploring and what is asked besides, each with target, measure, multiplier and history."""
    with TestClient[Litestar](create_app(Live(served))) as client:
        rows = client.get("/v1/balances").json()["balances"]
    home = [row for row in rows if row["placement"] == "home"]
    held = served.knowledge.constraints
    state = held.state("home", "sellers.a")

    assert [row["balance"] for row in home] == ["exploration", "sellers.a", "variety"]
    assert [row["bound"] for row in home] == ["at most", "at least", "at most"]
    assert {row["balance"] for row in rows if row["placement"] != "home"} == {"exploration"}
    assert (home[0]["price"], home[1]["level"]) == (None, None)
    assert home[1]["target"] == 0.5
    assert home[1]["measured"] == held.of("home")["sellers.a"].measured(state)
    assert home[1]["multiplier"] == state.multiplier > 0
    assert home[1]["price"] == held.prices("home")["sellers.a"] > 0
    assert [move["reason"] for move in home[1]["history"]] == [
        move.reason for move in held.moves("home", "sellers.a")
    ]


def test_other_caps(served: Engine) -> None:
    """In money over the planning days; never exploring gains nothing over itself."""
    with TestClient[Litestar](create_app(Live(served))) as client:
        told = client.get("/v1/balances/home/ahead").json()
        again = client.get("/v1/balances/home/ahead").json()
    rows = told["caps"]

    assert [row["cap"] for row in rows] == list(CAPS)
    assert (told["days"], told["currency"], told["budget"]) == (30.0, "EUR", 0.08)
    assert told["lists"] == pytest.approx(30 * 40, rel=0.05)
    assert rows[0]["gain"] == rows[0]["spent"] == 0.0
    for row in rows:
        assert row["low"] < row["reward"] < row["high"]
        assert row["reward"] == pytest.approx(row["reward_per_list"] * told["lists"])
        assert row["gain"] == pytest.approx(row["reward"] - rows[0]["reward"], abs=1e-9)
    assert told["best"] == max(rows, key=lambda row: row["reward"])["cap"]
    assert again == told


@pytest.mark.parametrize(
    ("placement", "code"), [("cart", "nothing_to_go_by"), ("attic", "unknown_placement")]
)
def test_nothing_to_go_by(served: Engine, placement: str, code: str) -> None:
    """A placement without lists, or without a name in this shop."""
    with TestClient[Litestar](create_app(Live(served))) as client:
        answer = client.get(f"/v1/balances/{placement}/ahead")

    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["pointer"] == "/placement"
