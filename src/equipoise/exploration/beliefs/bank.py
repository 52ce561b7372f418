"""A bank of memories: one belief at several rates of forgetting, each as trusted as it foresaw.

How fast a shop changes is not known, and changes. So nobody sets it: each memory gives a
probability to every outcome before it learns it, and is trusted in proportion to the product of
those. With weights w_r, means m_r and variances v_r the bank believes (law of total variance)::

    mean = Σ w_r m_r        variance = Σ w_r (v_r + (m_r − mean)²)

so that memories which disagree make the bank unsure, and it explores. Weights are kept as
logarithms and never clipped. By Bayes alone a memory that was wrong for long would need as long to
be heard again. Therefore each step hands a small share of all weight out anew, to every memory
alike (*fixed share*; Herbster & Warmuth, *Machine Learning* 32, 1998).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.types import Arrays, Floats, Positions

HALF_LIVES = (500.0, 2_000.0, 8_000.0, 32_000.0, 128_000.0, math.inf)
"""A factor of four apart: closer ones foresee too much alike to be told apart."""
STEPS = 16
"""Times that a memory forgets in its half-life: each costs O(arms), and takes 4 % of it at once."""
OUTDATED = 0.5


class ArmBelief(Protocol):
    """What a bank needs of a belief about arms; ``BetaBelief`` and ``RateBelief`` have it."""

    def learn(self, arm: int, looks: float, reward: float, group: int | None = None) -> float: ...
    def pending(self, arm: int, looks: float) -> None: ...
    def reassign(self, arm: int, group: int) -> None: ...
    def predict(
        self, arms: Positions, groups: NDArray[np.integer[Any]] | None = None
    ) -> tuple[Floats, Floats]: ...
    def decay(self, gamma: float) -> None: ...
    def arrays(self) -> Arrays: ...
    def load(self, arrays: Arrays) -> None: ...


@runtime_checkable
class Viewed(Protocol):
    """One that counts looks before it is known what came of them."""

    def view(self, arm: int, looks: float, group: int | None = None) -> None: ...


# ---------------------------------------------------------------- the mixture


@njit(cache=True)
def reweigh(log_weight: Floats, log_chance: Floats, share: float) -> None:
    """Log weights (memories,) after a step, in place; ``share`` of all weight is dealt out anew."""
    log_weight += log_chance
    highest = log_weight.max()
    log_weight -= highest + np.log(np.exp(log_weight - highest).sum())
    if share > 0.0:
        spread = share / len(log_weight)
        log_weight[:] = np.log((1.0 - share) * np.exp(log_weight) + spread)


@njit(cache=True)
def mixture(log_weight: Floats, means: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Mean and variance (n,) of a mixture of beliefs, each (memories, n)."""
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    mean, variance = np.zeros(means.shape[1]), np.zeros(means.shape[1])
    for r in range(len(weight)):
        mean += weight[r] * means[r]
    for r in range(len(weight)):
        variance += weight[r] * (variances[r] + (means[r] - mean) ** 2)
    return mean, variance


@dataclass(frozen=True, slots=True)
class Memories:
    """How long each memory lasts, and how they are weighed against one another.

    Args:
        half_lives: in the unit in which time is told to the bank, rising; infinite for a memory
            that never forgets.
        share: of all weight that each step hands out anew.

    Raises:
        ValueError: half-lives that do not rise from above 0, or a share not from 0 to below 1.
    """

    half_lives: tuple[float, ...]
    share: float

    def __post_init__(self) -> None:
        lives = self.half_lives
        rising = all(a < b for a, b in pairwise(lives))
        if not lives or not lives[0] > 0.0 or not rising:
            raise ValueError(f"half_lives are {lives}; at least one, above 0 and rising")
        if not 0.0 <= self.share < 1.0:
            raise ValueError(f"share is {self.share}; a part of all weight, from 0 to below 1")

    def at_first(self) -> Floats:
        """Log weights (memories,), all alike."""
        return np.full(len(self.half_lives), -math.log(len(self.half_lives)))

    def after(self, log_weight: Floats, log_chance: Floats) -> Floats:
        """Log weights once the memories gave these log probabilities to what happened."""
        new = log_weight.copy()
        reweigh(new, log_chance, self.share)
        return new

    def horizon(self, log_weight: Floats, age: float) -> float:
        """The weighted geometric mean of half-lives; none counts as longer than the bank is old.

        The longest finite half-life counts in full at any ``age``.
        """
        most = max(age, *(life for life in self.half_lives if math.isfinite(life)), 1.0)
        return float(np.exp(np.exp(log_weight) @ np.log(np.minimum(self.half_lives, most))))


def remains(elapsed: float, half_life: float) -> float:
    """What is left after so long; all of it where nothing is forgotten."""
    return float(0.5 ** (elapsed / half_life))


def passed(elapsed: float) -> float:
    """Time that may pass.

    Raises:
        ValueError: it runs backwards, or for ever.
    """
    if not 0.0 <= elapsed < math.inf:
        raise ValueError(f"a time of {elapsed} is to pass; it must be finite and not below 0")
    return elapsed


def together(parts: Mapping[str, Arrays]) -> Arrays:
    """The arrays of several beliefs, each under its name."""
    return {f"{of}.{name}": array for of, part in parts.items() for name, array in part.items()}


def apart(of: str, arrays: Arrays) -> Arrays:
    """The arrays of one belief, out of ``together``."""
    start = f"{of}."
    return {k.removeprefix(start): array for k, array in arrays.items() if k.startswith(start)}


# ---------------------------------------------------------------- over arms


class ArmBank:
    """The belief about arms at several half-lives; stands wherever one of them does. Mutable.

    A memory forgets in ``STEPS`` steps a half-life, so that forgetting costs little even with many
    arms; state remains a function of what was told, in its order.

    Args:
        make: returns a new belief; called once a memory.
        half_lives: of the memories, rising; in adds, or in the unit of ``advance``.
        add_lasts: time that passes with an add; 0 where only ``advance`` tells the time.
        share: of all weight that each add hands out anew. In worlds that change, 1e-5 to 1e-3
            earned about alike, and more than none; 1e-2 makes all memories equal again too soon.

    Raises:
        ValueError: half-lives that do not rise from above 0, a share not from 0 to below 1, or time
            that runs backwards.
    """

    def __init__(
        self,
        make: Callable[[], ArmBelief],
        half_lives: Sequence[float] = HALF_LIVES,
        *,
        add_lasts: float = 1.0,
        share: float = 1e-4,
    ) -> None:
        self._memories = Memories(tuple(half_lives), share)
        self._add_lasts = passed(add_lasts)
        self.beliefs = [make() for _ in self._memories.half_lives]
        """One a memory, in the order of ``half_lives``."""
        self._log_weight = self._memories.at_first()
        self._since = np.zeros(len(self.beliefs))
        """Time since each memory last forgot."""
        self._age = 0.0

    @property
    def weights(self) -> Floats:
        """(memories,) how far each is trusted; sum 1."""
        return np.asarray(np.exp(self._log_weight))

    @property
    def memory(self) -> float:
        """How long what is learnt now will be of use: the weighted half-life, at most the age."""
        return self._memories.horizon(self._log_weight, self._age)

    @property
    def outdating(self) -> float:
        """How fast what is learnt ceases to be of use, a unit of time: ½ Σ w_r / half-life_r.

        Half of what is forgotten: what is out of date must be learnt anew, and that is a reason to
        explore more. On development worlds of ``benchmarks exploration budget`` it earned more than
        none or all.
        """
        return float(OUTDATED * self.weights @ (1.0 / np.array(self._memories.half_lives)))

    def add(self, arm: int, looks: float, reward: float, group: int | None = None) -> None:
        """``learn``, its answer left aside."""
        self.learn(arm, looks, reward, group)

    def learn(self, arm: int, looks: float, reward: float, group: int | None = None) -> float:
        """Let all memories learn, weigh them by what they foresaw, and let ``add_lasts`` pass.

        Returns the log probability that the bank had given to it. What comes without looks, or
        takes some away, was not foreseen by anyone and leaves the weights alone.
        """
        chances = np.array([belief.learn(arm, looks, reward, group) for belief in self.beliefs])
        foreseen = float(np.logaddexp.reduce(self._log_weight + chances))
        if looks > 0.0:
            self._log_weight = self._memories.after(self._log_weight, chances)
        self.advance(self._add_lasts)
        return foreseen

    def advance(self, elapsed: float) -> None:
        """Time passes, and memories fade.

        Raises:
            ValueError: time runs backwards.
        """
        self._age += passed(elapsed)
        self._since += elapsed
        for r, life in enumerate(self._memories.half_lives):
            if self._since[r] >= life / STEPS:
                self.beliefs[r].decay(remains(self._since[r], life))
                self._since[r] = 0.0

    def pending(self, arm: int, looks: float) -> None:
        """``looks`` more are under way; negative when their outcome arrives."""
        for belief in self.beliefs:
            belief.pending(arm, looks)

    def view(self, arm: int, looks: float, group: int | None = None) -> None:
        """``looks`` more came into view, of which no click has come so far (``BetaBelief.view``).

        Raises:
            TypeError: the bank is of beliefs that do not tell clicks from amounts.
        """
        for belief in self.beliefs:
            if not isinstance(belief, Viewed):
                raise TypeError(f"{type(belief).__name__} does not count looks in view")
            belief.view(arm, looks, group)

    def reassign(self, arm: int, group: int) -> None:
        """Put an arm into another group, in every memory."""
        for belief in self.beliefs:
            belief.reassign(arm, group)

    def predict(
        self, arms: Positions, groups: NDArray[np.integer[Any]] | None = None
    ) -> tuple[Floats, Floats]:
        """Mean and variance of the mixture, each (n,). Changes nothing."""
        parts = [belief.predict(arms, groups) for belief in self.beliefs]
        mean, variance = mixture(
            self._log_weight, np.array([m for m, _ in parts]), np.array([v for _, v in parts])
        )
        return mean, variance

    def decay(self, gamma: float) -> None:
        """Let all memories forget at once, as after an alarm; weights stay."""
        for belief in self.beliefs:
            belief.decay(gamma)

    def arrays(self) -> Arrays:
        """The whole state."""
        arrays = together({str(r): belief.arrays() for r, belief in enumerate(self.beliefs)})
        clock = np.array([*self._since, self._age])
        return {"log_weight": self._log_weight.copy(), "clock": clock, **arrays}

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described, to the bit."""
        self._log_weight = arrays["log_weight"].copy()
        self._since, self._age = arrays["clock"][:-1].copy(), float(arrays["clock"][-1])
        for r, belief in enumerate(self.beliefs):
            belief.load(apart(str(r), arrays))
