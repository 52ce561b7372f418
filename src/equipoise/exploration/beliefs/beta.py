"""Clicks a look: one Beta an arm, shrunk to its group's, that to all's, its width from the data.

The model, with strengths n counted in looks::

    overall  θ   ~ Beta(n₀ m₀, n₀ (1 − m₀))         m₀ = prior_mean, n₀ = overall_strength
    group    θ_g ~ Beta(n₁ θ, n₁ (1 − θ))           n₁ = group_strength
    arm      θ_i ~ Beta(n_g θ_g, n_g (1 − θ_g))     n_g = arm_strength, by group once fitted
    clicks   C_i ~ Binomial(E_i, θ_i)               E_i looks were clicked C_i times

Given its group's rate an arm is Beta exactly; with that rate's own mean and variance the laws of
total expectation and variance give::

    mean_i = (n_g m_g + C_i) / n       n = n_g + E_i,  u = (n_g / n)² var_g
    var_i  = (mean_i (1 − mean_i) − u) / (n + 1) + u

For the floors above no conjugate form exists. They learn by the best linear rule (credibility;
Bühlmann 1967): E looks at one arm count for its group as ``E (n_g + 1) / (n_g + E)``, which keeps
sums additive and an add O(1). How true the spread is then is measured:
``tests/exploration/test_calibration.py``.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.exploration.beliefs import beta_kernels as kernels
from equipoise.exploration.beliefs.prior_fit import refit
from equipoise.types import Arrays, Floats, Positions

NO_GROUP = -1
FIRST_FIT = 256
"""Adds after which strengths are fitted first; then at every doubling until ``refit``."""
Number = TypeVar("Number", bound=np.generic)


class BetaBelief:
    """Beliefs about clicks a look, for any number of arms in groups.

    Mutable: ``add`` and ``reassign`` work in place, O(1). Arms and groups are small whole numbers;
    both may appear at any time. Group -1, none, is a group like any other. Looks and clicks may be
    parts, as expected from place or delay; a click proves at least one look. Between two fits the
    order of adds is meaningless and a negative add undoes one, to rounding.

    Args:
        prior_mean: clicks a look, before any data.
        arm_strength: looks after which an arm's own record weighs as much as its group; ``refit``
            follows the data, a group at a time.
        group_strength: the same for a group's record against all groups'; fitted as well.
        overall_strength: the same for the record of all against ``prior_mean``; stays.
        refit: adds between two fits of the strengths (``prior_fit``); 0 for never. Counted, not
            timed, so that the state is a function of the log alone.

    Raises:
        ValueError: a mean not within 0 and 1, or a strength not above 0.
    """

    def __init__(
        self,
        *,
        prior_mean: float = 0.05,
        arm_strength: float = 50.0,
        group_strength: float = 50.0,
        overall_strength: float = 10.0,
        refit: int = 4_096,
    ) -> None:
        strengths = {
            "arm_strength": arm_strength,
            "group_strength": group_strength,
            "overall_strength": overall_strength,
        }
        for name, value in strengths.items():
            if not 0.0 < value < math.inf:
                raise ValueError(f"{name} is {value}; it must be above 0 and finite")
        if not 0.0 < prior_mean < 1.0:
            raise ValueError(f"prior_mean is {prior_mean}; a rate is between 0 and 1")
        if refit < 0:
            raise ValueError(f"refit is {refit}; it is adds between two fits, 0 for never")
        self.arms = 0
        """One more than the highest arm named so far."""
        self._refit = refit
        self._adds = 0
        self._guess = np.array([group_strength, arm_strength])
        self._arms = np.zeros((16, 4))
        self._slot = np.zeros(16, dtype=np.int64)
        self._groups = np.array([[0.0, 0.0, arm_strength]] * 2)
        self._top = np.array([0.0, 0.0, prior_mean, overall_strength, group_strength, arm_strength])

    @property
    def looks(self) -> Floats:
        """(arms,) looks at each."""
        return self._arms[: self.arms, 0].copy()

    @property
    def rewards(self) -> Floats:
        """(arms,) clicks of each."""
        return self._arms[: self.arms, 1].copy()

    @property
    def in_flight(self) -> Floats:
        """(arms,) looks at each whose outcome is still awaited."""
        return self._arms[: self.arms, 2].copy()

    @property
    def in_view(self) -> Floats:
        """(arms,) looks at each that are known to have been, of which no click has come so far."""
        return self._arms[: self.arms, 3].copy()

    @property
    def strengths(self) -> tuple[float, float]:
        """Of the priors of groups and of arms (in a group of which nothing is known), in looks."""
        return float(self._top[4]), float(self._top[5])

    def arm_strength(self, group: int) -> float:
        """Of the prior of arms in a group, in looks."""
        slot = group + 2
        known = 0 < slot < len(self._groups)
        return float(self._groups[slot, 2] if known else self._top[5])

    def add(self, arm: int, looks: float, reward: float, group: int | None = None) -> None:
        """``looks`` at an arm were clicked ``reward`` times more; ``group``, if it is known.

        A click that comes later, or corrects what had been expected, is added with no looks; where
        decay has since left less than is taken away, clicks count as none.

        Raises:
            ValueError: the arm is below 0, the group below -1, a number is not finite, or more
                looks are taken away than were there.
        """
        self.learn(arm, looks, reward, group)

    def learn(self, arm: int, looks: float, reward: float, group: int | None = None) -> float:
        """``add``; returns the log probability that the belief had given to it.

        0 for what comes without looks or takes some away: that was no prediction of a look.
        """
        if not (math.isfinite(looks) and math.isfinite(reward)):
            raise ValueError(f"{looks} looks that were clicked {reward} times: both must be finite")
        self._place(arm, group)
        if looks < 0.0:
            _left(self._arms[arm, 0], looks, f"arm {arm}", "looks")
        chance: float = kernels.learn(
            arm, float(looks), float(reward), self._arms, self._slot, self._groups, self._top
        )
        self._adds += 1
        if self._due():
            self.fit()
        return chance

    def pending(self, arm: int, looks: float) -> None:
        """``looks`` more at an arm are under way; negative when their outcome is known or lost.

        They narrow the belief as an outcome that agrees with it would: ``s² n / (n + q)`` with n
        its pseudo-looks, mean unchanged. Else every optimistic rule floods a new arm while feedback
        is late (Desautels, Krause and Burdick, JMLR 2014).

        Raises:
            ValueError: the arm is below 0, the number is not finite, or more are taken away than
                were under way.
        """
        if not math.isfinite(looks):
            raise ValueError(f"{looks} looks are pending; it must be finite")
        self._name(arm)
        self._arms[arm, 2] = _left(self._arms[arm, 2], looks, f"arm {arm}", "pending looks")

    def view(self, arm: int, looks: float, group: int | None = None) -> None:
        """``looks`` more at an arm came into view; negative once it is known what came of them.

        Clicks come within seconds, and that there was none is only known when nobody waits for one
        any more: an arm that is shown much would be judged by its clicks alone. So what is in view
        counts as looks without a click until ``learn`` is told. It takes no part in ``learn``'s
        probabilities, and forgets nothing.

        Raises:
            ValueError: as ``add``.
        """
        if not math.isfinite(looks):
            raise ValueError(f"{looks} looks came into view; it must be finite")
        self._place(arm, group)
        _left(self._arms[arm, 3], looks, f"arm {arm}", "looks in view")
        kernels.view(arm, float(looks), self._arms, self._slot, self._groups, self._top)

    def reassign(self, arm: int, group: int) -> None:
        """Put an arm, with all it has earned, into another group (-1: none). Names a new arm.

        Raises:
            ValueError: the arm is below 0 or the group below -1.
        """
        if group < NO_GROUP:
            raise ValueError(f"group is {group}; it must be -1 (none) or more")
        self._name(arm)
        self._open(group + 2)
        kernels.move(arm, group + 2, self._arms, self._slot, self._groups, self._top)

    def predict(
        self, arms: Positions, groups: NDArray[np.integer[Any]] | None = None
    ) -> tuple[Floats, Floats]:
        """Mean and variance of the clicks of a look, each (n,). O(n); changes nothing.

        One look then varies by ``mean (1 − mean) − variance`` about what is expected of it.
        ``groups`` (n,): where an arm that nobody has named takes its mean from; -1 if left out.

        Raises:
            ValueError: an arm is below 0.
        """
        index = np.asarray(arms, dtype=np.int64)
        if len(index) and index.min() < 0:
            raise ValueError(f"arm {index.min()}: arms are numbered from 0")
        slots = np.ones(len(index), np.int64) if groups is None else groups.astype(np.int64) + 2
        mean, variance = kernels.predict(
            index, slots, self._arms, self._slot, self._groups, self._top
        )
        return mean, variance

    def decay(self, gamma: float) -> None:
        """Forget towards the prior: every sum of looks and clicks shrinks to ``gamma`` of itself.

        Strengths stay until the next fit. O(arms).

        Raises:
            ValueError: gamma is not within 0…1.
        """
        if not 0.0 <= gamma <= 1.0:
            raise ValueError(f"gamma is {gamma}; it is what remains, from 0 to 1")
        kernels.fade(float(gamma), self._arms, self._slot, self._groups, self._top)

    def merge(self, other: BetaBelief) -> None:
        """Learn what another has seen, and what it still awaits. Arms named here keep their group.

        Strengths that were fitted here are fitted anew.

        Raises:
            ValueError: the two started from different priors.
        """
        if not self._same_prior(other):
            raise ValueError("beliefs merge only when they started from the same prior")
        for arm in np.flatnonzero(other._slot[: other.arms]).tolist():
            if self._group_of(arm) is None:
                self.reassign(arm, int(other._slot[arm]) - 2)
        self._arms[: other.arms] += other._arms[: other.arms]
        self._adds += other._adds
        if self._fitted():
            self.fit()
        else:
            kernels.retell(self._arms, self._slot, self._groups, self._top)

    def fit(self) -> None:
        """Fit all strengths to what has been seen (``prior_fit``); the sums remain."""
        refit(self._arms, self._slot, self._groups, self._top, self._guess)

    def arrays(self) -> Arrays:
        """The whole state: the arms' sums, and those derived from them as they were grown."""
        return {
            "arms": self._arms[: self.arms].copy(),
            "arm_group": (self._slot[: self.arms] - 2).astype(np.int32),
            "groups": self._groups.copy(),
            "overall": self._top.copy(),
            "adds": np.array([self._adds]),
        }

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described, to the bit."""
        self.arms = len(arrays["arms"])
        self._arms = arrays["arms"].astype(float)
        self._slot = arrays["arm_group"].astype(np.int64) + 2
        self._groups = arrays["groups"].astype(float)
        self._top = arrays["overall"].astype(float)
        self._adds = int(arrays["adds"][0])

    def _due(self) -> bool:
        if not self._refit:
            return False
        if self._adds < self._refit:
            return self._adds >= FIRST_FIT and self._adds & (self._adds - 1) == 0
        return self._adds % self._refit == 0

    def _fitted(self) -> bool:
        return bool(self._refit) and self._adds >= min(FIRST_FIT, self._refit)

    def _same_prior(self, other: BetaBelief) -> bool:
        return np.array_equal(self._guess, other._guess) and np.array_equal(
            self._top[2:4], other._top[2:4]
        )

    def _group_of(self, arm: int) -> int | None:
        """The group of a named arm; None for any other."""
        known = 0 <= arm < self.arms and self._slot[arm] != kernels.NO_NAME
        return int(self._slot[arm]) - 2 if known else None

    def _place(self, arm: int, group: int | None) -> None:
        known = self._group_of(arm)
        wanted = group if group is not None else known
        if known is None or wanted != known:
            self.reassign(arm, NO_GROUP if wanted is None else wanted)

    def _name(self, arm: int) -> None:
        if arm < 0:
            raise ValueError(f"arm {arm}: arms are numbered from 0")
        while arm >= len(self._arms):
            self._arms, self._slot = _grown(self._arms), _grown(self._slot)
        self.arms = max(self.arms, arm + 1)

    def _open(self, slot: int) -> None:
        while slot >= (rows := len(self._groups)):
            self._groups = _grown(self._groups)
            self._groups[rows:, 2] = self._top[5]


def _left(have: float, more: float, whose: str, what: str) -> float:
    left = float(have) + more
    if left < -1e-9 * (1.0 + abs(more)):
        raise ValueError(f"{whose} would be left with {left:g} {what}; 0 is the least")
    return max(left, 0.0)


def _grown(array: NDArray[Number]) -> NDArray[Number]:
    """The same with room for twice as many rows, at least 16 more, zeros."""
    more = np.zeros((max(len(array), 16), *array.shape[1:]), dtype=array.dtype)
    return np.concatenate([array, more])
