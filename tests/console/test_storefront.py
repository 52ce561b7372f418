"""The storefront's pages, in process."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.engine import Engine
from equipoise.types import Item

Browse = Callable[[Engine], TestClient[Litestar]]

ODD = ["a/b?c&d", "ü ñ 鞋", "100%", "a//b", "..", "../x", "a#b", "a+b", '"quoted"', "'", "<b>"]
NASTY = '<script>alert("x")</script>" onmouseover="alert(1)'


class Tags(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, attribute: str) -> list[Any]:
        return [attrs[attribute] for _, attrs in self.found if attribute in attrs]


def a_list(client: TestClient[Litestar], **asked: Any) -> str:
    query = {"placement": "home", "anonymous_id": "c-1", "n": 12} | asked
    answer = client.get("/shop/list", params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def put(engine: Engine, *items: Item) -> None:
    engine.store([engine.item_record(item) for item in items])


def test_front_door(empty: Engine, browse: Browse) -> None:
    """The root leads to the shop; a shop without items says what to do."""
    client = browse(empty)
    door = client.get("/", follow_redirects=False)
    home = client.get("/shop")

    assert door.headers["location"] == "/shop"
    assert home.status_code == 200
    assert "The shelves are empty." in home.text
    assert "Lamps &amp; Co" in home.text


def test_an_empty_list_says_why(empty: Engine, browse: Browse) -> None:
    """Nothing to show is never nothing said."""
    assert "Nothing to show: 12 items asked for, 0 shown" in a_list(browse(empty))


def test_a_full_list_with_tokens(busy: Engine, browse: Browse) -> None:
    """Twelve items, each with its token, the list with the decision's id."""
    tags = Tags(a_list(browse(busy)))
    tokens = tags.all("data-eq-token")
    (decision_id,) = tags.all("data-eq-recommendation")

    assert len(set(tags.all("data-eq-item"))) == 12
    assert len(set(tokens)) == 12
    assert busy.decision(decision_id).query.anonymous_id == "c-1"


def test_a_token_of_the_page_teaches(busy: Engine, browse: Browse) -> None:
    """What stands in the page is a token that the shop believes."""
    client = browse(busy)
    tags = Tags(a_list(client))
    line = {"item_id": tags.all("data-eq-item")[3], "token": tags.all("data-eq-token")[3]}
    before = busy.knowledge.model.summary()["looks"]
    click = {"event": "select_item", "anonymous_id": "c-1", "items": [line]}
    assert client.post("/v1/events", json=click).status_code == 200

    assert busy.knowledge.model.summary()["looks"] > before


def test_departments(busy: Engine, browse: Browse) -> None:
    """A department's list holds nothing of another."""
    client = browse(busy)
    page = client.get("/shop", params={"department": "Home"})
    items = Tags(a_list(client, placement="feed", n=20, department="Home")).all("data-eq-item")

    assert 'data-department="Home"' in page.text
    assert 'aria-current="page">Home' in page.text
    assert len(items) == 20
    assert all(int(one.removeprefix("sku-")) % 2 for one in items)


def test_product_page(busy: Engine, browse: Browse) -> None:
    page = browse(busy).get("/shop/item", params={"id": "sku-3"})

    assert page.status_code == 200
    assert "<h1>Thing 3</h1>" in page.text
    assert "13.00 EUR" in page.text
    assert 'data-item="sku-3" data-price="13.0" data-currency="EUR"' in page.text


@pytest.mark.parametrize("item_id", ODD)
def test_odd_ids_are_found_again(empty: Engine, browse: Browse, item_id: str) -> None:
    """The link of a card leads to the item's page, and the page's list goes with that item."""
    put(empty, Item(item_id=item_id, categories=("A/B",)), Item(item_id="other"))
    client = browse(empty)
    tags = Tags(a_list(client))
    href = next(href for href in tags.all("href") if quote(item_id, safe="") in href)
    page = client.get(href)
    goes_with = Tags(a_list(client, placement="product", item=item_id)).all("data-eq-item")

    assert page.status_code == 200
    assert Tags(page.text).all("data-item") == [item_id, item_id]
    assert item_id in tags.all("data-eq-item")
    assert goes_with == ["other"]


def test_missing_and_hidden_items(empty: Engine, browse: Browse) -> None:
    """What the shop does not show has no page."""
    put(empty, Item(item_id="secret", hidden=True))
    client = browse(empty)

    for item_id in ("secret", "nowhere"):
        answer = client.get("/shop/item", params={"id": item_id})
        assert answer.status_code == 404
        assert "There is no such item." in answer.text


def test_nothing_that_is_stored_becomes_markup(empty: Engine, browse: Browse) -> None:
    """Titles, categories, brands, tags and ids of a hostile feed are text wherever they stand."""
    hostile = Item(
        item_id=NASTY, title={"en": NASTY}, description={"en": NASTY}, categories=(NASTY,),
        brand=NASTY, seller_id=NASTY, tags=(NASTY,), currency=NASTY, price=1.0,
        attributes={"hue": NASTY, "shape": NASTY},
    )  # fmt: skip
    put(empty, hostile)
    client = browse(empty)
    decision_id = Tags(a_list(client)).all("data-eq-recommendation")[0]
    pages = [
        a_list(client),
        client.get("/shop").text,
        client.get("/shop", params={"department": NASTY}).text,
        client.get("/shop/item", params={"id": NASTY}).text,
        client.get("/console/decisions").text,
        client.get(f"/console/decisions/{decision_id}").text,
        client.get(f"/console/decisions/{quote(NASTY, safe='')}").text,
        client.get("/console", params={"placement": NASTY}).text,
    ]

    for page in pages:
        assert "<script>alert" not in page
        assert "onmouseover" not in {name for _, attrs in Tags(page).found for name in attrs}
    assert NASTY in Tags(pages[0]).all("data-eq-item")
    assert "&lt;script&gt;alert" in pages[3]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [({"n": 0}, "/n"), ({"n": 1_000_000}, "/n"), ({"placement": "attic"}, "/placement"),
     ({"anonymous_id": ""}, "/anonymous_id")],
)  # fmt: skip
def test_a_list_is_asked_for_as_by_anybody(
    busy: Engine, browse: Browse, asked: dict[str, Any], pointer: str
) -> None:
    """The storefront has no wider door than the API."""
    query = {"placement": "home", "anonymous_id": "c-1", "n": 12} | asked
    answer = browse(busy).get("/shop/list", params=query)

    assert answer.status_code == 400
    assert answer.json()["pointer"] == pointer


def test_headings_and_labels(busy: Engine, browse: Browse) -> None:
    """One h1 a page, landmarks named, drawings silent where words stand beside them."""
    client = browse(busy)
    for path in ("/shop", "/shop?department=Home", "/shop/item?id=sku-3"):
        text = client.get(path).text
        tags = Tags(text)
        assert len(re.findall("<h1", text)) == 1
        assert "Departments" in tags.all("aria-label")
        assert {"polite", "status"} & {*tags.all("aria-live"), *tags.all("role")}
        ids = tags.all("id")
        assert len(ids) == len(set(ids))
        assert set(tags.all("aria-labelledby")) <= set(ids)
    assert set(Tags(a_list(client)).all("aria-hidden")) == {"true"}
    assert "Drawing: Thing 3" in Tags(client.get("/shop/item?id=sku-3").text).all("aria-label")
