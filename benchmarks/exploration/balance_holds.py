"""Does the balance hold its budget, whatever the world and whoever explores?

``python -m benchmarks exploration balance_holds [--seeds 2] [--decisions 10000] [--budget 0.03]
[--highest 10]``

*Environment*: the one-slot worlds of ``worlds.py`` with 100 items (click rates Beta(2, 38)):
stationary, abrupt drift (30 % of the rates redrawn every 4,000 decisions, unannounced), launches
(a new item every 100 decisions), and all three on one log, a third each. Beliefs are
``BetaBelief``: what is expected and what exploring costs are its own figures, as in a shop.

*Settings*: every policy by the same ``Balance``: the budget a share of expected reward, half-life
1,000 decisions, level 0.3 at first, at most ``--highest`` (1 is a policy's natural amount). The
first quarter is warm-up.

*Score*: spent over budget after warm-up, worst of the seeds; asked is 1 ± 0.1. ``cap`` stands where
less was spent and the level was at its highest for over a twentieth of that time: the policy then
has no way to spend so much, and the budget is a cap. The second figure is the level's own: its
range (5 to 95 %) after warm-up.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.exploration.worlds import (
    EVERY,
    Maker,
    Scenario,
    World,
    abrupt,
    launches,
    stationary,
)
from equipoise.exploration import (
    UCB,
    Balance,
    BetaBelief,
    EpsilonGreedy,
    Gittins,
    Optimism,
    PlackettLuce,
    SquareCB,
    Thompson,
    TopTwo,
)
from equipoise.interfaces import Policy
from equipoise.types import Bools, Floats, Scored

POLICIES: tuple[Policy, ...] = (
    EpsilonGreedy(), PlackettLuce(), SquareCB(), UCB(), Optimism(), Gittins(), Thompson(),
    TopTwo(),
)  # fmt: skip
WITHIN = 0.1
RESTING = 0.05
"""Share of the time at the highest level that makes a budget a cap."""
WARM_UP = 0.25


def changing(
    rng: np.random.Generator, steps: int, n: int, shape: tuple[float, float]
) -> tuple[Floats, Bools]:
    """Stationary, then drift, then launches."""
    makers: tuple[Maker, ...] = (stationary, abrupt(4_000), launches(100))
    parts = [make(rng, steps // 3 + 1, n, shape) for make in makers]
    rates = np.concatenate([rates for rates, _ in parts])[:steps]
    return rates, np.concatenate([launched for _, launched in parts])[:steps]


def scenarios(decisions: int) -> dict[str, Scenario]:
    makers: dict[str, Maker] = {
        "stationary": stationary,
        "abrupt drift": abrupt(4_000),
        "launches": launches(100),
        "all in turn": changing,
    }
    return {name: Scenario(maker, decisions=decisions) for name, maker in makers.items()}


@dataclass(frozen=True)
class Held:
    """One run, after warm-up."""

    spent: float
    """Share of expected reward."""
    levels: Floats
    at_most: float
    """Share of decisions at the highest level."""


def run(world: World, policy: Policy, balance: Balance) -> Held:
    """One decision after another: believe, draw, see whether it is clicked, pay."""
    arms = Arms(world)
    state = balance.init()
    rows = np.empty((len(world.luck), 3))
    for t, (draw, click) in enumerate(world.luck[:, :2]):
        if t % EVERY == 0:
            arms.launch(t // EVERY)
        level = balance.level(state)
        scored = arms.scored()
        chance = policy.bind(scored, level)(arms.open)
        chosen = min(int(chance.cumsum().searchsorted(draw)), len(chance) - 1)
        expected = float(scored.mean.max())
        cost = expected - float(chance @ scored.mean)
        state, _ = balance.update(state, cost=cost, expected=expected, ts=t)
        arms.learn(chosen, float(click < world.rates[t // EVERY, chosen]))
        rows[t] = cost, expected, level
    cost, expected, levels = rows[round(WARM_UP * len(rows)) :].T
    resting = float((levels > 0.99 * balance.level_max).mean())
    return Held(cost.sum() / expected.sum(), levels, resting)


class Arms:
    """What is believed of the items that are in the shop now."""

    def __init__(self, world: World) -> None:
        mean, strength = world.guess
        self.belief = BetaBelief(prior_mean=mean, arm_strength=strength)
        self.arms = np.arange(world.rates.shape[1], dtype=np.int32)
        self.open = np.ones(len(self.arms), dtype=bool)
        self._launched = world.launched
        self._next = len(self.arms)

    def launch(self, step: int) -> None:
        for place in np.flatnonzero(self._launched[step]):
            self.arms[place] = self._next
            self._next += 1

    def scored(self) -> Scored:
        mean, variance = self.belief.predict(self.arms)
        return Scored(self.arms, mean, variance, noise=mean * (1.0 - mean))

    def learn(self, place: int, clicked: float) -> None:
        self.belief.add(int(self.arms[place]), 1.0, clicked)


def table(
    seeds: int, decisions: int, budget: float, highest: float
) -> Iterator[tuple[str, str, float, str]]:
    """(scenario, policy, spent over budget where it is worst, words)."""
    balance = Balance(target=budget, half_life=1_000.0, step=0.005, level_max=highest, start=0.3)
    for name, scenario in scenarios(decisions).items():
        for policy in POLICIES:
            runs = [run(scenario.world(name, seed), policy, balance) for seed in range(seeds)]
            worst = max((one.spent / budget for one in runs), key=lambda ratio: abs(ratio - 1.0))
            low, high = np.percentile(np.concatenate([one.levels for one in runs]), (5, 95))
            capped = any(one.at_most > RESTING for one in runs) and worst < 1.0
            held = "holds" if abs(worst - 1.0) <= WITHIN else "cap" if capped else "MISSED"
            yield name, policy.name, worst, f"{held:<7} level {low:.3g} to {high:.3g}"


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="balance_holds", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--decisions", type=int, default=10_000)
    parser.add_argument("--budget", type=float, default=0.03)
    parser.add_argument("--highest", type=float, default=10.0)
    asked = parser.parse_args(argv)
    print(f"{'scenario':<14} {'policy':<15} spent / budget of {100 * asked.budget:g} %")
    missed = 0
    for name, policy, worst, words in table(*vars(asked).values()):
        missed += "MISSED" in words
        print(f"{name:<14} {policy:<15} {worst:>6.3f}  {words}", flush=True)
    print(f"{missed} missed")
