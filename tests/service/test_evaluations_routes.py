"""Evaluations over HTTP: asked, answered or refused in words, and read again."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock

Client = TestClient[Litestar]

PATH = "/v1/evaluations"


@pytest.fixture
def lived(client: Client, clock: ManualClock) -> Client:
    """Fifty shoppers were shown two items each, and clicked the first; days ago."""
    for number in range(50):
        who = f"c-{number}"
        asked = {"placement": "home", "anonymous_id": who, "n": 2}
        shown = client.post("/v1/recommendations", json=asked).json()
        lines = [{"item_id": one["item_id"], "token": one["token"]} for one in shown["items"]]
        for name, some in (("view_item_list", lines), ("select_item", lines[:1])):
            sent = {"event": name, "event_id": f"{name}-{number}", "anonymous_id": who}
            assert client.post("/v1/events", json={**sent, "items": some}).status_code == 200
    clock.advance(days=7)
    client.post("/v1/events", json={"event": "search", "event_id": "s", "anonymous_id": "c-0"})
    return client


def test_an_evaluation_is_answered_and_kept(lived: Client) -> None:
    """The log's own policy earns what was earned; the newest evaluation is listed first."""
    own = lived.post(PATH, json={"outcome": "click", "estimator": "ips"})
    other = lived.post(PATH, json={"outcome": "click", "policies": [{"level": 0.2}, {}]})
    listed = lived.get(PATH).json()["evaluations"]

    assert (own.status_code, other.status_code) == (200, 200)
    assert own.json()["logged"]["value"] == pytest.approx(1.0)
    assert own.json()["log"]["lists"] == own.json()["log"]["shoppers"] == 50
    assert [one["level"] for one in other.json()["policies"]] == [0.2, None]
    assert [one["evaluation_id"] for one in listed] == [
        other.json()["evaluation_id"], own.json()["evaluation_id"],
    ]  # fmt: skip
    assert listed[1] == own.json()


def test_too_short_a_log_is_refused_in_words(lived: Client) -> None:
    """That is an answer, too: its figures are null."""
    answer = lived.post(PATH, json={"policies": [{"policy": "greedy"}]}).json()

    assert answer["answerable"] is False
    assert answer["policies"][0]["value"] is None
    assert "the effective sample size is" in answer["reasons"][0]


def test_nothing_to_judge_yet(client: Client) -> None:
    """A shop without a single list: refused, kept, and no error."""
    answer = client.post(PATH, json={})

    assert answer.status_code == 200
    assert answer.json()["answerable"] is False
    assert "no list of 'home' on the log can be judged" in answer.json()["reasons"][0]
    assert client.get(PATH).json()["evaluations"] == [answer.json()]


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({"policies": []}, "/policies", "length >= 1"),
        ({"policies": [{}, {"level": "much"}]}, "/policies/1/level", "Expected `float"),
        ({"policies": [{}, {"level": -1}]}, "/policies/1/level", "level is -1"),
        ({"policies": [{"policy": "oracle"}]}, "/policies/0/policy", "there is no policy 'oracle'"),
        ({"policys": []}, "", "unknown field `policys`"),
        ({"since": "yesterday"}, "/since", "/since is 'yesterday'"),
        ({"estimator": "guess"}, "/estimator", "'guess' is none of dr"),
        ({"placement": "attic"}, "/placement", "'attic' is no placement"),
        ({"confidence": 1}, "/confidence", "< 1"),
    ],
)
def test_what_cannot_be_asked(
    client: Client, body: dict[str, Any], pointer: str, said: str
) -> None:
    """400, with a pointer and what would be right; nothing is kept."""
    answer = client.post(PATH, json=body)

    assert answer.status_code == 400
    assert answer.json()["pointer"] == pointer
    assert said in answer.json()["detail"]
    assert client.get(PATH).json()["evaluations"] == []


def test_an_admin_key_alone_opens_it(secured: tuple[Client, dict[str, str]]) -> None:
    """What policies earn is not for the shop's pages, nor for its servers."""
    client, keys = secured
    for kind, status in (("pk", 403), ("sk", 403), ("ak", 200)):
        headers = {"authorization": f"Bearer {keys[kind]}"}

        assert client.post(PATH, json={}, headers=headers).status_code == status
        assert client.get(PATH, headers=headers).status_code == status
