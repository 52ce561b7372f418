"""Does the balance of exploring and exploiting earn more than greedy and than any fixed ε?

``python -m benchmarks exploration_shop [--seeds 20] [--policies NAME …] [--quick] [--csv FILE]``

*Environment*: ``equipoise.simulation``, a shop of 300 items, 60 of them launched over the four
weeks that are played, with drifting appeal, drifting and abruptly changing tastes, position bias
and late purchases; every number's reason stands beside it there. One list: the home page's 12
slots. An item would be looked at some 100 times if all were shown alike, which is little: at two or
three clicks in a hundred looks, nobody can try everything. For scale: of the oracle's reward random
lists earn 11 %, the truly best items for everybody alike 57 %, for each shopper's department and
price, but not the purpose of this visit, 92 % (measured at the size of ``--quick``).

*Settings*: the engine with its defaults, in process, from an empty log, without trained
recommenders. Policies differ in nothing but the home placement's policy and budget. Each seed is
one shop with its shoppers, played once by every policy: same arrivals, same tastes, the same luck
for the same item shown to the same visit. Seeds below 200 were looked at while the learner was
built; what is reported begins there.

*Score*: cumulative true reward of the home lists, their expected worth by the world's own truth,
in euro; compared in pairs, seed by seed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
from scipy.stats import t as student

DEFAULT = "default"
POLICIES: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "optimism": {"policy": "optimism"},
    "thompson": {"policy": "thompson"},
    "plackett_luce": {"policy": "plackett_luce"},
    "greedy": {"policy": "greedy", "fixed_level": 0.0},
    **{
        f"epsilon {epsilon:g}": {
            "policy": "epsilon_greedy",
            "parameters": {"epsilon": epsilon},
            "fixed_level": 1.0,
        }
        for epsilon in (0.02, 0.05, 0.1, 0.2)
    },
}
"""Name → what is changed in ``[placements.home]``."""
RIVALS = tuple(name for name in POLICIES if name == "greedy" or name.startswith("epsilon"))
DAYS = 28.0
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Environment:
    """The world's size: four weeks of a small shop."""

    decisions: int = 6_000
    """Home lists, in DAYS days."""
    n_items: int = 240
    launches: int = 60

    @property
    def visits_per_day(self) -> float:
        """So many that the lists are shown in DAYS days: a visit asks for 0.9 home lists."""
        return self.decisions / DAYS / 0.9


QUICK = Environment(decisions=1_500, n_items=160, launches=40)


@dataclass(frozen=True)
class Row:
    """One policy in one world."""

    seed: int
    policy: str
    reward: float
    """True expected worth of all lists, euro."""
    share: float
    """Of the oracle's."""
    spent: float
    """Cost of exploring as a share of expected reward, by the engine's own account."""
    explored: float
    """Share of slots."""
    clicks: int
    orders: int
    revenue: float
    last_quarter: float
    """Share of the oracle's reward over the last quarter of the lists."""


def play(seed: int, policy: str, environment: Environment) -> Row:
    """One run. The recommender's seed is no function that the world's luck shares."""
    from equipoise.clock import ManualClock
    from equipoise.engine import Engine
    from equipoise.settings import build
    from equipoise.simulation.client import InProcess
    from equipoise.simulation.run import simulate
    from equipoise.simulation.shop import Shop

    clock = ManualClock()
    settings = build({"placements": {"home": POLICIES[policy]}})
    engine = Engine.in_memory(settings=settings, clock=clock, seed=seed)
    shop = Shop.make(
        seed, n_items=environment.n_items, launches=environment.launches, launch_days=DAYS
    )
    outcome = simulate(
        shop, InProcess(engine), decisions=environment.decisions, seed=seed, clock=clock,
        visits_per_day=environment.visits_per_day, similar=False,
    )  # fmt: skip
    if outcome.rejected or outcome.spent is None or outcome.expected is None:
        raise RuntimeError(f"the engine refused what the world sent: {outcome.rejected}")
    return Row(
        seed=seed,
        policy=policy,
        reward=outcome.reward,
        share=outcome.share,
        spent=outcome.spent / outcome.expected,
        explored=outcome.explored / outcome.slots,
        clicks=outcome.clicks,
        orders=outcome.orders,
        revenue=outcome.revenue,
        last_quarter=_late_share(outcome.curve),
    )


def _late_share(curve: dict[str, Any]) -> float:
    start = 3 * len(curve["reward"]) // 4
    earned = curve["reward"][-1] - curve["reward"][start]
    possible = curve["oracle"][-1] - curve["oracle"][start]
    return float(earned / possible) if possible > 0 else 0.0


def play_all(
    seeds: range, environment: Environment, processes: int, policies: Sequence[str] = ()
) -> Iterator[Row]:
    """Every policy, or those named, in every world, in whatever order they end."""
    # Small matrices: threads of the linear algebra would only get in one another's way.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        runs = [
            pool.submit(play, seed, policy, environment)
            for seed, policy in product(seeds, policies or POLICIES)
        ]
        for run in as_completed(runs):
            yield run.result()


def frame(rows: Sequence[Row]) -> pl.DataFrame:
    """One row a run, by seed and policy."""
    order = list(POLICIES)
    ranked = sorted(rows, key=lambda row: (row.seed, order.index(row.policy)))
    return pl.DataFrame([asdict(row) for row in ranked])


def gains(df: pl.DataFrame, policy: str) -> list[float]:
    """What the default earned more than ``policy``, as a share of that, seed by seed."""
    ours = df.filter(pl.col("policy") == DEFAULT).sort("seed")["reward"]
    theirs = df.filter(pl.col("policy") == policy).sort("seed")["reward"]
    return list(((ours - theirs) / theirs).to_list())


def interval(values: Sequence[float], confidence: float) -> tuple[float, float, float]:
    """Mean, and the ends of Student's interval; wide open for a single value."""
    centre = statistics.fmean(values)
    if len(values) < 2:
        return centre, float("-inf"), float("inf")
    sd = statistics.stdev(values)
    half = student.ppf((1 + confidence) / 2, len(values) - 1) * sd / len(values) ** 0.5
    return centre, centre - half, centre + half


def best_rival(df: pl.DataFrame) -> str:
    """Of greedy and the fixed ε the one with most reward: chosen in hindsight, so in its favour."""
    rivals = df.filter(pl.col("policy").is_in(RIVALS)).group_by("policy").agg(pl.mean("reward"))
    return str(rivals.sort("reward", "policy", descending=[True, False])["policy"][0])


def score(df: pl.DataFrame) -> float:
    """The figure: mean gain over the best rival in hindsight, as a share of its reward."""
    return interval(gains(df, best_rival(df)), CONFIDENCE)[0]


def table(df: pl.DataFrame) -> str:
    """A line a policy. Gains are the default's over it, with intervals that hold for all rivals at
    once (Bonferroni)."""
    head = (f"{'policy':<15}{'reward €':>10}{'± se':>8}{'oracle %':>10}{'last ¼ %':>10}"
            f"{'spent %':>9}{'explored %':>12}{'orders':>8}{'default gains %':>17}"
            f"{'interval':>18}")  # fmt: skip
    played = set(df["policy"])
    return "\n".join([head, *(_line(df, policy) for policy in POLICIES if policy in played)])


def _line(df: pl.DataFrame, policy: str) -> str:
    runs = df.filter(pl.col("policy") == policy)
    rewards = runs["reward"].to_list()
    mean, low, _ = interval(rewards, 0.6827)
    means = {name: 100 * statistics.fmean(runs[name]) for name in
             ("share", "last_quarter", "spent", "explored")}  # fmt: skip
    line = (f"{policy:<15}{mean:>10.2f}{mean - low:>8.2f}{means['share']:>10.1f}"
            f"{means['last_quarter']:>10.1f}{means['spent']:>9.2f}{means['explored']:>12.1f}"
            f"{statistics.fmean(runs['orders']):>8.1f}")  # fmt: skip
    if policy == DEFAULT:
        return line
    confidence = 1 - (1 - CONFIDENCE) / len(RIVALS)
    gain, low, high = (100 * value for value in interval(gains(df, policy), confidence))
    return f"{line}{gain:>17.1f}{f'{low:.1f} … {high:.1f}':>18}"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration_shop")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=200, help="below 200: used to build it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--decisions", type=int, help="home lists a run")
    parser.add_argument("--quick", action="store_true", help="a smaller shop, fewer lists, 4 seeds")
    parser.add_argument("--policies", nargs="*", choices=list(POLICIES), default=list(POLICIES))
    parser.add_argument("--csv", type=Path, help="write every run here")
    options = parser.parse_args(argv)
    environment = QUICK if options.quick else Environment()
    if options.decisions:
        environment = Environment(options.decisions, environment.n_items, environment.launches)
    count = min(options.seeds, 4) if options.quick else options.seeds
    seeds = range(options.first_seed, options.first_seed + count)
    rows, policies = [], list(dict.fromkeys([DEFAULT, *options.policies]))
    for row in play_all(seeds, environment, options.processes, policies):
        rows.append(row)
        print(f"\r{len(rows)} of {count * len(policies)} runs", end="", flush=True)
    df = frame(rows)
    if options.csv:
        df.write_csv(options.csv)
    print(f"\n{environment.decisions:,} lists, {count} seeds\n\n{table(df)}\n")
    print(f"score: {100 * score(df):+.1f} % over {best_rival(df)}, the best rival in hindsight")
    return 0
