"""equipoise.intake.online_retail: UCI Online Retail, counted on the real archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from equipoise.intake.canonical import Refusal
from equipoise.intake.online_retail import FILE, NO_GOODS, categories, lines, online_retail
from equipoise.types import Event, Item

Folder = Callable[[str], Path]
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SMALL = HEADER + (
    "536365,85123a,WHITE  LANTERN ,6,2010-12-01 08:26:00,2.50,17850.0,United Kingdom\n"
    "536365,POST,POSTAGE,1,2010-12-01 08:26:00,18.0,17850.0,United Kingdom\n"
    "536366,85123A,WHITE LANTERN,1,2010-12-01 08:28:00,3.50,,United Kingdom\n"
    "C536379,85123A,WHITE LANTERN,-2,2010-12-01 09:41:00,2.50,17850.0,France\n"
    "536380,85123A,damaged,-5,2010-12-01 09:50:00,0.0,,United Kingdom\n"
    "536381,85123A,found,5,2010-12-01 09:51:00,0.0,,United Kingdom\n"
    "A563186,B,Adjust bad debt,1,2011-08-12 14:51:00,-11062.06,,United Kingdom\n"
    "536382,M,Manual,1,2010-12-01 09:52:00,5.0,17850.0,United Kingdom\n"
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / FILE).write_text(SMALL)
    return tmp_path


def test_invoices_become_purchases(small: Path) -> None:
    """One event an invoice, with its lines; a credit note is a refund; charges are no lines."""
    item, *rest = online_retail(small)
    events = [noun for noun in rest if isinstance(noun, Event)]

    assert item == Item(
        item_id="85123A",
        title={"en": "WHITE LANTERN"},
        price=2.5,
        currency="GBP",
        created_at=1_291_191_960_000,
    )
    assert [(e.event, e.transaction_id, e.user_id, e.anonymous_id, e.value) for e in events] == [
        ("purchase", "536365", "17850", None, 15.0),
        ("purchase", "536366", None, "invoice:536366", 3.5),
        ("refund", "C536379", "17850", None, 5.0),
    ]
    assert events[0].attributes == {"country": "United Kingdom", "charges": 18.0}
    assert [line.quantity for line in events[2].items] == [2.0]


def test_what_no_shopper_did_is_refused(small: Path) -> None:
    """Stock entries and a debt written off, each with its row and reason."""
    refused = [noun for noun in online_retail(small) if isinstance(noun, Refusal)]

    assert [(r.index, r.code) for r in refused] == [
        (4, "stock_adjustment"),
        (5, "stock_adjustment"),
        (6, "negative_price"),
    ]
    assert "no shopper stands behind it" in refused[0].message
    assert b'"damaged"' in refused[0].body


def test_a_head_noun_is_a_category() -> None:
    """A word that mostly ends titles, wherever it stands in this one; plurals go with singulars."""
    titles = [f"{colour} MUG" for colour in ("RED", "BLUE", "OLD", "NEW", "BIG", "TIN")]
    titles += ["TEA MUGS", "TIN MUGS", "MUG WITH HEART", "MUG RED", "HEART BLUE", "7 X 9"]
    frame = pl.DataFrame({"code": [str(i) for i in range(len(titles))], "title": titles})

    assert categories(frame) == {str(i): "Mug" for i in range(10)}


def test_the_set_has_its_counts(data_set: Folder) -> None:
    """541,909 rows, 25,900 invoices, 4,372 customers; 397,924 usable rows of 4,339 customers."""
    rows = lines(data_set("online-retail"))
    usable = rows.filter(
        pl.col("customer").is_not_null()
        & (pl.col("quantity") > 0)
        & ~pl.col("invoice").str.starts_with("C")
    )

    assert (rows.height, rows["invoice"].n_unique()) == (541_909, 25_900)
    assert rows["customer"].drop_nulls().n_unique() == 4_372
    assert (usable.height, usable["customer"].n_unique()) == (397_924, 4_339)
    assert set(usable["what"]) == {"purchase", "charge"}


def test_nothing_of_the_set_is_lost(data_set: Folder) -> None:
    """Each row is a line, a charge or a refusal; money adds up; every line's item is an item."""
    folder = data_set("online-retail")
    rows = lines(folder)
    nouns = list(online_retail(folder))
    events = [noun for noun in nouns if isinstance(noun, Event)]
    items = [noun for noun in nouns if isinstance(noun, Item)]
    refused = Counter(noun.code for noun in nouns if isinstance(noun, Refusal))
    met = sum(len(event.items) for event in events)
    goods = rows.filter(pl.col("what") == "purchase")
    bought = sum(event.value or 0 for event in events if event.event == "purchase")

    assert refused == {"stock_adjustment": 2_467, "negative_price": 2}
    assert met + rows["what"].value_counts().filter(pl.col("what") == "charge")[
        "count"
    ].item() + sum(refused.values()) == len(rows)
    assert bought == pytest.approx((goods["quantity"] * goods["price"]).sum())
    assert {line.item_id for e in events for line in e.items} == {item.item_id for item in items}
    assert not {item.item_id for item in items} & set(NO_GOODS)
    assert len({event.event_id for event in events}) == len(events)
    assert all(one.ts <= two.ts for one, two in pairwise(events))
    assert all(item.title and item.price for item in items)
    assert sum(bool(item.categories) for item in items) > len(items) / 2
