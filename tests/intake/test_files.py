"""equipoise.intake.files: tables into nouns."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from equipoise.errors import InvalidInput
from equipoise.intake import files
from equipoise.intake.canonical import Refusal
from equipoise.intake.files import read_table
from equipoise.types import Event, Item, Line

TS = 1_795_489_680_000
ROWS = [
    {"user": "u1", "sku": "a", "price": 9.5, "when": "2026-11-24T03:08:00Z", "shelf": "x"},
    {"user": "u2", "sku": "b", "price": 3.0, "when": "2026-11-24T03:08:01Z", "shelf": "y"},
]
MAPPING = {"user_id": "user", "item_id": "sku", "ts": "when"}
VIEWS = {"event": "view_item"}


def written(folder: Path, suffix: str, rows: list[dict[str, Any]] = ROWS) -> Path:
    path = folder / f"log{suffix}"
    frame = pl.DataFrame(rows)
    if suffix == ".parquet":
        frame.write_parquet(path)
    elif suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        frame.write_csv(path, separator="\t" if suffix == ".tsv" else ",")
    return path


def ids(path: Path) -> list[str]:
    nouns = read_table(path, kind="events", mapping=MAPPING, constants=VIEWS)
    return [noun.event_id for noun in nouns if isinstance(noun, Event)]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_events(tmp_path: Path, suffix: str) -> None:
    """A row is an event with one line; unknown columns are kept."""
    path = written(tmp_path, suffix)
    first, second = read_table(path, kind="events", mapping=MAPPING, constants=VIEWS)

    assert isinstance(first, Event)
    assert (first.event, first.user_id, first.ts) == ("view_item", "u1", TS)
    assert first.items == (Line(item_id="a", price=9.5),)
    assert first.attributes["shelf"] == "x"
    assert isinstance(second, Event)
    assert second.items[0].item_id == "b"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_second_import_adds_nothing(tmp_path: Path, suffix: str) -> None:
    """The same file, or a longer one, makes the same ids; equal rows have different ones."""
    once = ids(written(tmp_path, suffix, [ROWS[0], ROWS[0]]))
    again = ids(written(tmp_path, suffix, [ROWS[0], ROWS[0], ROWS[1]]))

    assert len(set(once)) == 2
    assert again[:2] == once
    assert len(set(again)) == 3


def test_ratings_become_reviews(tmp_path: Path) -> None:
    """attributes.rating holds the stars."""
    rows = [{"user_id": 7, "item_id": 3, "rating": "4.5", "ts": TS // 1_000}]
    (event,) = read_table(written(tmp_path, ".parquet", rows), kind="ratings")

    assert isinstance(event, Event)
    assert (event.event, event.user_id, event.ts) == ("review", "7", TS)
    assert (event.items[0].item_id, event.attributes) == ("3", {"rating": 4.5})


def test_items_are_read_with_lists_in_cells(tmp_path: Path) -> None:
    """Parts of a cell are parted by |; empty cells are absent."""
    path = tmp_path / "items.csv"
    path.write_text("id,title,categories,tags,price,colour\na,Boots,Shoes/Boots | New,,12.5,red\n")
    (item,) = read_table(path, kind="items", mapping={"item_id": "id"})

    assert item == Item(
        item_id="a",
        title={"und": "Boots"},
        categories=("Shoes/Boots", "New"),
        price=12.5,
        attributes={"colour": "red"},
    )


def test_types_of_files_are_plain(tmp_path: Path) -> None:
    """Datetimes, decimals and whole numbers for ids are read as they are meant."""
    rows = [{"item_id": 5, "price": Decimal("1.50"), "created_at": datetime(2026, 11, 24, 3, 8)}]
    (item,) = read_table(written(tmp_path, ".parquet", rows), kind="items")

    assert item == Item(item_id="5", price=1.5, created_at=TS)


def test_a_nested_row_is_an_event_as_it_is(tmp_path: Path) -> None:
    """JSONL of whole events, of our own export for instance."""
    raw = {
        "event_id": "e",
        "event": "purchase",
        "user_id": "u",
        "ts": TS,
        "items": [{"item_id": "a"}],
    }
    (event,) = read_table(written(tmp_path, ".jsonl", [raw]), kind="events")

    assert isinstance(event, Event)
    assert (event.event_id, event.items) == ("e", (Line(item_id="a"),))


def test_dirty_lines_are_refused_one_by_one(tmp_path: Path) -> None:
    """Ragged rows, bad bytes, bad values and a runaway quote: the good rows are all read."""
    good = b"u,a,5\n"
    bad = [b"u,a\n", b"u,a,-5\n", b"\xff,a,5\n", b",a,5\n", b'u,"' + b"x" * 140_000 + b'",5\n']
    path = tmp_path / "dirty.csv"
    path.write_bytes(b"user_id,item_id,price\n" + b"".join(good + line for line in bad) + good)
    nouns = list(read_table(path, kind="events", constants={"event": "view_item", "ts": TS}))
    refused = [noun for noun in nouns if isinstance(noun, Refusal)]

    assert [r.code for r in refused] == ["csv", "range", "unicode", "required", "csv"]
    assert sum(isinstance(noun, Event) for noun in nouns) == 6
    assert "line 3 has 2 cells; 3 are wanted" in refused[0].message
    assert json.loads(refused[1].body)["price"] == "-5"


def test_dirty_json_lines_are_refused_one_by_one(tmp_path: Path) -> None:
    """Broken, too long and too deep lines, and lines that are no object."""
    good = json.dumps({"item_id": "a"})
    long = json.dumps({"item_id": "x" * (files.LINE_CHARACTERS * 2)})
    lines = [good, "{", good, long, good, "[1]", "", "[" * 5_000, good]
    path = tmp_path / "dirty.jsonl"
    path.write_text("\n".join(lines))
    nouns = list(read_table(path, kind="items"))

    assert [n.code for n in nouns if isinstance(n, Refusal)] == [
        "json",
        "too_large",
        "type",
        "json",
    ]
    assert sum(isinstance(noun, Item) for noun in nouns) == 4


def test_a_row_without_a_time_is_refused_unless_one_is_given(tmp_path: Path) -> None:
    """Nothing is dated by the day of the import unasked."""
    path = written(tmp_path, ".csv")
    mapping = {"user_id": "user", "item_id": "sku"}
    undated = list(read_table(path, kind="events", mapping=mapping, constants=VIEWS))
    dated = list(read_table(path, kind="events", mapping=mapping, constants=VIEWS, now=TS))

    assert all(isinstance(n, Refusal) and n.pointer == "/ts" for n in undated)
    assert [n.ts for n in dated if isinstance(n, Event)] == [TS, TS]


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Parquet file comes in chunks, and they are all read, in order."""
    monkeypatch.setattr(files, "CHUNK_ROWS", 7)
    path = tmp_path / "many.parquet"
    pl.DataFrame({"item_id": [str(i) for i in range(50)]}).write_parquet(path, row_group_size=10)

    assert [i.item_id for i in read_table(path, kind="items") if isinstance(i, Item)] == [
        str(i) for i in range(50)
    ]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_missing_column_is_named(tmp_path: Path, suffix: str) -> None:
    """With the columns that there are."""
    path = written(tmp_path, suffix)
    with pytest.raises(InvalidInput, match=r"has no column 'usr'; it has user, sku, price"):
        list(read_table(path, kind="events", mapping={"user_id": "usr"}))


def test_an_unknown_format_is_named(tmp_path: Path) -> None:
    """With those that are known."""
    with pytest.raises(InvalidInput, match=r"log.xlsx is of no known format; known are .csv"):
        list(read_table(tmp_path / "log.xlsx", kind="events"))
