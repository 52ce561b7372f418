"""The two forms of a Gaussian behind a link: the whole covariance, or its diagonal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from equipoise.exploration.beliefs import linked_kernels as linked
from equipoise.exploration.beliefs.linear_kernels import (
    coefficients,
    decay,
    from_sums,
    predict_rows,
    start,
    whiten,
)
from equipoise.types import Arrays, Floats


class Posterior(Protocol):
    """A Gaussian about d coefficients; every method that changes it gives a new one."""

    @property
    def mean(self) -> Floats: ...
    def score(self, x: Floats) -> tuple[Floats, Floats]: ...
    def root(self, x: Floats) -> Floats: ...
    def learn(self, x: Floats, reward: Floats, weight: Floats, link: int) -> Self: ...
    def awaiting(self, x: Floats, weight: Floats, link: int) -> Self: ...
    def decay(self, mean: Floats, precision: Floats, gamma: float) -> Self: ...
    def merge(self, other: Self, mean: Floats, precision: Floats) -> Self: ...
    def arrays(self) -> Arrays: ...


@dataclass(frozen=True, slots=True)
class Full:
    """By the square root of its precision (``linear_kernels``)."""

    factor: Floats
    target: Floats

    @classmethod
    def of(cls, mean: Floats, precision: Floats) -> Full:
        return cls(*start(precision, mean))

    @property
    def mean(self) -> Floats:
        return np.asarray(coefficients(self.factor, self.target))

    def score(self, x: Floats) -> tuple[Floats, Floats]:
        mean, variance = predict_rows(self.factor, self.target, x)
        return mean, variance

    def root(self, x: Floats) -> Floats:
        return np.asarray(whiten(self.factor, x))

    def learn(self, x: Floats, reward: Floats, weight: Floats, link: int) -> Full:
        new = self._copy()
        linked.learn_full(new.factor, new.target, x, reward, weight, link)
        return new

    def awaiting(self, x: Floats, weight: Floats, link: int) -> Full:
        new = self._copy()
        linked.await_full(new.factor, new.target, x, weight, link)
        return new

    def decay(self, mean: Floats, precision: Floats, gamma: float) -> Full:
        new = self._copy()
        decay(new.factor, new.target, precision, mean, gamma)
        return new

    def merge(self, other: Full, mean: Floats, precision: Floats) -> Full:
        pair = (self, other)
        a = sum(one.factor.T @ one.factor for one in pair) - np.diag(precision)
        b = sum(one.factor.T @ one.target for one in pair) - precision * mean
        return Full(*from_sums(a, b))

    def arrays(self) -> Arrays:
        return {"factor": self.factor, "target": self.target}

    def _copy(self) -> Full:
        return Full(self.factor.copy(), self.target.copy())


@dataclass(frozen=True, slots=True)
class Diagonal:
    """By mean and variance of each coefficient."""

    mean: Floats
    variance: Floats

    @classmethod
    def of(cls, mean: Floats, precision: Floats) -> Diagonal:
        return cls(mean, 1.0 / precision)

    def score(self, x: Floats) -> tuple[Floats, Floats]:
        mean, variance = linked.predict_diagonal(self.mean, self.variance, x)
        return mean, variance

    def root(self, x: Floats) -> Floats:
        return np.asarray(x * np.sqrt(self.variance))

    def learn(self, x: Floats, reward: Floats, weight: Floats, link: int) -> Diagonal:
        new = Diagonal(self.mean.copy(), self.variance.copy())
        linked.learn_diagonal(new.mean, new.variance, x, reward, weight, link)
        return new

    def awaiting(self, x: Floats, weight: Floats, link: int) -> Diagonal:
        new = Diagonal(self.mean.copy(), self.variance.copy())
        linked.await_diagonal(new.mean, new.variance, x, weight, link)
        return new

    def decay(self, mean: Floats, precision: Floats, gamma: float) -> Diagonal:
        left, back = gamma / self.variance, (1.0 - gamma) * precision
        return Diagonal((left * self.mean + back * mean) / (left + back), 1.0 / (left + back))

    def merge(self, other: Diagonal, mean: Floats, precision: Floats) -> Diagonal:
        total = 1.0 / self.variance + 1.0 / other.variance - precision
        moment = self.mean / self.variance + other.mean / other.variance - precision * mean
        return Diagonal(moment / total, 1.0 / total)

    def arrays(self) -> Arrays:
        return {"mean": self.mean, "variance": self.variance}
