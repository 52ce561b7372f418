"""Do the intervals hold the truth as often as they say?

``python -m benchmarks exploration coverage [--logs 2000] [--samples 500] [--quick]``

*Environment*: slates of 3 from 12 items in 8 contexts. Beliefs and true click rates differ: rates
are drawn about the beliefs. A log is written by one of our policies and asked about another; the
probability of every slate comes from ``policy.bind``, slot by slot, and the truth is a sum over all
1,320 slates. Shoppers come back (3.3 visits in the mean), each with a context and an appetite of
their own, so that rows of one shopper are dependent. *near*: Thompson with a floor of 10 %, asked
about Plackett–Luce; *far*: Thompson with a floor of 5 %, asked about ε-greedy (an effective tenth
of the rows); *money*: as *near*, but one click in seven is an order, of log-normal worth.

*Settings*: 95 %, 1,000 and 4,000 shoppers. IPS, SNIPS, and DR with the beliefs' means as model
(they have not seen the log), of the reward of the whole slate. "student, rows" takes rows of one
shopper for independent. Second table, guarantees that hold by construction: one slate a shopper,
reward the share of slots that were clicked, the sequences at *every* time at once. Third: a log
whose Thompson policy learns as it writes (two arms of the same rate, 2 % floor), asked for the
value of the first arm.

*Score*: how many of ``--logs`` logs have the truth inside; 95 ± 1.5 % is asked of nominal
intervals, at least 95 % of the others. ``over`` and ``under`` count logs whose interval lies above
and below the truth; width is the median.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.evaluation import intervals
from equipoise.evaluation.intervals import Interval
from equipoise.evaluation.off_policy import sequences
from equipoise.evaluation.off_policy.slates import every_slate
from equipoise.exploration.policies import EpsilonGreedy, Floored, PlackettLuce, Thompson
from equipoise.interfaces import Policy
from equipoise.randomness import derive
from equipoise.types import Floats, Scored

ITEMS, SLOTS, CONTEXTS = 12, 3, 8
LOOKS = np.array([1.0, 0.7, 0.5])
RETURNING = 0.3
"""Chance that a visit is a shopper's last."""
ORDERS, WORTH_SPREAD = 0.15, 0.6
"""Share of clicks that end in an order; spread of the logarithm of its worth."""
SIZES = (1_000, 4_000)
CONFIDENCE = 0.95
ESTIMATORS = ("ips", "snips", "dr")
POLICIES: dict[str, tuple[Policy, Policy]] = {
    "near": (Floored(Thompson(), 0.1), PlackettLuce()),
    "far": (Floored(Thompson(), 0.05), EpsilonGreedy(0.1)),
    "money": (Floored(Thompson(), 0.1), PlackettLuce()),
}
"""World → who wrote its logs, and who is asked about."""


class Log(NamedTuple):
    """Rows in the order of shoppers."""

    shopper: NDArray[np.int64]
    context: NDArray[np.int64]
    slate: NDArray[np.int64]
    """(n,) its number among all slates."""
    reward: Floats
    """(n, SLOTS)"""


@dataclass(frozen=True)
class World:
    """All slates with their probabilities and what they earn."""

    slates: NDArray[np.integer]
    logged: Floats
    """(CONTEXTS, S, SLOTS) conditional, of the policy that writes."""
    target: Floats
    expected: Floats
    """(CONTEXTS, S, SLOTS) true mean reward of each slot."""
    believed: Floats
    """(CONTEXTS, S, SLOTS) the same by the beliefs."""
    money: bool

    @property
    def truth(self) -> float:
        """What the target earns a slate."""
        return float((self.target.prod(axis=2) * self.expected.sum(axis=2)).sum(axis=1).mean())

    @property
    def weights(self) -> Floats:
        """(CONTEXTS, S)"""
        ratio: Floats = (self.target / self.logged).prod(axis=2)
        return ratio

    def log(self, shoppers: int, rng: np.random.Generator, *, once: bool = False) -> Log:
        """What ``shoppers`` see and click, each ``once`` or as often as they return."""
        visits = np.ones(shoppers, dtype=int) if once else rng.geometric(RETURNING, shoppers)
        shopper = np.repeat(np.arange(shoppers), visits)
        context = rng.integers(CONTEXTS, size=shoppers)[shopper]
        # Mean 1, and at most 3, so that no click rate passes 1 and is cut.
        appetite = (3 * rng.beta(0.6, 1.2, shoppers))[shopper]
        slate = self._drawn(context, rng)
        chance = self.expected[context, slate] * appetite[:, None]
        reward = (rng.random(chance.shape) < chance).astype(float)
        if self.money:
            reward *= rng.random(chance.shape) < ORDERS
            reward *= rng.lognormal(-(WORTH_SPREAD**2) / 2, WORTH_SPREAD, chance.shape) / ORDERS
        return Log(shopper, context, slate, reward)

    def _drawn(self, context: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        below = self.logged.prod(axis=2).cumsum(axis=1)
        luck = rng.random(len(context))
        slate = np.empty(len(context), dtype=np.int64)
        for one in range(CONTEXTS):
            rows = context == one
            slate[rows] = np.searchsorted(below[one], luck[rows] * below[one, -1], side="right")
        return slate


@lru_cache
def world(name: str) -> World:
    """The world of this name; the same in every process."""
    rng = derive(0, "benchmark coverage world")
    mean = 0.06 * np.exp(rng.normal(0, 0.6, (CONTEXTS, ITEMS)))
    rate = np.clip(mean * np.exp(rng.normal(0, 0.5, mean.shape)), 0.002, 0.3)
    tables = [[_table(policy, one) for one in mean] for policy in POLICIES[name]]
    slates = tables[0][0][0]
    logged, target = (np.array([chances for _, chances in table]) for table in tables)
    expected, believed = (LOOKS * table[:, slates] for table in (rate, mean))
    return World(slates, logged, target, expected, believed, name == "money")


def _table(policy: Policy, mean: Floats) -> tuple[NDArray[np.integer], Floats]:
    scored = Scored(np.arange(ITEMS, dtype=np.int32), mean, (0.5 * mean) ** 2)
    return every_slate(policy.bind(scored, 1.0), ITEMS, SLOTS)


# ---------------------------------------------------------------- nominal intervals


class Asked(NamedTuple):
    """An estimate as an interval wants it."""

    terms: Floats
    clusters: NDArray[np.int64]
    denominator: Floats | None


def asked(estimator: str, world: World, log: Log) -> Asked:
    """IPS, SNIPS or DR of the reward of a slate."""
    weight = world.weights[log.context, log.slate]
    whole = log.reward.sum(axis=1)
    if estimator != "dr":
        return Asked(weight * whole, log.shopper, weight if estimator == "snips" else None)
    believed = world.believed.sum(axis=2)
    model = (world.target.prod(axis=2) * believed).sum(axis=1)[log.context]
    left = whole - believed[log.context, log.slate]
    return Asked(model + weight * left, log.shopper, None)


NOMINAL: dict[str, Callable[[Asked, int, int], Interval]] = {
    "hall": lambda a, seed, samples: intervals.hall(
        a.terms, a.clusters, denominator=a.denominator, confidence=CONFIDENCE
    ),
    "bootstrap_t": lambda a, seed, samples: intervals.bootstrap_t(
        a.terms, a.clusters, denominator=a.denominator, confidence=CONFIDENCE,
        samples=samples, random_state=seed,
    ),
    "bootstrap": lambda a, seed, samples: intervals.bootstrap(
        a.terms, a.clusters, denominator=a.denominator, confidence=CONFIDENCE,
        samples=samples, random_state=seed,
    ),
    "student": lambda a, seed, samples: intervals.student(
        a.terms, a.clusters, denominator=a.denominator, confidence=CONFIDENCE
    ),
    "student, rows": lambda a, seed, samples: intervals.student(
        a.terms, denominator=a.denominator, confidence=CONFIDENCE
    ),
}  # fmt: skip


def nominal(
    name: str, shoppers: int, seeds: range, samples: int, which: Sequence[str]
) -> dict[tuple[str, str], list[Interval]]:
    """(estimator, interval) → an interval a log."""
    place = world(name)
    found: dict[tuple[str, str], list[Interval]] = {}
    for seed in seeds:
        log = place.log(shoppers, derive(seed, "benchmark coverage", f"{name} {shoppers}"))
        for estimator in ESTIMATORS:
            question = asked(estimator, place, log)
            for kind in which:
                interval = NOMINAL[kind](question, seed, samples)
                found.setdefault((estimator, kind), []).append(interval)
    return found


# ---------------------------------------------------------------- guarantees


def guaranteed(name: str, shoppers: int, seeds: range) -> dict[str, list[Interval]]:
    """Interval → one a log; for sequences what is left of all times together."""
    place = world(name)
    most = float(place.weights.max())
    found: dict[str, list[Interval]] = {}
    for seed in seeds:
        rng = derive(seed, "benchmark coverage sequences", f"{name} {shoppers}")
        log = place.log(shoppers, rng, once=True)
        weight = place.weights[log.context, log.slate]
        share = log.reward.mean(axis=1)
        held = {
            "empirical_bernstein": intervals.empirical_bernstein(
                weight * share, low=0.0, high=most, confidence=CONFIDENCE
            ),
            "sequence, betting": sequences.policy_sequence(weight, share).last,
            "sequence, bernstein": sequences.policy_sequence(
                weight, share, bound=sequences.bernstein_bound
            ).last,
            "sequence, betting, dr": _with_model(place, log, share),
            "hall": intervals.hall(weight * share),
        }
        for kind, interval in held.items():
            found.setdefault(kind, []).append(interval)
    return found


def _with_model(place: World, log: Log, share: Floats) -> Interval:
    """Doubly robust over the distinct weights of slates: a slate is an action here."""
    rows = log.context
    return sequences.doubly_robust_sequence(
        place.target.prod(axis=2)[rows],
        place.logged.prod(axis=2)[rows],
        log.slate,
        share,
        place.believed.mean(axis=2)[rows],
    ).last


# ---------------------------------------------------------------- logs that learn

ARMS, RATE, FLOOR, BATCH = 2, 0.3, 0.02, 20


def learning_log(rows: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.int64], Floats]:
    """(propensities (rows, ARMS), arm, reward) of Thompson sampling that updates every BATCH."""
    policy = Floored(Thompson(), FLOOR)
    shown, clicked = np.ones(ARMS) * 2, np.ones(ARMS)
    chances, arms, rewards = [], [], []
    for _ in range(rows // BATCH):
        mean = clicked / shown
        scored = Scored(np.arange(ARMS, dtype=np.int32), mean, mean * (1 - mean) / (shown + 1))
        chance = policy.bind(scored, 1.0)(np.ones(ARMS, dtype=bool))
        arm = np.searchsorted(chance.cumsum(), rng.random(BATCH) * chance.sum(), side="right")
        reward = (rng.random(BATCH) < RATE).astype(float)
        shown += np.bincount(arm, minlength=ARMS)
        clicked += np.bincount(arm, reward, minlength=ARMS)
        chances.append(np.tile(chance, (BATCH, 1)))
        arms.append(arm)
        rewards.append(reward)
    return np.concatenate(chances), np.concatenate(arms), np.concatenate(rewards)


def learning(rows: int, seeds: range) -> dict[str, list[Interval]]:
    """Interval → one a log, for the value of arm 0."""
    found: dict[str, list[Interval]] = {}
    for seed in seeds:
        chance, arm, reward = learning_log(rows, derive(seed, "benchmark coverage learning"))
        of_first, chance_first = (arm == 0).astype(float), chance[:, 0]
        weight = of_first / chance_first
        before = _mean_before(of_first, reward)
        scores = before + weight * (reward - before)
        held = {
            "student of its rows": intervals.student(reward[arm == 0]),
            "hall of w r": intervals.hall(weight * reward),
            "adaptive": intervals.adaptive(scores, np.sqrt(chance_first))[1],
            "sequence, betting": sequences.policy_sequence(weight, reward).last,
            "sequence, bernstein": sequences.policy_sequence(
                weight, reward, bound=sequences.bernstein_bound
            ).last,
        }
        for kind, interval in held.items():
            found.setdefault(kind, []).append(interval)
    return found


def _mean_before(shown: Floats, reward: Floats) -> Floats:
    """The arm's mean over earlier rows, ½ before the first."""
    times, earned = shown.cumsum() - shown, (shown * reward).cumsum() - shown * reward
    mean: Floats = (earned + 0.5) / (times + 1)
    return mean


# ---------------------------------------------------------------- the tables


class Figure(NamedTuple):
    """How a kind of interval did over logs."""

    covered: float
    over: int
    under: int
    width: float

    def __str__(self) -> str:
        return f"{100 * self.covered:>9.1f}{self.over:>7}{self.under:>7}{self.width:>10.4f}"


HEAD = f"{'covered %':>9}{'over':>7}{'under':>7}{'width':>10}"


def figure(found: Sequence[Interval], truth: float) -> Figure:
    """An interval of NaN covers nothing."""
    low, high = np.array(found).T
    return Figure(
        covered=float(((low <= truth) & (truth <= high)).mean()),
        over=int((low > truth).sum()),
        under=int((high < truth).sum()),
        width=float(np.median(high - low)),
    )


def _chunks(logs: int, size: int = 50) -> list[range]:
    return [range(start, min(start + size, logs)) for start in range(0, logs, size)]


def _over_logs(
    pool: ProcessPoolExecutor,
    ask: Callable[..., dict[Any, list[Interval]]],
    logs: int,
    *before: object,
    after: Sequence[object] = (),
) -> dict[Any, list[Interval]]:
    """``ask(*before, seeds, *after)`` over chunks of seeds, put together in their order."""
    waiting = [pool.submit(ask, *before, chunk, *after) for chunk in _chunks(logs)]
    merged: dict[Any, list[Interval]] = {}
    for part in waiting:
        for key, found in part.result().items():
            merged.setdefault(key, []).extend(found)
    return merged


def _nominal_table(
    pool: ProcessPoolExecutor, sizes: Sequence[int], logs: int, samples: int
) -> None:
    print(f"{'world':<8}{'shoppers':>9}  {'estimator':<11}{'interval':<16}{HEAD}")
    worst = dict.fromkeys(NOMINAL, 0.0)
    for name in POLICIES:
        truth = world(name).truth
        for shoppers in sizes:
            after = (samples, tuple(NOMINAL))
            found = _over_logs(pool, nominal, logs, name, shoppers, after=after)
            for (estimator, kind), held in found.items():
                one = figure(held, truth)
                worst[kind] = max(worst[kind], abs(one.covered - CONFIDENCE))
                print(f"{name:<8}{shoppers:>9,}  {estimator:<11}{kind:<16}{one}", flush=True)
    error = math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / logs)
    print(f"\nscore: furthest from 95 %, in points (1.5 asked; {100 * error:.1f} is its own error)")
    for kind, off in sorted(worst.items(), key=lambda item: item[1]):
        print(f"  {kind:<16}{100 * off:>5.1f}")


def _other_tables(pool: ProcessPoolExecutor, sizes: Sequence[int], logs: int) -> None:
    print(f"\n{'at least':<8}{'slates':>9}  {'interval':<27}{HEAD}")
    for name in ("near", "far"):
        for shoppers in sizes:
            found = _over_logs(pool, guaranteed, logs, name, shoppers)
            for kind, held in found.items():
                print(
                    f"{name:<8}{shoppers:>9,}  {kind:<27}{figure(held, world(name).truth / SLOTS)}"
                )
    print(f"\n{'learning':<8}{'rows':>9}  {'interval':<27}{HEAD}")
    for rows in sizes:
        for kind, held in _over_logs(pool, learning, logs, rows).items():
            print(f"{'':<8}{rows:>9,}  {kind:<27}{figure(held, RATE)}")


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration coverage")
    parser.add_argument("--logs", type=int, default=2_000)
    parser.add_argument("--samples", type=int, default=500, help="of a bootstrap")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quick", action="store_true", help="100 logs, the smaller size alone")
    options = parser.parse_args(list(argv))
    logs, sizes = (100, SIZES[:1]) if options.quick else (options.logs, SIZES)
    with ProcessPoolExecutor(options.processes) as pool:
        _nominal_table(pool, sizes, logs, options.samples)
        _other_tables(pool, sizes, logs)
