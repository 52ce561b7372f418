"""Several outcomes at once: click, cart, purchase and its value, a chain in one currency of worth.

A look leads on with a chance at every stage, and each stage is worth something by itself::

    reward of a look = click · (w₁ + cart · (w₂ + purchase · w₃ · value))

The chances are beliefs of their own: carts a click, purchases a cart. Hence each learns from all
that reached its stage: clicks teach first, orders last, and an item without orders is judged by its
clicks and by what clicks lead to in its group. With independent parts the moments follow stage by
stage from the end, for a product ``Π m`` and ``Π (s² + m²) − Π m²``.

Values are log-normal, so that one huge order moves a mean by its logarithm alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.exploration.beliefs.bank import ArmBelief, apart, together
from equipoise.exploration.beliefs.beta import BetaBelief
from equipoise.exploration.beliefs.rates import RateBelief
from equipoise.types import Arrays, Floats, Positions

STAGES = ("click", "add_to_cart", "purchase")
LEAST_VALUE = 0.01
"""A purchase for nothing counts as one for so much: a logarithm needs some value."""
KNOWN = 1e12
"""A strength that no data move."""


class Moments(NamedTuple):
    """Of a reward, each (n,)."""

    mean: Floats
    variance: Floats
    """Of the belief about the mean."""
    second: Floats
    """Mean square of one reward, whatever its mean may be."""


class ValueBelief:
    """What one purchase brings: log-normal, the logarithm's mean by arm, group and all. Mutable.

    ``log value ~ N(μ_i, σ²)`` with μ_i as in ``RateBelief`` and σ² from the scatter about each
    arm's own mean: prices differ far more between arms than orders of one arm do. The mean of a
    value is ``exp(μ + σ²/2)``; where values are not log-normal it is off by one factor for all
    arms, less than 10 % for a gamma of shape 2 or more.

    Args:
        prior_value: the median of a purchase before any data, in the shop's currency.
        spread: σ before any data.
        spread_strength: repeated purchases after which σ² follows the data as much as ``spread``.
        arm_strength: purchases after which an arm's own record weighs as much as its group; 1
            says that arms of a group differ as much as purchases of an arm.
        group_strength: the same for groups; 1 says that they differ as much again.
        overall_strength: the same for the record of all against ``prior_value``.

    Raises:
        ValueError: a value, spread or strength that is not above 0.
    """

    def __init__(
        self,
        *,
        prior_value: float = 30.0,
        spread: float = 0.5,
        spread_strength: float = 20.0,
        arm_strength: float = 0.5,
        group_strength: float = 0.5,
        overall_strength: float = 0.1,
    ) -> None:
        positive = {
            "prior_value": prior_value, "spread": spread, "spread_strength": spread_strength,
        }  # fmt: skip
        for name, given in positive.items():
            if not 0.0 < given < math.inf:
                raise ValueError(f"{name} is {given}; it must be above 0 and finite")
        # With a variance of 1 held fast, its variances come in units of our own σ².
        self._logs = RateBelief(
            prior_mean=math.log(prior_value),
            prior_variance=1.0,
            variance_strength=KNOWN,
            arm_strength=arm_strength,
            group_strength=group_strength,
            overall_strength=overall_strength,
        )
        self._prior = (spread * spread, spread_strength)
        self._scatter = np.zeros(2)
        """Squares of logarithms about their arm's mean, and the degrees of freedom in them."""

    @property
    def variance(self) -> float:
        """σ² of the logarithm of one purchase about its arm's mean."""
        guess, strength = self._prior
        scatter, freedom = self._scatter.tolist()
        return float((strength * guess + max(scatter, 0.0)) / (strength + max(freedom, 0.0)))

    def add(self, arm: int, purchases: float, value: float, group: int | None = None) -> None:
        """``purchases`` brought ``value`` in all; both below 0 undo that.

        Raises:
            ValueError: they have different signs, or are not finite; as ``RateBelief.add``.
        """
        if not (math.isfinite(value) and purchases != 0.0 and value / purchases >= 0.0):
            raise ValueError(
                f"{purchases} purchases of {value} in all: the value must be finite and of one "
                f"sign with its purchases"
            )
        log = math.log(max(value / purchases, LEAST_VALUE))
        if purchases > 0.0:
            self._scatter += self._apart(arm, purchases, log)
        self._logs.add(arm, purchases, purchases * log, group)
        if purchases < 0.0:
            self._scatter -= self._apart(arm, -purchases, log)

    def predict(self, arms: Positions, groups: NDArray[np.integer[Any]] | None = None) -> Moments:
        """Of the value of a purchase of each arm, each (n,). Changes nothing."""
        log, variance = self._logs.predict(arms, groups)
        one, belief = self.variance, self.variance * variance
        mean = np.exp(log + 0.5 * (one + belief))
        return Moments(mean, mean**2 * np.expm1(belief), mean**2 * np.exp(one + belief))

    def reassign(self, arm: int, group: int) -> None:
        """Put an arm, with all it has brought, into another group."""
        self._logs.reassign(arm, group)

    def decay(self, gamma: float) -> None:
        """Forget towards the prior, σ² included."""
        self._logs.decay(gamma)
        self._scatter *= gamma

    def arrays(self) -> Arrays:
        """The whole state."""
        return {"scatter": self._scatter.copy(), **self._logs.arrays()}

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described, to the bit."""
        self._scatter = arrays["scatter"].astype(float)
        self._logs.load(arrays)

    def _apart(self, arm: int, weight: float, log: float) -> Floats:
        """What one more purchase adds to the scatter about its arm's mean (Welford 1962)."""
        have, total = self._logs.record(arm)
        if have <= 0.0:
            return np.zeros(2)
        share = weight * have / (weight + have)
        square = share * (log - total / have) ** 2
        # One in force of a decayed record is less than one to be set against.
        return np.array([square, share * (1.0 / weight + 1.0 / max(have, 1.0))])


class Outcomes:
    """What a look at an arm is worth, from clicks, carts, purchases and their value. Mutable.

    Args:
        worth: of a ``click``, of an ``add_to_cart``, and of a ``purchase`` a unit of its value;
            what is left out is worth nothing.
        clicks, carts, purchases: the chance of each stage given the one before; by default a
            ``BetaBelief`` each, and a bank (``ArmBank``) where a stage drifts.
        values: of a purchase.

    Raises:
        ValueError: a worth of another name, below 0 or not finite.
    """

    def __init__(
        self,
        worth: Mapping[str, float],
        *,
        clicks: ArmBelief | None = None,
        carts: ArmBelief | None = None,
        purchases: ArmBelief | None = None,
        values: ValueBelief | None = None,
    ) -> None:
        for name, each in worth.items():
            if name not in STAGES:
                known = ", ".join(STAGES)
                raise ValueError(f"worth of {name!r} is given; the outcomes are {known}")
            if not 0.0 <= each < math.inf:
                raise ValueError(f"worth of {name} is {each}; it must be finite and not below 0")
        self.worth = tuple(float(worth.get(stage, 0.0)) for stage in STAGES)
        """Of a click, of a cart, and of a unit of a purchase's value."""
        self.clicks: ArmBelief = clicks or BetaBelief(prior_mean=0.05)
        self.carts: ArmBelief = carts or BetaBelief(prior_mean=0.1, arm_strength=30.0)
        self.purchases: ArmBelief = purchases or BetaBelief(prior_mean=0.3, arm_strength=20.0)
        self.values = values or ValueBelief()

    def add(
        self,
        arm: int,
        *,
        looks: float = 0.0,
        clicks: float = 0.0,
        carts: float = 0.0,
        purchases: float = 0.0,
        value: float | None = None,
        group: int | None = None,
    ) -> None:
        """So much more of each came to be: at once, or each when it happens; below 0 undoes.

        Tell a cart with a purchase that had none. ``value``: what these purchases brought in all,
        None where that is not known; parts of outcomes, as expected under delay, are normal.

        Raises:
            ValueError: as ``add`` of each stage's belief; or a value without purchases.
        """
        if value is not None:
            self.values.add(arm, purchases, value, group)
        for belief, reached, went_on in (
            (self.clicks, looks, clicks),
            (self.carts, clicks, carts),
            (self.purchases, carts, purchases),
        ):
            if reached or went_on:
                belief.learn(arm, reached, went_on, group)

    def pending(
        self, arm: int, *, looks: float = 0.0, clicks: float = 0.0, carts: float = 0.0
    ) -> None:
        """So much more is under way: looks that may yet be clicked, clicks that may yet lead on.

        Negative when that is known.

        Raises:
            ValueError: as ``pending`` of each stage's belief.
        """
        self.clicks.pending(arm, looks)
        self.carts.pending(arm, clicks)
        self.purchases.pending(arm, carts)

    def predict(
        self, arms: Positions, groups: NDArray[np.integer[Any]] | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Mean and variance of the worth of a look, and variance of one look's, each (n,).

        They are what ``Scored`` calls mean, variance and noise. Changes nothing.
        """
        click, cart, unit = self.worth
        value = self.values.predict(arms, groups)
        rest = Moments(unit * value.mean, unit**2 * value.variance, unit**2 * value.second)
        for belief, own in ((self.purchases, 0.0), (self.carts, cart), (self.clicks, click)):
            rest = _stage(*belief.predict(arms, groups), _shifted(rest, own))
        return rest.mean, rest.variance, rest.second - rest.mean**2 - rest.variance

    def chances(self, arms: Positions) -> Floats:
        """(3, n) mean chances of the stages, each given the one before: to say why."""
        return np.array([b.predict(arms)[0] for b in (self.clicks, self.carts, self.purchases)])

    def reassign(self, arm: int, group: int) -> None:
        """Put an arm, with all it has earned, into another group."""
        for belief in self._parts().values():
            belief.reassign(arm, group)

    def decay(self, gamma: float) -> None:
        """Forget towards the priors."""
        for belief in self._parts().values():
            belief.decay(gamma)

    def arrays(self) -> Arrays:
        """The whole state."""
        return together({name: belief.arrays() for name, belief in self._parts().items()})

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described, to the bit."""
        for name, belief in self._parts().items():
            belief.load(apart(name, arrays))

    def _parts(self) -> dict[str, ArmBelief | ValueBelief]:
        return {
            "clicks": self.clicks,
            "carts": self.carts,
            "purchases": self.purchases,
            "values": self.values,
        }


def _shifted(rest: Moments, by: float) -> Moments:
    """Of a reward with something certain on top."""
    second = rest.second + 2.0 * by * rest.mean + by * by
    return Moments(rest.mean + by, rest.variance, second)


def _stage(mean: Floats, variance: Floats, rest: Moments) -> Moments:
    """Of a reward that comes only with a chance, known by mean and variance."""
    product = (variance + mean**2) * (rest.variance + rest.mean**2)
    whole = mean * rest.mean
    return Moments(whole, product - whole**2, mean * rest.second)
