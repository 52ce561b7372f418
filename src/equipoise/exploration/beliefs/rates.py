"""What a look at an item earns: one Gaussian mean an arm, shrunk to its group's, that to all's.

The model, with σ² the variance of the reward of one look::

    overall  θ     ~ N(prior_mean, σ² / overall_strength)
    group    θ_g   ~ N(θ,   σ² / group_strength)
    arm      θ_i   ~ N(θ_g, σ² / arm_strength)
    looks    C_i   ~ N(E_i θ_i, E_i σ²)          E_i looks earned C_i in all

Its exact posterior needs one sum a floor, since on each the data count only as much as they say of
the floor above: E looks at an arm are worth ``E · n₀ / (n₀ + E)`` looks at its group, never more
than n₀, however often one item was shown (Gelman et al., *Bayesian Data Analysis*, 5.4, for one
floor). With those sums the posterior is, from the top::

    mean_i = (n₀ mean_g + C_i) / (n₀ + E_i),   var_i = σ² / (n₀ + E_i) + (n₀ / (n₀ + E_i))² var_g

and likewise for a group under all. A new arm is its group, with the group's uncertainty on top.

Looks whose reward is not known yet are *pending*: they leave the mean alone and narrow the variance
to what it will be once q of them have been heard, ``var · n / (n + q)`` with n = σ² / var (one
observation of variance σ² is worth one look). Without it every optimistic rule floods a new item
while its feedback is under way (Desautels, Krause and Burdick, JMLR 2014: the posterior after
observations that are expected to agree with the mean).
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.types import Arrays, Floats, Positions

NO_GROUP = -1
Number = TypeVar("Number", bound=np.generic)


class RateBelief:
    """Beliefs about the reward of one look, for any number of arms in groups.

    Mutable: ``add`` and ``reassign`` work in place, O(1). Arms and groups are small whole numbers
    (positions, category codes); both may appear at any time. Group -1, none, is a group like any
    other. Sums add: the same adds in another order give the
    same belief (to rounding), and a negative add undoes one.

    Args:
        prior_mean: of the reward of a look, before any data.
        prior_variance: σ² before any data, the variance of the reward of one look.
        arm_strength: looks after which an arm's own record weighs as much as its group.
        group_strength: the same for a group's record against all groups'.
        overall_strength: the same for the record of all against ``prior_mean``.
        variance_strength: looks after which σ² follows the data as much as ``prior_variance``.

    Raises:
        ValueError: a strength or variance that is not above 0.
    """

    def __init__(
        self,
        *,
        prior_mean: float = 0.0,
        prior_variance: float = 1.0,
        arm_strength: float = 50.0,
        group_strength: float = 200.0,
        overall_strength: float = 100.0,
        variance_strength: float = 200.0,
    ) -> None:
        positive = {
            "prior_variance": prior_variance,
            "arm_strength": arm_strength,
            "group_strength": group_strength,
            "overall_strength": overall_strength,
            "variance_strength": variance_strength,
        }
        for name, value in positive.items():
            if not 0.0 < value < np.inf:
                raise ValueError(f"{name} is {value}; it must be above 0 and finite")
        self.prior_mean = prior_mean
        self.prior_variance = prior_variance
        self.arm_strength = arm_strength
        self.group_strength = group_strength
        self.overall_strength = overall_strength
        self.variance_strength = variance_strength
        self.arms = 0
        """One more than the highest arm named so far."""
        self._arm = np.zeros((0, 2))
        self._pending = np.zeros(0)
        self._slot = np.zeros(0, dtype=np.int64)
        """Where an arm's group stands in ``_group``, from 1; 0 for an arm that nobody has named."""
        self._group = np.zeros((2, 2))
        self._overall = np.zeros(2)
        self._seen = np.zeros(3)

    @property
    def looks(self) -> Floats:
        """(arms,) looks at each."""
        return self._arm[: self.arms, 0].copy()

    @property
    def rewards(self) -> Floats:
        """(arms,) what they earned together."""
        return self._arm[: self.arms, 1].copy()

    def record(self, arm: int) -> tuple[float, float]:
        """Looks at an arm and what they earned; none of one that nobody has named."""
        looks, reward = self._arm[arm] if arm < self.arms else (0.0, 0.0)
        return float(looks), float(reward)

    @property
    def variance(self) -> float:
        """σ², from the running second moment of rewards and its prior."""
        looks, reward, square = self._seen.tolist()
        scatter = max(square - reward * reward / looks, 0.0) if looks > 0 else 0.0
        strength = self.variance_strength
        return float((strength * self.prior_variance + scatter) / (strength + max(looks, 0.0)))

    def add(self, arm: int, looks: float, reward: float, group: int | None = None) -> None:
        """``looks`` at an arm earned ``reward`` more; ``group`` is its group if that is known.

        Worth that comes later is added with no looks. It enters σ² as a reward of its own: the
        product with what the same look had earned before is left out, so σ² is a little low then.

        Raises:
            ValueError: the arm is below 0, a number is not finite, or more looks are taken away
                than were there.
        """
        if not (np.isfinite(looks) and np.isfinite(reward)):
            raise ValueError(f"{looks} looks that earned {reward}: both must be finite")
        self._place(arm, group)
        have = self._arm[arm, 0] + looks
        if have < -1e-9 * (1.0 + abs(looks)):
            raise ValueError(f"arm {arm} would be left with {have:g} looks; 0 is the least")
        before = _told(self._arm[arm], self.arm_strength)
        self._arm[arm, 0] = max(have, 0.0)
        self._arm[arm, 1] += reward
        self._tell(int(self._slot[arm]), _told(self._arm[arm], self.arm_strength) - before)
        sign = -1.0 if looks < 0 else 1.0
        self._seen += (looks, reward, sign * reward * reward / max(abs(looks), 1.0))

    def learn(self, arm: int, looks: float, reward: float, group: int | None = None) -> float:
        """``add``; returns the log density that the belief had given to the reward, a normal one.

        0 for what comes without looks or takes some away: that was no prediction of a look.
        """
        chance = self._log_chance(arm, looks, reward, group) if looks > 0 and arm >= 0 else 0.0
        self.add(arm, looks, reward, group)
        return chance

    def pending(self, arm: int, looks: float) -> None:
        """``looks`` more at an arm are under way; a negative number of them has been heard or lost.

        Raises:
            ValueError: the arm is below 0, a number is not finite, or more are taken away than were
                under way.
        """
        if not math.isfinite(looks):
            raise ValueError(f"{looks} looks are pending; it must be finite")
        self._name(arm)
        left = self._pending[arm] + looks
        if left < -1e-9 * (1.0 + abs(looks)):
            raise ValueError(f"arm {arm} would be left with {left:g} pending looks; 0 is the least")
        self._pending[arm] = max(left, 0.0)

    def reassign(self, arm: int, group: int) -> None:
        """Put an arm, with all it has earned, into another group (-1: none). Names a new arm.

        Raises:
            ValueError: the arm is below 0 or the group below -1.
        """
        if group < NO_GROUP:
            raise ValueError(f"group is {group}; it must be -1 (none) or more")
        self._name(arm)
        while group + 2 >= len(self._group):
            self._group = _grown(self._group)
        told = _told(self._arm[arm], self.arm_strength)
        self._tell(int(self._slot[arm]), -told)
        self._slot[arm] = group + 2
        self._tell(group + 2, told)

    def predict(
        self, arms: Positions, groups: NDArray[np.integer[Any]] | None = None
    ) -> tuple[Floats, Floats]:
        """Mean and variance of the expected reward of a look, each (n,). O(n); changes nothing.

        ``groups`` (n,): where an arm that nobody has named takes its mean from; -1 if left out.

        Raises:
            ValueError: an arm is below 0.
        """
        index = np.asarray(arms, dtype=np.int64)
        if len(index) and index.min() < 0:
            raise ValueError(f"arm {index.min()}: arms are numbered from 0")
        overall = (self.prior_mean, self.overall_strength)
        strengths = (self.arm_strength, self.group_strength)
        slots = np.ones(len(index), np.int64) if groups is None else groups.astype(np.int64) + 2
        return _predict(
            index, slots, self._arm, self._pending, self._slot, self._group, self._overall,
            *overall, *strengths, self.variance,
        )  # fmt: skip

    def decay(self, gamma: float) -> None:
        """Forget towards the prior: every sum of looks and rewards shrinks to ``gamma`` of itself.

        Raises:
            ValueError: gamma is not within 0…1.
        """
        if not 0.0 <= gamma <= 1.0:
            raise ValueError(f"gamma is {gamma}; it is what remains, from 0 to 1")
        self._arm *= gamma
        self._seen *= gamma
        self._refresh()

    def arrays(self) -> Arrays:
        """The whole state: the arms' sums, and those derived from them as they were grown."""
        return {
            "arms": self._arm[: self.arms].copy(),
            "pending": self._pending[: self.arms].copy(),
            "arm_group": (self._slot[: self.arms] - 2).astype(np.int32),
            "groups": self._group.copy(),
            "overall": self._overall.copy(),
            "seen": self._seen.copy(),
        }

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described, to the bit."""
        self.arms = len(arrays["arms"])
        self._arm = arrays["arms"].astype(float)
        self._pending = arrays["pending"].astype(float)
        self._slot = arrays["arm_group"].astype(np.int64) + 2
        self._group = arrays["groups"].astype(float)
        self._overall = arrays["overall"].astype(float)
        self._seen = arrays["seen"].astype(float)

    def _log_chance(self, arm: int, looks: float, reward: float, group: int | None) -> float:
        home = np.array([NO_GROUP if group is None else group])
        mean, variance = (float(part[0]) for part in self.predict(np.array([arm]), home))
        spread = looks * self.variance + looks * looks * variance
        return -0.5 * ((reward - looks * mean) ** 2 / spread + math.log(2.0 * math.pi * spread))

    def _place(self, arm: int, group: int | None) -> None:
        self._name(arm)
        known = int(self._slot[arm]) - 2
        wanted = max(known, NO_GROUP) if group is None else group
        if wanted != known:
            self.reassign(arm, wanted)

    def _name(self, arm: int) -> None:
        if arm < 0:
            raise ValueError(f"arm {arm}: arms are numbered from 0")
        while arm >= len(self._arm):
            self._arm, self._slot = _grown(self._arm), _grown(self._slot)
            self._pending = _grown(self._pending)
        self.arms = max(self.arms, arm + 1)

    def _tell(self, slot: int, told: Floats) -> None:
        """Move a group's sums, and by what that changes of its own message, those of all."""
        group = self._group[slot]
        before = _told(group, self.group_strength)
        group += told
        self._overall += _told(group, self.group_strength) - before

    def _refresh(self) -> None:
        self._group[:] = 0.0
        told = _told(self._arm, self.arm_strength)
        np.add.at(self._group, self._slot, told)
        self._overall = _told(self._group, self.group_strength).sum(axis=0)


def _told(sums: Floats, strength: float) -> Floats:
    """(…, 2) looks and reward, as many as they are worth on the floor above."""
    return np.asarray(sums * (strength / (strength + sums[..., :1])))


def _grown(array: NDArray[Number]) -> NDArray[Number]:
    """The same with room for twice as many rows, zeros."""
    more = np.zeros((max(len(array), 16), *array.shape[1:]), dtype=array.dtype)
    return np.concatenate([array, more])


@njit(cache=True)
def _predict(
    index: NDArray[np.int64],
    otherwise: NDArray[np.int64],
    arm: Floats,
    pending: Floats,
    slot: NDArray[np.int64],
    group: Floats,
    overall: Floats,
    prior_mean: float,
    overall_strength: float,
    arm_strength: float,
    group_strength: float,
    noise: float,
) -> tuple[Floats, Floats]:
    mean, variance = np.empty(len(index)), np.empty(len(index))
    top_weight = overall_strength + overall[0]
    top_mean = (overall_strength * prior_mean + overall[1]) / top_weight
    top_variance = noise / top_weight
    for k in range(len(index)):
        i = index[k]
        known = i < len(arm) and slot[i] > 0
        g = slot[i] if known else otherwise[k]
        told, earned = (group[g, 0], group[g, 1]) if g < len(group) else (0.0, 0.0)
        weight = group_strength + told
        part = group_strength / weight
        group_mean = part * top_mean + earned / weight
        group_variance = noise / weight + part * part * top_variance
        looks, reward = (arm[i, 0], arm[i, 1]) if known else (0.0, 0.0)
        weight = arm_strength + looks
        part = arm_strength / weight
        mean[k] = part * group_mean + reward / weight
        spread = noise / weight + part * part * group_variance
        under_way = pending[i] if i < len(pending) else 0.0
        variance[k] = spread * noise / (noise + under_way * spread)
    return mean, variance
