"""Many regressions, each of which saw its own sample of the log: spread without a noise model."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cached_property
from typing import Self

import numpy as np
from numba import njit

from equipoise.exploration.beliefs.linear_kernels import coefficients, from_sums
from equipoise.exploration.beliefs.observations import kept, observations, prior, rows
from equipoise.randomness import derive
from equipoise.types import Arrays, Floats


class EnsembleBelief:
    """The online bootstrap: B ridge regressions, event e counting Poisson(1) times in each.

    Oza & Russell (2001), *Online bagging and boosting*; as a belief, Osband et al. (2016),
    *Deep exploration via bootstrapped DQN*. The count is drawn from (event, head) and nothing else:
    events in any order, on any worker, replayed or undone, count alike. Every head starts from a
    prior mean of its own, drawn with variance ``noise / prior_precision`` (randomised priors;
    Osband et al. 2018): where nothing was seen the heads disagree as much as the prior is wide.

    Needs neither known nor even noise: rewards tell how they scatter. The price: the spread is
    that of B draws (B = 32: within 13 %), the variance may rise with a reward, and with
    fewer events than features it is somewhat too wide (80 % intervals hold 88 %). Rewards in
    flight cannot be counted: they change no head. A value: every method gives a new belief. An
    update costs O(B d²) a row, the first prediction after it O(B d³), later ones O(B d) a row.

    Args:
        d: features.
        heads: B.
        prior_mean: (d,) the mean of the heads' prior means; zeros if None.
        prior_precision: the diagonal of Λ, one number or (d,), counted in observations.
        noise: about the variance of one reward: how wide the prior is.
        random_state: root seed of the counts and the prior means.

    Raises:
        ValueError: an argument of the wrong shape or sign.
    """

    def __init__(
        self,
        d: int,
        *,
        heads: int = 32,
        prior_mean: Floats | None = None,
        prior_precision: float | Floats = 1.0,
        noise: float = 1.0,
        random_state: int = 0,
    ) -> None:
        if heads < 2 or not 0.0 < noise < np.inf:
            raise ValueError(f"heads is {heads}, at least 2; noise is {noise}, above 0 and finite")
        self.d = d
        self.heads = heads
        self.n = 0.0
        """Observations, weighted and decayed."""
        self._root = random_state
        mean, self._precision = prior(d, prior_mean, prior_precision)
        away = np.array(
            [derive(random_state, "ensemble.prior", str(b)).normal(size=d) for b in range(heads)]
        )
        # Centred: without data the ensemble's mean is the prior's, not that of B draws.
        away = (away - away.mean(axis=0)) * np.sqrt(noise / self._precision)
        self._mean = mean + away
        self._gram = np.zeros((heads, d, d))
        self._moment = np.zeros((heads, d))
        self._numbered = 0
        """Events that came without a key."""

    @cached_property
    def coefficients(self) -> Floats:
        """(B, d) of each head."""
        return np.asarray(_fitted(self._gram, self._moment, self._precision, self._mean))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance over the heads, each (n,), for x (n, d)."""
        each = rows(x, self.d) @ self.coefficients.T
        return each.mean(axis=1), each.var(axis=1, ddof=1)

    def covariance_root(self, x: Floats) -> Floats:
        """(n, B) R with ``R Rᵀ`` the covariance over the heads at x (``Scored.root``)."""
        each = rows(x, self.d) @ self.coefficients.T
        return np.asarray((each - each.mean(axis=1, keepdims=True)) / np.sqrt(self.heads - 1))

    def update(
        self,
        x: Floats,
        reward: Floats,
        weight: Floats | None = None,
        keys: Sequence[str] | None = None,
    ) -> Self:
        """The belief after rewards (n,) at x (n, d), each of ``weight`` (n,) observations.

        Args:
            keys: the events' ids, n different ones. Without them events are numbered as they come:
                the same log gives the same belief, another order another.
        """
        x, reward, weight = observations(x, reward, weight, self.d)
        first = self._numbered
        names = [f"#{first + i}" for i in range(len(x))] if keys is None else keys
        new = self._plus(x, reward, weight, names, 1.0)
        new._numbered = first + len(x) if keys is None else first
        return new

    def subtract(
        self, x: Floats, reward: Floats, weight: Floats | None = None, *, keys: Sequence[str]
    ) -> Self:
        """Undo an update, by the keys it was given."""
        return self._plus(*observations(x, reward, weight, self.d), keys, -1.0)

    def merge(self, other: EnsembleBelief) -> Self:
        """The belief of whoever saw what both saw.

        Raises:
            ValueError: priors, seeds or numbers of heads differ, or both numbered their events:
                event 1 of the one would then share its luck with event 1 of the other.
        """
        same = (self.heads, self._root) == (other.heads, other._root)
        if not (
            same
            and np.array_equal(self._mean, other._mean)
            and np.array_equal(self._precision, other._precision)
        ):
            raise ValueError("ensembles merge only with the same heads, seed and prior")
        if self._numbered and other._numbered:
            raise ValueError("both ensembles saw events without keys; give keys to merge them")
        new = self._with(self._gram + other._gram, self._moment + other._moment, self.n + other.n)
        new._numbered = self._numbered + other._numbered
        return new

    def decay(self, gamma: float) -> Self:
        """Forget towards the prior: ``A ← γA + (1 − γ)Λ`` in every head.

        A sum over γn events holds γ of the signal of n and √γ of its noise. Scaled by γ alone each
        head would stay where it is, and the ensemble as sure of less.

        Raises:
            ValueError: gamma is not within 0…1.
        """
        gamma = kept(gamma)
        signal = self._gram @ self.coefficients.mean(axis=0)
        moment = gamma * signal + np.sqrt(gamma) * (self._moment - signal)
        return self._with(gamma * self._gram, moment, gamma * self.n)

    def arrays(self) -> Arrays:
        """All of it, for a snapshot."""
        return {
            "prior_mean": self._mean,
            "prior_precision": self._precision,
            "gram": self._gram,
            "moment": self._moment,
            "n": np.array(self.n),
            "whole": np.array([self._root, self._numbered], dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """What ``arrays`` described, to the bit."""
        new = object.__new__(cls)
        new._mean, new._precision = arrays["prior_mean"], arrays["prior_precision"]
        new._gram, new._moment = arrays["gram"], arrays["moment"]
        new.heads, new.d = new._mean.shape
        new.n = float(arrays["n"])
        new._root, new._numbered = arrays["whole"].tolist()
        return new

    def _plus(
        self, x: Floats, reward: Floats, weight: Floats, keys: Sequence[str], sign: float
    ) -> Self:
        if len(set(keys)) != len(x) or len(keys) != len(x):
            raise ValueError(f"{len(x)} events need as many different keys; {len(keys)} were given")
        counts = np.array([self._counts(key) for key in keys]).reshape(len(x), self.heads)
        new = self._with(self._gram.copy(), self._moment.copy(), self.n + sign * weight.sum())
        _add(new._gram, new._moment, x, reward, sign * weight[:, None] * counts)
        return new

    def _counts(self, key: str) -> Floats:
        """(B,) how often an event counts in each head."""
        return derive(self._root, "ensemble.bootstrap", key).poisson(1.0, self.heads).astype(float)

    def _with(self, gram: Floats, moment: Floats, n: float) -> Self:
        new = copy(self)
        new.__dict__.pop("coefficients", None)
        new._gram, new._moment, new.n = gram, moment, float(n)
        return new


@njit(cache=True)
def _add(gram: Floats, moment: Floats, x: Floats, reward: Floats, weight: Floats) -> None:
    """Rows x (n, d) of weight (n, B) into the sums of the heads they count in."""
    for i in range(len(x)):
        row = x[i]
        for b in range(len(gram)):
            if weight[i, b] != 0.0:
                for j in range(len(row)):
                    share = weight[i, b] * row[j]
                    moment[b, j] += reward[i] * share
                    gram[b, j] += share * row


@njit(cache=True)
def _fitted(gram: Floats, moment: Floats, precision: Floats, mean: Floats) -> Floats:
    out = np.empty(moment.shape)
    for b in range(len(gram)):
        a = gram[b] + np.diag(precision)
        factor, target = from_sums(a, moment[b] + precision * mean[b])
        out[b] = coefficients(factor, target)
    return out
