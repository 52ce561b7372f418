"""How long does one list take, from all items, exact and approximate?

``python -m benchmarks latency [search] [recommend] [--items 100000 1000000] [--factors 64 128]
[--vectors random learned] [--only NAME ...] [--without NAME ...] [--quick] [--json]``

*Environment*: ``search``: the 100 largest inner products with one vector among so many (see
``vectors.py``: random ones, and those of ``ImplicitALS`` on Gowalla, bred to the number wanted);
``recommend``: whole answers of ItemKNN, EASE and ALS over 100,000 items. Every contender has a
process of its own, the peers also a virtual environment of their own; one thread each.

*Settings*: ours exact, and with ``recall=0.99``. implicit's own ``topk``; faiss Flat, SQ8 and IVF
(√I lists); hnswlib and usearch with M 16 and 200 in building. Approximate peers take the fastest
setting of a ladder (``worker.py``) that reaches a recall of .99 on fifty of the queries, or else
the last one. A mask of 0, 50 or 99 % of the items where the library takes one.

*Score*: milliseconds at the 50th and 99th percentile of 200 lists, by the clock and (on a machine
that does other things, the one to read) of the processor, beside recall, the seconds to build and
the resident megabytes that building added beside the vectors. Asked, exact: at most 4 ms for
1,000,000 × 64 random vectors and .4 for 100,000; approximate: a recall of .99 within 1 ms for
1,000,000 learned ones.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Grid

from benchmarks.exploration.referees import THREADS, Referee
from benchmarks.latency import recommend, vectors
from benchmarks.latency.worker import CONTENDERS

WORKER = Path(__file__).with_name("worker.py")
SOURCES = Path(__file__).parents[2] / "src"
PEERS = {
    name: Referee(name, (release,), ("numpy",))
    for name, release in {
        "implicit": "implicit==0.7.3",
        "faiss": "faiss-cpu==1.15.1",
        "hnswlib": "hnswlib==0.8.0",
        "usearch": "usearch==2.26.6",
    }.items()
}
GRAPHS = ("hnswlib", "usearch")
"""Minutes to build; ``--quick`` leaves them out."""
MASKS = (0.0, 0.5, 0.99)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks latency")
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="search, recommend")
    parser.add_argument("--items", nargs="+", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--factors", nargs="+", type=int, default=[64, 128])
    parser.add_argument("--vectors", nargs="+", choices=vectors.KINDS, default=[*vectors.KINDS])
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=[*CONTENDERS])
    parser.add_argument("--without", nargs="+", choices=CONTENDERS, default=[])
    parser.add_argument("--quick", action="store_true", help="small, and no graphs")
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args(arguments)
    unknown = set(settings.tables) - {"search", "recommend"}
    if unknown:
        parser.error(f"no table {', '.join(unknown)}; there are search and recommend")
    tables = settings.tables or ["search", "recommend"]
    if "search" in tables:
        for title, rows in searches(settings):
            show(title, rows, settings.json)
    if "recommend" in tables:
        show("recommend(history, 20), ms", recommend.rows(settings.quick), settings.json)
    return 0


def searches(settings: argparse.Namespace) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A title and one row a contender and mask for each set of vectors."""
    sizes = [10_000] if settings.quick else settings.items
    left_out = {*settings.without, *(GRAPHS if settings.quick else ())}
    for items in sizes:
        for d in settings.factors[:1] if settings.quick else settings.factors:
            for kind in settings.vectors:
                path = vectors.kept(kind, items, d)
                names = [name for name in settings.only if name not in left_out]
                rows = [row for name in names for row in _search(name, path)]
                yield f"best 100 of {items:,} × {d}, {kind}, ms", rows


def _search(name: str, path: Path) -> list[dict[str, Any]]:
    """What the worker says; no row, and a word on standard error, where a peer does not install."""
    peer = PEERS.get(name.split()[0].strip(","))
    try:
        python = peer.python() if peer else sys.executable
    except RuntimeError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        return []
    job = json.dumps({"vectors": str(path), "contender": name, "masks": MASKS})
    surroundings = {**os.environ, **dict.fromkeys(THREADS, "1"), "PYTHONPATH": str(SOURCES)}
    done = subprocess.run(
        [python, str(WORKER), job], env=surroundings, stdout=subprocess.PIPE, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def show(title: str, rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({title: rows}, indent=1))
        return
    grid = Grid(title=title, title_justify="left")
    for column, value in rows[0].items():
        grid.add_column(column, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        grid.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=120).print(grid)
