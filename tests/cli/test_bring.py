"""``import``: files and data sets come in once, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from equipoise.cli.bring import _length
from equipoise.engine import Engine
from equipoise.log.sqlite import SQLiteLog
from equipoise.types import Kind

Run = Callable[..., Any]

CLICKS = "who,thing,at\n" + "".join(
    f"u{k % 7},i{k % 11},2026-01-{k % 28 + 1:02d}\n" for k in range(90)
)
MAPPED = ("--map", "user_id=who", "--map", "item_id=thing", "--map", "ts=at")


def kinds(folder: Path) -> list[str]:
    with SQLiteLog(folder / "log", read_only=True) as log:
        return [str(stored.record.kind) for stored in log.read()]


def events(folder: Path) -> list[Any]:
    with SQLiteLog(folder / "log", read_only=True) as log:
        return [json.loads(stored.record.body) for stored in log.read(kinds=(Kind.EVENT,))]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return tmp_path / "equipoise-data"


def test_events_by_their_columns(run: Run, tmp_path: Path, shop: Path) -> None:
    """Mapped, with what all rows share; the directory is made, and said to be."""
    (tmp_path / "clicks.csv").write_text(CLICKS)
    answer = run("import", "clicks.csv", *MAPPED, "--set", "event=view_item", "--json")
    first = events(shop)[0]

    assert answer.json == {"items": 0, "events": 90, "already there": 0, "rejected": 0}
    assert "Made the data directory equipoise-data" in answer.err
    assert (first["event"], first["user_id"], first["items"]) == (
        "view_item", "u0", [{"item_id": "i0"}],
    )  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("rows", ["events", "items", "ratings"])
def test_a_second_import_adds_nothing(
    run: Run, tmp_path: Path, shop: Path, suffix: str, rows: str
) -> None:
    """Of any kind of rows, in any format; neither records nor dead letters."""
    frame = {
        "events": pl.DataFrame(
            {
                "event": ["view_item", "no_such", "no_such"],
                "user_id": "u",
                "item_id": "i",
                "ts": 10**9,
            }
        ),
        "items": pl.DataFrame({"item_id": ["a", "b", None], "price": [1.0, 2.0, 3.0]}),
        "ratings": pl.DataFrame(
            {"user_id": ["u", "v", "w"], "item_id": "i", "rating": [3, 5, None], "ts": 10**9}
        ),
    }[rows]
    write(frame, tmp_path / f"rows.{suffix}")
    first = run("import", f"rows.{suffix}", "--format", rows, "--json").json
    letters = run("rejected", "--json").out
    records = kinds(shop)
    second = run("import", f"rows.{suffix}", "--format", rows, "--json").json

    assert first["rejected"] == (2 if rows == "events" else 1)
    assert first["events"] + first["items"] == 3 - first["rejected"]
    assert second == {"items": 0, "events": 0, "already there": 3, "rejected": 0}
    assert kinds(shop) == records
    assert run("rejected", "--json").out == letters


def write(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_parquet(path)


def test_its_length_is_known_beforehand(tmp_path: Path) -> None:
    """So that the bar has an end: of texts the lines, of anything else nothing."""
    (tmp_path / "clicks.csv").write_text(CLICKS)
    write(pl.DataFrame({"a": [1]}), tmp_path / "a.parquet")

    assert _length(tmp_path / "clicks.csv") == 91
    assert _length(tmp_path / "a.parquet") is None
    assert _length(Path("online-retail")) is None


def test_a_longer_file_adds_what_is_new(run: Run, tmp_path: Path) -> None:
    """A log that grew is imported again; the old rows are met again."""
    (tmp_path / "clicks.csv").write_text(CLICKS)
    run("import", "clicks.csv", *MAPPED, "--set", "event=view_item")
    (tmp_path / "clicks.csv").write_text(CLICKS + "u1,i1,2026-02-01\nu1,,2026-02-01\n")
    answer = run("import", "clicks.csv", *MAPPED, "--set", "event=view_item", "--json")

    assert answer.json == {"items": 0, "events": 1, "already there": 90, "rejected": 1}


def test_a_catalogue_that_changed_is_brought_up_to_date(
    run: Run, tmp_path: Path, shop: Path
) -> None:
    """Only what differs from what is known is stored; an item said twice alike is said once."""
    (tmp_path / "items.csv").write_text("item_id,price\na,1\nb,2\nb,2\n")
    first = run("import", "items.csv", "--format", "items", "--json").json
    (tmp_path / "items.csv").write_text("item_id,price\na,1\nb,3\n")
    second = run("import", "items.csv", "--format", "items", "--json").json
    engine = Engine.open(shop, read_only=True)
    item = engine.item("b")
    engine.close()

    assert (first["items"], first["already there"]) == (2, 1)
    assert (second["items"], second["already there"]) == (1, 1)
    assert item is not None
    assert item.price == 3.0


def test_a_known_set(sampled: Run, shop: Path) -> None:
    """Items, invoices and dead letters; and nothing the second time."""
    first = sampled("import", "online-retail", "--json").json
    records = len(kinds(shop))
    second = sampled("import", "online-retail", "--json").json

    assert first["items"] == 120
    assert first["events"] > 600
    assert first["rejected"] == 1
    assert records == first["items"] + first["events"]
    assert second["already there"] == sum(first.values())
    assert len(kinds(shop)) == records


def test_the_table_says_what_became_of_it(run: Run, tmp_path: Path) -> None:
    """For people, with separated thousands."""
    rows = "".join(f"view_item,u,i{k},2026-01-01\n" for k in range(1_200))
    (tmp_path / "e.csv").write_text("event,user_id,item_id,ts\n" + rows)
    text = run("import", "e.csv").out

    assert text.splitlines()[0] == "Imported e.csv"
    assert "1,200" in text


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("e.csv", "a,b\n1,2\n", "e.csv has no column 'who'"),
        ("e.xlsx", "", "is of no known format"),
        ("e.parquet", "PAR1 not really", "e.parquet"),
    ],
)
def test_what_cannot_be_read_makes_nothing(
    run: Run, tmp_path: Path, shop: Path, name: str, body: str, words: str
) -> None:
    """One line, and no data directory that nobody wanted."""
    (tmp_path / name).write_text(body)
    answer = run("import", name, *MAPPED)

    assert answer.code == 1
    assert words in answer.err
    assert answer.err.count("\n") == 1
    assert not shop.exists()


def test_bytes_that_are_no_utf8_are_dead_letters(run: Run, tmp_path: Path, shop: Path) -> None:
    """A file from another age does not stop at its first accent."""
    rows = b"event,user_id,item_id,ts\nview_item,u,caf\xe9,2026-01-01\nview_item,u,tea,2026-01-01\n"
    (tmp_path / "old.csv").write_bytes(rows)
    answer = run("import", "old.csv", "--json").json

    assert (answer["events"], answer["rejected"]) == (1, 1)
    assert len(events(shop)) == 1


def test_a_log_in_use_is_left_alone(run: Run, tmp_path: Path, shop: Path) -> None:
    """Whoever writes to it is named."""
    run("init")
    (tmp_path / "clicks.csv").write_text(CLICKS)
    holder = Engine.open(shop)
    answer = run("import", "clicks.csv", *MAPPED, "--set", "event=view_item")
    holder.close()

    assert answer.code == 1
    assert "is writing to this log; stop it first" in answer.err
    assert kinds(shop) == []
