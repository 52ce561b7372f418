"""SquareCB: inverse gap weighting. The further behind the best an item is, the rarer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from equipoise.exploration.policies.checks import check_open, check_scored
from equipoise.exploration.policies.greedy import best
from equipoise.interfaces import Conditional
from equipoise.types import Bools, Floats, Scored


@dataclass(frozen=True)
class SquareCB:
    """``p_i = 1 / (n + γ (m* − m_i))`` over the n that are open; the best has what is left.

    Foster and Rakhlin, ICML 2020 (SquareCB), after Abe and Long 1999. Their γ is ``√(n T / Reg)``:
    T / Reg is one over the mean squared error of a prediction. The belief states that error, so
    that γ needs no schedule and has no unit::

        γ = gamma · √n / (level · s)        s = √mean(variance)

    and exploring fades as beliefs settle; where nothing is unknown (s = 0) it is greedy. For a
    schedule of one's own, such as Vowpal Wabbit's ``gamma_scale · √t``, call ``inverse_gap``. Like
    ``PlackettLuce`` it looks at how much is unknown, not of which item. O(n) a position.

    Args:
        gamma: 1 is the amount of their theorem, which bounds the worst case; practice explores
            less. Ten times that, as a rule, is what Vowpal Wabbit starts from.
    """

    gamma: float = 10.0

    name: ClassVar[str] = "square_cb"
    version: ClassVar[str] = "1"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.gamma) and self.gamma > 0):
            raise ValueError(f"gamma is {self.gamma}; it must be finite and above 0")

    @property
    def parameters(self) -> dict[str, float]:
        return {"gamma": self.gamma}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        scale = level * math.sqrt(scored.variance.mean())

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            if scale == 0:
                return best(scored.mean, open_)
            gamma = self.gamma * math.sqrt(np.count_nonzero(open_)) / scale
            return inverse_gap(scored.mean, gamma, open_)

        return conditional


def inverse_gap(value: Floats, gamma: float, open_: Bools) -> Floats:
    """(n,) ``1 / (n_open + gamma · gap)`` for what is open and not the best, 0 where closed.

    Those of the highest value share what is left. ``gamma`` is in units of one over value.
    """
    highest = np.max(value, initial=-np.inf, where=open_)
    top = open_ & (value == highest)
    others = open_ & ~top
    chance = np.zeros(len(value))
    # A gap may leave the range of a float: it is then infinite, and the chance 0.
    with np.errstate(over="ignore"):
        chance[others] = 1.0 / (np.count_nonzero(open_) + gamma * (highest - value[others]))
    chance[top] = (1.0 - chance.sum()) / np.count_nonzero(top)
    return chance
