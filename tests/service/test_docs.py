"""The contract as a document and as a page."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.server import shapes
from equipoise.server.app import create_app
from equipoise.server.live import Live
from equipoise.server.openapi import documented

Client = TestClient[Litestar]


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    found: dict[str, Any] = answer.json()
    return found


def refs(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(refs, node.values()))
    return set().union(*map(refs, node)) if isinstance(node, list) else set()


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    """And every schema is used."""
    for ref in refs(document):
        node: Any = document
        for key in ref.removeprefix("#/").split("/"):
            node = node[key]
    used = {ref.rpartition("/")[2] for ref in refs(document) if "/schemas/" in ref}

    assert used == set(document["components"]["schemas"])


def test_every_operation_is_complete(document: dict[str, Any]) -> None:
    """A summary, its own id, path parameters, a good answer with schema and example, problems."""
    ids = []
    for path, methods in document["paths"].items():
        for entry in methods.values():
            ids.append(entry["operationId"])
            placed = {one["name"] for one in entry["parameters"] if one["in"] == "path"}
            good = next(v for status, v in entry["responses"].items() if status.startswith("2"))

            assert entry["summary"].endswith(".")
            assert placed == set(re.findall(r"{(\w+)}", path))
            assert "500" in entry["responses"]
            assert entry["security"] == [] or {"401", "403", "429"} <= set(entry["responses"])
            if path != "/openapi.json" and "204" not in entry["responses"]:
                content = next(iter(good["content"].values()))
                assert content["schema"]
                assert "example" in content, path
            if "requestBody" in entry:
                assert "example" in next(iter(entry["requestBody"]["content"].values()))

    assert len(ids) == len(set(ids))


def test_examples_fit_their_shapes(live: Live) -> None:
    """Request and answer examples are of the shape that is documented for them."""
    for path, _, said in documented(create_app(live)):
        fits = []
        for shape in said.body:
            try:
                msgspec.convert(said.body_example, shape)
                fits.append(shape)
            except msgspec.ValidationError:
                continue
        assert fits or not said.body or path.endswith("}"), path
        if said.answer not in (None, str):
            msgspec.convert(said.answer_example, said.answer)
            known = set(said.answer.__struct_fields__)
            assert set(said.answer_example) <= known, path


def test_examples_work(client: Client) -> None:
    """Every documented request, sent as it stands, is understood."""
    order = {"put": 0, "post": 1, "patch": 2, "get": 3, "delete": 4}
    calls = [
        (order[method], path, method, entry)
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method, entry in methods.items()
    ]
    shown = client.get("/v1/recommendations?placement=home").json()["recommendation_id"]
    names = {"item_id": "sku-1", "coupon_id": "NOV10", "user_id": "u-17", "placement": "home"}
    for _, path, method, entry in sorted(calls, key=lambda row: row[:3]):
        address = path.format(**names, recommendation_id=shown)
        body = entry.get("requestBody", {"content": {"": {"example": None}}})
        example = next(iter(body["content"].values()))["example"]
        query = {p["name"]: "home" for p in entry["parameters"] if p["required"]}
        params = {k: v for k, v in query.items() if k == "placement"}
        answer = client.request(method.upper(), address, json=example, params=params)

        assert answer.is_success, (method, path, answer.text)
        good = next(v for status, v in entry["responses"].items() if status.startswith("2"))
        schema = next(iter(good.get("content", {"": {}}).values())).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        if name:
            msgspec.convert(answer.json(), getattr(shapes, name))


def test_page_is_self_contained(client: Client) -> None:
    """HTML, script and style of this server alone, no inline code, under a strict policy."""
    page = client.get("/docs")
    policy = page.headers["content-security-policy"]

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", page.text)
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert address.startswith(("/", "data:"))
        if address.startswith("/"):
            assert client.get(address).status_code == 200
    assert "innerHTML" not in client.get("/docs/docs.js").text


def test_headers_of_every_answer(client: Client) -> None:
    """Also where no route answers."""
    for path in ("/healthz", "/nowhere", "/v1/items/nope", "/docs"):
        answer = client.get(path)

        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert client.get("/v1/balances").headers["cache-control"] == "no-store"
