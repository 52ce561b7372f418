"""Items and coupons over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.server.app import create_app
from equipoise.server.live import Live

COUPON = {"kind": "percent", "discount": 10, "valid_until": "2026-12-01T00:00:00Z"}

Client = TestClient[Litestar]


def test_item_put_patch_get_delete(client: Client) -> None:
    """What was put is what is got; unknown fields are kept; null takes a field away."""
    put = client.put(
        "/v1/items/t-1",
        json={"title": "Oak", "price": 5, "colour": "red", "available_from": 1_700_000_000},
    )
    patched = client.patch("/v1/items/t-1", json={"price": None, "stock": 3})
    got = client.get("/v1/items/t-1")
    gone = client.delete("/v1/items/t-1")

    assert put.json() == {
        "item_id": "t-1",
        "title": {"und": "Oak"},
        "price": 5.0,
        "attributes": {"colour": "red"},
        "available_from": "2023-11-14T22:13:20.000Z",
    }
    assert "price" not in patched.json()
    assert got.json() == patched.json()
    assert (gone.status_code, gone.content) == (204, b"")
    assert client.get("/v1/items/t-1").status_code == 404
    assert client.delete("/v1/items/t-1").status_code == 404
    assert client.patch("/v1/items/t-1", json={}).status_code == 404


def test_new_item_is_recommended_and_removed_one_is_not(client: Client) -> None:
    """The catalogue of a list is that of the last acknowledged write."""
    ask = {"placement": "home", "n": 100}
    client.put("/v1/items/fresh", json={"categories": ["Home/Tables"], "price": 1})
    with_it = [o["item_id"] for o in client.post("/v1/recommendations", json=ask).json()["items"]]
    client.patch("/v1/items/fresh", json={"stock": 0})
    without = [o["item_id"] for o in client.post("/v1/recommendations", json=ask).json()["items"]]

    assert "fresh" in with_it
    assert "fresh" not in without


@pytest.mark.parametrize("item_id", ["a/b", "a//b", "/", "ü ß", "x?y#z", "日本"])
def test_any_id_has_an_address(client: Client, item_id: str) -> None:
    """Percent-encoded, slashes included, an id comes back as it was."""
    address = f"/v1/items/{quote(item_id, safe='')}"
    put = client.put(address, json={"price": 1})

    assert put.json()["item_id"] == item_id
    assert client.get(address).json()["item_id"] == item_id
    assert client.get(f"{address}/similar?n=1").status_code == 200


def test_slash_and_its_stand_in_are_two_ids(client: Client) -> None:
    """The control character that stands for a slash inside is no way to write one."""
    client.put("/v1/items/a%2Fb", json={"price": 1})

    assert client.get("/v1/items/a%1Fb").status_code == 404
    assert client.put("/v1/items/a%1Fb", json={"price": 1}).status_code == 400


def test_batch_keeps_the_good(client: Client) -> None:
    """Each bad item is named with its reason, the others are on the shelves."""
    answer = client.post(
        "/v1/items:batch",
        json={"items": [{"item_id": "b-1"}, {"price": 2}, 7, {"item_id": "b-2", "price": "x"}]},
    )
    none = client.post("/v1/items:batch", json={"items": [{}]})
    wrong = client.post("/v1/items:batch", json={"item": []})

    assert answer.status_code == 200
    assert answer.json()["accepted"] == 1
    assert [(one["index"], one["pointer"]) for one in answer.json()["rejected"]] == [
        (1, "/item_id"),
        (2, ""),
        (3, "/price"),
    ]
    assert client.get("/v1/items/b-1").status_code == 200
    assert (none.status_code, none.json()["rejected"][0]["code"]) == (400, "required")
    assert wrong.json()["pointer"] == "/items"
    assert client.post("/v1/items:batch", json={"items": [{}] * 5_001}).status_code == 413


def test_pages_hold_everything_once(client: Client) -> None:
    """Following next_cursor reads the whole catalogue, in order, without repeats."""
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/v1/items", params={"limit": 7, "cursor": cursor}).json()
        seen += [one["item_id"] for one in page["items"]]
        cursor = page["next_cursor"]

    assert seen == [f"sku-{number}" for number in range(60)]


def test_search_by_title(client: Client) -> None:
    """q looks at ids and titles."""
    found = client.get("/v1/items?q=thing 41").json()["items"]

    assert [one["item_id"] for one in found] == ["sku-41"]


@pytest.mark.parametrize(
    ("query", "code", "pointer"),
    [
        ("limit=0", "range", "/limit"),
        ("limit=x", "type", "/limit"),
        ("cursor=%21%21", "unknown_cursor", "/cursor"),
        ("cursor=bm9uZQ", "unknown_cursor", "/cursor"),
    ],
)
def test_bad_paging_is_explained(client: Client, query: str, code: str, pointer: str) -> None:
    """Also where the field stands in the address."""
    problem = client.get(f"/v1/items?{query}").json()

    assert (problem["status"], problem["code"], problem["pointer"]) == (400, code, pointer)


def test_coupon_put_patch_get_page_delete(client: Client) -> None:
    """Coupons live as items do."""
    for name in ("B", "A", "C"):
        assert client.put(f"/v1/coupons/{name}", json=COUPON).status_code == 200
    patched = client.patch("/v1/coupons/A", json={"discount": 15, "valid_until": None})
    first = client.get("/v1/coupons?limit=2").json()
    second = client.get("/v1/coupons", params={"cursor": first["next_cursor"]}).json()

    assert patched.json() == {"coupon_id": "A", "kind": "percent", "discount": 15.0}
    assert client.get("/v1/coupons/B").json()["valid_until"] == "2026-12-01T00:00:00.000Z"
    assert [one["coupon_id"] for one in first["coupons"] + second["coupons"]] == ["A", "B", "C"]
    assert client.delete("/v1/coupons/A").status_code == 204
    assert client.get("/v1/coupons/A").status_code == 404
    assert client.put("/v1/coupons/D", json={"kind": "gift"}).json()["pointer"] == "/kind"
    many = {"coupons": [{"coupon_id": "E", **COUPON}]}
    assert client.post("/v1/coupons:batch", json=many).json()["accepted"] == 1


def test_patches_at_once_all_hold(live: Live) -> None:
    """Changes to different fields of one item, sent together, lose nothing."""

    async def race() -> Any:
        transport = httpx.ASGITransport(create_app(live))
        async with (
            live.running(),
            httpx.AsyncClient(transport=transport, base_url="http://local") as client,
        ):
            changes = [{"attributes": {f"a{number}": number}} for number in range(20)]
            answers = await asyncio.gather(
                *(client.patch("/v1/items/sku-1", json=change) for change in changes)
            )
            assert {answer.status_code for answer in answers} == {200}
            return (await client.get("/v1/items/sku-1")).json()

    assert len(asyncio.run(race())["attributes"]) == 20
