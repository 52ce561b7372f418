"""Parameters that nobody sets: the log chooses among variants by what each foretold.

How fast the match of shopper and item changes, and which source's proposals are worth scoring, is
not known beforehand and does not stay. Both are judged by evidence that needs no model and costs no
traffic: the clicks themselves, each foretold before anything learns from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Self

import msgspec
import numpy as np
from numba import njit

from equipoise.exploration.beliefs.bank import reweigh
from equipoise.types import Arrays, Floats

MEMORIES = (0.001, 0.004, 0.016, 0.064, 0.25, 1.0)
"""Half-lives, as parts of the longest: a factor of four apart tells them well enough apart."""
LEAST_CHANCE, MOST_CHANCE = 1e-4, 0.99
"""Of a click: a belief that says less or more is wrong rather than bold."""


class SourceShares:
    """How many places of a pool a source should have: by the clicks that its items got.

    ``share = (clicks + prior) / (expected + prior)``, where expected are the clicks that the items
    alone let expect of the looks they had, whoever proposed them: what is left is the source's own
    merit, to find what suits *this* shopper. That is the mean of a gamma posterior, the rate of a
    Poisson count about 1. An item counts for the source that ranked it highest. Shares stay within
    ``1 / most`` and ``most``: a source that is hardly heard can always come back. A fold.

    Do not expect much of it. In the simulated shop, with a pool for 60 of 540 items, the best list
    that the pool allowed was worth 0 to 5 % more (three seeds); the greedy list by what was
    believed, from -0.1 to 0.7 % more: the ranking had found most of it already.

    Args:
        prior: clicks after which a source's own record weighs as much as "like all others".
        half_life: slots of a placement after which one counts half.
        most: of a share.
    """

    def __init__(
        self, *, prior: float = 10.0, half_life: float = 50_000.0, most: float = 4.0
    ) -> None:
        self._prior = prior
        self._keep = 0.5 ** (1.0 / half_life)
        self._most = most
        self._sums: dict[str, dict[str, tuple[float, float]]] = {}
        """(clicks, expected) by placement and source."""

    def learn(self, placement: str, source: str, clicked: bool, expected: float) -> None:
        """A slot that came into view; ``expected`` clicks of the look that it had."""
        sums = self._sums.setdefault(placement, {})
        for name, (clicks, hoped) in sums.items():
            sums[name] = (self._keep * clicks, self._keep * hoped)
        clicks, hoped = sums.get(source, (0.0, 0.0))
        sums[source] = (clicks + clicked, hoped + expected)

    def shares(self, placement: str, sources: Sequence[str]) -> list[float]:
        """One a source; 1 for those that nothing is known of."""
        sums = self._sums.get(placement, {})
        found = (sums.get(source, (0.0, 0.0)) for source in sources)
        ratios = ((clicks + self._prior) / (hoped + self._prior) for clicks, hoped in found)
        return [min(max(ratio, 1.0 / self._most), self._most) for ratio in ratios]

    def arrays(self) -> Arrays:
        """The whole state."""
        return {"json": np.frombuffer(msgspec.json.encode(self._sums), dtype=np.uint8)}

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        self._sums = msgspec.json.decode(
            arrays["json"].tobytes(), type=dict[str, dict[str, tuple[float, float]]]
        )


class LiftBank:
    """Bayesian linear regression on clicks at several memories, each as trusted as it foretold.

    Stands where one ``GaussianBelief`` of noise 1 does, with the same posterior for each memory::

        log w_r ← log w_r + log P_r(clicks)        P_r = Π p^c (1 − p)^(1 − c),  p = xᵀ mean_r

    that is exponential weights on log loss (Vovk 1990: no more than log(memories) nats are lost
    against the best of them), with a fixed share dealt out anew at each row, for changes (Herbster
    and Warmuth, *Machine Learning* 1998). Mean and covariance are those of the mixture, what its
    memories differ by included: where they do, more is to be found out. A value. An update costs
    O(memories · d²) a row, compiled.

    Args:
        mean, precision: (d,) of the weights before any data.
        memories: half-lives as parts of the longest, rising to 1; ``decay(½)`` is its half-life.
        share: of all trust that each row hands out anew.

    Raises:
        ValueError: memories that do not rise to 1, or a share that is none.
    """

    def __init__(
        self,
        mean: Floats,
        precision: Floats,
        memories: tuple[float, ...] = MEMORIES,
        *,
        share: float = 1e-4,
    ) -> None:
        if sorted(set(memories)) != list(memories) or not memories or memories[-1] != 1.0:
            raise ValueError(f"memories are {memories}; they rise from above 0 to 1, the longest")
        if memories[0] <= 0.0 or not 0.0 <= share < 1.0:
            raise ValueError(
                f"the shortest memory is {memories[0]} and share {share}; memories are above 0, "
                "a share is from 0 to below 1"
            )
        self.prior_mean = np.asarray(mean, dtype=float)
        self.prior_precision = np.asarray(precision, dtype=float)
        self.memories, self.share = memories, share
        n = len(memories)
        self._grams = np.repeat(np.diag(self.prior_precision)[None], n, axis=0)
        """(memories, d, d) A: prior and data."""
        self._covariances = np.linalg.inv(self._grams)
        self._moments = np.repeat((self.prior_precision * self.prior_mean)[None], n, axis=0)
        self._log_weight = np.full(n, -math.log(n))

    @property
    def weights(self) -> Floats:
        """(memories,) how far each is trusted; sum 1."""
        weight = np.exp(self._log_weight)
        return np.asarray(weight / weight.sum())

    @cached_property
    def _mixed(self) -> tuple[Floats, Floats]:
        means = np.einsum("rij,rj->ri", self._covariances, self._moments)
        mean = self.weights @ means
        apart = means - mean
        each = self._covariances + apart[:, :, None] * apart[:, None, :]
        return mean, np.einsum("r,rij->ij", self.weights, each)

    @property
    def mean(self) -> Floats:
        """(d,) of the mixture."""
        return self._mixed[0]

    @property
    def precision(self) -> Floats:
        """(d, d) the inverse of the mixture's covariance."""
        return np.asarray(np.linalg.inv(self._mixed[1]))

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the mixture, each (n,), for x (n, d)."""
        mean, covariance = self._mixed
        return np.asarray(x @ mean), np.einsum("ni,ni->n", x @ covariance, x)

    def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self:
        """After clicks (n,), 0 or 1, at x (n, d), row by row: weigh the memories by what each
        foretold, whatever ``weight`` (n,) the row teaches with, then let all learn."""
        told = np.ones(len(reward)) if weight is None else np.asarray(weight, dtype=float)
        new = self._copy()
        _absorb(
            np.ascontiguousarray(x, dtype=float), np.asarray(reward, dtype=float), told,
            new._grams, new._covariances, new._moments, new._log_weight, self.share,
        )  # fmt: skip
        return new

    def decay(self, gamma: float) -> Self:
        """Let time pass until the longest memory has kept ``gamma``: each forgets to the prior.

        Raises:
            ValueError: gamma is not above 0 and at most 1.
        """
        if not 0.0 < gamma <= 1.0:
            raise ValueError(f"gamma is {gamma}; it is above 0 and at most 1")
        kept = gamma ** (1.0 / np.array(self.memories))
        new, prior = self._copy(), np.diag(self.prior_precision)
        new._grams = kept[:, None, None] * self._grams + (1.0 - kept)[:, None, None] * prior
        new._covariances = np.linalg.inv(new._grams)
        new._moments = (
            kept[:, None] * self._moments
            + (1.0 - kept)[:, None] * self.prior_precision * self.prior_mean
        )
        return new

    def arrays(self) -> Arrays:
        """The whole state."""
        return {
            "prior_mean": self.prior_mean,
            "prior_precision": self.prior_precision,
            "memories": np.array(self.memories),
            "share": np.array([self.share]),
            "grams": self._grams,
            "covariances": self._covariances,
            "moments": self._moments,
            "log_weight": self._log_weight,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """What ``arrays`` described, to the bit."""
        made = cls(
            arrays["prior_mean"], arrays["prior_precision"], tuple(arrays["memories"].tolist()),
            share=float(arrays["share"][0]),
        )  # fmt: skip
        made._grams, made._covariances = arrays["grams"].copy(), arrays["covariances"].copy()
        made._moments, made._log_weight = arrays["moments"].copy(), arrays["log_weight"].copy()
        return made

    def _copy(self) -> Self:
        new = object.__new__(type(self))
        new.prior_mean, new.prior_precision = self.prior_mean, self.prior_precision
        new.memories, new.share = self.memories, self.share
        new._grams, new._covariances = self._grams.copy(), self._covariances.copy()
        new._moments, new._log_weight = self._moments.copy(), self._log_weight.copy()
        return new


@njit(cache=True)
def _absorb(
    x: Floats,
    click: Floats,
    weight: Floats,
    grams: Floats,
    covariances: Floats,
    moments: Floats,
    log_weight: Floats,
    share: float,
) -> None:
    """Rows into all memories, in place; inverses by the update of rank one (Sherman, Morrison)."""
    told = np.empty(len(log_weight))
    for row in range(len(x)):
        for r in range(len(log_weight)):
            along = covariances[r] @ x[row]
            chance = min(max(float(along @ moments[r]), LEAST_CHANCE), MOST_CHANCE)
            told[r] = click[row] * math.log(chance) + (1.0 - click[row]) * math.log1p(-chance)
            w = weight[row]
            covariances[r] -= np.outer(along, along) * (w / (1.0 + w * float(along @ x[row])))
            grams[r] += np.outer(x[row], x[row]) * w
            moments[r] += x[row] * (w * click[row])
        reweigh(log_weight, told, share)
