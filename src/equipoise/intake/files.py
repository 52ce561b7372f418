"""Tables of CSV, JSONL and Parquet → nouns, row by row, in bounded memory.

The event id of a row that has none is made from the file's name, the row's number and its content:
importing a file again, or a longer version of it, adds nothing twice. (A renamed file is another.)
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias

import polars as pl

from equipoise.errors import InvalidInput
from equipoise.intake import fields
from equipoise.intake.canonical import EVENT_BYTES, Refusal, read_event
from equipoise.intake.catalogue import read_item
from equipoise.types import Event, Item

TableKind: TypeAlias = Literal["events", "items", "ratings"]

CHUNK_ROWS = 50_000
"""Rows of a Parquet file that are in memory at once."""
LINE_CHARACTERS = 8 * EVENT_BYTES
LISTS = ("categories", "images", "tags", "embedding")
"""Fields of an item that a flat cell holds several of."""
ON_THE_LINE = ("item_id", "quantity", "price", "index", "token")
"""Fields of an event's one line, where a flat row has no ``items``."""

_Row: TypeAlias = dict[str, Any] | InvalidInput


def read_table(
    path: str | Path,
    *,
    kind: TableKind,
    mapping: Mapping[str, str] | None = None,
    constants: Mapping[str, Any] | None = None,
    now: int | None = None,
    separator: str | None = None,
    list_separator: str = "|",
) -> Iterator[Event | Item | Refusal]:
    """The rows of a file as nouns, or as refusals that keep the row and say why.

    ``mapping`` is {our field: their column}; other columns keep their names, and those that we do
    not know are kept in ``attributes``. ``constants`` are fields that all rows share, such as
    ``{"event": "view_item"}``. ``now`` dates events without a time; without it they are refused.
    ``separator`` is that of a CSV (by default a comma, a tab for ``.tsv``), ``list_separator`` that
    of lists in one cell. Empty cells are absent.

    A row of *events* is one event; item_id, quantity, price, index and token are its one line,
    unless it has ``items``. A row of *ratings* (user_id, item_id, rating, and perhaps ts) becomes
    the event ``review`` with ``attributes.rating``. A row of *items* is an item.

    InvalidInput if the file is of no known format or lacks a mapped column.
    """
    path = Path(path)
    rename = {theirs: ours for ours, theirs in (mapping or {}).items()}
    read_row = _readers(path.name, now, list_separator)[kind]
    for number, row in enumerate(_rows(path, separator, rename)):
        try:
            if isinstance(row, InvalidInput):
                raise row
            named = {rename.get(name, name): value for name, value in row.items()}
            yield read_row(_plainly({**(constants or {}), **named}), number)
        except InvalidInput as error:
            body = b"" if isinstance(row, InvalidInput) else _bytes(row)
            yield Refusal(number, None, error.code, error.pointer, error.message, body)


def _readers(
    source: str, now: int | None, list_separator: str
) -> dict[TableKind, Callable[[dict[str, Any], int], Event | Item]]:
    def event(row: dict[str, Any], number: int) -> Event:
        row.setdefault("event_id", _row_id(source, number, row))
        if now is None:
            fields.required(row, "ts", "", "map the column that tells when it happened")
        return read_event(_nested(row), now=now or 0)

    def rating(row: dict[str, Any], number: int) -> Event:
        stars = fields.number(row.get("rating"), "/rating")
        return event({**row, "event": "review", "rating": stars}, number)

    def item(row: dict[str, Any], number: int) -> Item:
        return read_item(_with_lists(row, list_separator))

    return {"events": event, "ratings": rating, "items": item}


def _plainly(row: dict[str, Any]) -> dict[str, Any]:
    """A file's types as JSON has them: times as text, decimals as numbers, numeric ids as text."""
    for name, value in row.items():
        if isinstance(value, date):
            row[name] = value.isoformat()
        elif isinstance(value, Decimal):
            row[name] = float(value)
        elif type(value) is int and name.endswith("_id"):
            row[name] = str(value)
    return row


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    if "items" in row:
        return row
    line = {name: row.pop(name) for name in ON_THE_LINE if name in row}
    return {**row, "items": [line]} if line else row


def _with_lists(row: dict[str, Any], separator: str) -> dict[str, Any]:
    for name in LISTS:
        if isinstance(row.get(name), str):
            row[name] = [part for part in map(str.strip, row[name].split(separator)) if part]
    return row


def _row_id(source: str, number: int, row: dict[str, Any]) -> str:
    said = _bytes([source, number, row])
    return "row-" + hashlib.blake2b(said, digest_size=16).hexdigest()


def _bytes(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()


# ---------------------------------------------------------------- formats


def _rows(path: Path, separator: str | None, rename: Mapping[str, str]) -> Iterator[_Row]:
    match path.suffix.lower():
        case ".csv" | ".tsv" | ".txt" as suffix:
            return _csv_rows(path, separator or ("\t" if suffix == ".tsv" else ","), rename)
        case ".jsonl" | ".ndjson":
            return _json_rows(path)
        case ".parquet":
            return _parquet_rows(path, rename)
    raise InvalidInput(
        f"{path.name} is of no known format; known are .csv, .tsv, .jsonl, .ndjson, .parquet",
        code="format",
    )


def _csv_rows(path: Path, separator: str, rename: Mapping[str, str]) -> Iterator[_Row]:
    # Not polars: one ragged line must be refused with its number, not end the file.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        table = csv.reader(lines, delimiter=separator)
        header = next(table, [])
        _check_columns(path, header, rename)
        while True:
            try:
                cells = next(table)
            except StopIteration:
                return
            except csv.Error as error:
                yield InvalidInput(f"line {table.line_num} is no CSV: {error}", code="csv")
                continue
            if cells:
                yield _csv_row(header, cells, table.line_num)


def _csv_row(header: list[str], cells: list[str], line: int) -> _Row:
    if len(cells) != len(header):
        return InvalidInput(
            f"line {line} has {len(cells)} cells; {len(header)} are wanted", code="csv"
        )
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}


def _json_rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
        while line := lines.readline(LINE_CHARACTERS):
            if len(line) == LINE_CHARACTERS and not line.endswith("\n"):
                _skip_line(lines)
                yield InvalidInput(
                    f"a line has more than {LINE_CHARACTERS} characters", code="too_large"
                )
            elif line.strip():
                yield _json_row(line)


def _skip_line(lines: Any) -> None:
    while (rest := lines.readline(LINE_CHARACTERS)) and not rest.endswith("\n"):
        pass


def _json_row(line: str) -> _Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return InvalidInput(f"no JSON: {error}", code="json")
    if not isinstance(row, dict):
        return InvalidInput(f"{fields.shown(row)} is no JSON object", code="type")
    return {name: value for name, value in row.items() if value is not None}


def _parquet_rows(path: Path, rename: Mapping[str, str]) -> Iterator[_Row]:
    frame = pl.scan_parquet(path)
    _check_columns(path, frame.collect_schema().names(), rename)
    for chunk in frame.collect_batches(chunk_size=CHUNK_ROWS, maintain_order=True):
        for row in chunk.iter_rows(named=True):
            yield {name: value for name, value in row.items() if value is not None}


def _check_columns(path: Path, header: list[str], rename: Mapping[str, str]) -> None:
    missing = [theirs for theirs in rename if theirs not in header]
    if missing:
        known = ", ".join(islice(header, 40))
        raise InvalidInput(
            f"{path.name} has no column {missing[0]!r}; it has {known}",
            code="missing",
            pointer=fields.at("", missing[0]),
        )
