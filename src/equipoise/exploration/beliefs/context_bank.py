"""A bank of memories over features: ``bank.ArmBank`` for beliefs that are values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self, TypeAlias

import numpy as np

from equipoise.exploration.beliefs.bank import (
    HALF_LIVES,
    Memories,
    apart,
    mixture,
    passed,
    remains,
    together,
)
from equipoise.types import Arrays, Floats


class ContextBelief(Protocol):
    """What a bank needs of a belief over features: a value, as ``GaussianBelief``."""

    def predict(self, x: Floats) -> tuple[Floats, Floats]: ...
    def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self: ...
    def pending(self, x: Floats, weight: Floats | None = None) -> Self: ...
    def decay(self, gamma: float) -> Self: ...
    def arrays(self) -> Arrays: ...


Foreseen: TypeAlias = Callable[[Any, Floats, Floats, Floats], float]
"""(belief, x, reward, weight) → the log probability that the belief gives to these rewards."""
CERTAIN = 1e-12
"""No chance is taken to be nearer to none or one."""


def gaussian_log_chance(belief: Any, x: Floats, reward: Floats, weight: Floats) -> float:
    """Log density of rewards, each ``N(mean, variance + belief.noise / weight)`` by itself."""
    seen = weight > 0.0
    mean, variance = belief.predict(x[seen])
    spread = variance + belief.noise / weight[seen]
    return float(-0.5 * np.sum((reward[seen] - mean) ** 2 / spread + np.log(2.0 * np.pi * spread)))


def bernoulli_log_chance(belief: Any, x: Floats, reward: Floats, weight: Floats) -> float:
    """Log probability of rewards of 0 or 1, or in between, for beliefs whose mean is a chance."""
    mean = np.clip(belief.predict(x)[0], CERTAIN, 1.0 - CERTAIN)
    return float(weight @ (reward * np.log(mean) + (1.0 - reward) * np.log1p(-mean)))


class ContextBank:
    """A belief over features at several half-lives; stands wherever one of them does. A value.

    The rows of one update are foreseen together, before any is learnt.

    Args:
        belief: that has seen nothing.
        half_lives: of the memories, rising; in rows, or in the unit of ``advance``.
        row_lasts: time that passes with a row; 0 where only ``advance`` tells the time.
        share: of all weight that each update hands out anew.
        foreseen: the log probability that a belief gives to rewards: ``gaussian_log_chance``, or
            ``bernoulli_log_chance`` for logistic and probit beliefs.

    Raises:
        ValueError: half-lives that do not rise from above 0, a share not from 0 to below 1, or time
            that runs backwards.
    """

    def __init__(
        self,
        belief: ContextBelief,
        half_lives: Sequence[float] = HALF_LIVES,
        *,
        row_lasts: float = 1.0,
        share: float = 1e-4,
        foreseen: Foreseen = gaussian_log_chance,
    ) -> None:
        self._memories = Memories(tuple(half_lives), share)
        self._row_lasts = passed(row_lasts)
        self._foreseen = foreseen
        self.beliefs = (belief,) * len(self._memories.half_lives)
        """One a memory, in the order of ``half_lives``."""
        self._log_weight = self._memories.at_first()
        self._age = 0.0

    @property
    def weights(self) -> Floats:
        """(memories,) how far each is trusted; sum 1."""
        return np.asarray(np.exp(self._log_weight))

    @property
    def memory(self) -> float:
        """How long what is learnt now will be of use: the weighted half-life, at most the age."""
        return self._memories.horizon(self._log_weight, self._age)

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the mixture, each (n,), for x (n, d)."""
        parts = [belief.predict(x) for belief in self.beliefs]
        mean, variance = mixture(
            self._log_weight, np.array([m for m, _ in parts]), np.array([v for _, v in parts])
        )
        return mean, variance

    def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self:
        """Weigh the memories by what they foresaw, let all learn, and let ``row_lasts`` pass."""
        reward = np.asarray(reward, dtype=float)
        told = np.ones(len(reward)) if weight is None else np.asarray(weight, dtype=float)
        learnt = tuple(belief.update(x, reward, told) for belief in self.beliefs)
        chances = np.array([self._foreseen(belief, x, reward, told) for belief in self.beliefs])
        new = self._with(learnt)
        new._log_weight = self._memories.after(self._log_weight, chances)
        return new.advance(self._row_lasts * len(reward))

    def advance(self, elapsed: float) -> Self:
        """The bank after so much time has passed, and memories have faded.

        Raises:
            ValueError: time runs backwards.
        """
        lives = zip(self.beliefs, self._memories.half_lives, strict=True)
        new = self._with(tuple(b.decay(remains(passed(elapsed), life)) for b, life in lives))
        new._age += elapsed
        return new

    def pending(self, x: Floats, weight: Floats | None = None) -> Self:
        """The bank while rewards at x (n, d) are awaited: for one decision, not to go on from."""
        return self._with(tuple(belief.pending(x, weight) for belief in self.beliefs))

    def decay(self, gamma: float) -> Self:
        """All memories forget at once, as after an alarm; weights stay."""
        return self._with(tuple(belief.decay(gamma) for belief in self.beliefs))

    def arrays(self) -> Arrays:
        """The whole state."""
        own = {"log_weight": self._log_weight.copy(), "age": np.array([self._age])}
        return own | together({str(r): belief.arrays() for r, belief in enumerate(self.beliefs)})

    def with_arrays(self, arrays: Arrays, read: Callable[[Arrays], ContextBelief]) -> Self:
        """A bank like this in the state that ``arrays`` described; ``read`` is ``from_arrays``."""
        new = self._with(tuple(read(apart(str(r), arrays)) for r in range(len(self.beliefs))))
        new._log_weight, new._age = arrays["log_weight"].copy(), float(arrays["age"][0])
        return new

    def _with(self, beliefs: tuple[ContextBelief, ...]) -> Self:
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        new.beliefs = beliefs
        return new
