"""How many events a second become durable?

``python -m benchmarks ingest [--quick] [--folder DIR] [--csv FILE]``

*Environment*: one writer on this machine's disk; events of some 450 bytes (350 of JSON, a key, a
shopper among 20,000, one id), all of them new.

*Settings*: how many events share a commit, and what stands below: a bare file and a bare SQLite
table (what the machine can do), a table with the two text indexes that finding nouns and shoppers
would ordinarily take, and ``SQLiteLog``: from empty, with a million ids already known, with
``durability="process"``, and behind ``GroupCommit`` with 64 clients who send one at a time.

*Score*: events per second of ``SQLiteLog`` from empty, power-loss, 100 a commit. Beside it the
bytes written for an event (at 100 a commit, checkpoints included), which no neighbour disturbs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import apsw
import polars as pl

from equipoise.clock import elapsed
from equipoise.log import database
from equipoise.log.group import GroupCommit
from equipoise.log.rows import digest
from equipoise.log.sqlite import SQLiteLog, sqlite_version
from equipoise.randomness import derive
from equipoise.types import Kind, Record

EVENTS = {1: 2_000, 100: 60_000, 1_000: 100_000}
"""Per commit → how many in all."""
ROUNDS = 3
CLIENTS = 64
KNOWN = 1_000_000
LOG = "SQLiteLog"

Append = Callable[[Sequence[Record]], object]
Store = Callable[[Path, ExitStack], Append]


def events(count: int) -> list[Record]:
    rng = derive(0, "benchmarks.ingest")
    shoppers = rng.integers(0, 20_000, count).tolist()
    tails = rng.integers(0, 2**60, count).tolist()
    names = [f"{number:x}-{tail:015x}" for number, tail in enumerate(tails)]
    return [
        Record(
            kind=Kind.EVENT,
            key=name,
            arrived=1_700_000_000_000 + number,
            body=b'{"event":"view_item","filling":"' + b"x" * 318 + b'"}',
            shopper=f"shopper-{shopper:012}",
            ids=(f"event:{name}",),
        )
        for number, (name, shopper) in enumerate(zip(names, shoppers, strict=True))
    ]


# ---------------------------------------------------------------- what is measured


def bare_file(folder: Path, stack: ExitStack) -> Append:
    file = stack.enter_context((folder / "events").open("ab", buffering=0))

    def append(records: Sequence[Record]) -> None:
        file.write(b"".join(record.body for record in records))
        os.fdatasync(file.fileno())

    return append


def bare_table(folder: Path, stack: ExitStack) -> Append:
    return _table(folder, stack, indexes=())


def text_indexes(folder: Path, stack: ExitStack) -> Append:
    """Ids as text too, and unique: the ordinary way to keep the same promises."""
    return _table(
        folder,
        stack,
        indexes=(
            "CREATE UNIQUE INDEX by_id ON records (id)",
            "CREATE INDEX by_key ON records (kind, key)",
            "CREATE INDEX by_shopper ON records (shopper)",
        ),
    )


def _table(folder: Path, stack: ExitStack, indexes: Sequence[str]) -> Append:
    connection = stack.enter_context(closing(apsw.Connection(str(folder / "table"))))
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("cache_size", -65_536)
    connection.execute(
        "CREATE TABLE records (seq INTEGER PRIMARY KEY, kind, key, shopper, t, b, id)"
    )
    for index in indexes:
        connection.execute(index)

    def append(records: Sequence[Record]) -> None:
        rows = [(r.kind, r.key, r.shopper, r.arrived, r.body, r.ids[0]) for r in records]
        with connection:
            connection.executemany(
                "INSERT INTO records (kind, key, shopper, t, b, id) VALUES (?, ?, ?, ?, ?, ?)", rows
            )

    return append


def log_of(durability: str) -> Store:
    def store(folder: Path, stack: ExitStack) -> Append:
        return stack.enter_context(SQLiteLog(folder, durability=durability)).append

    return store


def log_that_knows(folder: Path, stack: ExitStack) -> Append:
    SQLiteLog(folder).close()
    connection = database.writer(folder / "log.sqlite", synchronous="off")
    met = sorted(digest(f"met:{number}") for number in range(KNOWN))
    with closing(connection), connection:
        connection.executemany("INSERT INTO ids VALUES (?, 1)", ((one,) for one in met))
    return stack.enter_context(SQLiteLog(folder)).append


STORES: dict[str, Store] = {
    "a bare file": bare_file,
    "a bare SQLite table": bare_table,
    "a table with text indexes": text_indexes,
    LOG: log_of("power-loss"),
    f"{LOG}, {KNOWN // 1_000_000} M ids known": log_that_knows,
    f'{LOG}, durability="process"': log_of("process"),
}


# ---------------------------------------------------------------- measuring


def rate(
    store: Store, per_commit: int, records: Sequence[Record], place: Path
) -> tuple[float, float]:
    """Events a second, from the first append to the return of the last, and bytes an event."""
    with tempfile.TemporaryDirectory(dir=place) as folder, ExitStack() as stack:
        append = store(Path(folder), stack)
        before, start = written(), elapsed()
        for first in range(0, len(records), per_commit):
            append(records[first : first + per_commit])
        took = elapsed() - start
        return len(records) / took, (written() - before) / len(records)


def written() -> int:
    """Bytes this process has handed to the system so far (Linux)."""
    counters = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counters["wchar"])


async def _clients(log: SQLiteLog, records: Sequence[Record]) -> float:
    group = GroupCommit(log, lambda stored: None)
    queue = iter(records)

    async def client() -> None:
        for record in queue:
            await group.submit([record])

    start = elapsed()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    took = elapsed() - start
    await group.close()
    return len(records) / took


def group_rate(records: Sequence[Record], place: Path) -> float:
    with tempfile.TemporaryDirectory(dir=place) as folder, SQLiteLog(Path(folder)) as log:
        return asyncio.run(_clients(log, records))


def measure(place: Path, share: float) -> Iterator[dict[str, object]]:
    """One row a store and size: the median of rounds that take turns, so noise falls on all."""
    for per_commit, count in EVENTS.items():
        records = events(int(count * share))
        rates: dict[str, list[tuple[float, float]]] = {name: [] for name in STORES}
        for _ in range(ROUNDS):
            for name, store in STORES.items():
                rates[name].append(rate(store, per_commit, records, place))
        for name, measured in rates.items():
            yield _row(name, str(per_commit), measured)
    records = events(int(20_000 * share))
    measured = [(group_rate(records, place), 0.0) for _ in range(ROUNDS)]
    yield _row(f"{LOG} behind GroupCommit", f"{CLIENTS} clients", measured)


def _row(name: str, commit: str, measured: list[tuple[float, float]]) -> dict[str, object]:
    rates, sizes = zip(*measured, strict=True)
    return {
        "store": name,
        "a commit": commit,
        "events/s": round(statistics.median(rates)),
        "bytes/event": round(statistics.median(sizes)),
    }


def score(df: pl.DataFrame) -> float:
    """Events a second of the log, power-loss, 100 a commit."""
    of_log = df.filter((pl.col("store") == LOG) & (pl.col("a commit") == "100"))
    return float(of_log["events/s"].item())


def table(df: pl.DataFrame) -> str:
    wide = df.pivot(on="a commit", index="store", values="events/s")
    sizes = df.filter(pl.col("a commit") == "100").select("store", "bytes/event")
    wide = wide.join(sizes, on="store", how="left", maintain_order="left")
    head = f"{'events/s, by events a commit':34}" + "".join(f"{c:>12}" for c in wide.columns[1:])
    lines = [
        f"{store:34}" + "".join(f"{n:>12,}" if n else " " * 12 for n in figures)
        for store, *figures in wide.iter_rows()
    ]
    return "\n".join([head, *lines])


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks ingest")
    parser.add_argument("--quick", action="store_true", help="a tenth of the events")
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; default: here")
    parser.add_argument("--csv", type=Path, help="write the rows there")
    options = parser.parse_args(argv)
    df = pl.DataFrame(list(measure(options.folder or Path(), 0.1 if options.quick else 1.0)))
    if options.csv:
        df.write_csv(options.csv)
    print(f"SQLite {sqlite_version()}, {os.cpu_count()} cores, median of {ROUNDS}")
    print(table(df))
    print(f"score: {score(df):,.0f} events/s durable, 100 a commit")
    return 0
