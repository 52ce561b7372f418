"""Route × key: every pair answers as the table says, and a route without a row does not start."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

from equipoise.engine import Engine
from equipoise.errors import SettingsError
from equipoise.server import access, app, openapi
from equipoise.server.access import ACCESS
from equipoise.server.keys import KeyKind, Keys
from equipoise.server.live import Live
from equipoise.settings import Server, Settings

Client = TestClient[Litestar]
Secured = tuple[Client, dict[str, str]]

BODIES: dict[str, Any] = {"/v1/events": {"event": "search", "anonymous_id": "c"}}


def call(client: Client, method: str, path: str, headers: dict[str, str]) -> int:
    filled = path.replace("{", "").replace("}", "")
    body = BODIES.get(path, {})
    content = {"json": body} if method in ("POST", "PUT", "PATCH") else {}
    return client.request(method, filled, headers=headers, **content).status_code


def test_every_pair_answers_as_the_table_says(secured: Secured) -> None:
    """Generated from the OpenAPI document: no key, a wrong one, and one of each kind."""
    client, keys = secured
    document = client.get("/openapi.json").json()
    tried = 0
    for path, methods in document["paths"].items():
        for method, entry in methods.items():
            kinds = ACCESS[method.upper(), path]
            assert set(entry["x-key-kinds"]) == {str(kind) for kind in kinds if kind}
            for given, headers in [
                (None, {}),
                *((KeyKind(kind), bearer(key)) for kind, key in keys.items()),
            ]:
                status = call(client, method.upper(), path, headers)
                wanted = given in kinds
                assert (status not in (401, 403)) == wanted, (method, path, given, status)
                assert status < 500, (method, path, given, status)
                assert wanted or status == (401 if given is None else 403)
                tried += 1
            assert call(client, method.upper(), path, bearer("sk_wrong")) == 401

    assert tried == 4 * sum(map(len, document["paths"].values()))


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_document_and_table_name_the_same_routes(live: Live) -> None:
    """No row without a route, and nothing of the contract outside the document."""
    application = app.create_app(live)
    served = {(method, path) for path, method, _ in openapi.handlers(application)}
    said = {(method, path) for path, method, _ in openapi.documented(application)}
    pages = {("GET", path) for path in ("/docs", "/docs/docs.js", "/docs/docs.css")}

    assert set(ACCESS) <= served
    assert said | pages == set(ACCESS)


def test_new_route_without_a_row_does_not_start(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Denied by default, and loudly."""

    @get("/v1/surprise", sync_to_thread=False)
    def surprise() -> None: ...

    monkeypatch.setattr(app.console, "routes", lambda _: [surprise])

    with pytest.raises(SettingsError, match="says who may call GET /v1/surprise"):
        app.create_app(live)


def test_pages_need_an_admin_key(secured: Secured) -> None:
    """A browser is asked for it; what it sends along from elsewhere changes nothing."""
    client, keys = secured

    def basic(key: str) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(f"x:{key}".encode()).decode()}

    asked = client.get("/console")

    assert (asked.status_code, asked.headers["www-authenticate"]) == (
        401,
        'Basic realm="Equipoise"',
    )
    assert client.get("/console", headers=basic(keys["ak"])).status_code == 200
    assert client.get("/console", headers=basic(keys["sk"])).status_code == 403
    assert client.get("/console", headers={"authorization": "Basic ??"}).status_code == 401
    assert client.delete("/v1/items/sku-1", headers=basic(keys["ak"])).status_code == 401
    assert client.get("/v1/items/sku-1", headers={"x-api-key": keys["sk"]}).status_code == 200


def test_beacon_brings_its_key_in_the_address(secured: Secured) -> None:
    """Only there: anywhere else a key in an address would end up in logs."""
    client, keys = secured
    event = '{"event":"search","search_term":"a","anonymous_id":"c"}'
    sent = client.post(f"/v1/collect?key={keys['pk']}", content=event)

    assert (sent.status_code, sent.content) == (204, b"")
    assert sent.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in sent.headers
    assert "set-cookie" not in sent.headers
    assert client.post("/v1/collect", content=event).status_code == 401
    assert client.post(f"/v1/events?key={keys['pk']}", content=event).status_code == 401


def test_publishable_key_is_for_its_own_visitor(secured: Secured) -> None:
    """Lists by anonymous_id, not by another shopper's user_id."""
    client, keys = secured
    own = {"placement": "home", "anonymous_id": "c", "n": 1}
    other = {"placement": "home", "user_id": "u-1", "n": 1}
    headers = bearer(keys["pk"])
    refused = client.post("/v1/recommendations", json=other, headers=headers)

    assert client.post("/v1/recommendations", json=own, headers=headers).status_code == 200
    assert (refused.status_code, refused.json()["pointer"]) == (403, "/user_id")
    assert client.get("/v1/recommendations?placement=home&user_id=u-1", headers=headers).is_error


def test_purchase_by_a_publishable_key_is_worth_nothing(secured: Secured, engine: Engine) -> None:
    """It is kept, but the learner does not hear of it; the shop's own report still counts."""
    client, keys = secured
    pk, sk = bearer(keys["pk"]), bearer(keys["sk"])
    ask = {"placement": "home", "anonymous_id": "c", "n": 1}
    shown = client.post("/v1/recommendations", json=ask, headers=pk).json()["items"][0]
    line = {"item_id": shown["item_id"], "token": shown["token"], "quantity": 1, "price": 9.0}
    order = {"event": "purchase", "anonymous_id": "c", "transaction_id": "o-1", "items": [line]}
    forged = client.post("/v1/events", json={**order, "event_id": "p-1"}, headers=pk).json()
    looks = engine.knowledge.model.summary()["looks"]
    truth = client.post("/v1/events", json={**order, "event_id": "p-2"}, headers=sk).json()
    after = engine.knowledge.model.summary()["looks"]
    kept = next(s for s in engine.log.of_shopper("c") if s.record.key == "p-1").record.body

    assert forged["accepted"] == truth["accepted"] == 1
    assert (looks, after) == (0, 1)
    assert b'"unverified":{"items":[{"item_id":"' + shown["item_id"].encode() in kept
    assert b'"transaction_id":"o-1"' in kept


def test_keys_are_limited(settings: Settings, keys: Keys) -> None:
    """429 with Retry-After a key; without a valid key, a network."""
    slow = Server(requests_per_second=0.5, burst=3)
    shop = Engine.in_memory(settings=Settings(server=slow, placements=settings.placements), seed=1)
    key = keys.make("sk", "one")
    with TestClient(app.create_app(Live(shop, keys=keys))) as client:
        good = [client.get("/v1/items", headers=bearer(key)) for _ in range(4)]
        wrong = [client.get("/v1/items", headers=bearer("sk_x")) for _ in range(4)]

    assert [answer.status_code for answer in good] == [200, 200, 200, 429]
    assert [answer.status_code for answer in wrong] == [401, 401, 401, 429]
    assert good[-1].headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://testserver.local"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:8765"}, 403),
        ({"host": "127.0.0.1:8765"}, 200),
        ({"host": "[::1]:8765"}, 200),
        ({"host": "[:"}, 403),
    ],
)
def test_open_service_ignores_foreign_pages(
    client: Client, headers: dict[str, str], status: int
) -> None:
    """Open to the machine is not open to the web pages that a browser there shows."""
    event = {"event": "search", "anonymous_id": "c"}

    assert client.post("/v1/events", json=event, headers=headers).status_code == status


def test_preflights(client: Client, secured: Secured) -> None:
    """Pages of the shop may send events and fetch lists with a pk_ key, and nothing else."""
    keyed, keys = secured
    origin = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    allowed = keyed.options("/v1/events", headers=origin)
    sent = keyed.post(
        "/v1/events",
        json={"event": "search", "anonymous_id": "c"},
        headers={**bearer(keys["pk"]), **origin},
    )
    server = keyed.get("/v1/items", headers={**bearer(keys["sk"]), **origin})

    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    assert sent.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in server.headers
    assert "access-control-allow-origin" not in keyed.options("/v1/items").headers
    assert "access-control-allow-origin" not in client.options("/v1/events").headers
    assert client.options("/v1/collect").headers["access-control-allow-origin"] == "*"


def test_allowed_denies_what_it_does_not_know() -> None:
    """Neither a new path nor another method of a page."""
    assert access.allowed("GET", "/v1/secret") is None
    assert access.allowed("POST", "/console") is None
    assert access.allowed("GET", "/consoles") is None
    assert access.allowed("GET", "/console/a/b") == access.ADMIN
