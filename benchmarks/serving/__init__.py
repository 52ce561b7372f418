"""How fast does one worker serve lists and take events? A real server, loaded from another process.

A shop of 100,000 items in 200 categories, some thousand shoppers with a past, and (``--train``) a
published snapshot. The server is ``equipoise.server.run.serve`` in a process of its own with the
log on disk (durability: power loss); the load comes from this process over loopback. The one number
is lists a second; the table has the rest, beside what the peers publish about themselves.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl
from msgspec import Struct

from benchmarks.serving import load, shop
from benchmarks.serving.load import Load, Request


class Settings(Struct, frozen=True, kw_only=True):
    """What is measured."""

    items: int = 100_000
    shoppers: int = 5_000
    n: int = 20
    connections: int = 32
    single_clients: int = 64
    batch: int = 100
    seconds: float = 10.0
    warm_up_s: float = 3.0
    train: bool = False
    seed: int = 1


BRIEF = Settings(items=5_000, shoppers=300, seconds=1.5, warm_up_s=1.0)

PEERS = (
    ("Metarank", "10-30 ms to re-rank; 1,000-3,000 events/s imported", "its documentation"),
    ("Amazon Personalize", "500 requests/s a campaign", "its quotas"),
    ("Azure Personalizer", "<= 50 actions a call", "its quotas; switched off in August 2026"),
    ("Segment", "some 1,000 requests/s a source", "its documentation"),
    ("Gorse", "lists are precomputed, for known users", "its documentation"),
    ("Litestar + uvicorn, an empty shop", "4,900-5,900 requests/s, p50 5.7, p99 12-17 ms",
     "500 numpy scores and 20 ids as JSON, the machine of the first measurement"),
)  # fmt: skip
"""Published by the peers themselves (last row: measured), never run here: no like for like."""


def run(settings: Settings, folder: Path) -> pl.DataFrame:
    """One row a measurement; ``folder`` becomes the shop's data directory."""
    shop.build(
        folder,
        items=settings.items,
        shoppers=settings.shoppers,
        train=settings.train,
        seed=settings.seed,
    )
    with shop.served(folder) as (host, port):
        rows = [
            load.measure(host, port, one, warm_up_s=settings.warm_up_s) for one in loads(settings)
        ]
    return pl.DataFrame(rows)


def loads(settings: Settings) -> Iterator[Load]:
    """What is sent. Every event has an id of its own, so none is a repetition."""
    lists = shop.Lists(settings.shoppers, settings.n, settings.seed)
    yield _load("lists, many connections", lists, settings.connections, 1, settings)
    yield _load("lists, one connection", lists, 1, 1, settings)
    half = settings.connections // 8 or 1
    yield _load("lists, few connections", lists, half, 1, settings)
    for name, size, connections in [
        ("events, in batches", settings.batch, settings.connections),
        ("events, one by one", 1, settings.single_clients),
    ]:
        events = shop.Events(settings.items, settings.shoppers, size, settings.seed)
        yield _load(name, events, connections, size, settings)


def score(rows: pl.DataFrame) -> float:
    """Lists a second over many connections."""
    found: float = rows.filter(pl.col("load") == "lists, many connections")["per_second"].item()
    return found


def main(arguments: list[str]) -> int:
    settings = _settings(arguments)
    with tempfile.TemporaryDirectory(prefix="equipoise-serving-") as folder:
        rows = run(settings, Path(folder))
    print(f"{os.cpu_count()} cores; {settings}\n")
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_width_chars=180):
        print(rows)
    print(f"\nscore: {score(rows):.0f} lists/s\n\nPublished by the peers, not run here:")
    for name, figure, source in PEERS:
        print(f"  {name}: {figure} ({source})")
    return 0 if rows["failed"].sum() == 0 else 1


def _load(name: str, make: Request, connections: int, events: int, settings: Settings) -> Load:
    return Load(
        name=name,
        make=make,
        connections=connections,
        units=events,
        seconds=settings.seconds,
    )


def _settings(arguments: list[str]) -> Settings:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving", description=__doc__)
    parser.add_argument("--brief", action="store_true", help="small counts, to see that it runs")
    for name, value in msgspec.structs.asdict(Settings()).items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            parser.add_argument(flag, action="store_true", default=None)
        else:
            parser.add_argument(flag, type=type(value), help=f"default {value}")
    given = vars(parser.parse_args(arguments))
    base = BRIEF if given.pop("brief") else Settings()
    chosen = {name: value for name, value in given.items() if value is not None}
    return msgspec.structs.replace(base, **chosen)
