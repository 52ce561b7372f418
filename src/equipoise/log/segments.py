"""Sealed segments: whole UTC days of the log as Parquet, readable by anything, checked by SHA-256.

A segment holds records of one day (by ``arrived``) in order of seq. The clock may jump, so seq
ranges of segments may overlap each other and what is still in the database: readers merge by seq
(``in_order``). A day that is large, or that grows after it was sealed, is several files; the name
is the day and the first seq. The manifest (table ``segments``) is the truth: a file it does not
list is not part of the log.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import heapify, heappop, heapreplace
from io import BytesIO
from pathlib import Path

import apsw
import numpy as np
import polars as pl

from equipoise.clock import DAY, rfc3339
from equipoise.errors import LogCorrupt
from equipoise.log.database import rows, sync_folder
from equipoise.log.rows import Wanted, digest, stored
from equipoise.types import Stored

PART_RECORDS = 50_000
PART_BYTES = 64 * 1024 * 1024
"""A segment ends at whichever comes first: what a reader holds in memory is bounded by it."""

ROW_GROUP = 10_000

SCHEMA = {
    "seq": pl.Int64,
    "kind": pl.String,
    "key": pl.String,
    "shopper": pl.String,
    "arrived": pl.Int64,
    "body": pl.String,
    "raw": pl.Binary,
}
"""``raw`` holds a body that is not UTF-8 (no noun's is); ``body`` is then null."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One line of the manifest."""

    name: str
    first: int
    last: int
    records: int
    sha256: str
    shoppers: bytes = b""
    """Sorted uint32 hashes of the shoppers within: says for certain who is *not* in it."""

    def names(self, shopper: str) -> bool:
        """False: no record of this shopper is here. True: there may be."""
        hashes = np.frombuffer(self.shoppers, np.uint32)
        wanted = _hash(shopper)
        place = int(np.searchsorted(hashes, wanted))
        return place < len(hashes) and hashes[place] == wanted

    def verified(self, folder: Path) -> bytes:
        """The file's bytes; LogCorrupt naming the file if they are gone or not what was sealed."""
        path = folder / self.name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise LogCorrupt(f"{path}: this sealed segment is missing") from None
        if sha256(content).hexdigest() != self.sha256:
            raise LogCorrupt(f"{path}: SHA-256 differs from the manifest: not what was sealed")
        return content

    def read(self, folder: Path, after: int, wanted: Wanted) -> Iterator[Stored]:
        """What is wanted with ``seq > after``, in order. Opens the file when first asked."""
        table = pl.scan_parquet(BytesIO(self.verified(folder))).filter(pl.col("seq") > after)
        if wanted.kinds:
            table = table.filter(pl.col("kind").is_in(wanted.kinds))
        if wanted.shopper is not None:
            table = table.filter(pl.col("shopper") == wanted.shopper)
        yield from _records(table.collect())

    def at(self, folder: Path, seq: int) -> Stored | None:
        """The record with this seq, if it is here."""
        table = pl.scan_parquet(BytesIO(self.verified(folder))).filter(pl.col("seq") == seq)
        return next(_records(table.collect()), None)


def _records(table: pl.DataFrame) -> Iterator[Stored]:
    for seq, kind, key, shopper, arrived, body, raw in table.iter_rows():
        yield stored((seq, kind, key, shopper, arrived, raw if body is None else body.encode()))


def _hash(shopper: str) -> int:
    return int.from_bytes(digest(shopper)[:4], "little")


def in_order(sources: Iterable[tuple[int, Iterator[Stored]]]) -> Iterator[Stored]:
    """Merge by seq. Each source comes with a lower bound of its first seq and is not started before
    that.

    So of many segments that follow one another a single one is in memory at a time.
    """
    heap: list[tuple[int, int, Stored | None, Iterator[Stored]]] = [
        (first, place, None, source) for place, (first, source) in enumerate(sources)
    ]
    heapify(heap)
    while heap:
        _, place, head, source = heap[0]
        if head is not None:
            yield head
        following = next(source, None)
        if following is None:
            heappop(heap)
        else:
            heapreplace(heap, (following.seq, place, following, source))


def part(records: Iterable[Stored]) -> Iterator[list[Stored]]:
    """Cut records into lists of bounded length and size."""
    piece: list[Stored] = []
    size = 0
    for record in records:
        piece.append(record)
        size += len(record.record.body)
        if len(piece) >= PART_RECORDS or size >= PART_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def write(folder: Path, day: int, records: Sequence[Stored]) -> Segment:
    """Write one segment: temporary file, fsync, rename, fsync of the folder, and read it back.

    Nothing refers to the file yet; the caller records it and removes the rows in one transaction.
    Raises LogCorrupt if what is read back differs from what was to be written.
    """
    table = _table(records)
    content = BytesIO()
    table.write_parquet(content, compression="zstd", row_group_size=ROW_GROUP)
    name = f"{rfc3339(day * DAY)[:10]}.{records[0].seq:012d}.parquet"
    _publish(folder / name, content.getvalue())
    segment = Segment(
        name=name,
        first=records[0].seq,
        last=records[-1].seq,
        records=len(records),
        sha256=sha256(content.getvalue()).hexdigest(),
        shoppers=_shoppers(records),
    )
    if not pl.read_parquet(BytesIO(segment.verified(folder))).equals(table):
        raise LogCorrupt(f"{folder / name}: does not read back as written; no record was removed")
    return segment


def _table(records: Sequence[Stored]) -> pl.DataFrame:
    nouns = [stored.record for stored in records]
    texts = [_text(noun.body) for noun in nouns]
    columns = {
        "seq": [stored.seq for stored in records],
        "kind": [str(noun.kind) for noun in nouns],
        "key": [noun.key for noun in nouns],
        "shopper": [noun.shopper for noun in nouns],
        "arrived": [noun.arrived for noun in nouns],
        "body": texts,
        "raw": [n.body if text is None else None for n, text in zip(nouns, texts, strict=True)],
    }
    return pl.DataFrame(columns, schema=SCHEMA)


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _shoppers(records: Sequence[Stored]) -> bytes:
    names = {stored.record.shopper for stored in records} - {""}
    return np.sort(np.array([_hash(name) for name in names], np.uint32)).tobytes()


def _publish(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".tmp")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


# ---------------------------------------------------------------- the manifest


def shelf(connection: apsw.Connection, after: int, shopper: str | None = None) -> list[Segment]:
    """The segments with records beyond ``after`` (that may name ``shopper``)."""
    column = "shoppers" if shopper is not None else "x''"
    found = rows(
        connection,
        f"SELECT name, first, last, records, sha256, {column} FROM segments WHERE last > ?",
        after,
    )
    segments = [Segment(*row) for row in found]
    return segments if shopper is None else [s for s in segments if s.names(shopper)]


def count(connection: apsw.Connection) -> int:
    """How many segments there are: changes whenever rows have moved out of the database."""
    return int(rows(connection, "SELECT count(*) FROM segments")[0][0])


def sweep(connection: apsw.Connection, folder: Path) -> None:
    """Remove what a seal left that was cut off: drafts, and files all of whose records still stand.

    Any other file that the manifest does not list is left alone: it may be all that remains of
    something.
    """
    for draft in folder.glob("*.tmp"):
        draft.unlink()
    for stray in strays(connection, folder):
        if _still_stands(connection, stray):
            stray.unlink()


def strays(connection: apsw.Connection, folder: Path) -> list[Path]:
    """Segments that the manifest does not list."""
    listed = {segment.name for segment in shelf(connection, 0)}
    return sorted(path for path in folder.glob("*.parquet") if path.name not in listed)


def _still_stands(connection: apsw.Connection, path: Path) -> bool:
    try:
        seqs = pl.read_parquet(path, columns=["seq"])["seq"].to_list()
    except (pl.exceptions.PolarsError, OSError):
        return False
    query = "SELECT 1 FROM records WHERE seq = ?"
    return all(rows(connection, query, seq) for seq in seqs)


def register(connection: apsw.Connection, segment: Segment, day: int) -> None:
    """Record a segment and remove its rows; within the caller's transaction."""
    connection.execute(
        "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)",
        (
            segment.name,
            segment.first,
            segment.last,
            segment.records,
            segment.sha256,
            segment.shoppers,
        ),
    )
    connection.execute(
        "DELETE FROM records WHERE seq BETWEEN ? AND ? AND arrived >= ? AND arrived < ?",
        (segment.first, segment.last, day * DAY, (day + 1) * DAY),
    )
    if connection.changes() != segment.records:
        raise LogCorrupt(
            f"{segment.name}: {segment.records} records were sealed but {connection.changes()} "
            "stand in the database; nothing was removed"
        )
