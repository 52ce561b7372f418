"""The command line in this process, and a sample of Online Retail in the set's own form."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise.cli.main import main
from equipoise.intake.online_retail import FILE
from equipoise.randomness import derive

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice",
           "CustomerID", "Country")  # fmt: skip
COLOURS = ("RED", "WHITE", "PINK", "BLUE", "GREEN", "IVORY", "SILVER", "VINTAGE", "WOODEN", "RETRO",
           "SPOTTY", "LARGE")  # fmt: skip
KINDS = ("MUG", "LANTERN", "BAG", "CANDLE", "CLOCK", "TIN", "FRAME", "CUSHION", "GARLAND", "APRON")


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """``run("init", "--data", "shop")``: the console script, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("EQUIPOISE_")]:
        monkeypatch.delenv(name)

    def call(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["equipoise", *words])
        capsys.readouterr()
        code: Any = 0
        try:
            main()
        except SystemExit as ending:
            code = ending.code
        said = capsys.readouterr()
        return Answer(code or 0, said.out, said.err)

    return call


def lines() -> Iterator[list[Any]]:
    """Ten weeks of a small gift shop, invented here: 120 things, 60 customers who come weekly.

    Each customer has two kinds of things they like, and buys some of them again. Now and then goods
    are returned, lost, or carried for a charge, as in the real set.
    """
    luck = derive(5, "sample shop")
    invoice, start = 536_000, datetime(2011, 9, 26, 9, 0)
    for week in range(10):
        for customer in range(60):
            invoice += 1
            day = timedelta(days=7 * week + customer % 6, minutes=7 * customer)
            who = f"{13_040 + customer}.0" if customer % 9 else ""
            for thing in basket(luck, customer):
                yield line(invoice, thing, int(luck.integers(1, 7)), start + day, who)
            if customer == 7:
                yield charge(invoice, start + day, who)
            if customer == 11:
                yield line(f"C{invoice}", thing, -1, start + day, who)
    yield line(invoice + 1, 3, -20, start + timedelta(days=65), "")


def basket(luck: np.random.Generator, customer: int) -> list[int]:
    kinds = (customer % 10, (customer // 10 + 3 * customer) % 10)
    liked = [colour * 10 + kind for kind in kinds for colour in range(12)]
    things = [*luck.choice(liked, size=4, replace=False).tolist(), int(luck.integers(0, 30))]
    return list(dict.fromkeys(things))


def line(invoice: int | str, thing: int, quantity: int, when: datetime, who: str) -> list[Any]:
    title = f"{COLOURS[thing // 10]} {KINDS[thing % 10]}"
    price = f"{1.25 + thing % 13:.2f}" if who or quantity > 0 else "0.0"
    return [invoice, f"{22_400 + thing}", title, quantity, when, price, who, "United Kingdom"]


def charge(invoice: int, when: datetime, who: str) -> list[Any]:
    return [invoice, "POST", "POSTAGE", 1, when, "18.00", who, "France"]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of archives with ``online-retail.tar.xz`` in it."""
    folder = tmp_path_factory.mktemp("archives")
    table = io.StringIO()
    csv.writer(table).writerows([COLUMNS, *lines()])
    body = table.getvalue().encode()
    with tarfile.open(folder / "online-retail.tar.xz", "w:xz", preset=0) as archive:
        about = tarfile.TarInfo(f"online-retail/{FILE}")
        about.size = len(body)
        archive.addfile(about, io.BytesIO(body))
    return folder


@pytest.fixture
def sampled(run: Run, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run``, where the data sets are the sample."""
    monkeypatch.setenv("EQUIPOISE_DATA_SETS", str(sample))
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path / "cache"))
    return run
