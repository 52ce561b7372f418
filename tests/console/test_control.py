"""The console's pages, in process, of a shop in which nothing has happened and of a busy one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.clock import ManualClock
from equipoise.console.history import SPANS
from equipoise.engine import Engine
from equipoise.server.app import create_app
from equipoise.server.live import Live

Browse = Callable[[Engine], TestClient[Litestar]]

PAGES = ("/console", "/console/tiles", "/console/learner", "/console/series", "/console/decisions")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("shop", ["empty", "busy"])
def test_every_page_renders(
    path: str, shop: str, browse: Browse, request: pytest.FixtureRequest
) -> None:
    """For every span and placement, whether anything has happened or not."""
    engine: Engine = request.getfixturevalue(shop)
    client = browse(engine)
    for minutes in SPANS:
        for placement in ("", *engine.settings.placements):
            answer = client.get(path, params={"minutes": minutes, "placement": placement})
            assert answer.status_code == 200, answer.text
            assert not re.search(r"\b(nan|inf|NaN|None)\b(?! yet)", answer.text)


def test_nothing_has_happened(empty: Engine, browse: Browse) -> None:
    """Empty is said, not drawn."""
    client = browse(empty)
    page = client.get("/console").text
    series = client.get("/console/series").json()

    assert "nothing has arrived yet" in page
    assert "no list has been served" in page
    assert "no balance has had to move" in page
    assert "No list has been asked for" in client.get("/console/decisions").text
    assert series["time"] == []
    assert series["status"]["state"] == "waiting"


def test_busy_figures(busy: Engine, browse: Browse) -> None:
    """What the shop did stands on the page, with what it is a part of."""
    page = browse(busy).get("/console").text

    assert "Last hour, all placements" in page
    assert '<p class="figure">20</p>' in page
    assert "of the whole shop; revenue 200.00 EUR" in page
    assert "slots shown" in page


def test_one_placement(busy: Engine, browse: Browse) -> None:
    """Lists are of the placement, orders of the whole shop, and both say so."""
    tiles = browse(busy).get("/console/tiles", params={"placement": "cart", "minutes": 10}).text

    assert "Last 10 minutes, placement cart" in tiles
    assert '<p class="figure">0</p>' in tiles
    assert "of the whole shop; revenue 180.00 EUR" in tiles


@pytest.mark.parametrize("minutes", ["-1", "0", "7", "1000000000000"])
def test_any_span_is_answered_by_one_on_offer(busy: Engine, browse: Browse, minutes: str) -> None:
    """No request makes a table of a billion minutes."""
    answer = browse(busy).get("/console/series", params={"minutes": minutes})

    assert answer.status_code == 200
    assert answer.json()["step"] in {60 * step for step in SPANS.values()}


def test_a_span_that_is_no_number(busy: Engine, browse: Browse) -> None:
    answer = browse(busy).get("/console/tiles", params={"minutes": "an hour"})

    assert answer.status_code == 400
    assert answer.json()["detail"] == "minutes is 'an hour'; a whole number is wanted"


@pytest.mark.parametrize("path", ["/console/tiles", "/console/learner", "/console/series"])
def test_unknown_placement(busy: Engine, browse: Browse, path: str) -> None:
    """Refused with the names that exist; the page itself says it to a person."""
    client = browse(busy)
    answer = client.get(path, params={"placement": "attic"})
    page = client.get("/console", params={"placement": "attic"})

    assert answer.status_code == 400
    assert "cart, feed, home, product" in answer.json()["detail"]
    assert page.status_code == 404
    assert "is no placement of this shop" in page.text


def test_status(busy: Engine, clock: ManualClock) -> None:
    """Live while news comes, quiet after a minute without, failing when the log refuses."""
    live = Live(busy)
    with TestClient(create_app(live)) as client:
        assert client.get("/console/series").json()["status"]["state"] == "live"
        clock.advance(seconds=61)
        busy.knowledge.attribution._waiting.clear()
        quiet = client.get("/console/series").json()["status"]
        live.failing = True
        failing = client.get("/console/series").json()["status"]

    assert quiet["state"] == "quiet"
    assert quiet["ts"] == "2023-11-15T12:10:30.000Z"
    assert failing["state"] == "failing"


def test_a_decision_in_full(busy: Engine, browse: Browse) -> None:
    """Its slots, its price, and that it can be computed again."""
    client = browse(busy)
    stored = busy.newest_decisions(1)[0]
    page = client.get(f"/console/decisions/{stored.decision_id}").text

    assert "the same slate and the same propensities, bit for bit" in page
    assert f"visitor {stored.query.anonymous_id}" in page
    assert page.count('<tr><td class="num">') == len(stored.slots) == 12
    assert f"{stored.slots[0].propensity:.4f}" in page


def test_a_tampered_decision_shows(busy: Engine, browse: Browse) -> None:
    """A decision that its own numbers do not give is called out."""
    stored = busy.newest_decisions(1)[0]
    busy._recent[stored.decision_id] = type(stored)(
        **{name: getattr(stored, name) for name in stored.__struct_fields__} | {"cost": 1e9}
    )
    page = browse(busy).get(f"/console/decisions/{stored.decision_id}").text

    assert "Computed again: NOT the same" in page


def test_a_short_list_says_why(empty: Engine, browse: Browse) -> None:
    client = browse(empty)
    client.get("/shop/list", params={"placement": "home", "anonymous_id": "c", "n": 3})
    stored = empty.newest_decisions(1)[0]
    page = client.get(f"/console/decisions/{stored.decision_id}").text

    assert "0 of 3 asked for" in page
    assert "Short because: 3 items asked for, 0 shown" in page
    assert "An empty slate." in page
    assert "nothing was expected of this list" in page


def test_unknown_decision(empty: Engine, browse: Browse) -> None:
    answer = browse(empty).get("/console/decisions/r-none")

    assert answer.status_code == 404
    assert "No decision r-none is on the log." in answer.text


def test_each_placement_is_held_against_its_own_budget(busy: Engine, browse: Browse) -> None:
    """One that was never asked adds nothing to the budget of all."""
    client = browse(busy)

    def budget(placement: str) -> object:
        answer = client.get("/console/series", params={"placement": placement, "minutes": 10})
        return answer.json()["budget"][-3]

    assert budget("") == pytest.approx(0.08)
    assert budget("home") == pytest.approx(0.08)
    assert budget("cart") is None
