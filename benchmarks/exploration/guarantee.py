"""Is the conservative guarantee kept, and what does it cost?

``python -m benchmarks exploration guarantee [--runs 1000] [--decisions 4000]``

*Environment*: the worlds of ``worlds.py`` with 20 items in one slot, click rates Beta(2, 18):
stationary, drift (half of the rates redrawn every 1,000 decisions, unannounced) and launches (a new
item every 50). Who explores is a spendthrift on purpose: a softmax of mean and two spreads, mixed
with 30 % at random, by a beta belief without forgetting. The baseline is *greedy* by the same
belief, or the shop's *own order*: always the item that is third best when the run begins.

*Settings*: ``Guarantee`` with α = 10 % and an error of 5 %, its bound and its sums as in the
library (the compiled kernel of ``exploration.sequence``), rewards known at once.

*Score*: the share of runs in which what the coin's two sides are worth, by the true rates, ever
adds up to less than 90 % of the baseline's; 5 % is allowed. Beside it the same without the
guarantee, in how many decisions it let explore, and the reward against the baseline's alone, with
and without.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np
from numba import njit

from benchmarks.exploration.worlds import EVERY, Maker, Scenario, abrupt, launches, stationary
from equipoise.exploration import Guarantee
from equipoise.exploration.sequence import BETS, COSTS, log_capital
from equipoise.types import Bools, Floats

ITEMS, SHAPE = 20, (2.0, 18.0)
GUESS = (0.1, 20.0)
RANDOM = 0.3
MAKERS: dict[str, Maker] = {
    "stationary": stationary,
    "drift": abrupt(1_000, 0.5),
    "launches": launches(50),
}


def scenario(name: str, decisions: int) -> Scenario:
    # A second slot for its luck alone: the coin's.
    return Scenario(MAKERS[name], ITEMS, decisions, guess=GUESS, shape=SHAPE, look=(1.0, 1.0))


def play(
    name: str, seed: int, decisions: int, own_order: bool, guarantee: Guarantee | None
) -> Floats:
    """(least, explored, earned, baseline): the least Σ (value − (1 − α) value of the baseline)
    at any time, the decisions that might explore, what was earned, and what the baseline alone
    would have earned (greedy's is that of its own log)."""
    world = scenario(name, decisions).world(f"guarantee {name}", seed)
    chosen = guarantee or Guarantee()
    fixed = int(np.argsort(world.rates[0])[-3]) if own_order else -1
    return _play(
        world.rates, world.launched, world.luck, fixed, guarantee is not None, chosen.alpha,
        chosen.audit, chosen.below, -math.log(0.5 * chosen.error), GUESS[0], GUESS[1],
    )  # fmt: skip


@njit(cache=True)
def _play(
    rates: Floats,
    launched: Bools,
    luck: Floats,
    fixed: int,
    guarded: bool,
    alpha: float,
    audit: float,
    below: float,
    needed: float,
    guess: float,
    strength: float,
) -> Floats:
    n = rates.shape[1]
    looks, clicks, p = np.zeros(n), np.zeros(n), np.empty(n)
    total = squares = ahead = least = explored = earned = baseline = 0.0
    for t in range(len(luck)):
        step = t // EVERY
        if t % EVERY == 0:
            for i in range(n):
                if launched[step, i]:
                    looks[i] = clicks[i] = 0.0
        greedy = _explorer(looks, clicks, guess, strength, p)
        theirs = fixed if fixed >= 0 else greedy
        ours = 1.0
        if guarded:
            charge = 1.0 - alpha
            free = log_capital((total - charge) / below, squares / below**2, BETS, COSTS) >= needed
            ours = 1.0 - audit if free else 0.0
        explored += ours > 0.0
        shown = theirs
        if luck[t, 2] < ours:
            shown = _drawn(p, luck[t, 0])
        reward = 1.0 if luck[t, 1] < rates[step, shown] else 0.0
        value = ours * (p @ rates[step]) + (1.0 - ours) * rates[step, theirs]
        earned += value
        baseline += rates[step, theirs]
        ahead += value - (1.0 - alpha) * rates[step, theirs]
        least = min(least, ahead)
        if guarded:
            chance = ours * p[shown] + (1.0 - ours) * (shown == theirs)
            weight = (shown == theirs) / chance
            x = (1.0 - (1.0 - alpha) * weight) * (reward - guess) + alpha * guess
            total += x
            squares += x * x
        looks[shown] += 1.0
        clicks[shown] += reward
    return np.array([least, explored, earned, baseline])


@njit(cache=True)
def _explorer(looks: Floats, clicks: Floats, guess: float, strength: float, p: Floats) -> int:
    """Fills in the probabilities; returns greedy's choice."""
    n = len(looks)
    index, mean = np.empty(n), np.empty(n)
    for i in range(n):
        mean[i] = (strength * guess + clicks[i]) / (strength + looks[i])
        index[i] = mean[i] + 2.0 * math.sqrt(mean[i] * (1.0 - mean[i]) / (strength + looks[i]))
    top, total = index.max(), 0.0
    for i in range(n):
        p[i] = math.exp((index[i] - top) / 0.01)
        total += p[i]
    for i in range(n):
        p[i] = (1.0 - RANDOM) * p[i] / total + RANDOM / n
    return int(np.argmax(mean))


@njit(cache=True)
def _drawn(p: Floats, u: float) -> int:
    below = 0.0
    for i in range(len(p)):
        below += p[i]
        if u < below:
            return i
    return len(p) - 1


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="guarantee", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--decisions", type=int, default=4_000)
    asked = parser.parse_args(argv)
    print(f"{asked.runs} runs of {asked.decisions} decisions; α = 10 %, error 5 %")
    print(f"{'world':<12}{'baseline':<11}{'violated':>9}{'unguarded':>11}"
          f"{'may explore':>13}{'reward':>9}{'unguarded':>11}")  # fmt: skip
    for name in MAKERS:
        for own_order in (False, True):
            kept, free = (
                np.array([
                    play(name, seed, asked.decisions, own_order, guarantee)
                    for seed in range(asked.runs)
                ])
                for guarantee in (Guarantee(alpha=0.1, error=0.05), None)
            )  # fmt: skip
            least, explored, earned, baseline = kept.T
            print(
                f"{name:<12}{'own order' if own_order else 'greedy':<11}"
                f"{(least < -1e-9).mean():>8.1%} {(free[:, 0] < -1e-9).mean():>10.1%} "
                f"{explored.mean() / asked.decisions:>12.1%} "
                f"{earned.sum() / baseline.sum():>8.3f} "
                f"{free[:, 2].sum() / free[:, 3].sum():>10.3f}",
                flush=True,
            )
