"""What a shop does from its first event to its first reward, through the contract alone."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock
from equipoise.server import shapes
from equipoise.server.live import Live

Client = TestClient[Litestar]


def post_event(client: Client, **event: Any) -> dict[str, Any]:
    answer = client.post("/v1/events", json={"anonymous_id": "c-1", **event})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def a_list(client: Client, **query: Any) -> dict[str, Any]:
    answer = client.post(
        "/v1/recommendations", json={"placement": "home", "anonymous_id": "c-1", **query}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_event_to_list_to_click_to_reward(client: Client, live: Live, clock: ManualClock) -> None:
    """A click with its token is a reward at once; a shown slot without one becomes a zero later."""
    shown = a_list(client, n=3)
    lines = [{"item_id": one["item_id"], "token": one["token"]} for one in shown["items"]]
    post_event(client, event="view_item_list", items=lines)
    post_event(client, event="select_item", items=lines[:1])
    clicked = live.engine.knowledge.model.summary()["looks"]
    clock.advance(seconds=1_801)
    post_event(client, event="search", search_term="oak")
    left = live.engine.knowledge.model.summary()["looks"]
    slots = client.get(f"/v1/recommendations/{shown['recommendation_id']}").json()["items"]

    assert clicked == pytest.approx(1.0)
    assert left == pytest.approx(1.0 + slots[1]["look"] + slots[2]["look"], rel=1e-4)


def test_click_without_token_teaches_nothing(client: Client, live: Live) -> None:
    """Only a signed token speaks for a slot."""
    shown = a_list(client, n=2)
    post_event(client, event="select_item", items=[{"item_id": shown["items"][0]["item_id"]}])
    forged = {"item_id": shown["items"][0]["item_id"], "token": shown["items"][1]["token"]}
    post_event(client, event="select_item", items=[forged])

    assert live.engine.knowledge.model.summary()["looks"] == 0


def test_reads_its_own_writes(client: Client) -> None:
    """The list after an acknowledged view knows it, with no training and no wait."""
    before = a_list(client, n=20)
    for place in range(3):
        post_event(client, event="view_item", items=[{"item_id": f"sku-{3 * place}"}])
    after = a_list(client, n=20)
    seen = [one["source"] for one in after["items"]]

    assert before["feature_time"] <= after["feature_time"]
    assert seen != [one["source"] for one in before["items"]]
    assert "favourites" in seen


def test_untrained_shop_answers_full_lists(client: Client) -> None:
    """A catalogue alone is enough."""
    answer = a_list(client, n=20)

    assert len({one["item_id"] for one in answer["items"]}) == 20
    assert [one["rank"] for one in answer["items"]] == list(range(1, 21))
    assert all(0 < one["propensity"] <= 1 for one in answer["items"])
    assert answer["fallback_level"]


def test_answer_has_the_fields_of_the_contract(client: Client) -> None:
    """No more and no fewer; reasons only when asked for."""
    plain, explained = a_list(client, n=1), a_list(client, n=1, explain=True)
    fields = set(shapes.ListItem.__struct_fields__)

    assert set(plain) == set(shapes.ListOut.__struct_fields__)
    assert set(plain["policy"]) == {"name", "version", "exploration_rate"}
    assert plain["experiment"] is None
    assert set(plain["items"][0]) == fields - {"reasons"}
    assert set(explained["items"][0]) == fields
    assert explained["items"][0]["reasons"]


def test_replay_is_bit_for_bit(client: Client) -> None:
    """The stored decision and the one computed again differ in no byte, and agree with the list."""
    for n in (1, 12, 60):
        shown = a_list(client, n=n)
        stored = client.get(f"/v1/recommendations/{shown['recommendation_id']}")
        again = client.post(f"/v1/recommendations/{shown['recommendation_id']}/replay")
        items = stored.json()["items"]

        assert stored.content == again.content
        assert [one["item_id"] for one in items] == [one["item_id"] for one in shown["items"]]
        assert [one["propensity"] for one in items] == [one["propensity"] for one in shown["items"]]
        assert set(stored.json()) == set(shapes.DecisionOut.__struct_fields__)
        msgspec.convert(stored.json(), shapes.DecisionOut)


def test_dry_run_stores_nothing(client: Client, live: Live) -> None:
    """It decides, but leaves no decision, no token and no record."""
    before = live.engine.log.last
    answer = a_list(client, n=2, dry_run=True)

    assert [one["token"] for one in answer["items"]] == [None, None]
    assert client.get(f"/v1/recommendations/{answer['recommendation_id']}").status_code == 404
    assert live.engine.log.last == before


def test_duplicate_is_one(client: Client, live: Live) -> None:
    """The same event_id, or the same order, counts once."""
    line = [{"item_id": "sku-1", "quantity": 1, "price": 11.0}]
    first = post_event(client, event="view_item", event_id="e-1", items=line)
    again = post_event(client, event="view_item", event_id="e-1", items=line)
    post_event(client, event="purchase", event_id="p-1", transaction_id="o-1", items=line)
    hook = post_event(client, event="purchase", event_id="p-2", transaction_id="o-1", items=line)

    assert (first["accepted"], first["duplicated"]) == (1, 0)
    assert (again["accepted"], again["duplicated"]) == (0, 1)
    assert (hook["accepted"], hook["duplicated"]) == (0, 1)


def test_event_without_id_is_told_so(client: Client) -> None:
    """The reply says for which events repetition cannot be noticed."""
    body = {
        "events": [
            {"event": "search", "search_term": "a", "anonymous_id": "c", "event_id": "e-7"},
            {"event": "search", "search_term": "a", "anonymous_id": "c"},
        ]
    }
    answer = client.post("/v1/events", json=body).json()

    assert answer == {"accepted": 2, "duplicated": 0, "rejected": [], "without_event_id": [1]}


def test_export_holds_events_profile_decisions(client: Client) -> None:
    """What a shopper did and was shown, as it was sent, with times as RFC 3339."""
    line = [{"item_id": "sku-2"}]
    post_event(client, event="view_item", event_id="e-9", user_id="u-1", items=line)
    shown = a_list(client, user_id="u-1", n=2)
    client.get("/healthz")
    held = client.get("/v1/users/u-1/export").json()

    assert set(held) == {"user", "events", "profile", "decisions"}
    assert [one["event_id"] for one in held["events"]] == ["e-9"]
    assert held["events"][0]["ts"].endswith("Z")
    assert [one["recommendation_id"] for one in held["decisions"]] == [shown["recommendation_id"]]
    assert held["profile"]["events"] == 1


def test_lists_by_query_string(client: Client) -> None:
    """GET, similar and trending are the same walk with another query."""
    home = client.get("/v1/recommendations?placement=home&anonymous_id=c-1&n=5&explain=true").json()
    beside = client.get("/v1/items/sku-4/similar?n=3").json()
    trend = client.get("/v1/trending?n=4&category=Garden").json()

    assert (len(home["items"]), home["placement"]) == (5, "home")
    assert "reasons" in home["items"][0]
    assert (len(beside["items"]), beside["placement"]) == (3, "product")
    assert "sku-4" not in [one["item_id"] for one in beside["items"]]
    assert {int(one["item_id"][4:]) % 3 for one in trend["items"]} == {2}


def test_placement_says_how_long(client: Client, live: Live) -> None:
    """Without n a list has its placement's length; null is without."""
    assert len(a_list(client)["items"]) == live.engine.settings.placements["home"].n
    assert len(a_list(client, placement="cart", n=None)["items"]) == 6


def test_empty_list_says_why(client: Client) -> None:
    """Nothing in stock that the filter admits: no items, but a level and a reason."""
    answer = a_list(client, filter={"category": "Nowhere"})

    assert answer["items"] == []
    assert answer["fallback_level"]
    assert answer["reason"]


@pytest.mark.parametrize(
    ("query", "code", "pointer"),
    [
        ({"placement": "nope"}, "unknown_placement", "/placement"),
        ({"placement": None}, "required", "/placement"),
        ({"n": 101}, "range", "/n"),
        ({"n": 0}, "range", "/n"),
        ({"n": True}, "type", "/n"),
        ({"filter": 3}, "type", "/filter"),
        ({"user_id": "x" * 129}, "too_long", "/user_id"),
        ({"boosts": [{"factor": 2}]}, "required", "/boosts/0/filter"),
    ],
)
def test_bad_query_is_explained(
    client: Client, query: dict[str, Any], code: str, pointer: str
) -> None:
    """A problem document with the field and what would be right."""
    answer = client.post("/v1/recommendations", json={"placement": "home", **query})
    problem = answer.json()

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["code"], problem["pointer"]) == (code, pointer)


def test_unknown_placement_names_the_known(client: Client) -> None:
    """So that a typing error is found without the documentation."""
    detail = client.get("/v1/recommendations?placement=hme").json()["detail"]

    assert "home" in detail
    assert "product" in detail


def test_balances_placements_models(client: Client, live: Live) -> None:
    """What steers the shop can be read, and exploring shows in it."""
    post_event(client, event="view_item", items=[{"item_id": "sku-3"}])
    a_list(client, n=20)
    client.get("/healthz")
    balances = {one["placement"]: one for one in client.get("/v1/balances").json()["balances"]}
    placements = client.get("/v1/placements").json()["placements"]
    models = client.get("/v1/models").json()

    assert set(balances) == set(live.engine.settings.placements)
    assert balances["home"]["measured"] > 0
    assert math.isclose(balances["home"]["target"], 0.08)
    assert [one["placement"] for one in placements] == sorted(balances)
    assert models["snapshot"] == ""
    assert models["learner"]["state"]
