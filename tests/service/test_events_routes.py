"""Events: partial batches, dead letters, their replay, and two thousand poisoned bodies."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock, rfc3339
from equipoise.randomness import derive
from equipoise.server.live import Live
from equipoise.types import Rejected

Client = TestClient[Litestar]
GOOD = {"event": "search", "search_term": "oak", "anonymous_id": "c", "event_id": "good"}


def test_good_events_of_a_bad_batch_are_kept(client: Client) -> None:
    """Each refusal has its place, code, pointer and message; the letter holds what was sent."""
    bad = {"event": "view_item", "anonymous_id": "c", "event_id": "bad"}
    answer = client.post("/v1/events", json={"events": [bad, GOOD, 7]})
    letters = client.get("/v1/events/rejected").json()["rejected"]

    assert answer.status_code == 200
    assert answer.json()["accepted"] == 1
    assert [(one["index"], one["event_id"], one["code"], one["pointer"]) for one in
            answer.json()["rejected"]] == [
        (0, "bad", "required", "/items"), (2, None, "type", "")
    ]  # fmt: skip
    assert json.loads(letters[0]["body"]) == bad
    assert letters[0]["source"] == "events"


def test_nothing_taken_is_a_problem_with_the_reasons(client: Client) -> None:
    """4xx when none is durable; the same members beside the problem's own."""
    one = client.post("/v1/events", json={"event": "purchase", "anonymous_id": "c"})
    two = client.post("/v1/events", json={"events": [{"event": "x"}, {}]})

    assert (one.status_code, one.json()["pointer"], one.json()["accepted"]) == (400, "/items", 0)
    assert one.headers["content-type"] == "application/problem+json"
    assert two.status_code == 400
    assert [found["index"] for found in two.json()["rejected"]] == [0, 1]
    assert "none of 2 events was taken" in two.json()["detail"]
    assert client.post("/v1/events", json={"events": []}).json()["accepted"] == 0


def test_duplicates_alone_are_a_success(client: Client) -> None:
    """They are durable: they were before."""
    client.post("/v1/events", json=GOOD)
    again = client.post("/v1/events", json=GOOD)

    assert (again.status_code, again.json()["duplicated"]) == (200, 1)


def test_letters_are_paged_and_replayed(client: Client, live: Live, clock: ManualClock) -> None:
    """What passes now is stored with the time of its first arrival, and its letter is gone."""
    arrived = clock()
    live.log.reject(
        [
            Rejected(code="x", pointer="", message="m", body=body, arrived=arrived)
            for body in (json.dumps(GOOD).encode(), b'{"event":"nope"}', b"7", b"{")
        ]
    )
    clock.advance(days=1)
    first = client.get("/v1/events/rejected?limit=3").json()
    second = client.get("/v1/events/rejected", params={"cursor": first["next_cursor"]}).json()
    answer = client.post("/v1/events/rejected/replay").json()
    left = client.get("/v1/events/rejected").json()["rejected"]
    stored = client.get("/v1/users/nobody/export")
    event = next(live.engine.log.of_shopper("c"))

    assert [one["rejected_id"] for one in first["rejected"] + second["rejected"]] == [1, 2, 3, 4]
    assert first["rejected"][0]["arrived"] == rfc3339(arrived)
    assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (1, [1, 2, 3])
    assert [one["rejected_id"] for one in left] == [2, 3, 4]
    assert stored.status_code == 200
    assert b'"ts":%d' % arrived in event.record.body


def test_replay_of_named_letters(client: Client) -> None:
    """Only those that are named; an unknown number is no error; anything else is."""
    client.post("/v1/events", json={"events": [GOOD, {}, {}]})
    answer = client.post("/v1/events/rejected/replay", json={"rejected_ids": [2, 99]})
    wrong = client.post("/v1/events/rejected/replay", json={"rejected_ids": [True]})

    assert len(answer.json()["rejected"]) == 1
    assert wrong.json()["pointer"] == "/rejected_ids"


def test_collect_takes_plain_text(client: Client) -> None:
    """As navigator.sendBeacon sends it; no answer, no cookie."""
    answer = client.post(
        "/v1/collect", content=json.dumps(GOOD), headers={"content-type": "text/plain"}
    )

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in answer.headers
    refused = client.post("/v1/collect", content="{")
    assert refused.status_code == 400
    assert refused.headers["access-control-allow-origin"] == "*"


VENOM: tuple[bytes, ...] = (
    b"NaN", b"Infinity", b"-1e308", b"1e308", b"1e999", b"9" * 400, b"1" + b"0" * 5_000,
    b'"\\ud800"', b'"\\udfff\\ud800"', b'"\xff\xfe"', b'"\x00"', b'"\\u0000"', b"true", b"null",
    b"[" * 60 + b"]" * 60, b"[" * 5_000, b'{"a":' * 40 + b"1" + b"}" * 40, b"{}", b"[]", b'""',
    b'"' + b"x" * 40_000 + b'"', b"-0", b"1.5", b"'x'", b"undefined", b'{"a":1,"a":2}', b"01",
    b'"2026-99-99T00:00:00Z"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", b"1e-400", b'"<script>"',
)  # fmt: skip
FIELDS = (
    b"event", b"event_id", b"ts", b"user_id", b"anonymous_id", b"items", b"value", b"currency",
    b"consent", b"context", b"attributes", b"search_term", b"transaction_id", b"surprise",
)  # fmt: skip


def poison(number: int) -> tuple[bytes, dict[str, str]]:
    """A body with one good event and one that is not, then perhaps torn or packed."""
    luck = derive(20, "poison", str(number))
    field = FIELDS[luck.integers(len(FIELDS))]
    venom = VENOM[luck.integers(len(VENOM))]
    bad = b'{"event":"search","anonymous_id":"c","%b":%b}' % (field, venom)
    good = b'{"event":"search","anonymous_id":"c","event_id":"g-%d"}' % number
    body = b'{"events":[%b,%b]}' % (good, bad)
    way = luck.integers(8)
    if way == 0:
        return body[: luck.integers(len(body))], {}
    if way == 1:
        packed = bytearray(gzip.compress(body))
        packed[luck.integers(len(packed))] ^= 1 << int(luck.integers(8))
        return bytes(packed), {"content-encoding": "gzip"}
    if way == 2:
        torn = bytearray(body)
        torn[luck.integers(len(torn))] = int(luck.integers(256))
        return bytes(torn), {}
    return body, {}


def test_poison(client: Client, live: Live) -> None:
    """2,000 bodies: no 5xx, a reason for each refusal, and the good events beside them are kept."""
    kept = refused = 0
    for number in range(2_000):
        body, headers = poison(number)
        answer = client.post("/v1/events", content=body, headers=headers)
        found = answer.json()

        assert answer.status_code in (200, 400, 413), (number, answer.status_code, body[:80])
        for one in found.get("rejected", ()):
            assert one["code"], body
            assert one["message"], body
        if answer.status_code == 200:
            kept += found["accepted"] + found["duplicated"] > 0
        else:
            refused += 1
            assert found["code"], body
            assert found["detail"], body

    assert kept > 1_000
    assert refused > 100
    assert live.engine.log.last > 1_000
    assert client.get("/readyz").json()["log"] == "writing"


@pytest.mark.parametrize("venom", VENOM)
def test_good_event_beside_poison(client: Client, venom: bytes) -> None:
    """Whatever stands beside it, as long as the body has a shape at all."""
    body = b'{"events":[{"event":"search","anonymous_id":"c"},{"event":%b}]}' % venom
    answer = client.post("/v1/events", content=body)
    torn = venom in (b"'x'", b"undefined", b"01", b"[" * 5_000, b"\xef\xbb\xbf1")

    assert answer.status_code == (400 if torn else 200), answer.text
    if not torn:
        assert answer.json()["accepted"] == 1


@pytest.mark.parametrize("path", ["/v1/recommendations", "/v1/items:batch", "/v1/items/x"])
def test_poison_elsewhere(client: Client, path: str) -> None:
    """Lists and catalogue take it as calmly."""
    method = "PUT" if path.endswith("x") else "POST"
    for venom in VENOM:
        for field in (b"placement", b"n", b"filter", b"boosts", b"items", b"price", b"title"):
            body: Any = b'{"placement":"home","%b":%b}' % (field, venom)
            answer = client.request(method, path, content=body)

            assert answer.status_code in (200, 400, 413), (body[:80], answer.text)
