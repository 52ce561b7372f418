"""What follows drift better: a bank of memories, or alarms and what they forget?

``python -m benchmarks exploration bank_or_alarms [--seeds 4] [--decisions 12000]``

*Environment*: the one-slot worlds of ``worlds.py``, 60 items in 6 categories (click rates Beta(2,
38)): stationary; abrupt drift (30 % of all rates redrawn every 4,000 decisions); *a category falls*
(every 4,000 decisions one category's rates shrink to a quarter or grow threefold, another's come
back); creeping drift; seasons. Nothing is announced.

*Settings*: the same policy for all (exact Thompson at its natural level), the same prior. Learners:
``BetaBelief`` that forgets nothing; the same with ``Watch`` (ADWIN, by category) and with Page and
Hinkley in its place, each alarm keeping 20 % of what is known of its category's items; ``ArmBank``
over ``BetaBelief`` (half-lives 500 to never); and the bank with alarms on top.

*Score*: share of the reward that whoever knows all rates would earn, mean and standard error over
seeds; alarms a run beside it.

*Measured*, 4 seeds: over the five worlds .709 without forgetting, .734 with ADWIN, .738 with Page
and Hinkley, .774 with the bank, .777 with the bank and ADWIN. Alarms help where everything creeps
(.624 → .778 and .824, the bank .775) and not where 30 % of the items of *all* categories change at
once: that is no change of any category. The bank is ahead in the others, the stationary one
included. So the bank earns more and alarms on top of it lose nothing; they are kept for what they
say. Spreads over seeds are wide (.03 to .13): differences of a point or two are noise.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

import numpy as np

from benchmarks.exploration.worlds import (
    EVERY,
    Maker,
    Scenario,
    World,
    abrupt,
    creeping,
    seasons,
    stationary,
)
from equipoise.exploration import ArmBank, BetaBelief, Thompson
from equipoise.exploration.alarms import Watch, forget, residual
from equipoise.exploration.drift import PageHinkley
from equipoise.types import Bools, Floats, Positions, Scored

ITEMS, CATEGORIES = 60, 6
KEEP = 0.2
THRESHOLD = 60.0
LEAST = 20.0


def falls(every: int) -> Maker:
    """One category after another goes out of fashion, or comes into it."""

    def make(
        rng: np.random.Generator, steps: int, n: int, shape: tuple[float, float]
    ) -> tuple[Floats, Bools]:
        base, launched = stationary(rng, steps, n, shape)
        rates = base.copy()
        for step in range(every // EVERY, steps, every // EVERY):
            factor = np.ones(CATEGORIES)
            fallen, risen = rng.permutation(CATEGORIES)[:2]
            factor[fallen], factor[risen] = 0.25, 3.0
            rates[step:] = np.minimum(base[step:] * factor[np.arange(n) % CATEGORIES], 0.6)
        return rates, launched

    return make


MAKERS: dict[str, Maker] = {
    "stationary": stationary,
    "abrupt drift": abrupt(4_000),
    "a category falls": falls(4_000),
    "creeping drift": creeping(10_000.0),
    "seasons": seasons(10_000),
}
LEARNERS = ("no memory loss", "adwin", "page-hinkley", "bank", "bank, adwin")


class Learner:
    """A belief about the items, and perhaps an alarm on each category."""

    def __init__(self, kind: str, guess: tuple[float, float]) -> None:
        make = partial(BetaBelief, prior_mean=guess[0], arm_strength=guess[1])
        self.belief = ArmBank(make) if kind.startswith("bank") else make()
        self.alarms = 0
        self._watch = Watch(least=LEAST) if "adwin" in kind else None
        self._page = PageHinkley(delta=0.05, threshold=THRESHOLD) if "page" in kind else None
        self._pages = dict.fromkeys(range(CATEGORIES), self._page.init()) if self._page else {}
        self._heard = np.zeros(CATEGORIES)
        self._arms = np.arange(ITEMS, dtype=np.int32)

    def scored(self) -> Scored:
        mean, variance = self.belief.predict(self._arms)
        return Scored(self._arms, mean, variance, noise=mean * (1.0 - mean))

    def learn(self, arm: int, clicked: float, expected: float, t: int) -> None:
        category = arm % CATEGORIES
        if self._changed(category, clicked, expected, t):
            self.alarms += 1
            self._forget(self._arms[self._arms % CATEGORIES == category])
        self.belief.add(arm, 1.0, clicked, category)

    def _forget(self, arms: Positions) -> None:
        members = self.belief.beliefs if isinstance(self.belief, ArmBank) else [self.belief]
        for member in members:
            forget(member, arms, KEEP)

    def _changed(self, category: int, clicked: float, expected: float, t: int) -> bool:
        noise = expected * (1.0 - expected)
        if self._watch is not None:
            cut = self._watch.see(
                category, reward=clicked, looks=1.0, expected=expected, noise=noise, ts=t
            )
            return cut is not None
        self._heard[category] += expected
        if self._page is None or self._heard[category] < LEAST:
            return False
        self._pages[category], moved = self._page.update(
            self._pages[category], residual(clicked, expected, noise)
        )
        return moved != 0


def play(world: World, kind: str) -> tuple[float, int]:
    """(share of what could be earned, alarms)."""
    learner, policy = Learner(kind, world.guess), Thompson()
    open_ = np.ones(ITEMS, dtype=bool)
    earned = possible = 0.0
    for t, (draw, click) in enumerate(world.luck[:, :2]):
        rates = world.rates[t // EVERY]
        scored = learner.scored()
        chance = policy.bind(scored, 1.0)(open_)
        arm = min(int(chance.cumsum().searchsorted(draw)), ITEMS - 1)
        earned += float(rates[arm])
        possible += float(rates.max())
        learner.learn(arm, float(click < rates[arm]), float(scored.mean[arm]), t)
    return earned / possible, learner.alarms


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="bank_or_alarms", description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--decisions", type=int, default=12_000)
    asked = parser.parse_args(argv)
    print(f"{'world':<18}" + "".join(f"{kind:>22}" for kind in LEARNERS))
    for name, maker in MAKERS.items():
        scenario = Scenario(maker, n=ITEMS, decisions=asked.decisions)
        cells = []
        for kind in LEARNERS:
            runs = [play(scenario.world(name, seed), kind) for seed in range(asked.seeds)]
            share, alarms = np.array(runs).T
            error = share.std(ddof=1) / np.sqrt(len(share)) if len(share) > 1 else np.nan
            cells.append(f"{share.mean():.3f} ±{error:.3f} ({alarms.mean():.1f})")
        print(f"{name:<18}" + "".join(f"{cell:>22}" for cell in cells), flush=True)
