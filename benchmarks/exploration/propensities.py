"""Is what is logged the probability with which it was drawn, whatever the rules?

``python -m benchmarks exploration propensities [--draws N] [--policy NAME]``

*Environment*: one decision of seven candidates and four slots with every kind of rule active: a
candidate is masked, one is pinned to the second slot, and two groups may hold two places each, one
of which the pin takes. Two means tie, and beliefs are correlated. 36 slates are possible.

*Settings*: every policy with its defaults at level 1, and forms of them that explore more: those
that seldom explore would hide an error in what they seldom do. All draws go through
``slates.draw``; a policy is bound once, and asked once for each mask it meets, as it is a pure
function of both (a law of its own).

*Score*: chi-square of the drawn slates against the products of ``probability_of``, and of each slot
by itself; and how many draws logged another propensity than ``probability_of`` computes, to the
bit. A true policy fails a row with a chance of 1e-6. For scale, the last column asks the same of
propensities that take no heed of the groups' limit, as if items had been removed after the draw:
it must fail wherever what is removed is drawn at all.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from equipoise.exploration import (
    POLICIES,
    UCB,
    EpsilonGreedy,
    Floored,
    Greedy,
    Mixture,
    Optimism,
    PlackettLuce,
    Thompson,
    TopTwo,
)
from equipoise.interfaces import Conditional, Policy
from equipoise.randomness import derive
from equipoise.slates.draw import draw, probability_of
from equipoise.slates.rules import Rules
from equipoise.testing.policies import FALSE_ALARM, chi_square
from equipoise.types import Bools, Floats, Scored

SLOTS = 4
LOOK = np.array([1.0, 0.7, 0.5, 0.4])
RULES = Rules.of(
    n=7,
    closed=np.arange(7) == 6,
    pins=((1, 5),),
    groups=np.array([0, 0, 0, 1, 1, 1, -1], dtype=np.int32),
    max_per_group=2,
)
SLATES = list(product(range(7), repeat=SLOTS))
Slate = tuple[int, ...]


def beliefs() -> Scored:
    """Spreads as wide as the gaps between the means, two of which tie; a doubt in common."""
    mean = np.array([0.5, 0.4, 0.3, 0.5, 0.45, 0.35, 0.9])
    root = np.column_stack(
        [np.array([0.1, 0.1, -0.1, 0.1, 0, 0, 0]), np.diag([0.08, 0.1, 0.2, 0.05, 0.1, 0.1, 0.1])]
    )
    noise = np.full(7, 0.04)
    return Scored(np.arange(7, dtype=np.int32), mean, (root**2).sum(axis=1), noise, root)


def policies() -> dict[str, Policy]:
    """Every policy as it comes, and livelier forms of those that would hardly explore here."""
    lively: dict[str, Policy] = {
        "epsilon_greedy, ε = .6": EpsilonGreedy(epsilon=0.6),
        "plackett_luce, t = 2": PlackettLuce(temperature=2.0),
        "ucb, floor .5": UCB(floor=0.5),
        "optimism, t = .5": Optimism(temperature=0.5),
        "thompson, sharpness .5": Thompson(sharpness=0.5),
        "thompson with a floor": Floored(Thompson(), 0.2),
        "top_two, β = 0": TopTwo(beta=0.0),
        "mixture": Mixture((Greedy(), PlackettLuce(), Thompson()), (0.2, 0.5, 0.3)),
    }
    return {cls.name: cls() for cls in POLICIES} | lively


@dataclass(frozen=True)
class Row:
    """One policy's draws against its word."""

    policy: str
    draws: int
    slates: int
    """Different ones that were drawn."""
    chance: float
    """That true propensities give slates at least as odd."""
    slot_chance: float
    """The same of the oddest slot."""
    misquoted: int
    """Draws that logged another propensity than ``probability_of`` computes."""
    unheeding: float
    """Chance of the slates under propensities that ignore the groups' limit."""
    microseconds: float
    """A draw."""

    @property
    def true(self) -> bool:
        return min(self.chance, self.slot_chance) > FALSE_ALARM and not self.misquoted


class Remembered:
    """A policy bound once, that is asked once for each mask."""

    def __init__(self, policy: Policy, scored: Scored, level: float) -> None:
        self.name, self.parameters = policy.name, policy.parameters
        self._conditional = policy.bind(scored, level)
        self._known: dict[bytes, Floats] = {}

    def bind(self, scored: Scored, level: float) -> Conditional:
        return self._answer

    def _answer(self, open_: Bools) -> Floats:
        mask = open_.tobytes()
        if mask not in self._known:
            self._known[mask] = self._conditional(open_)
        return self._known[mask]


def check(name: str, draws: int, seed: int = 0) -> Row:
    """Draw, and hold the draws against what replay computes."""
    policy, scored = policies()[name], beliefs()
    rng, bound = derive(seed, "benchmark propensities", name), Remembered(policy, scored, 1.0)
    seen: Counter[tuple[Slate, bytes]] = Counter()
    started = time.perf_counter()
    for _ in range(draws):
        drawn = draw(bound, scored, RULES, SLOTS, 1.0, LOOK, rng)
        seen[tuple(drawn.chosen.tolist()), drawn.propensity.tobytes()] += 1
    spent = time.perf_counter() - started
    counts: Counter[Slate] = Counter()
    misquoted = 0
    for (slate, logged), times in seen.items():
        counts[slate] += times
        again = probability_of(policy, scored, RULES, slate, 1.0)
        misquoted += times * (logged != again.tobytes())
    count = np.array([counts[slate] for slate in SLATES])
    due = _due(policy, scored, RULES)
    return Row(
        policy=name,
        draws=draws,
        slates=len(counts),
        chance=chi_square(count, due),
        slot_chance=min(_slot_chance(count, due, slot) for slot in range(SLOTS)),
        misquoted=misquoted,
        unheeding=chi_square(count, _due(policy, scored, replace(RULES, max_per_group=0))),
        microseconds=1e6 * spent / draws,
    )


def _due(policy: Policy, scored: Scored, rules: Rules) -> Floats:
    """(slates,) the probability of each slate by ``probability_of``."""
    bound = Remembered(policy, scored, 1.0)
    return np.array([probability_of(bound, scored, rules, slate, 1.0).prod() for slate in SLATES])


def _slot_chance(count: NDArray[np.int64], due: Floats, slot: int) -> float:
    at = np.array([slate[slot] for slate in SLATES])
    seen = np.bincount(at, count, 7).astype(np.int64)
    return chi_square(seen, np.bincount(at, due, 7))


def check_all(names: Sequence[str], draws: int, processes: int) -> Iterator[Row]:
    """A row a policy, in their order."""
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(check, names, [draws] * len(names))


def line(row: Row) -> str:
    verdict = "true" if row.true else "NOT TRUE"
    return (
        f"{row.policy:<24}{row.slates:>8}{row.chance:>12.2g}{row.slot_chance:>12.2g}"
        f"{row.misquoted:>11}{row.unheeding:>15.2g}{row.microseconds:>9.0f}  {verdict}"
    )


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks exploration propensities")
    parser.add_argument("--draws", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--policy", action="append", choices=list(policies()), metavar="NAME")
    options = parser.parse_args(argv)
    names = options.policy or list(policies())
    print(f"{options.draws:,} draws a policy; false alarm {FALSE_ALARM:g} a row\n")
    print(
        f"{'policy':<24}{'slates':>8}{'P(slates)':>12}{'P(slot)':>12}{'misquoted':>11}"
        f"{'limits ignored':>15}{'µs':>9}"
    )
    rows = []
    for row in check_all(names, options.draws, options.processes):
        rows.append(row)
        print(line(row), flush=True)
    true = sum(row.true for row in rows)
    print(f"\nscore: {true} of {len(rows)} policies log the probability they draw with")
    return int(true < len(rows))
