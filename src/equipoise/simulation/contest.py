"""Policies side by side: the same shops, the same shoppers with the same luck, one engine each."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any, Self

import numpy as np

from equipoise.clock import DAY, ManualClock
from equipoise.engine import Engine
from equipoise.errors import SettingsError
from equipoise.exploration import policy_from
from equipoise.placements import default_placements
from equipoise.settings import Settings, build
from equipoise.simulation.client import ShopfrontRefused
from equipoise.simulation.finds import GREEDY_LIST, Watched, best_sellers, waits
from equipoise.simulation.meter import Outcome
from equipoise.simulation.run import simulate
from equipoise.simulation.scenarios import WEEKS_DAYS, Scenario
from equipoise.types import Floats

DEFAULT = "default"
USUAL = (DEFAULT, "greedy", "epsilon_greedy:epsilon=0.05,level=1", "thompson", "plackett_luce")
"""Who plays where nobody is named."""
SLOTS = 12
HOME_LISTS = 0.9
"""That a visit asks for, on average."""
LISTS_AN_ITEM = 20
"""In a shop of such a size an item is looked at some 100 times if all are shown alike."""
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Entry:
    """Who plays: what is changed in the home page's placement."""

    name: str
    placement: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Self:
        """``default``; or a policy with its parameters, ``epsilon_greedy:epsilon=0.05``.

        ``level=1`` among the parameters fixes the level; else a budget moves it.

        Raises:
            SettingsError: no such policy or parameter, or a value that cannot be.
        """
        if text == DEFAULT:
            return cls(text)
        policy, _, rest = text.partition(":")
        parameters = dict(_parameter(text, pair) for pair in rest.split(",") if pair)
        level = parameters.pop("level", None)
        policy_from(policy, parameters)
        placement: dict[str, Any] = {"policy": policy, "parameters": parameters}
        return cls(text, placement if level is None else {**placement, "fixed_level": level})


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is the same for all."""

    scenario: Scenario
    decisions: int = 3_000
    """Home lists, in WEEKS_DAYS days."""
    items: int | None = None
    """Of the shop in the end; by default one for every LISTS_AN_ITEM lists."""
    budget: float | None = None
    """Of every home page; by default the settings' own."""

    def __post_init__(self) -> None:
        if self.decisions < 1 or self.size < 2:
            raise ValueError(
                f"{self.decisions} decisions in a shop of {self.size} items: at least 1 and 2"
            )

    @property
    def size(self) -> int:
        return max(40, self.decisions // LISTS_AN_ITEM) if self.items is None else self.items

    @property
    def visits_per_day(self) -> float:
        """So many that the lists are shown in WEEKS_DAYS days."""
        return self.decisions / WEEKS_DAYS / HOME_LISTS

    def settings(self, entry: Entry) -> Settings:
        """Raises SettingsError."""
        budget = {} if self.budget is None else {"budget": self.budget}
        watched = {
            "sources": default_placements()["home"].sources, "policy": "greedy", "budget": 0.0,
        }  # fmt: skip
        placements = {"home": {**budget, **entry.placement}, GREEDY_LIST: watched}
        return build({**self.scenario.settings, "placements": placements})


@dataclass(frozen=True, kw_only=True)
class Result:
    """One policy in one shop."""

    policy: str
    seed: int
    reward: float
    """True expected worth of all home lists, in the shop's currency."""
    oracle: float
    """Of the best lists possible."""
    spent: float
    """What exploring cost, as a share of what greedy was expected to earn: by the engine."""
    explored: float
    """Share of slots in which greedy would have shown another."""
    clicks: int
    orders: int
    revenue: float
    lists: Floats
    """(points,) of the curves: lists so far."""
    earned: Floats
    """(points,) cumulative true reward."""
    possible: Floats
    """(points,) of the oracle."""
    waits: tuple[float | None, ...]
    """For each best-seller that was launched: lists until greedy would show it; None for never."""

    @property
    def regret(self) -> float:
        return self.oracle - self.reward

    @property
    def share(self) -> float:
        """Of the oracle's reward."""
        return self.reward / self.oracle

    @property
    def last_quarter(self) -> float:
        """Share of the oracle's reward over the last quarter of the lists."""
        start = 3 * len(self.lists) // 4
        if not len(self.lists) or self.possible[-1] <= self.possible[start]:
            return self.share
        earned = self.earned[-1] - self.earned[start]
        return float(earned / (self.possible[-1] - self.possible[start]))


def play(entry: Entry, terms: Terms, seed: int) -> Result:
    """One run, the same to the last bit on any machine.

    Raises:
        SettingsError: the entry's policy cannot be.
        ShopfrontRefused: the engine did not take what the world sent.
    """
    clock = ManualClock()
    engine = Engine.in_memory(settings=terms.settings(entry), clock=clock, seed=seed)
    shop, front = terms.scenario.shop(seed, terms.size), Watched(engine, SLOTS)
    outcome = simulate(
        shop, front, decisions=terms.decisions, seed=seed, clock=clock, n=SLOTS, similar=False,
        visits_per_day=terms.visits_per_day, checkout_ms=terms.scenario.checkout_ms,
        besides=partial(terms.scenario.besides, engine, WEEKS_DAYS * DAY / terms.decisions),
    )  # fmt: skip
    if outcome.rejected:
        raise ShopfrontRefused(f"the engine refused what the world sent: {outcome.rejected[0]}")
    wanted = best_sellers(shop, seed, SLOTS, until=float(outcome.curve["ms"][-1]))
    return _result(entry, seed, outcome, waits(shop, wanted, front.first_seen, outcome.curve))


def contest(
    entries: Sequence[Entry], terms: Terms, seeds: Sequence[int], *, processes: int = 1
) -> Iterator[Result]:
    """Every entry in every shop, in whatever order they end.

    Raises:
        SettingsError: before anything is played, where an entry cannot be.
    """
    for entry in entries:
        terms.settings(entry)
    runs = list(product(entries, seeds))
    if processes == 1:
        yield from (play(entry, terms, seed) for entry, seed in runs)
        return
    # Small matrices: threads of the linear algebra would only get in one another's way.
    for name in THREADS:
        os.environ.setdefault(name, "1")
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        begun = [pool.submit(play, entry, terms, seed) for entry, seed in runs]
        for run in as_completed(begun):
            yield run.result()


def _result(entry: Entry, seed: int, outcome: Outcome, waited: tuple[float | None, ...]) -> Result:
    spent, expected = outcome.spent or 0.0, outcome.expected or 0.0
    return Result(
        policy=entry.name,
        seed=seed,
        reward=outcome.reward,
        oracle=outcome.oracle,
        spent=spent / expected if expected else 0.0,
        explored=outcome.explored / outcome.slots,
        clicks=outcome.clicks,
        orders=outcome.orders,
        revenue=outcome.revenue,
        lists=np.concatenate([[0.0], outcome.curve["lists"]]),
        earned=np.concatenate([[0.0], outcome.curve["reward"]]),
        possible=np.concatenate([[0.0], outcome.curve["oracle"]]),
        waits=waited,
    )


def _parameter(text: str, pair: str) -> tuple[str, float]:
    name, _, value = pair.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise SettingsError(f"policy {text!r}: {pair!r} is not name=number") from None
