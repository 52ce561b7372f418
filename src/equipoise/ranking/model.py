"""Candidates → Scored: what one look at an item earns here, from this shopper, and how sure we are.

::

    reward of a look  =  clicks of the item  ×  lift of the match  ×  worth of its clicks
    clicks_i, worth_i    the item's own record, shrunk to its category's, that to all items'
    lift = g · w         g the features of the match, w learnt by Bayesian regression

In two stages, because clicks teach first and orders last: one order is worth many clicks and is as
rare, so a rate of *money* a look would for weeks be a record of luck. The parts learn from one
another's estimates as they stood when the slot was shown:

- *clicks:* a slot counts as ``looked × lift`` looks, ``looked`` being the chance that it was looked
  at given what was clicked (``ranking.examination``), so that clicks are set against expected ones
  (COEC; Zhang and Jones, WWW 2007): what a good place or match earned is not the item's merit.
- *lift:* clicks are regressed on ``looked × rate × g``: what a good item earned is not the match's.
  The noise of clicks is that of a count, as large as its mean. The weight of ``base`` stays at 1:
  rates and lift are known only as a product, and one of them must not move.
- *worth:* what a click earns, carts and orders included; the look is not asked. A click counts by
  degrees, as its orders can have come in (``feedback.delay``).

What is under way narrows the spread and leaves the mean: slots until they are settled, clicks
until they have earned what they will. What is in view counts as a look without a click until its
verdict comes (``feedback.views``).

As of a product of independents the mean is ``Π m`` and the variance ``Π(s² + m²) − Π m²``; the
parts have shared their data, so independence is approximate.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.ranking.features import NAMES
from equipoise.ranking.position import MOST_RATE, look_given
from equipoise.types import Arrays, Floats, Positions, Scored, Slot

LEAST_LIFT = 0.05
"""However bad the match, an item keeps this share of its rate: a lift is no less than this."""
LEAST_NOISE = 0.3
"""However bad the match is thought to be, the noise of its clicks is this share of a look's: else a
weight once learnt too low would make the zeros that follow count many times."""
LEAST_RATE = 1e-4
"""Clicks a look; a belief may dip below zero, what is shown and learnt from may not."""
LEAST_WORTH = 1e-9
"""Money a click."""
LEAST_LOOKED = 1e-3
"""Of a look: below it a slot that came into view teaches as if it were this."""
LEAST_FAILURE = 1e-3
"""A look is never taken for a sure click."""
GRAIN = 2.0**20
"""What is under way is counted in parts of a look this small: such sums are exact in any order,
so that what has been heard leaves nothing behind."""
REFRESH = 32
"""Verdicts after which learning sees the new weights, and forgets for as many."""


class Rates(Protocol):
    """A belief about the mean reward of one look at each arm, arms in groups."""

    def add(self, arm: int, looks: float, reward: float, group: int | None = None) -> None: ...
    def pending(self, arm: int, looks: float) -> None: ...
    def predict(
        self, arms: Positions, groups: NDArray[np.integer[Any]] | None = None
    ) -> tuple[Floats, Floats]: ...
    def arrays(self) -> Arrays: ...
    def load(self, arrays: Arrays) -> None: ...


class ClickRates(Rates, Protocol):
    """One that counts looks before it is known what came of them."""

    def view(self, arm: int, looks: float, group: int | None = None) -> None: ...


class Amounts(Rates, Protocol):
    """One that also knows how much single rewards vary about their mean."""

    @property
    def variance(self) -> float: ...


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
        self, clicks: ClickRates, worth: Amounts, lift: Lift, *, memory_looks: float = 1_000_000.0
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
        ``g`` (n, d): ``features.compute``. ``noise`` is the variance of one look's reward: a click
        or none, and if one, then what a click happens to earn. Changes nothing.
        """
        rate, rate_variance = self._clicks.predict(items, groups)
        worth, worth_variance = self._worth.predict(items, groups)
        lift, lift_variance = self._lift.predict(g)
        rate = np.maximum(rate, LEAST_RATE)
        worth = np.maximum(worth, LEAST_WORTH)
        lift = np.maximum(lift, LEAST_LIFT)
        mean = rate * lift * worth
        square = (rate_variance + rate**2) * (lift_variance + lift**2) * (worth_variance + worth**2)
        chance = rate * lift
        failure = np.maximum(1.0 - chance, LEAST_FAILURE)
        noise = chance * (self._worth.variance + failure * worth**2)
        return rate, Scored(items, mean, square - mean**2, noise)

    def learn(self, slot: Slot, group: int, clicked: bool, looked: float | None = None) -> None:
        """A slot came into view and was clicked or left: what that says of the item.

        ``looked``: the chance that it was looked at, given all that is known by now; left out, what
        the slot's own place and click say of it. Reads the slot as it was stored, never the present
        catalogue or profile, so that replaying the log teaches the same.
        """
        looks = self._looked(slot, clicked, looked) * self._lift_of(slot)
        self._clicks.add(slot.position, looks, float(clicked), group)
        self._looks += slot.look

    def match(self, slot: Slot, clicked: bool, looked: float | None = None) -> None:
        """The same of the match: ``learn`` may be told of a click first, and this of it when the
        slots that were left are known as well (``feedback.later``)."""
        looked = self._looked(slot, clicked, looked)
        g, lift = np.array([slot.features]), self._lift_of(slot)
        noise = looked * slot.rate * max(lift, LEAST_NOISE)
        self._lift = self._lift.update(
            g * (looked * slot.rate), np.array([float(clicked)]), np.array([1.0 / noise])
        )
        self._since += 1
        if self._since >= REFRESH:
            self._lift = self._lift.decay(0.5 ** (self._since / self._memory))
            self._weights, self._since = self._lift.mean.copy(), 0

    def earn(self, arm: int, group: int, clicks: float, worth: float) -> None:
        """``clicks`` more of an item's, or parts of them, earned ``worth`` more."""
        self._worth.add(arm, clicks, worth, group)

    def await_looks(self, arm: int, looks: float) -> None:
        """``looks`` more are under way (``looks_of`` a served slot); below 0: they are settled."""
        self._clicks.pending(arm, looks)

    def view(self, arm: int, group: int, looks: float) -> None:
        """``looks`` more are in view without a click so far; below 0: it is known what came of
        them."""
        self._clicks.view(arm, looks, group)

    def await_worth(self, arm: int, clicks: float) -> None:
        """``clicks`` more have not earned yet what they will; below 0: they have, or never will."""
        self._worth.pending(arm, clicks)

    def expected_clicks(self, slot: Slot) -> float:
        """Of a certain look at a slot, as it was stored, by the lift that is believed now."""
        return slot.rate * self._lift_of(slot)

    def looks_of(self, slot: Slot) -> float:
        """That a served slot is expected to bring, as ``learn`` would count them now."""
        return round(slot.look * self._lift_of(slot) * GRAIN) / GRAIN

    def _lift_of(self, slot: Slot) -> float:
        return max(float(np.dot(slot.features, self._weights)), LEAST_LIFT)

    def _looked(self, slot: Slot, clicked: bool, looked: float | None) -> float:
        if looked is None:
            rate = min(max(self.expected_clicks(slot), LEAST_RATE), MOST_RATE)
            looked = 1.0 if clicked else look_given(slot.look, rate)
        return max(looked, LEAST_LOOKED)

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
