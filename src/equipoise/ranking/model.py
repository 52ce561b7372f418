"""Candidates → Scored: what one look at an item earns here, from this shopper, and how sure we are.

::

    reward of a look  =  rate of the item  ×  lift of the match  +  noise
    rate_i  ~  the item's own record, shrunk to its category's, that to all items'
    lift    =  g · w        g the features of the match, w learnt by Bayesian regression

The two learn from one another's estimates, as they stood when the slot was shown:

- *rate:* a slot counts as ``look × lift`` looks, so that clicks are set against expected clicks
  (COEC; Zhang and Jones, WWW 2007): what a good place or match earned is not the item's merit.
- *lift:* rewards are regressed on ``look × rate × g``: what a good item earned is not the match's.

Both take the variance of a slot's reward to grow with ``look × lift``, as a count's does with its
mean. As of a product of independents the mean is ``m_r m_l`` and the variance ``(s_r² + m_r²)
(s_l² + m_l²) − m_r² m_l²``; the two have shared their data, so independence is approximate.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.ranking.features import NAMES
from equipoise.types import Arrays, Bools, Floats, Positions, Reward, Scored, Slot

LEAST_LIFT = 0.05
"""However bad the match, an item keeps this share of its rate: a lift is no less than this."""
LEAST_NOISE = 0.3
"""However bad the match is thought to be, the noise of its reward is this share of a look's: else a
weight once learnt too low would make the zeros that follow count many times."""
LEAST_RATE = 1e-9
"""Money a look; a belief may dip below zero, what is shown and learnt from may not."""
REFRESH = 32
"""Verdicts after which learning sees the new weights, and forgets for as many."""
NOISE_STEP = 1.05
"""How far, as a factor, the noise moves before what was learnt is counted anew."""


class Rates(Protocol):
    """A belief about the reward of one look at each arm, arms in groups."""

    @property
    def variance(self) -> float:
        """Of the reward of one look."""

    def add(self, arm: int, looks: float, reward: float) -> None: ...
    def reassign(self, arm: int, group: int) -> None: ...
    def predict(self, arms: Positions) -> tuple[Floats, Floats]: ...
    def arrays(self) -> Arrays: ...
    def load(self, arrays: Arrays) -> None: ...


class Lift(Protocol):
    """A Bayesian linear regression whose noise has variance 1 at weight 1; a value."""

    @property
    def mean(self) -> Floats: ...
    @property
    def precision(self) -> Floats: ...
    def predict(self, x: Floats) -> tuple[Floats, Floats]: ...
    def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self: ...
    def subtract(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Self: ...
    def merge(self, other: Self) -> Self: ...
    def decay(self, gamma: float) -> Self: ...
    def arrays(self) -> Arrays: ...
    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self: ...


class RewardModel:
    """Both beliefs, and how they learn from verdicts. A fold of the log, in the order of verdicts.

    Args:
        rates: about items alone, in money a look. The model numbers its arms (``_Arms``).
        lift: about the weights of ``features.NAMES``; without data 1 for an item shown to anybody.
        memory_looks: looks after which the lift has forgotten half of what it learnt. Rates forget
            nothing: an item's record is long, and its drift is not noticed here.
    """

    def __init__(self, rates: Rates, lift: Lift, *, memory_looks: float = 1_000_000.0) -> None:
        self._arms = _Arms(rates)
        self._lift = lift
        self._memory = memory_looks
        self._looks = 0.0
        self._since = 0
        """Verdicts since ``_weights`` was taken."""
        self._weights = lift.mean.copy()
        self._noise = rates.variance
        """Variance of a look's reward, the unit in which the lift counts its data."""

    def score(
        self, items: Positions, groups: NDArray[np.integer[Any]], g: Floats
    ) -> tuple[Floats, Scored]:
        """Rates (n,) of the items alone, and the belief about each match; changes nothing.

        ``groups`` (n,): where an item that was never judged takes its rate from, -1 for none.
        ``g`` (n, d): ``features.compute``.
        """
        rate, rate_variance = self._arms.predict(items, groups)
        rate = np.maximum(rate, LEAST_RATE)
        lift, lift_variance = self._lift.predict(g)
        lift = np.maximum(lift, LEAST_LIFT)
        mean = rate * lift
        variance = (rate_variance + rate**2) * (lift_variance + lift**2) - mean**2
        return rate, Scored(items, mean, variance)

    def learn(self, slot: Slot, group: int, reward: Reward) -> None:
        """Take a verdict in: the slot's first is one look, later worth only adds.

        Reads the slot as it was stored, never the present catalogue or profile, so that replaying
        the log teaches the same.
        """
        g = np.array([slot.features])
        looked = slot.look * max(float(g[0] @ self._weights), LEAST_LIFT)
        self._arms.add(slot.position, group, looked if reward.first else 0.0, reward.worth)
        self._follow_noise()
        spread = np.sqrt(self._noise)
        x, r = g * (slot.look * slot.rate / spread), np.array([reward.worth / spread])
        weight = np.array([1.0 / max(looked, LEAST_NOISE * slot.look)])
        self._lift = self._lift.update(x, r, weight)
        if reward.first:
            self._looks += slot.look
        else:
            # Its look is counted already: only the reward is to remain of this update.
            self._lift = self._lift.subtract(x, np.zeros(1), weight)
        self._since += 1
        if self._since >= REFRESH:
            self._lift = self._lift.decay(0.5 ** (self._since / self._memory))
            self._weights, self._since = self._lift.mean.copy(), 0

    def _follow_noise(self) -> None:
        """Count what was learnt in the noise as it is now believed to be, the new reward included.

        The first order of a shop that only knew clicks makes rewards a hundred times noisier than
        was thought. Told of it too late, the lift would take that one order for a law.
        """
        ratio = self._noise / self._arms.variance
        if not 1 / NOISE_STEP < ratio < NOISE_STEP:
            self._noise = self._arms.variance
            self._lift = _times(self._lift, ratio)

    def summary(self) -> dict[str, Any]:
        """For people: weights with standard deviations, looks learnt from, an unknown's rate."""
        spread = np.sqrt(np.diag(np.linalg.inv(self._lift.precision)))
        weights = [
            {"name": name, "mean": float(mean), "sd": float(sd)}
            for name, mean, sd in zip(NAMES, self._lift.mean, spread, strict=True)
        ]
        nobody = np.array([-1])
        rate, _ = self._arms.predict(np.array([0], np.int32), nobody, known=False)
        return {"weights": weights, "looks": self._looks, "base_rate": float(rate[0])}

    def arrays(self) -> Arrays:
        """All that was learnt, in a form that depends on the log alone."""
        return {
            **{f"rates.{name}": array for name, array in self._arms.arrays().items()},
            **{f"lift.{name}": array for name, array in self._lift.arrays().items()},
            "progress": np.array([self._looks, self._since, self._noise]),
            "weights": self._weights.copy(),
        }

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        self._arms.load(_under("rates.", arrays))
        self._lift = self._lift.from_arrays(_under("lift.", arrays))
        self._looks, since, self._noise = arrays["progress"].tolist()
        self._since = int(since)
        self._weights = arrays["weights"].copy()


class _Arms:
    """Items as arms ``2 · position``, and for each group one that never earns, ``2 · group + 3``.

    A belief over arms knows an arm's group only once it was named. The stand-in answers for every
    item of its group that was not judged yet, so that scoring names no items and changes no state:
    what a stand-in holds is nothing, and it is left out of ``arrays``.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._judged: Bools = np.zeros(64, np.bool_)
        self._group = np.full(64, -2, np.int64)
        self._standing: Bools = np.zeros(64, np.bool_)

    @property
    def variance(self) -> float:
        return self._rates.variance

    def predict(
        self, items: Positions, groups: NDArray[np.integer[Any]], *, known: bool = True
    ) -> tuple[Floats, Floats]:
        self._stand_in(groups)
        judged = known & _at(self._judged, items)
        return self._rates.predict(np.where(judged, 2 * items, 2 * groups + 3).astype(np.int32))

    def add(self, item: int, group: int, looks: float, reward: float) -> None:
        while item >= len(self._judged):
            self._judged = np.concatenate([self._judged, np.zeros_like(self._judged)])
            self._group = np.concatenate([self._group, np.full_like(self._group, -2)])
        if self._group[item] != group:
            self._rates.reassign(2 * item, group)
            self._group[item] = group
        self._judged[item] = True
        self._rates.add(2 * item, looks, reward)

    def arrays(self) -> Arrays:
        """Without stand-ins and the room that they took."""
        arrays = self._rates.arrays()
        used = 2 * int(np.flatnonzero(self._judged).max(initial=-1)) + 1
        arm_group = arrays["arm_group"][: max(used, 0)].copy()
        arm_group[1::2] = -1
        held = np.flatnonzero(arrays["groups"].any(axis=1)).max(initial=0) + 1
        groups = max(int(held), int(arm_group.max(initial=-1)) + 2)
        return {
            **arrays,
            "arms": arrays["arms"][: max(used, 0)].copy(),
            "arm_group": arm_group,
            "groups": arrays["groups"][:groups].copy(),
            "judged": np.flatnonzero(self._judged).astype(np.int32),
        }

    def load(self, arrays: Arrays) -> None:
        rates = {name: array for name, array in arrays.items() if name != "judged"}
        self._rates.load(rates)
        judged = arrays["judged"]
        size = max(64, int(judged.max(initial=-1)) + 1)
        self._judged, self._group = np.zeros(size, np.bool_), np.full(size, -2, np.int64)
        self._judged[judged] = True
        self._group[judged] = arrays["arm_group"][2 * judged]
        self._standing = np.zeros(64, np.bool_)

    def _stand_in(self, groups: NDArray[np.integer[Any]]) -> None:
        standing = _at(self._standing, groups + 1)
        if standing.all():
            return
        for group in np.unique(groups[~standing]).tolist():
            while group + 1 >= len(self._standing):
                self._standing = np.concatenate([self._standing, np.zeros_like(self._standing)])
            self._rates.reassign(2 * group + 3, group)
            self._standing[group + 1] = True


def _times(lift: Lift, factor: float) -> Lift:
    """A belief that saw everything ``factor`` times."""
    while factor > 1.0:
        part = min(factor, 2.0)
        lift = lift.merge(lift.decay(part - 1.0))
        factor /= part
    return lift.decay(factor)


def _at(flags: Bools, index: NDArray[np.integer[Any]]) -> Bools:
    """The flags at ``index``; False beyond their end."""
    inside = index < len(flags)
    return inside & flags[np.where(inside, index, 0)]


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
