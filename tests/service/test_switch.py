"""The stop switch through the contract: it holds at once, says why, and refuses what cannot be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.server import shapes
from equipoise.server.live import Live
from equipoise.types import Kind

Client = TestClient[Litestar]


def put(client: Client, placement: str = "home", **switched: Any) -> Any:
    return client.put(f"/v1/balances/{placement}", json=switched)


def home(client: Client) -> dict[str, Any]:
    balances = client.get("/v1/balances").json()["balances"]
    found: dict[str, Any] = next(
        one for one in balances if (one["placement"], one["balance"]) == ("home", "exploration")
    )
    return found


def test_stopped_and_allowed_again(client: Client, live: Live) -> None:
    """The answer is the balance as it stands; the next list is greedy; the log has the record."""
    answer = put(client, stopped=True, reason="sale week").json()
    listed = client.post("/v1/recommendations", json={"placement": "home", "anonymous_id": "c"})
    decision = client.get(f"/v1/recommendations/{listed.json()['recommendation_id']}").json()
    kept = live.log.find(Kind.CONTROL, "home")

    assert answer == home(client)
    assert msgspec.convert(answer, shapes.BalanceOut).limits is not None
    assert (answer["level"], answer["limits"]["why"]) == (0.0, "stopped")
    assert answer["history"][-1]["reason"] == "exploring stopped, by hand: sale week"
    assert decision["policy"]["exploration_rate"] == 0.0
    assert kept is not None
    assert b'"stopped":true' in kept.record.body
    assert put(client, stopped=None).json()["level"] > 0
    assert home(client)["limits"]["stopped"] is False


def test_segments_and_item_groups(client: Client) -> None:
    """A group that the settings do not name says what it holds, once."""
    answer = put(
        client,
        segments={"vip": True},
        groups={"tables": {"stopped": True, "filter": {"category": "Home/Tables"}}},
    ).json()

    assert answer["limits"]["segments"]["vip"]["stopped"] is True
    assert answer["limits"]["groups"]["tables"] == {
        "stopped": True, "filter": {"category": "Home/Tables"}, "spread": 0.0,
    }  # fmt: skip
    again = put(client, groups={"tables": {"stopped": False}}).json()
    assert again["limits"]["groups"]["tables"]["spread"] == 1.0


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"stopped": "yes"}, "type", "/stopped"),
        ({"stop": True}, "type", ""),
        ({"segments": {"vip": 3}}, "type", "/segments"),
        ({"groups": {"x": {"stopped": True}}}, "unknown_group", "/groups/x"),
        ({"groups": {"x": {"filter": {"colour": 1}}}}, "unknown_field", "/groups/x/filter/colour"),
        ({"reason": "x" * 201}, "type", "/reason"),
    ],
)
def test_what_cannot_be_switched(
    client: Client, live: Live, body: dict[str, Any], code: str, pointer: str
) -> None:
    """A problem with a pointer, and no record on the log."""
    answer = put(client, **body)
    problem = answer.json()

    assert answer.status_code == 400
    assert problem["code"] == code
    assert problem.get("pointer", "").startswith(pointer)
    assert live.log.find(Kind.CONTROL, "home") is None


def test_an_unknown_placement(client: Client) -> None:
    """There is none of that name."""
    answer = put(client, "attic", stopped=True)

    assert answer.status_code == 404
    assert "there is no placement 'attic'" in answer.json()["detail"]


def test_alarms_are_listed(client: Client, engine: Engine, clock: ManualClock) -> None:
    """With the shop's balances, in words."""
    for n in range(9_000):
        engine.knowledge.sentry.see(
            0, clicked=float(n % 5 == 0 and n < 4_000), looks=1.0, expected=0.2, ts=clock() + n
        )
    alarms = client.get("/v1/balances").json()["alarms"]

    assert {one["where"] for one in alarms} == {"Home", "the shop"}
    assert alarms[0]["reason"].startswith(f"clicks in {alarms[0]['where']} fell from ")
    assert alarms[0]["after"] < alarms[0]["before"]
