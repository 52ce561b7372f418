"""How fast are the linear item models, and how near to what the machine can do?

``python -m benchmarks linear [--quick] [--threads N] [--csv FILE]``

*Environment*: generated histories of 4·n users and n items, some 40 items each, popularity falling
as 1 / rank^0.8, on eight tastes. Each fit is a process of its own, on one core unless ``--threads``
says otherwise; irspack 0.5.2 and scikit-learn in a virtual environment that is made on first use.

*Settings*: EASE (λ 500) at n = 3,000, 6,000 and 12,000 in float32 and float64, whole and from 200
neighbours, against numpy's ``inv`` of the same matrix and irspack's ``DenseSLIMRecommender``. SLIM
(alpha .02, l1_ratio .01, from all items, same tolerance) at n = 3,000 against irspack's
``SLIMRecommender`` and scikit-learn's ``ElasticNet`` column by column, of which a fortieth is
fitted and the seconds are multiplied.

*Score*: core seconds of EASE in float32 at the largest n, over those of n³ operations at the rate
of a float32 matrix product in the same process (aim: at most 2); core seconds because neighbours on
the machine do not count in them. Beside it the memory held at most beyond that before the fit, and
how far scores of fifty histories are from those of the first row, relative to the largest.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.linear.peers import EASE_BY, SLIM_BY, Fit, run
from equipoise.randomness import derive

SIZES = (3_000, 6_000, 12_000)
SLIM_ITEMS = 3_000
TASTES, MEAN_LENGTH, FALL = 8, 40, 0.8
AIM = 2.0
OURS = "equipoise float32"


def histories(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Users and items of the pairs, each pair once."""
    rng = derive(0, "benchmarks.linear", str(n))
    users = 4 * n
    user = np.repeat(np.arange(users), rng.poisson(MEAN_LENGTH, users))
    chance = np.arange(1, n // TASTES + 1) ** -FALL
    rank = rng.choice(n // TASTES, len(user), p=chance / chance.sum())
    slip = rng.random(len(user)) < 0.2
    taste = np.where(slip, rng.integers(0, TASTES, len(user)), user % TASTES)
    pairs = np.unique(user * n + rank * TASTES + taste)
    return pairs // n, pairs % n


def measure(sizes: Sequence[int], slim_items: int, threads: int) -> Iterator[dict[str, object]]:
    """One row a fit."""
    with tempfile.TemporaryDirectory() as name:
        for n in sizes:
            yield from _fits("EASE", EASE_BY, n, threads, Path(name))
        yield from _fits("SLIM", SLIM_BY, slim_items, threads, Path(name))


def _fits(
    method: str, fits: Sequence[Fit], n: int, threads: int, folder: Path
) -> Iterator[dict[str, object]]:
    log = folder / f"{n}.npz"
    user, item = histories(n)
    np.savez(log, user=user, item=item, shape=(4 * n, n))
    reference = None
    for fit in fits:
        outcome, scores = run(fit, log, threads)
        reference = scores if reference is None else reference
        error = np.nanmax(np.abs(scores - reference)) / np.abs(reference).max()
        yield {"method": method, "n": n, "by": fit.label, **outcome, "error": float(error)}
        print(".", end="", flush=True)


def score(df: pl.DataFrame) -> float:
    """Seconds over the bound's, EASE in float32 at the largest n."""
    ours = df.filter((pl.col("method") == "EASE") & (pl.col("by") == OURS)).sort("n")
    return float(ours["times the bound"][-1])


def table(df: pl.DataFrame) -> str:
    head = (
        f"{'method':<7}{'n':>7}  {'by':<34}{'seconds':>9}{'core s':>9}{'GFLOP/s':>9}{'× bound':>9}"
        f"{'MB':>8}{'error':>10}"
    )
    return "\n".join([head, *map(_line, df.iter_rows(named=True))])


def _line(row: dict[str, Any]) -> str:
    bound = f"{row['times the bound']:.2f}" if row["method"] == "EASE" else ""
    return (
        f"{row['method']:<7}{row['n']:>7,}  {row['by']:<34}{row['seconds']:>9.2f}"
        f"{row['core seconds']:>9.2f}{row['GFLOP/s a core']:>9.0f}{bound:>9}"
        f"{row['peak MB']:>8,.0f}{row['error']:>10.1e}"
    )


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks linear")
    parser.add_argument("--quick", action="store_true", help="1,500 items and 800 only")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--csv", type=Path, help="write the rows there")
    options = parser.parse_args(argv)
    sizes, slim_items = ((1_500,), 800) if options.quick else (SIZES, SLIM_ITEMS)
    df = pl.DataFrame(list(measure(sizes, slim_items, options.threads)))
    if options.csv:
        df.write_csv(options.csv)
    print(f"\n{options.threads} of {os.cpu_count()} cores, one run each")
    print(table(df))
    reached = score(df)
    print(f"score: {reached:.2f} × the time of n³ operations (aim: at most {AIM:g})")
    return int(reached > AIM)
