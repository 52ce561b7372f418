"""Bayesian linear regression by sums: how good a match is expected to be, and how sure we are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from equipoise.types import Arrays, Floats


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
    A value: every method gives a new belief. An update costs O(d²) a row; the first prediction
    after it O(d³), later ones O(d²) a row.

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
        mean = np.zeros(d) if prior_mean is None else np.array(prior_mean, dtype=float)
        precision = np.array(prior_precision, dtype=float)
        if mean.shape != (d,) or precision.shape not in ((), (d,)):
            raise ValueError(
                f"prior_mean and prior_precision have shapes {mean.shape} and {precision.shape}; "
                f"with {d} features each has ({d},), and a precision may be one number"
            )
        if not (precision > 0).all() or not noise > 0 or not noise_strength >= 0:
            raise ValueError(
                f"prior_precision {prior_precision} and noise {noise} must be above 0, "
                f"noise_strength {noise_strength} not below"
            )
        self.d = d
        self._mean = mean
        self._precision: Floats = np.broadcast_to(precision, (d,)).copy()
        self._noise = float(noise)
        self._noise_strength = float(noise_strength)
        self._sums = Sums(np.zeros((d, d)), np.zeros(d), 0.0, 0.0)

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
        moment = self._precision * self._mean + self._sums.moment
        return np.asarray(self._root.T @ (self._root @ moment))

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
    def _root(self) -> Floats:
        """(d, d) the inverse of A's Cholesky factor L, so that ``A⁻¹ = rootᵀ root``."""
        factor = np.linalg.cholesky(self.precision)
        # d is small: LAPACK's triangular solve would wake its threads, which costs a thousandfold.
        return np.tril(np.linalg.inv(factor))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the expected reward, each (n,), for x (n, d)."""
        x = self._checked(x)
        half = x @ self._root.T
        return x @ self.mean, self.noise * np.einsum("ij,ij->i", half, half)

    def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self:
        """The belief after rewards (n,) at x (n, d), each of ``weight`` (n,) observations (1)."""
        return self._with(self._sums.plus(self._of(x, reward, weight)))

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
        if not 0.0 <= gamma <= 1.0:
            raise ValueError(f"gamma is {gamma}; it is what remains, from 0 to 1")
        return self._with(self._sums.scaled(gamma))

    def arrays(self) -> Arrays:
        """All of it, for a snapshot."""
        return {
            "prior_mean": self._mean,
            "prior_precision": self._precision,
            "noise": np.array([self._noise, self._noise_strength]),
            "gram": self._sums.gram,
            "moment": self._sums.moment,
            "totals": np.array([self._sums.square, self._sums.n]),
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
        return belief

    def _with(self, sums: Sums) -> Self:
        new = object.__new__(type(self))
        new.d, new._mean, new._precision = self.d, self._mean, self._precision
        new._noise, new._noise_strength = self._noise, self._noise_strength
        new._sums = sums
        return new

    def _of(self, x: Floats, reward: Floats, weight: Floats | None) -> Sums:
        x, reward = self._checked(x), np.asarray(reward, dtype=float)
        weight = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=float)
        if reward.shape != (len(x),) or weight.shape != (len(x),):
            raise ValueError(
                f"{len(x)} rows of x have rewards and weights of shapes "
                f"{reward.shape} and {weight.shape}; each must be ({len(x)},)"
            )
        if not np.isfinite(reward).all() or not (np.isfinite(weight) & (weight >= 0)).all():
            raise ValueError("rewards must be finite, weights finite and not below 0")
        return Sums.of(x, reward, weight)

    def _checked(self, x: Floats) -> Floats:
        x = np.asarray(x, dtype=float)
        if x.ndim != 2 or x.shape[1] != self.d:
            raise ValueError(f"x has shape {x.shape}; it must be (n, {self.d})")
        if not np.isfinite(x).all():
            raise ValueError("x holds a value that is not finite")
        return x

    def _same_prior(self, other: GaussianBelief) -> bool:
        return (
            np.array_equal(self._mean, other._mean)
            and np.array_equal(self._precision, other._precision)
            and (self._noise, self._noise_strength) == (other._noise, other._noise_strength)
        )
