"""Does exploring by what an answer is still worth earn more than any fixed amount of exploring?

``python -m benchmarks exploration budget [--seeds 100] [--first 1000] [--processes 2]
[--scenarios NAME …] [--csv FILE] [--svg FILE]``

*Environment*: ``worlds.SCENARIOS``: 100 items for 40,000 decisions or 20 for 100,000, one slot or
a slate of eight, with launches at four lifetimes, abrupt and creeping drift, seasons, late
feedback, a prior that is wrong at first. Every rule meets the same worlds with the same luck.

*Settings*: one for all worlds (``play.SETTINGS``); all rules share the beliefs. Ours is ``Gittins``
at level 1: how much it explores follows from the plan, the turnover that it has seen, and how long
its memory has proved to be good for. Rivals explore by a fixed amount, each family at its best *in
hindsight*, scenario by scenario: ε, softmax, inverse gap, a share of expected reward directed by
P(best), and the same share in the shape of Gittins. Exact Thompson sampling has no amount to set.
The settings were chosen on seeds below 100; what is reported begins at 1000.

*Score*: share of the reward of whoever knows all rates, mean over scenarios of ours less the best
rival's; differences in pairs, seed by seed, with 95 % intervals.

Finished worlds are kept in the CSV file and not played again.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import t as student

from benchmarks.exploration.worlds import SCENARIOS

OURS, THOMPSON, OWN = "gittins", "thompson", "own share"
FAMILIES: dict[str, tuple[str, tuple[float, ...]]] = {
    OURS: ("GITTINS", (1.0,)),
    THOMPSON: ("THOMPSON", (1.0,)),
    "epsilon": ("EPSILON", (0.02, 0.05, 0.1)),
    "softmax": ("SOFTMAX", (0.006, 0.008, 0.011, 0.016)),
    "inverse gap": ("INVERSE_GAP", (3_000.0, 10_000.0, 30_000.0)),
    "best share": ("BEST_SHARE", (0.02, 0.05, 0.1)),
    OWN: ("GITTINS_SHARE", (0.01, 0.02, 0.04)),
}
"""Name → rule and its parameters."""
FIXED = ("epsilon", "softmax", "inverse gap", "best share")
COLUMNS = {
    "seed": pl.Int64, "scenario": pl.String, "family": pl.String, "parameter": pl.Float64,
    "share": pl.Float64, "spent": pl.Float64, "q1": pl.Float64, "q2": pl.Float64,
    "q3": pl.Float64, "q4": pl.Float64,
}  # fmt: skip


def play_world(seed: int, scenario: str) -> list[dict[str, float | str]]:
    """All rules in one world."""
    from benchmarks.exploration.play import Rule, play

    world = SCENARIOS[scenario].world(scenario, seed)
    rows: list[dict[str, float | str]] = []
    for family, (rule, parameters) in FAMILIES.items():
        for parameter in parameters:
            result = play(world, Rule[rule], parameter)
            quarters = (result.earned / result.possible).tolist()
            rows.append(
                {"seed": seed, "scenario": scenario, "family": family, "parameter": parameter,
                 "share": result.share, "spent": result.cost}
                | {f"q{k + 1}": value for k, value in enumerate(quarters)}
            )  # fmt: skip
    return rows


def play_all(
    worlds: Sequence[tuple[int, str]], processes: int
) -> Iterator[list[dict[str, float | str]]]:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for run in as_completed([pool.submit(play_world, *world) for world in worlds]):
            yield run.result()


def best_of(table: pl.DataFrame, family: str) -> pl.DataFrame:
    """The rows of a family at its best parameter, scenario by scenario, in hindsight."""
    mine = table.filter(pl.col("family") == family)
    means = mine.group_by("scenario", "parameter").agg(pl.col("share").mean().alias("mean"))
    best = means.sort("mean", descending=True).unique("scenario", keep="first")
    return mine.join(best.select("scenario", "parameter"), on=["scenario", "parameter"])


def against(table: pl.DataFrame, family: str, scenario: str) -> tuple[float, float, float, float]:
    """Rival's parameter and mean share, ours less the rival's and half of its 95 % interval."""
    rival = best_of(table, family).filter(pl.col("scenario") == scenario)
    ours = table.filter((pl.col("family") == OURS) & (pl.col("scenario") == scenario))
    pairs = ours.join(rival, on="seed", suffix="_rival")
    gain = (pairs["share"] - pairs["share_rival"]).to_numpy()
    half = float("nan")
    if len(gain) > 1:
        half = student.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
    return float(rival["parameter"][0]), float(rival["share"].mean()), float(gain.mean()), half  # type: ignore[arg-type]


def show(table: pl.DataFrame) -> float:
    """The table; mean over scenarios of ours less the best fixed rival's."""
    seeds = table["seed"].n_unique()
    print(f"share of the oracle's reward, {seeds} seeds; spent in brackets")
    print("ours less each rival at its best in hindsight (parameter): difference ± 95 %\n")
    gains, ours_spent, thompson_spent, thompson_gain = [], [], [], []
    for scenario in table["scenario"].unique(maintain_order=True):
        here = table.filter(pl.col("scenario") == scenario)
        ours = here.filter(pl.col("family") == OURS)
        print(
            f"{scenario}: ours {ours['share'].mean():.3f} ({100 * ours['spent'].mean():.1f} %)"  # type: ignore[operator]
        )
        for family in FAMILIES:
            if family == OURS:
                continue
            parameter, mean, gain, half = against(here, family, scenario)
            spent = best_of(here, family)["spent"].mean()
            mark = "+" if gain > half else "-" if gain < -half else " "
            print(
                f"  {mark} {family:12s} {mean:.3f} ({100 * spent:4.1f} %) at {parameter:<8g}"  # type: ignore[operator]
                f" {gain:+.3f} ± {half:.3f}"
            )
        gains.append(min(against(here, family, scenario)[2] for family in FIXED))
        ours_spent.append(ours["spent"].mean())
        thompson_spent.append(best_of(here, THOMPSON)["spent"].mean())
        thompson_gain.append(against(here, THOMPSON, scenario)[2])
    print(
        f"\nmean over scenarios: against Thompson {np.mean(thompson_gain):+.4f}, at "
        f"{np.mean(ours_spent) / np.mean(thompson_spent):.2f} of its spending; "
        f"against the best fixed amount {np.mean(gains):+.4f}, least {np.min(gains):+.4f}"
    )
    return float(np.mean(gains))


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks exploration budget", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--scenarios", nargs="*", choices=list(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--csv", type=Path)
    arguments = parser.parse_args(argv)
    done = pl.DataFrame(schema=COLUMNS)
    if arguments.csv and arguments.csv.exists():
        done = pl.read_csv(arguments.csv, schema=COLUMNS)
    known = set(done.select("seed", "scenario").iter_rows())
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    wanted = [(s, name) for s in seeds for name in arguments.scenarios if (s, name) not in known]
    for rows in play_all(wanted, arguments.processes):
        done = pl.concat([done, pl.DataFrame(rows, schema=COLUMNS)])
        if arguments.csv:
            done.write_csv(arguments.csv)
    table = done.filter(
        pl.col("seed").is_in(list(seeds)) & pl.col("scenario").is_in(arguments.scenarios)
    )
    order = pl.DataFrame({"scenario": arguments.scenarios}).with_row_index("order")
    print(f"score {show(table.join(order, on='scenario').sort('order', 'seed')):+.4f}")
