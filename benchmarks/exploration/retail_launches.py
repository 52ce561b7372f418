"""In a real shop's log, does exploring find the new best-sellers sooner, and at what price?

``python -m benchmarks exploration retail_launches [--events 3500] [--seeds 2] [--processes 2]``

*Environment*: UCI Online Retail (the archive ``online-retail``; EQUIPOISE_DATA_SETS names its
folder), played again by ``equipoise.simulation.replay``: its orders in their order, before each
visit's first a list of 12 on the home page, and items on the shelves from the day they were really
first sold. What the first week names is there from the start. The first 3,500 events are
some ten weeks, of 53 that the log has. In the first 1,500 no policy finds any best-seller: shorter
runs say nothing of launches.

*Settings*: the engine with its defaults, in process, from an empty log, without trained
recommenders; policies differ in nothing but the home placement's policy and budget. A seed is the
engine's luck; the log is one and the same, so that intervals say nothing about other shops.

*Score*: clicks, a click being inferred where the shopper bought the item within 14 days. So
exploring **cannot** find what the log does not hold, and what is clicked would have been bought
anyhow: policies are compared as forecasters of orders (the module's own docstring says more), and
that favours those that show what sells already. *New best-sellers*: of the items launched during
the run the twenty with most buyers until 28 days after its end. *Found*: shown to somebody who goes
on to buy it; the days from launch to that are a median over the twenty, those never found counted
as longest. *Tried*: share of all launches that were shown to anybody.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from benchmarks.exploration_shop import interval
from equipoise.clock import DAY, Clock, ManualClock
from equipoise.engine import Engine
from equipoise.intake.data_sets import DATA_SETS
from equipoise.settings import build
from equipoise.simulation.client import Body, InProcess
from equipoise.simulation.replay import replay
from equipoise.types import Event, Item, Milliseconds

DEFAULT = "default"
POLICIES: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "thompson": {"policy": "thompson"},
    "greedy": {"policy": "greedy", "fixed_level": 0.0},
    **{
        f"epsilon {epsilon:g}": {
            "policy": "epsilon_greedy",
            "parameters": {"epsilon": epsilon},
            "fixed_level": 1.0,
        }
        for epsilon in (0.05, 0.1)
    },
}
"""Name → what is changed in ``[placements.home]``."""
OPENING_DAYS, JUDGED_DAYS, BEST = 7.0, 28.0, 20
CONFIDENCE = 0.95


@dataclass
class Launches:
    """When, in log time, each launched item was first on the shelves, shown and found."""

    launched: dict[str, Milliseconds] = field(default_factory=dict)
    shown: dict[str, Milliseconds] = field(default_factory=dict)
    found: dict[str, Milliseconds] = field(default_factory=dict)


class Watched(InProcess):
    """Notes what becomes of launches while the shop is played."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        super().__init__(engine)
        self.clock, self.launches = clock, Launches()

    def put_items(self, items: Sequence[Body]) -> None:
        super().put_items(items)
        new = [body["item_id"] for body in items if "created_at" in body]
        self.launches.launched.update(dict.fromkeys(new, self.clock()))

    def send(self, events: Sequence[Body]) -> Body:
        for event in events:
            if event["event"] == "view_item_list":
                self._note(self.launches.shown, event)
            elif event["event"] == "select_item":
                self._note(self.launches.found, event)
        return super().send(events)

    def _note(self, times: dict[str, Milliseconds], event: Body) -> None:
        for line in event["items"]:
            if line["item_id"] in self.launches.launched:
                times.setdefault(line["item_id"], self.clock())


@dataclass(frozen=True)
class Row:
    """One policy, one seed."""

    policy: str
    seed: int
    lists: int
    clicks: int
    hit_rate: float
    explored: float
    launched: int
    tried: float
    """Share of all launches that were shown."""
    found: float
    """Share of the new best-sellers that were shown to a buyer."""
    days: float
    """Median from launch to found; infinite where fewer than half were."""


@cache
def log() -> tuple[Item | Event, ...]:
    return tuple(noun for noun in DATA_SETS["online-retail"]() if isinstance(noun, Item | Event))


def play(policy: str, seed: int, events: int) -> Row:
    """One run."""
    clock = ManualClock()
    settings = build({"placements": {"home": POLICIES[policy]}})
    engine = Engine.in_memory(settings=settings, clock=clock, seed=seed)
    shopfront = Watched(engine, clock)
    outcome = replay(
        log(), shopfront, speed=1.0, clock=clock, opening_days=OPENING_DAYS, limit=events
    )
    if outcome.rejected:
        raise RuntimeError(f"the engine refused what the log holds: {outcome.rejected}")
    launches = shopfront.launches
    if len(launches.launched) < BEST:
        raise SystemExit(
            f"{len(launches.launched)} items were launched in {events} events; {BEST} are needed:"
            " ask for more events"
        )
    best = best_sellers(launches.launched, events)
    times = [launches.found.get(item, np.inf) - launches.launched[item] for item in best]
    return Row(
        policy=policy,
        seed=seed,
        lists=outcome.lists,
        clicks=outcome.clicks,
        hit_rate=outcome.hit_rate,
        explored=outcome.explored / outcome.slots,
        launched=len(launches.launched),
        tried=len(launches.shown) / len(launches.launched),
        found=float(np.isfinite(times).mean()),
        days=float(np.sort(times)[(len(times) - 1) // 2]) / DAY,
    )


def best_sellers(launched: Sequence[str] | dict[str, Any], events: int) -> list[str]:
    """The launched items with most buyers from their launch to four weeks after the run."""
    ordered = sorted((one for one in log() if isinstance(one, Event)), key=lambda one: one.ts)
    until = ordered[min(events, len(ordered)) - 1].ts + round(JUDGED_DAYS * DAY)
    buyers: dict[str, set[str | None]] = defaultdict(set)
    for event in ordered:
        if event.event == "purchase" and event.ts <= until:
            for line in event.items:
                buyers[line.item_id].add(event.user_id or event.anonymous_id)
    ranked = sorted(launched, key=lambda item: (-len(buyers[item]), item))
    return ranked[:BEST]


def play_all(seeds: Sequence[int], events: int, processes: int) -> list[Row]:
    # Small matrices: threads of the linear algebra would only get in one another's way.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        runs = [pool.submit(play, name, seed, events) for seed in seeds for name in POLICIES]
        rows = []
        for number, run in enumerate(runs, start=1):
            rows.append(run.result())
            print(f"\r{number} of {len(runs)} runs", end="", flush=True)
    print()
    return rows


def gains(rows: Sequence[Row], policy: str) -> list[float]:
    """Clicks of the default over those of ``policy``, as a share of these, seed by seed."""
    ours, theirs = ({row.seed: row.clicks for row in rows if row.policy == name}
                    for name in (DEFAULT, policy))  # fmt: skip
    return [ours[seed] / theirs[seed] - 1.0 for seed in ours]


def table(rows: Sequence[Row]) -> str:
    """A line a policy: means over seeds, the days' median."""
    head = (
        f"{'policy':<14}{'clicks':>9}{'lists hit %':>13}{'explored %':>12}{'tried %':>9}"
        f"{'found %':>9}{'days to it':>12}{'default gains %':>17}{'95 %':>18}"
    )
    return "\n".join([head, *(_line(rows, policy) for policy in POLICIES)])


def _line(rows: Sequence[Row], policy: str) -> str:
    own = [row for row in rows if row.policy == policy]
    mean = {name: statistics.fmean(getattr(row, name) for row in own)
            for name in ("clicks", "hit_rate", "explored", "tried", "found")}  # fmt: skip
    days = statistics.median(row.days for row in own)
    line = (
        f"{policy:<14}{mean['clicks']:>9.1f}{100 * mean['hit_rate']:>13.1f}"
        f"{100 * mean['explored']:>12.1f}{100 * mean['tried']:>9.0f}{100 * mean['found']:>9.0f}"
        f"{f'{days:.1f}' if np.isfinite(days) else 'never':>12}"
    )
    if policy == DEFAULT:
        return line
    centre, low, high = (100 * value for value in interval(gains(rows, policy), CONFIDENCE))
    return f"{line}{centre:>17.1f}{f'{low:.1f} … {high:.1f}':>18}"


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration retail_launches")
    parser.add_argument("--events", type=int, default=3_500, help="of the log; it has 23,198")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(argv)
    rows = play_all(range(options.seeds), options.events, options.processes)
    first = rows[0]
    print(
        f"{options.events:,} events, {first.lists:,} lists, {first.launched} launches,"
        f" {options.seeds} seeds\n\n{table(rows)}"
    )
    gain = min(statistics.fmean(gains(rows, name)) for name in POLICIES if name != DEFAULT)
    print(f"\nscore: {100 * gain:+.1f} % clicks over the best of the others")
