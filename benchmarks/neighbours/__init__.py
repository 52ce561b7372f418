"""How long does it take to find every item's nearest items, beside others who do the same?

``python -m benchmarks neighbours [--sets gowalla kgat-amazon-book] [--k 20 100 500] [--threads 1 2]
[--rounds 5] [--json]``

*Environment*: Gowalla (810,128 pairs of 29,858 users and 40,981 items, LightGCN's split) and
Amazon-book (652,514 pairs of 70,679 users and 24,915 books, KGAT's split), training parts, found by
``equipoise.intake.data_sets.locate``. Peers in an environment of their own, made on first use:
implicit 0.7.3 and sparse_dot_topn 1.2.0.

*Settings*: cosine, and BM25 where there is one, equal k, equal threads. The peers count an item
among its own nearest, so they are asked for k + 1. Every fit is one in a process of its own, after
a fit of a small matrix; contestants take turns. What is timed is at our expense: ``ItemKNN.fit``
from a table of rows to a model that can answer; implicit's ``fit`` from a matrix of users and
items; of sparse_dot_topn the product alone, its two matrices normalised and turned before.

*Score*: the fastest peer's median seconds over ours, for the same weighting (sparse_dot_topn's
cosine stands against both: any weighting costs it the same); asked: 1 or more everywhere. Beside it
the core seconds, which other work on the machine disturbs less, and the memory that the fit added
at its peak. All must find the same: with cosine, the sums of the similarities found agree within
one in 10,000.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from benchmarks.neighbours import peers
from equipoise.data import Interactions, readers
from equipoise.intake.data_sets import locate

TRAINING = {"gowalla": "lightgcn_train.txt", "kgat-amazon-book": "train.txt"}
CONTESTANTS = (
    ("ours", "cosine"),
    ("implicit", "cosine"),
    ("sparse_dot_topn", "cosine"),
    ("ours", "bm25"),
    ("implicit", "bm25"),
)
SAME = 1e-4
"""Relative difference of the sums of similarities."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks neighbours")
    parser.add_argument("--sets", nargs="+", choices=TRAINING, default=list(TRAINING))
    parser.add_argument("--k", nargs="+", type=int, default=[20, 100, 500])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in settings.sets:
            matrix = Path(folder) / f"{name}.npz"
            save(readers.adjacency(locate(name) / TRAINING[name]), matrix)
            for k in settings.k:
                for threads in settings.threads:
                    found = contest(matrix, k, threads, settings.rounds)
                    rows += [{"set": name, "k": k, "threads": threads} | row for row in found]
    print(json.dumps(rows, indent=1)) if settings.json else show(rows)
    return 0 if all(row["ratio"] is None or row["ratio"] >= 1 for row in rows) else 1


def save(interactions: Interactions, path: Path) -> None:
    """The pairs, as a CSR of users and items."""
    users = interactions.matrix(binary=True)
    np.savez(path, indptr=users.indptr, indices=users.indices, shape=users.shape)


def contest(matrix: Path, k: int, threads: int, rounds: int) -> list[dict[str, Any]]:
    """One row a contestant; ``ratio`` stands in ours."""
    runs = defaultdict(list)
    for _ in range(rounds):
        for contestant in CONTESTANTS:
            runs[contestant].append(fit(matrix, *contestant, k, threads))
    seconds, cores = (
        {name: median(run[clock] for run in found) for name, found in runs.items()}
        for clock in ("seconds", "core_seconds")
    )
    check({name: runs[name, "cosine"][0]["sum"] for name, way in runs if way == "cosine"})
    return [
        {
            "weighting": weighting,
            "library": library,
            "seconds": seconds[library, weighting],
            "core seconds": cores[library, weighting],
            "MB": median(run["megabytes"] for run in runs[library, weighting]),
            "ratio": ratio(seconds, weighting) if library == "ours" else None,
        }
        for library, weighting in CONTESTANTS
    ]


def ratio(seconds: dict[tuple[str, str], float], weighting: str) -> float:
    """The fastest peer's seconds over ours."""
    rivals = (("implicit", weighting), ("sparse_dot_topn", "cosine"))
    return min(seconds[rival] for rival in rivals) / seconds["ours", weighting]


def check(sums: dict[str, float]) -> None:
    """Raises RuntimeError where a contestant found other neighbours than we did."""
    for library, total in sums.items():
        if abs(total / sums["ours"] - 1) > SAME:
            raise RuntimeError(f"similarities sum to {sums['ours']}, {library}'s to {total}")


def fit(matrix: Path, library: str, weighting: str, k: int, threads: int) -> dict[str, float]:
    """One fit in a process of its own: seconds, megabytes, sum of similarities."""
    script = Path(__file__).parent / "contestant.py"
    command = [peers.python(library), str(script), str(matrix), library, weighting]
    alone = {**os.environ, **dict.fromkeys(peers.THREADS, str(threads))}
    answer = subprocess.run(
        [*command, str(k), str(threads)], capture_output=True, text=True, check=False, env=alone
    )
    if answer.returncode:
        raise RuntimeError(f"{library} failed: {answer.stderr[-1000:]}")
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def show(rows: list[dict[str, Any]]) -> None:
    grid = Grid(title="Nearest items of every item", title_justify="left")
    for column in rows[0]:
        grid.add_column(column, justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        ours = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        told = {name: f"{row[name]:.3f}" for name in ("seconds", "core seconds")}
        told |= {"MB": f"{row['MB']:.0f}", "ratio": ours}
        grid.add_row(*(str(value) for value in (row | told).values()))
    Console(width=120).print(grid)
