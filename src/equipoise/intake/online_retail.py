"""UCI Online Retail, raw: 541,909 invoice lines of a British gift wholesaler, 2010-12 to 2011-12.

Source: D. Chen, UCI Machine Learning Repository, https://doi.org/10.24432/C5BW33 (CC BY 4.0).
Columns: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country.
Times are the shop's own, taken as UTC; prices are pounds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.intake.canonical import Refusal
from equipoise.types import Event, Item, Line

FILE = "online_retail_by_day_concat.csv"
NO_GOODS = ("AMAZONFEE", "B", "BANK CHARGES", "C2", "CRUK", "D", "DOT", "M", "POST", "S")
"""Stock codes of charges, fees, carriage, discounts, samples, manual and bad-debt entries: all that
are neither goods nor vouchers, found by reading the 33 codes that do not begin with a number."""

HEAD_TITLES = 10
HEAD_SHARE = 0.4

_REASONS = {
    "negative_price": "a bad debt written off; an event has no negative price",
    "stock_adjustment": "goods lost, damaged or found; no shopper stands behind it",
}


def online_retail(folder: Path) -> Iterator[Item | Event | Refusal]:
    """Items, then one ``purchase`` an invoice and one ``refund`` a credit note, in time order.

    - An item is a StockCode in capitals (the set writes some both ways): its commonest description,
      the median of its prices above zero, first seen at ``created_at``, and the category of
      ``categories``.
    - A line without a customer belongs to ``anonymous_id`` ``invoice:NNN``.
    - Lines of ``NO_GOODS`` are no items: their sum is the event's ``attributes.charges``, and an
      invoice of nothing else is left out.
    - Refused: negative prices, and stock entries: a quantity below zero without a credit note, or a
      price of zero without a customer.
    """
    rows = lines(folder)
    yield from _items(rows)
    yield from _refusals(rows)
    yield from _events(rows)


def lines(folder: Path) -> pl.DataFrame:
    """All 541,909 rows: row, invoice, code, title, quantity, ts (ms), price, customer, country and
    what the row is: purchase, refund, charge, negative_price or stock_adjustment."""
    credit = pl.col("InvoiceNo").str.starts_with("C")
    customer, price, quantity = pl.col("customer"), pl.col("price"), pl.col("quantity")
    entry = ~credit & ((quantity <= 0) | ((price == 0) & customer.is_null()))
    what = (
        pl.when(price < 0)
        .then(pl.lit("negative_price"))
        .when(pl.col("code").is_in(NO_GOODS))
        .then(pl.lit("charge"))
        .when(entry)
        .then(pl.lit("stock_adjustment"))
        .when(credit)
        .then(pl.lit("refund"))
        .otherwise(pl.lit("purchase"))
    )
    return (
        pl.read_csv(folder / FILE, infer_schema=False)
        .with_row_index("row")
        .with_columns(
            code=pl.col("StockCode").str.strip_chars().str.to_uppercase(),
            title=pl.col("Description").str.strip_chars().str.replace_all(r"\s+", " "),
            quantity=pl.col("Quantity").cast(pl.Int64),
            price=pl.col("UnitPrice").cast(pl.Float64),
            customer=pl.col("CustomerID").str.strip_suffix(".0"),
            ts=pl.col("InvoiceDate").str.to_datetime("%Y-%m-%d %H:%M:%S").dt.epoch("ms"),
        )
        .with_columns(what=what)
        .rename({"InvoiceNo": "invoice", "Country": "country"})
        .drop("StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
    )


def categories(titles: pl.DataFrame) -> dict[str, str]:
    """What kind of thing each code is, from its title alone; none where the titles do not tell.

    The set has no categories. In English compounds the head stands last (right-hand head rule,
    Williams 1981): a *pink cherry blossom mug* is a mug. So a word is taken for a kind of thing if
    at least ``HEAD_TITLES`` titles hold it and it ends at least ``HEAD_SHARE`` of them; a title is
    of the kind among its words that most often stands last. Plurals go with their singular. Some
    kinds are poor (*design*), and four titles of ten get none. ``titles``: code, title.
    """
    words = _words(titles)
    kinds = (
        words.group_by("word")
        .agg(pl.len().alias("titles"), pl.col("last").mean().alias("share"))
        .filter((pl.col("titles") >= HEAD_TITLES) & (pl.col("share") >= HEAD_SHARE))
    )
    best = (
        words.join(kinds, on="word")
        .sort("code", "share", "titles", "word", descending=[False, True, True, False])
        .unique("code", keep="first", maintain_order=True)
    )
    return dict(zip(best["code"], best["word"].str.to_titlecase(), strict=True))


def _words(titles: pl.DataFrame) -> pl.DataFrame:
    """code, word, last: each word of a title once, and whether it is the title's last."""
    words = titles.select(
        "code", word=pl.col("title").str.to_lowercase().str.extract_all(r"\b[a-z]{3,}\b")
    ).explode("word", empty_as_null=True)
    words = words.drop_nulls("word")
    known = words["word"].unique().implode()
    singular = [pl.col("word").str.strip_suffix(suffix) for suffix in ("s", "es")]
    told = [pl.when(form.is_in(known) & (form != pl.col("word"))).then(form) for form in singular]
    return (
        words.with_columns(word=pl.coalesce(*told, "word"))
        .with_columns(place=pl.int_range(pl.len()).over("code"), count=pl.len().over("code"))
        .with_columns(last=pl.col("place") == pl.col("count") - 1)
        .group_by("code", "word")
        .agg(pl.col("last").any())
    )


def _items(rows: pl.DataFrame) -> Iterator[Item]:
    goods = rows.filter(pl.col("what").is_in(["purchase", "refund"]))
    priced = goods.filter(pl.col("price") > 0)
    titles = (
        priced.filter(pl.col("title").is_not_null() & (pl.col("title") != ""))
        .group_by("code", "title")
        .len()
        .sort("code", "len", "title", descending=[False, True, False])
        .unique("code", keep="first", maintain_order=True)
    )
    kinds = categories(titles)
    table = (
        goods.group_by("code")
        .agg(pl.col("ts").min())
        .join(priced.group_by("code").agg(pl.col("price").median()), on="code", how="left")
        .join(titles, on="code", how="left")
        .sort("ts", "code")
    )
    for code, ts, price, title in table.select("code", "ts", "price", "title").iter_rows():
        yield Item(
            item_id=code,
            title={"en": title} if title else {},
            categories=(kinds[code],) if code in kinds else (),
            price=price,
            currency="GBP",
            created_at=ts,
        )


def _refusals(rows: pl.DataFrame) -> Iterator[Refusal]:
    for row in rows.filter(pl.col("what").is_in(list(_REASONS))).iter_rows(named=True):
        what = row["what"]
        pointer = "/price" if what == "negative_price" else "/quantity"
        yield Refusal(
            index=row["row"],
            event_id=None,
            code=what,
            pointer=pointer,
            message=f"row {row['row']}: {_REASONS[what]}",
            body=json.dumps(row).encode(),
        )


def _events(rows: pl.DataFrame) -> Iterator[Event]:
    charge = pl.col("what") == "charge"
    taken = rows.filter(pl.col("what").is_in(["purchase", "refund", "charge"]))
    invoices = (
        taken.group_by("invoice", maintain_order=True)
        .agg(
            pl.col("ts").min(),
            pl.col("customer", "country").first(),
            pl.col("code", "quantity", "price").filter(~charge),
            (pl.col("quantity") * pl.col("price")).filter(charge).sum().round(2).alias("charges"),
        )
        .filter(pl.col("code").list.len() > 0)
        .sort("ts", "invoice")
    )
    for row in invoices.iter_rows(named=True):
        yield _event(row)


def _event(row: dict[str, Any]) -> Event:
    invoice, charges = row["invoice"], row["charges"]
    lines = tuple(
        Line(item_id=code, quantity=float(abs(quantity)), price=price)
        for code, quantity, price in zip(row["code"], row["quantity"], row["price"], strict=True)
    )
    returned = invoice.startswith("C")
    about = {"country": row["country"]} | ({"charges": charges} if charges else {})
    return Event(
        event_id=f"online-retail:{invoice}",
        event="refund" if returned else "purchase",
        ts=row["ts"],
        user_id=row["customer"],
        anonymous_id=None if row["customer"] else f"invoice:{invoice}",
        transaction_id=invoice,
        currency="GBP",
        value=round(sum(line.quantity * (line.price or 0.0) for line in lines), 2),
        items=lines,
        attributes=about,
    )
