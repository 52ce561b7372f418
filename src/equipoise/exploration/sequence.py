"""Evidence about a sum: what may be said at every time at once, however the values drift.

For values ``x_i ≥ −below`` and any bet λ in [0, 1), with the unit ``u = below``::

    Π exp(λ (x_i − E_i) / u − ψ(λ) x_i² / u²)      ψ(λ) = −ln(1 − λ) − λ,   E_i = E[x_i | past]

is a supermartingale started at 1, for ``exp(λ x − ψ(λ) x²) ≤ 1 + λ x`` where x ≥ −1 (Fan, Grama and
Liu 2015; Howard, Ramdas, McAuliffe and Sekhon, *Annals of Statistics* 49, 2021, section 3). So is a
mean over several bets, which by Ville's inequality exceeds ``1 / error`` *ever* with a chance of at
most ``error``. Hence a lower bound on ``Σ E_i``: the largest sum that is refuted. Nothing is asked
of the E_i: they may move, and depend on all that went before.

Two sums are all it remembers. Bets are fixed beforehand, a factor of two apart, so that the bound
is about right from some tens of values to some millions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numba import njit

from equipoise.types import Floats

BETS: Floats = 0.5 ** np.arange(1.0, 15.0)
"""λ, alike in weight."""
COSTS: Floats = -np.log1p(-BETS) - BETS
"""ψ(λ)."""
EXACT = 1e-6
"""To what share of the spread of the sum a bound is found."""


class SumState(Struct, frozen=True, kw_only=True):
    """All that is remembered of the values."""

    total: float = 0.0
    squares: float = 0.0
    n: int = 0


@dataclass(frozen=True, slots=True)
class SumBound:
    """A lower bound on ``Σ E[x_i | past]``, right at all times with a chance of ``1 − error``.

    Args:
        below: no value lies further below 0.
        error: chance that the bound is ever above the truth.

    Raises:
        ValueError: an argument out of its range.
    """

    below: float
    error: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 < self.below < math.inf:
            raise ValueError(f"below is {self.below}; it must be above 0 and finite")
        if not 0.0 < self.error < 1.0:
            raise ValueError(f"error is {self.error}; it lies between 0 and 1")

    def init(self) -> SumState:
        """Nothing seen yet."""
        return SumState()

    def update(self, state: SumState, value: float) -> SumState:
        """Take one more value in, in the order in which they were drawn.

        Raises:
            ValueError: it lies further below 0 than was promised, or is not finite.
        """
        # A hair below is rounding.
        if not -self.below * (1.0 + EXACT) <= value < math.inf:
            raise ValueError(f"the value is {value}; it must be finite, -{self.below:g} or more")
        return SumState(
            total=state.total + value, squares=state.squares + value * value, n=state.n + 1
        )

    @property
    def needed(self) -> float:
        """Logarithm of the evidence that refutes."""
        return -math.log(self.error)

    def evidence(self, state: SumState, against: float = 0.0) -> float:
        """How much the values speak for ``Σ E_i > against``: the logarithm of the mixed bets."""
        return log_capital(
            (state.total - against) / self.below, state.squares / self.below**2, BETS, COSTS
        )

    def lower(self, state: SumState) -> float:
        """The bound: the largest sum that is refuted, to a hair below."""
        unit = self.below
        return unit * refuted(state.total / unit, state.squares / unit**2, self.needed, BETS, COSTS)


@njit(cache=True)
def log_capital(total: float, squares: float, bets: Floats, costs: Floats) -> float:
    """``ln mean_λ exp(λ total − ψ(λ) squares)``, in units of the largest fall."""
    highest = -np.inf
    for j in range(len(bets)):
        highest = max(highest, bets[j] * total - costs[j] * squares)
    mean = 0.0
    for j in range(len(bets)):
        mean += math.exp(bets[j] * total - costs[j] * squares - highest)
    return highest + math.log(mean / len(bets))


@njit(cache=True)
def refuted(total: float, squares: float, needed: float, bets: Floats, costs: Floats) -> float:
    """The largest sum against which the evidence is ``needed``, in units of the largest fall."""
    step = math.sqrt(squares) + 1.0
    exact = EXACT * step
    high, low = total, total - step
    while log_capital(total - low, squares, bets, costs) < needed:
        high, step = low, 2.0 * step
        low -= step
    while high - low > exact:
        middle = 0.5 * (low + high)
        if log_capital(total - middle, squares, bets, costs) < needed:
            high = middle
        else:
            low = middle
    return low
