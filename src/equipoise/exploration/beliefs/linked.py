"""Coefficients that are seen through a link: what logistic and probit beliefs have in common.

A reward in 0…1 comes with the chance ``g(xᵀβ)``. The belief about β is a Gaussian, full or
diagonal, and stays one: each reward is replaced by the Gaussian observation that moves the score's
mean and variance just as the reward does (``tilted``; assumed density filtering).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np

from equipoise.exploration.beliefs.observations import kept, observations, prior, rows
from equipoise.exploration.beliefs.posteriors import Diagonal, Full, Posterior
from equipoise.randomness import RandomState, generator
from equipoise.types import Arrays, Floats

HELD = 16
"""Rows that each checkpoint of a calibration is judged on."""
NORMAL_80 = 1.2815515655446004
"""Standard deviations to either side that hold 80 %."""
LEAST = 1e-300
"""Variance of a row of zeros, whose error is 0 too."""


class LinkedBelief(ABC):
    """The common part; use ``LogisticBelief`` or ``ProbitBelief``.

    A value: every method gives a new belief. Rewards count one after the other, so their order
    matters, by some tenths of a spread (full; diagonal by up to one): in the same order, at once
    or one by one, the belief is the same to the bit. An update or a prediction costs O(d²) a row,
    O(d) where the form is diagonal.
    """

    link: ClassVar[int]

    def __init__(
        self,
        d: int,
        *,
        diagonal: bool,
        prior_mean: Floats | None,
        prior_precision: float | Floats,
        unit: float,
    ) -> None:
        self.d = d
        self.n = 0.0
        """Observations, weighted and decayed."""
        self._unit = unit
        """The score that the link takes for 1."""
        self._mean, self._precision = prior(d, prior_mean, prior_precision)
        form = Diagonal if diagonal else Full
        self._posterior: Posterior = form.of(self._mean, self._precision)
        self._calibration = np.array([[0.0, 1.0]])

    @property
    def diagonal(self) -> bool:
        """Whether coefficients are believed independent."""
        return isinstance(self._posterior, Diagonal)

    @property
    def mean(self) -> Floats:
        """(d,) of the coefficients."""
        return self._posterior.mean

    @property
    def spread(self) -> float:
        """What every standard deviation is multiplied with (``calibrated``); 1 unless asked for."""
        n, spread = self._calibration.T
        return float(np.interp(np.log1p(self.n), np.log1p(n), spread))

    def latent(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the score ``xᵀβ``, each (n,), for x (n, d)."""
        mean, variance = self._posterior.score(rows(x, self.d))
        return mean, self.spread**2 * variance

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the expected reward, a probability, each (n,), for x (n, d)."""
        mean, variance = self.latent(x)
        return self._expected(mean / self._unit, variance / self._unit**2)

    def noise_of(self, mean: Floats) -> Floats:
        """(n,) the variance of one outcome whose chance is ``mean``: ``m (1 − m)``."""
        return np.asarray(mean * (1.0 - mean))

    def covariance_root(self, x: Floats) -> Floats:
        """(n, k) R with ``R Rᵀ`` the covariance of the expected rewards at x (``Scored.root``).

        Correlations are the scores', variances those of ``predict``.
        """
        root = self._posterior.root(rows(x, self.d))
        length = np.sqrt(np.einsum("ij,ij->i", root, root))
        sd = np.sqrt(self.predict(x)[1])
        scale = np.divide(sd, length, out=np.zeros(len(sd)), where=length > 0)
        return np.asarray(root * scale[:, None])

    def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self:
        """The belief after rewards (n,) in 0…1 at x (n, d), each of ``weight`` (n,) observations.

        A reward within 0…1 is a share of successes: .25 with weight 8 is two of eight.
        """
        x, reward, weight = observations(x, reward, weight, self.d)
        if ((reward < 0.0) | (reward > 1.0)).any():
            raise ValueError("a reward lies outside 0…1; this belief is about a probability")
        after = self._posterior.learn(x / self._unit, reward, weight, self.link)
        return self._with(after, self.n + float(weight.sum()))

    def pending(self, x: Floats, weight: Floats | None = None) -> Self:
        """The belief while rewards at x (n, d) are awaited: as sure as it will be, mean unmoved.

        By Fisher's information at the mean. For one decision: what really comes is later learnt
        by ``update`` of the belief itself, not of this one.
        """
        x, _, weight = observations(x, np.zeros(len(x)), weight, self.d)
        return self._with(self._posterior.awaiting(x / self._unit, weight, self.link), self.n)

    def decay(self, gamma: float) -> Self:
        """Forget towards the prior: precision ``γA + (1 − γ)Λ``, and the mean with it.

        Raises:
            ValueError: gamma is not within 0…1.
        """
        after = self._posterior.decay(self._mean, self._precision, kept(gamma))
        return self._with(after, gamma * self.n)

    def merge(self, other: LinkedBelief) -> Self:
        """The belief of whoever saw what both saw: what each learnt is added to the shared prior.

        Raises:
            ValueError: priors or forms differ.
        """
        if not self._akin(other):
            raise ValueError("beliefs merge only in one form and from the same prior")
        after = self._posterior.merge(other._posterior, self._mean, self._precision)
        return self._with(after, self.n + other.n)

    def calibrated(self, x: Floats, *, worlds: int = 64, random_state: RandomState = None) -> Self:
        """The belief with its spread corrected for features that come as the rows of x (N, d) do.

        The diagonal form takes coefficients for independent. Where features come together it
        closes in slowly on what it already takes for known. How much so needs no rewards to be
        seen: in ``worlds`` drawn from the prior it learns from these rows and is compared with the
        truth (simulation-based calibration; Cook, Gelman & Rubin 2006). Spreads then grow, by the
        number of rows learnt from, so that intervals of 80 % hold 80 %; those of 50 % then hold
        some points more and of 95 % some less. Beyond N rows the last value holds: give as many
        as will be learnt from.

        Raises:
            ValueError: x has under 32 rows; or this belief has already learnt.
        """
        x = rows(x, self.d)
        if len(x) < 2 * HELD or self.n > 0:
            raise ValueError(
                f"{len(x)} rows for a belief of {self.n:g} observations; calibration takes "
                f"{2 * HELD} rows or more, before the first observation"
            )
        rng = generator(random_state, "calibrated")
        seen = _checkpoints(len(x) - HELD)
        errors = np.concatenate([self._errors(x, seen, rng) for _ in range(worlds)], axis=1)
        spread = np.quantile(np.abs(errors), 0.8, axis=1) / NORMAL_80
        new = self._with(self._posterior, 0.0)
        new._calibration = np.array([[0.0, 1.0], *zip(seen, spread, strict=True)])
        return new

    def arrays(self) -> Arrays:
        """All of it, for a snapshot."""
        return {
            "prior_mean": self._mean,
            "prior_precision": self._precision,
            "totals": np.array([self._unit, self.n]),
            "calibration": self._calibration,
            **self._posterior.arrays(),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """What ``arrays`` described, to the bit."""
        new = object.__new__(cls)
        new._mean, new._precision = arrays["prior_mean"], arrays["prior_precision"]
        new.d = len(new._mean)
        new._unit, new.n = arrays["totals"].tolist()
        new._calibration = arrays["calibration"]
        if "variance" in arrays:
            new._posterior = Diagonal(arrays["mean"], arrays["variance"])
        else:
            new._posterior = Full(arrays["factor"], arrays["target"])
        return new

    @abstractmethod
    def _expected(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of ``g(f)`` for f ~ N(mean, variance), in units of the link."""

    def _with(self, posterior: Posterior, n: float) -> Self:
        new = copy(self)
        new._posterior, new.n = posterior, n
        return new

    def _akin(self, other: LinkedBelief) -> bool:
        return (
            (type(self), self.diagonal, self._unit) == (type(other), other.diagonal, other._unit)
            and np.array_equal(self._mean, other._mean)
            and np.array_equal(self._precision, other._precision)
            and np.array_equal(self._calibration, other._calibration)
        )

    def _errors(self, x: Floats, seen: list[int], rng: np.random.Generator) -> Floats:
        """(len(seen), HELD) standardised errors after ``seen`` rows, in one drawn world."""
        order = rng.permutation(len(x))
        held, x = x[order[:HELD]], x[order[HELD:]]
        truth = self._mean + rng.normal(size=self.d) / np.sqrt(self._precision)
        chance, _ = self._expected(x @ truth / self._unit, np.zeros(len(x)))
        reward = (rng.random(len(x)) < chance).astype(float)
        belief, errors = self, []
        for first, last in pairwise([0, *seen]):
            belief = belief.update(x[first:last], reward[first:last])
            mean, variance = belief._posterior.score(held)
            errors.append((held @ truth - mean) / np.sqrt(np.maximum(variance, LEAST)))
        return np.array(errors)


def _checkpoints(n: int) -> list[int]:
    """n, n / 4, n / 16 … down to some few, rising."""
    return [] if n < 4 else [*_checkpoints(n // 4), n]
