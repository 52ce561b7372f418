"""A shopper who reads a list from the top and may stop: the cascade family of click models.

A slot is looked at only if the one before it was. After a slot that was not clicked the shopper
goes on with a chance that depends on the place; after a click with ``again`` times that chance
(Craswell et al., WSDM 2008: never; Guo, Liu and Wang, WSDM 2009: the dependent click model). So
whatever stands above the last click was certainly looked at, and what stands below it counts less::

    P(look at k+1 | look at k)  =  c_k          no click at k
                                   again · c_k  click at k

With ``reach_k = c_0 … c_{k−1}`` the first click of a list is at k with chance ``reach_k · r_k
Π_{j<k} (1 − r_j)``, and the next one after a click at i with ``again · (reach_k / reach_i) · r_k
Π_{i<j<k} (1 − r_j)``, r being the chance of a click if the slot is looked at. Both sides are known
but for ``reach`` and ``again``, so that each is estimated by clicks over expected clicks: sums that
add, whatever the order of the lists. Going by the expected *path* instead (EM) creeps: most lists
have no click, and of such a list the path is what the curve of before said.
"""

from __future__ import annotations

from math import log

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.ranking.position import LEAST, STRENGTH, Browsed
from equipoise.types import Arrays, Bools, Floats

AGAIN, AGAIN_STRENGTH = 0.5, 10.0
"""The first guess of ``again``, and the expected clicks that it weighs."""


class Cascade:
    """The chain of one placement, and what it says of single slots.

    Args:
        guess: (S,) chance that each place is reached, before any data; 1 for the first.
    """

    def __init__(self, guess: Floats) -> None:
        self._guess = guess
        self._reach = np.asarray(guess)
        self._counts = np.zeros((4, len(guess)))
        """By place: first clicks, those expected if all were reached, slots, sum of their rates."""
        self._after = np.zeros(2)
        """Clicks that followed a click, and those expected if a click stopped nobody."""

    @property
    def reach(self) -> Floats:
        """(S,) chance that each place is reached by whoever clicks nothing: never rising."""
        return self._reach

    @property
    def again(self) -> float:
        """How much of the chance to go on is left after a click, up to 1."""
        followed, expected = self._after.tolist()
        told = (AGAIN_STRENGTH * AGAIN + followed) / (AGAIN_STRENGTH + expected)
        return float(min(max(told, LEAST), 1.0))

    def looks(self) -> Floats:
        """(S,) chance that each place is looked at, clicks of the average item before it included.

        The 1 of the first is the unit.
        """
        slots, rates = self._counts[2:]
        average = np.divide(rates, slots, out=np.zeros_like(rates), where=slots > 0)
        stopped = np.cumprod(1.0 - average * (1.0 - self.again))
        looks = self._reach * np.concatenate([[1.0], stopped[:-1]])
        return np.asarray(np.clip(looks, LEAST, 1.0))

    def looked(self, browsed: Browsed) -> Floats:
        """(n,) chance that each slot was looked at, given every click of the list."""
        return _looked(self._steps(browsed), self.again, browsed.rates, browsed.clicked)

    def likelihood(self, browsed: Browsed) -> float:
        """Log-probability of the clicks."""
        steps = self._steps(browsed)
        return float(_likelihood(steps, self.again, browsed.rates, browsed.clicked))

    def learn(self, browsed: Browsed) -> None:
        """Take one list in."""
        places, rates = browsed.places, browsed.rates
        _count(self._counts, self._after, self._reach, places, rates, browsed.clicked)
        clicks, expected = self._counts[:2]
        reach = (STRENGTH * self._guess + clicks) / (STRENGTH + expected)
        # Rates may be off as a whole: the first place sets the unit. Nobody skips in a chain.
        self._reach = np.clip(np.minimum.accumulate(reach / reach[0]), LEAST, 1.0)

    def arrays(self) -> Arrays:
        """All that was learnt."""
        return {
            "reach": self._reach.copy(),
            "counts": self._counts.copy(),
            "after": self._after.copy(),
        }

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        self._reach = arrays["reach"].astype(float)
        self._counts = arrays["counts"].astype(float)
        self._after = arrays["after"].astype(float)

    def _steps(self, browsed: Browsed) -> Floats:
        """(n,) chance to come to each slot from the one in view before it, if that had no click."""
        reach = self._reach[browsed.places]
        return np.asarray(reach / np.concatenate([[1.0], reach[:-1]]))


@njit(cache=True)
def _last(clicked: Bools) -> int:
    for k in range(len(clicked) - 1, -1, -1):
        if clicked[k]:
            return k
    return -1


@njit(cache=True)
def _silent(steps: Floats, rates: Floats) -> Floats:
    """(n + 1,) P(no click at k and after it | k is looked at); 1 beyond the end."""
    silent = np.ones(len(rates) + 1)
    for k in range(len(rates) - 1, -1, -1):
        on = steps[k + 1] if k + 1 < len(rates) else 0.0
        silent[k] = (1.0 - rates[k]) * (1.0 - on + on * silent[k + 1])
    return silent


@njit(cache=True)
def _looked(steps: Floats, again: float, rates: Floats, clicked: Bools) -> Floats:
    looked = np.ones(len(rates))
    silent = _silent(steps, rates)
    last = _last(clicked)
    chance = 1.0
    for k in range(last + 1, len(rates)):
        on = steps[k] * again if k == last + 1 and last >= 0 else steps[k]
        chance *= on * silent[k] / (1.0 - on + on * silent[k])
        looked[k] = chance
    return looked


@njit(cache=True)
def _likelihood(steps: Floats, again: float, rates: Floats, clicked: Bools) -> float:
    last = _last(clicked)
    total = 0.0
    for k in range(last + 1):
        on = steps[k] * again if k > 0 and clicked[k - 1] else steps[k]
        total += log(on * (rates[k] if clicked[k] else 1.0 - rates[k]))
    if last + 1 < len(rates):
        on = steps[last + 1] * (again if last >= 0 else 1.0)
        total += log(1.0 - on + on * _silent(steps, rates)[last + 1])
    return total


@njit(cache=True)
def _count(
    counts: Floats,
    after: Floats,
    reach: Floats,
    places: NDArray[np.int64],
    rates: Floats,
    clicked: Bools,
) -> None:
    quiet = 1.0
    first = True
    for k in range(len(places)):
        place = places[k]
        counts[0, place] += clicked[k] and first
        counts[1, place] += quiet * rates[k]
        counts[2, place] += 1.0
        counts[3, place] += rates[k]
        quiet *= 1.0 - rates[k]
        first = first and not clicked[k]
    for i in range(len(places)):
        if clicked[i]:
            quiet = 1.0
            for k in range(i + 1, len(places)):
                after[1] += quiet * rates[k] * reach[places[k]] / reach[places[i]]
                quiet *= 1.0 - rates[k]
            after[0] += clicked[i + 1 :].any()
