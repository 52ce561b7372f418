"""Bayesian linear regression by sums: how good a match is expected to be, and how sure we are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from equipoise.exploration.beliefs.linear_kernels import (
    absorb_rows,
    coefficients,
    from_sums,
    predict_rows,
    whiten,
)
from equipoise.exploration.beliefs.observations import kept, observations, prior, rows
from equipoise.types import Arrays, Floats

FEW = 8
"""An update of d / 8 rows or fewer is rotated into the factor; of more, the factor is made anew."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What a linear regression needs of its data. Sums add, so beliefs merge, forget and undo."""

    gram: Floats
    """(d, d) Σ w x xᵀ"""
    moment: Floats
    """(d,) Σ w r x"""
    square: float
    """Σ w r²"""
    n: float
    """Σ w"""

    @classmethod
    def of(cls, x: Floats, reward: Floats, weight: Floats) -> Sums:
        weighted = x * weight[:, None]
        moment, square = weighted.T @ reward, float(weight @ reward**2)
        return cls(weighted.T @ x, moment, square, float(weight.sum()))

    def plus(self, other: Sums, times: float = 1.0) -> Sums:
        return Sums(
            self.gram + times * other.gram,
            self.moment + times * other.moment,
            self.square + times * other.square,
            self.n + times * other.n,
        )

    def scaled(self, factor: float) -> Sums:
        return Sums(factor * self.gram, factor * self.moment, factor * self.square, factor * self.n)


class GaussianBelief:
    """Rewards ``r = xᵀβ + e``, ``e ~ N(0, σ²/w)``, with prior ``β ~ N(prior_mean, σ² Λ⁻¹)``.

    After data: ``A = Λ + Σ w x xᵀ``, ``b = Λ m₀ + Σ w r x``, mean ``xᵀA⁻¹b``, variance of the
    *expected* reward ``σ² xᵀA⁻¹x`` (Bishop, *Pattern Recognition and Machine Learning*, 3.3).
    A value: every method gives a new belief. An update costs O(d²) a row, a prediction too. After
    an update of many rows at once, ``subtract``, ``merge`` or ``decay``, the next of either costs
    O(d³) more. What was asked in between never changes an answer, not even in its last bit.

    Args:
        d: features.
        prior_mean: (d,) m₀; zeros if None.
        prior_precision: the diagonal of Λ, one number or (d,), counted in observations: the prior
            variance of a coefficient is ``noise / prior_precision``.
        noise: σ², the variance of one reward of weight 1.
        noise_strength: how many observations ``noise`` is worth. Infinite: it is known. Else
            ``σ² = (strength · noise + residuals) / (strength + n)``, where the residuals are those
            of the normal-inverse-gamma posterior, ``Σ w r² + m₀ᵀΛm₀ − bᵀA⁻¹b``.

    Raises:
        ValueError: an argument of the wrong shape or sign.
    """

    def __init__(
        self,
        d: int,
        *,
        prior_mean: Floats | None = None,
        prior_precision: float | Floats = 1.0,
        noise: float = 1.0,
        noise_strength: float = math.inf,
    ) -> None:
        self.d = d
        self._mean, self._precision = prior(d, prior_mean, prior_precision)
        if not noise > 0 or not noise_strength >= 0:
            raise ValueError(
                f"noise {noise} must be above 0, noise_strength {noise_strength} not below"
            )
        self._noise = float(noise)
        self._noise_strength = float(noise_strength)
        self._sums = Sums(np.zeros((d, d)), np.zeros(d), 0.0, 0.0)
        self._factor: tuple[Floats, Floats] | None = None
        """``linear_kernels``' factor and target, where the history of updates has made them."""

    @property
    def n(self) -> float:
        """Observations, weighted and decayed."""
        return self._sums.n

    @cached_property
    def precision(self) -> Floats:
        """(d, d) A, the precision of β in units of σ²."""
        return np.asarray(np.diag(self._precision) + self._sums.gram)

    @cached_property
    def mean(self) -> Floats:
        """(d,) the posterior mean of β, ``A⁻¹b``."""
        return np.asarray(coefficients(*self._filter))

    @cached_property
    def noise(self) -> float:
        """σ²: as given, or drawn towards the residuals (``noise_strength``)."""
        if math.isinf(self._noise_strength):
            return self._noise
        residuals = (
            self._sums.square
            + self._mean @ (self._precision * self._mean)
            - self.mean @ self.precision @ self.mean
        )
        strength = self._noise_strength + self.n
        # Without prior and data there is nothing to go by but the guess itself.
        return float(
            (self._noise_strength * self._noise + max(float(residuals), 0.0)) / strength
            if strength > 0
            else self._noise
        )

    @cached_property
    def _filter(self) -> tuple[Floats, Floats]:
        if self._factor is not None:
            return self._factor
        made: tuple[Floats, Floats] = from_sums(
            self.precision, self._precision * self._mean + self._sums.moment
        )
        return made

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the expected reward, each (n,), for x (n, d).

        Raises:
            ValueError: x is not (n, d) or not finite; or ``subtract`` took what was never seen, and
                no precision is left.
        """
        mean, leverage = predict_rows(*self._filter, rows(x, self.d))
        return mean, self.noise * leverage

    def covariance_root(self, x: Floats) -> Floats:
        """(n, d) R with ``R Rᵀ`` the covariance of the expected rewards at x (``Scored.root``)."""
        return np.asarray(math.sqrt(self.noise) * whiten(self._filter[0], rows(x, self.d)))

    def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self:
        """The belief after rewards (n,) at x (n, d), each of ``weight`` (n,) observations (1)."""
        seen = observations(x, reward, weight, self.d)
        return self._after(self._sums.plus(Sums.of(*seen)), *seen)

    def pending(self, x: Floats, weight: Floats | None = None) -> Self:
        """The belief while rewards at x (n, d) are awaited: as sure as it will be, mean unmoved.

        As if each had earned just what is expected of it; σ² is left alone. For one decision:
        what really comes is later learnt by ``update`` of the belief itself, not of this one.
        """
        x = rows(x, self.d)
        awaited = observations(x, x @ self.mean, weight, self.d)
        return self._after(replace(self._sums.plus(Sums.of(*awaited)), n=self.n), *awaited)

    def subtract(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self:
        """Undo an update: the belief as if it had never seen this.

        Raises:
            ValueError: more is taken away than was ever seen.
        """
        sums = self._sums.plus(self._of(x, reward, weight), -1.0)
        if sums.n < -1e-9 * max(1.0, self.n):
            raise ValueError(
                f"{self.n - sums.n:g} observations are to be taken away; only {self.n:g} are there"
            )
        return self._with(sums)

    def merge(self, other: GaussianBelief) -> Self:
        """The belief of whoever saw what both saw, from the prior that both share.

        Raises:
            ValueError: the priors differ.
        """
        if not self._same_prior(other):
            raise ValueError("beliefs merge only when they started from the same prior")
        return self._with(self._sums.plus(other._sums))

    def decay(self, gamma: float) -> Self:
        """Forget towards the prior: ``A ← γA + (1 − γ)Λ``, so no direction loses its prior.

        Raises:
            ValueError: gamma is not within 0…1.
        """
        return self._with(self._sums.scaled(kept(gamma)))

    def arrays(self) -> Arrays:
        """All of it, for a snapshot."""
        empty = (np.zeros((0, self.d)), np.zeros(0))
        factor, target = self._factor or empty
        return {
            "prior_mean": self._mean,
            "prior_precision": self._precision,
            "noise": np.array([self._noise, self._noise_strength]),
            "gram": self._sums.gram,
            "moment": self._sums.moment,
            "totals": np.array([self._sums.square, self._sums.n]),
            "factor": factor,
            "target": target,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """What ``arrays`` described, to the bit."""
        noise, strength = arrays["noise"].tolist()
        belief = cls(
            len(arrays["prior_mean"]),
            prior_mean=arrays["prior_mean"],
            prior_precision=arrays["prior_precision"],
            noise=noise,
            noise_strength=strength,
        )
        belief._sums = Sums(arrays["gram"], arrays["moment"], *arrays["totals"].tolist())
        if len(arrays["target"]):
            belief._factor = (arrays["factor"], arrays["target"])
        return belief

    def _with(self, sums: Sums) -> Self:
        new = object.__new__(type(self))
        new.d, new._mean, new._precision = self.d, self._mean, self._precision
        new._noise, new._noise_strength = self._noise, self._noise_strength
        new._sums, new._factor = sums, None
        return new

    def _after(self, sums: Sums, x: Floats, reward: Floats, weight: Floats) -> Self:
        """With ``sums``, to which these rows were the last to be added."""
        new = self._with(sums)
        if FEW * len(x) <= max(self.d, FEW):
            new._factor = (self._filter[0].copy(), self._filter[1].copy())
            absorb_rows(*new._factor, x, reward, weight)
        return new

    def _of(self, x: Floats, reward: Floats, weight: Floats | None) -> Sums:
        return Sums.of(*observations(x, reward, weight, self.d))

    def _same_prior(self, other: GaussianBelief) -> bool:
        return (
            np.array_equal(self._mean, other._mean)
            and np.array_equal(self._precision, other._precision)
            and (self._noise, self._noise_strength) == (other._noise, other._noise_strength)
        )
