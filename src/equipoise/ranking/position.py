"""Each place of a list has its own chance of a look: the position-based model of clicks.

P(click at k) = look(k) · P(click | looked at), whatever was clicked elsewhere (Richardson,
Dominowska and Ragno, WWW 2007; Craswell et al., WSDM 2008).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.types import Arrays, Bools, Floats

STEEPNESS = 0.6
"""Of the first guess. 0: every slot is looked at; 1: DCG. At 0.6 the eighth slot has half of the
first's looks."""
STRENGTH = 30.0
"""Expected clicks after which a place's own record weighs as much as the first guess."""
SLOTS = 100
LEAST = 0.02
"""Of a look, however seldom a place is clicked."""
LEAST_RATE, MOST_RATE = 1e-4, 0.9
"""Bounds of the click rates that the models reckon with: the belief's own may leave 0…1."""
BINS = 14
"""Of rates, each twice as high as the one before it."""
REFRESH = 32
"""Lists after which a curve is solved anew."""
HARVEST = 40.0
"""Expected clicks of our own randomisation that weigh as much as all the rest of a curve."""


@lru_cache(maxsize=8)
def first_guess(slots: int, *, steepness: float = STEEPNESS) -> Floats:
    """(slots,) ``log2(k + 2) ** -steepness``: 1 for the first, then falling. Read-only.

    DCG's discount, flattened (Järvelin and Kekäläinen, TOIS 2002).
    """
    curve: Floats = np.log2(np.arange(slots) + 2.0) ** -steepness
    curve.setflags(write=False)
    return curve


class Browsed(NamedTuple):
    """What came into view of one list, from the top, and what was clicked. All (n,)."""

    places: NDArray[np.int64]
    clicked: Bools
    rates: Floats
    """P(click | looked at), as it was believed when the list was made; above 0, below 1."""
    weights: Floats
    """1 / propensity; 0 for a pin, which no chance put there."""


def look_given(look: float, rate: float) -> float:
    """Chance that a slot without a click was looked at: ``θ (1 − r) / (1 − θ r)``.

    The E-step. A click counts 1; the mean of both over what may happen is θ again, so that nobody
    is given more looks than there were.
    """
    return look * (1.0 - rate) / (1.0 - look * rate)


class Position:
    """The curve of one placement by position. Its sums add, whatever the order of the lists.

    *EM.* The curve maximises the likelihood of the clicks under the rates that were believed when
    the lists were made, which is where EM (E-step ``look_given``, M-step its mean) comes to rest.
    EM itself creeps where clicks are rare, so its fixed point is solved for::

        θ_k = clicks_k / Σ r / (1 − θ_k r)        over the slots without a click

    from a histogram of rates a place, shrunk to the first guess.

    *Harvest.* Rates are believed, and what always stood high may be believed wrongly. So clicks and
    expected clicks are also summed with weights 1 / propensity: then every item that could have
    been drawn counts alike at every place, and errors of single rates fall out of the ratio of two
    places. It is the policy's own randomisation that serves as the experiment (Agarwal et al.,
    WSDM 2019). Its ratios take over from EM's as far as the evidence in them goes; pins, which no
    chance placed, stay out.
    """

    def __init__(self) -> None:
        self._curve = np.asarray(first_guess(SLOTS))
        self._lists = 0
        self._clicks = np.zeros(SLOTS)
        self._left = np.zeros((2, SLOTS, BINS))
        """Slots without a click, by place and rate: how many, and the sum of their rates."""
        self._harvest = np.zeros((3, SLOTS))
        """By place: weighted clicks, weighted rates, rates by the square of the weight."""

    def looks(self) -> Floats:
        """(SLOTS,) chance that each place is looked at, the first's being 1."""
        return self._curve

    def likelihood(self, browsed: Browsed) -> float:
        """Log-probability of the clicks."""
        chance = self._curve[browsed.places] * browsed.rates
        return float(np.log(np.where(browsed.clicked, chance, 1.0 - chance)).sum())

    def learn(self, browsed: Browsed) -> None:
        """Take one list in."""
        places, clicked, rates, weights = browsed
        self._clicks[places] += clicked
        left = ~clicked
        bins = np.clip(np.log2(rates[left] / LEAST_RATE).astype(int), 0, BINS - 1)
        self._left[0, places[left], bins] += 1.0
        self._left[1, places[left], bins] += rates[left]
        self._harvest[:, places] += weights * clicked, weights * rates, weights**2 * rates
        self._lists += 1
        if self._lists % REFRESH == 0:
            self._curve = self._solved()

    def arrays(self) -> Arrays:
        """All that was learnt."""
        return {
            "curve": self._curve.copy(),
            "clicks": self._clicks.copy(),
            "left": self._left.copy(),
            "harvest": self._harvest.copy(),
            "lists": np.array([self._lists]),
        }

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        self._curve = arrays["curve"].astype(float)
        self._clicks = arrays["clicks"].astype(float)
        self._left = arrays["left"].astype(float)
        self._harvest = arrays["harvest"].astype(float)
        self._lists = int(arrays["lists"][0])

    def _solved(self) -> Floats:
        fitted = _fixed_point(first_guess(SLOTS), self._clicks, *self._left)
        # Rates may be off as a whole; the curve is about places, so the first sets the unit.
        curve = _with_harvest(fitted / fitted[0], float(fitted[0]), self._harvest)
        return np.asarray(np.clip(curve, LEAST, 1.0))


def _fixed_point(guess: Floats, clicks: Floats, count: Floats, rates: Floats) -> Floats:
    """(SLOTS,) θ with ``θ = (S · guess + clicks) / (S + Σ r / (1 − θ r))``, by bisection.

    The right side falls as θ rises, so there is one solution; it may exceed 1 where rates were
    believed too low.
    """
    mean = np.divide(rates, count, out=np.zeros_like(rates), where=count > 0)
    low = np.zeros(len(guess))
    high = 1.0 / np.maximum(mean.max(axis=1), 0.05)
    for _ in range(40):
        middle = 0.5 * (low + high)
        expected = (rates / (1.0 - middle[:, np.newaxis] * mean)).sum(axis=1)
        above = middle * (STRENGTH + expected) > STRENGTH * guess + clicks
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray(0.5 * (low + high))


def _with_harvest(curve: Floats, unit: float, harvest: Floats) -> Floats:
    """(SLOTS,) the curve, moved towards the ratios of the weighted sums as far as these tell.

    ``evidence`` is in expected clicks of weight 1: of a place ``(Σ w r)² / Σ w² r`` (Kish), of a
    ratio half the harmonic mean of its two.
    """
    clicks, expected, squares = harvest
    met = squares > 0
    told = np.divide(expected**2, squares, out=np.zeros(SLOTS), where=met)
    ratio = np.divide(clicks, expected, out=np.zeros(SLOTS), where=met)
    first = (STRENGTH * unit + told[0] * ratio[0]) / (STRENGTH + told[0])
    evidence = told * told[0] / np.maximum(told + told[0], 1e-12)
    moved = (HARVEST * curve + evidence * ratio / first) / (HARVEST + evidence)
    moved[0] = 1.0
    return np.asarray(moved)
