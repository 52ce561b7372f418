"""Shoppers over HTTP."""

from __future__ import annotations

from litestar import Litestar
from litestar.testing import TestClient

Client = TestClient[Litestar]


def test_user_put_get_delete(client: Client) -> None:
    """A record is what was put; removing it says plainly that it is no erasure."""
    client.put("/v1/users/u-1", json={"locale": "de", "segments": ["trade"], "size": "L"})
    got = client.get("/v1/users/u-1").json()
    gone = client.delete("/v1/users/u-1").json()

    assert got == {
        "user_id": "u-1",
        "attributes": {"size": "L"},
        "locale": "de",
        "segments": ["trade"],
    }
    assert (gone["removed"], gone["erased"]) == ("u-1", False)
    assert "no erasure" in gone["detail"]
    assert client.get("/v1/users/u-1").status_code == 404
    client.put("/v1/users/u-1", json={"locale": "fr"})
    assert client.get("/v1/users/u-1").json() == {"user_id": "u-1", "locale": "fr"}


def test_profile_is_what_events_say(client: Client) -> None:
    """404 for somebody never met, else the counts and tastes."""
    unknown = client.get("/v1/users/u-2/profile")
    event = {"event": "view_item", "user_id": "u-2", "items": [{"item_id": "sku-3"}]}
    client.post("/v1/events", json=event)
    profile = client.get("/v1/users/u-2/profile").json()["profile"]

    assert unknown.status_code == 404
    assert profile["events"] == 1
    assert profile["history"][0]["item_id"] == "sku-3"


def test_consent_merges_and_holds_at_once(client: Client) -> None:
    """A refusal empties the profile that lists see; what is not named stays."""
    event = {"event": "view_item", "user_id": "u-3", "items": [{"item_id": "sku-3"}]}
    client.post("/v1/events", json=event)
    client.put("/v1/users/u-3/consent", json={"analytics": True})
    said = client.put("/v1/users/u-3/consent", json={"personalization": False}).json()
    profile = client.get("/v1/users/u-3/profile").json()["profile"]

    assert said["consent"] == {"personalization": False, "analytics": True}
    assert profile["personalised"] is False
    assert "history" not in profile
    bad = client.put("/v1/users/u-3/consent", json={"personalization": "no"})
    assert (bad.status_code, bad.json()["pointer"]) == (400, "/consent/personalization")


def test_export_of_a_stranger_is_empty(client: Client) -> None:
    """Nothing is held, and that is the answer."""
    held = client.get("/v1/users/nobody/export").json()

    assert (held["user"], held["events"], held["decisions"]) == (None, [], [])
