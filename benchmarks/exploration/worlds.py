"""Worlds of one slot or a slate: items whose click rates change as they do in shops.

A world is its rates, step by step, so that every policy meets the same one. Rates are drawn from a
beta distribution: most items are poor, a few are several times as good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from equipoise.randomness import derive
from equipoise.types import Bools, Floats

EVERY = 10
"""Decisions a step: rates stand still for so long."""
POOR, RICH = (2.0, 38.0), (2.0, 40.0)
"""Parameters of the rates' beta distribution, with 100 items and with 20."""


@dataclass(frozen=True)
class World:
    """What happens, whoever decides."""

    rates: Floats
    """(steps, n) the chance that a look at each item is a click."""
    launched: Bools
    """(steps, n) True where another item takes this place, openly: nothing is known of it."""
    luck: Floats
    """(decisions, 2 L) uniform: for the draw of each slot and for its click."""
    delay: int
    """Decisions until the outcome of a look is known."""
    look: Floats
    """(L,) the chance that each slot is looked at, known to the learner."""
    guess: tuple[float, float]
    """Mean and strength of the prior that the learner starts from."""


Maker = Callable[[np.random.Generator, int, int, tuple[float, float]], tuple[Floats, Bools]]


def _beta(rng: np.random.Generator, shape: tuple[float, float], size: int) -> Floats:
    return np.asarray(rng.beta(*shape, size))


def stationary(
    rng: np.random.Generator, steps: int, n: int, shape: tuple[float, float]
) -> tuple[Floats, Bools]:
    rates = np.repeat(_beta(rng, shape, n)[None], steps, axis=0)
    return rates, np.zeros((steps, n), dtype=bool)


def abrupt(every: int, share: float = 0.3) -> Maker:
    """A share of the items gets another rate, and nobody says so."""

    def make(
        rng: np.random.Generator, steps: int, n: int, shape: tuple[float, float]
    ) -> tuple[Floats, Bools]:
        rates, launched = stationary(rng, steps, n, shape)
        for step in range(every // EVERY, steps, every // EVERY):
            changed = rng.random(n) < share
            rates[step:, changed] = _beta(rng, shape, int(changed.sum()))
        return rates, launched

    return make


def launches(every: int) -> Maker:
    """Every so often one item, whichever, is replaced by a new one."""

    def make(
        rng: np.random.Generator, steps: int, n: int, shape: tuple[float, float]
    ) -> tuple[Floats, Bools]:
        rates, launched = stationary(rng, steps, n, shape)
        for step in range(every // EVERY, steps, every // EVERY):
            item = int(rng.integers(n))
            rates[step:, item] = _beta(rng, shape, 1)[0]
            launched[step, item] = True
        return rates, launched

    return make


def creeping(life: float, spread: float = 1.2) -> Maker:
    """The logarithm of every rate wanders (Ornstein–Uhlenbeck): after ``life`` it is another."""

    def make(
        rng: np.random.Generator, steps: int, n: int, shape: tuple[float, float]
    ) -> tuple[Floats, Bools]:
        keep = np.exp(-EVERY / life)
        walk = np.empty((steps, n))
        walk[0] = rng.normal(size=n)
        shocks = rng.normal(size=(steps, n)) * np.sqrt(1.0 - keep * keep)
        for step in range(1, steps):
            walk[step] = keep * walk[step - 1] + shocks[step]
        mean = shape[0] / sum(shape)
        rates = mean * np.exp(spread * walk - 0.5 * spread * spread)
        return np.minimum(rates, 0.5), np.zeros((steps, n), dtype=bool)

    return make


def seasons(period: int, height: float = 0.8) -> Maker:
    """Every item has its time of the year."""

    def make(
        rng: np.random.Generator, steps: int, n: int, shape: tuple[float, float]
    ) -> tuple[Floats, Bools]:
        base, launched = stationary(rng, steps, n, shape)
        phase = rng.uniform(0.0, 2.0 * np.pi, n)
        turn = 2.0 * np.pi * EVERY * np.arange(steps)[:, None] / period
        return np.minimum(base * (1.0 + height * np.sin(turn + phase)), 0.6), launched

    return make


@dataclass(frozen=True)
class Scenario:
    maker: Maker
    n: int = 100
    decisions: int = 40_000
    delay: int = 0
    guess: tuple[float, float] = (0.05, 40.0)
    shape: tuple[float, float] = POOR
    look: tuple[float, ...] = (1.0,)

    def world(self, name: str, seed: int) -> World:
        rng = derive(seed, "benchmarks.exploration.world", name)
        steps = self.decisions // EVERY
        rates, launched = self.maker(rng, steps, self.n, self.shape)
        luck = rng.random((self.decisions, 2 * len(self.look)))
        return World(rates, launched, luck, self.delay, np.array(self.look), self.guess)


def _small(maker: Maker, delay: int = 0) -> Scenario:
    """Twenty items, for longer."""
    return Scenario(maker, 20, 100_000, delay, (2.0 / 42.0, 42.0), RICH)


EIGHT = (1.0, 0.8, 0.65, 0.55, 0.45, 0.38, 0.32, 0.28)
"""Slates: chances that slots are looked at, falling as they do in lists."""

SCENARIOS: dict[str, Scenario] = {
    "stationary": Scenario(stationary),
    "abrupt drift": Scenario(abrupt(8_000)),
    "creeping drift": Scenario(creeping(20_000.0)),
    "seasons": Scenario(seasons(20_000)),
    "10 shows a life": Scenario(launches(10)),
    "30 shows a life": Scenario(launches(30)),
    "100 shows a life": Scenario(launches(100)),
    "1,000 shows a life": Scenario(launches(1_000)),
    "late feedback": Scenario(launches(200), delay=500),
    "prior too narrow": Scenario(launches(1_000), guess=(0.05, 400.0)),
    "slates of 8, launches": Scenario(launches(200), decisions=15_000, look=EIGHT),
    "slates of 8, abrupt drift": Scenario(abrupt(5_000), decisions=15_000, look=EIGHT),
    "20, stationary": _small(stationary),
    "20, abrupt drift": _small(abrupt(20_000)),
    "20, creeping drift": _small(creeping(50_000.0)),
    "20, seasons": _small(seasons(50_000)),
    "20, launches": _small(launches(2_000)),
    "20, late feedback": _small(launches(2_000), delay=500),
}
