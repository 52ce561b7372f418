"""Candidates → Scored: what one look at an item earns here, from this shopper, and how sure we are.

::

    reward of a look  =  clicks of the item  ×  lift of the match  ×  worth of its clicks
    clicks_i, worth_i    the item's own record, shrunk to its category's, that to all items'
    lift = g · w         g the features of the match, w learnt by Bayesian regression

In two stages, because clicks teach first and orders last: one order is worth many clicks and is as
rare, so a rate of *money* a look would for weeks be a record of luck. The parts learn from one
another's estimates as they stood when the slot was shown:

- *clicks:* a slot counts as ``look × lift`` looks, so that clicks are set against expected ones
  (COEC; Zhang and Jones, WWW 2007): what a good place or match earned is not the item's merit.
- *lift:* clicks are regressed on ``look × rate × g``: what a good item earned is not the match's.
  The noise of clicks is that of a count, as large as its mean. The weight of ``base`` stays at 1:
  rates and lift are known only as a product, and one of them must not move.
- *worth:* what a click earns, carts and orders included, however late; the look is not asked.

As of a product of independents the mean is ``Π m`` and the variance ``Π(s² + m²) − Π m²``; the
parts have shared their data, so independence is approximate.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.ranking.features import NAMES
from equipoise.types import Arrays, Floats, Positions, Reward, Scored, Slot

LEAST_LIFT = 0.05
"""However bad the match, an item keeps this share of its rate: a lift is no less than this."""
LEAST_NOISE = 0.3
"""However bad the match is thought to be, the noise of its clicks is this share of a look's: else a
weight once learnt too low would make the zeros that follow count many times."""
LEAST_RATE = 1e-4
"""Clicks a look; a belief may dip below zero, what is shown and learnt from may not."""
LEAST_WORTH = 1e-9
"""Money a click."""
REFRESH = 32
"""Verdicts after which learning sees the new weights, and forgets for as many."""


class Rates(Protocol):
    """A belief about the mean reward of one look at each arm, arms in groups."""

    def add(self, arm: int, looks: float, reward: float, group: int | None = None) -> None: ...
    def predict(
        self, arms: Positions, groups: NDArray[np.integer[Any]] | None = None
    ) -> tuple[Floats, Floats]: ...
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
    def decay(self, gamma: float) -> Self: ...
    def arrays(self) -> Arrays: ...
    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self: ...


class RewardModel:
    """The three beliefs, and how they learn from verdicts: a fold of the log, in its order.

    Args:
        clicks: of an item, a look.
        worth: of an item, in money a click; a click is one "look" of this belief.
        lift: about the weights of ``features.NAMES``; without data 1 for an item shown to anybody.
        memory_looks: looks after which the lift has forgotten half of what it learnt. The other two
            forget nothing: an item's record is long, and its drift is not noticed here.
    """

    def __init__(
        self, clicks: Rates, worth: Rates, lift: Lift, *, memory_looks: float = 1_000_000.0
    ) -> None:
        self._clicks = clicks
        self._worth = worth
        self._lift = lift
        self._memory = memory_looks
        self._looks = 0.0
        self._since = 0
        """Verdicts since ``_weights`` was taken."""
        self._weights = lift.mean.copy()

    def score(
        self, items: Positions, groups: NDArray[np.integer[Any]], g: Floats
    ) -> tuple[Floats, Scored]:
        """Clicks a look (n,) of the items alone, and the belief about each match's reward.

        ``groups`` (n,): where an item that was never judged takes its record from, -1 for none.
        ``g`` (n, d): ``features.compute``. Changes nothing.
        """
        rate, rate_variance = self._clicks.predict(items, groups)
        worth, worth_variance = self._worth.predict(items, groups)
        lift, lift_variance = self._lift.predict(g)
        rate = np.maximum(rate, LEAST_RATE)
        worth = np.maximum(worth, LEAST_WORTH)
        lift = np.maximum(lift, LEAST_LIFT)
        mean = rate * lift * worth
        square = (rate_variance + rate**2) * (lift_variance + lift**2) * (worth_variance + worth**2)
        return rate, Scored(items, mean, square - mean**2)

    def learn(self, slot: Slot, group: int, reward: Reward) -> None:
        """Take a verdict in: the slot's first is one look, later worth only adds.

        Reads the slot as it was stored, never the present catalogue or profile, so that replaying
        the log teaches the same.
        """
        clicked = reward.outcome != "none"
        if reward.first:
            self._look(slot, group, float(clicked))
        if clicked:
            self._worth.add(slot.position, float(reward.first), reward.worth, group)

    def expected_clicks(self, slot: Slot) -> float:
        """Of a certain look at a slot, as it was stored, by the lift that is believed now."""
        return slot.rate * self._lift_of(slot)

    def _lift_of(self, slot: Slot) -> float:
        return max(float(np.dot(slot.features, self._weights)), LEAST_LIFT)

    def _look(self, slot: Slot, group: int, clicks: float) -> None:
        g, lift = np.array([slot.features]), self._lift_of(slot)
        self._clicks.add(slot.position, slot.look * lift, clicks, group)
        noise = slot.look * slot.rate * max(lift, LEAST_NOISE)
        self._lift = self._lift.update(
            g * (slot.look * slot.rate), np.array([clicks]), np.array([1.0 / noise])
        )
        self._looks += slot.look
        self._since += 1
        if self._since >= REFRESH:
            self._lift = self._lift.decay(0.5 ** (self._since / self._memory))
            self._weights, self._since = self._lift.mean.copy(), 0

    def summary(self) -> dict[str, Any]:
        """For people: weights with standard deviations, looks learnt from, an unknown's record."""
        spread = np.sqrt(np.diag(np.linalg.inv(self._lift.precision)))
        weights = [
            {"name": name, "mean": float(mean), "sd": float(sd)}
            for name, mean, sd in zip(NAMES, self._lift.mean, spread, strict=True)
        ]
        unknown = np.array([np.iinfo(np.int32).max])
        return {
            "weights": weights,
            "looks": self._looks,
            "click_rate": float(self._clicks.predict(unknown)[0][0]),
            "click_worth": float(self._worth.predict(unknown)[0][0]),
        }

    def arrays(self) -> Arrays:
        """All that was learnt, in a form that depends on the log alone."""
        return {
            **{f"clicks.{name}": array for name, array in self._clicks.arrays().items()},
            **{f"worth.{name}": array for name, array in self._worth.arrays().items()},
            **{f"lift.{name}": array for name, array in self._lift.arrays().items()},
            "progress": np.array([self._looks, self._since]),
            "weights": self._weights.copy(),
        }

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        self._clicks.load(_under("clicks.", arrays))
        self._worth.load(_under("worth.", arrays))
        self._lift = self._lift.from_arrays(_under("lift.", arrays))
        looks, since = arrays["progress"].tolist()
        self._looks, self._since = looks, int(since)
        self._weights = arrays["weights"].copy()


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
