"""Upper confidence bounds, with a floor: the index alone would have no propensity to log."""

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
class UCB:
    """``p = (1 − floor) [i has the highest m_i + c s_i] + floor / n_open``, c = reach · level.

    Auer, Cesa-Bianchi and Fischer, *Machine Learning* 2002; over a linear belief it is LinUCB (Li,
    Chu, Langford and Schapire, WWW 2010). The published rule is certain of its choice. Logged as
    such, the choice would carry probability 1 though the next click reverses it, and no other
    policy could be judged by the log. So exact ties are shared, and a uniform floor is part of the
    rule and never 0. ``Optimism`` spreads the rest by the index itself. O(n) a position.

    Args:
        reach: standard deviations that are added at level 1.
        floor: share of draws that anything open may win. No level shrinks it; level 0, which is
            greedy everywhere, switches it off.
    """

    reach: float = 2.0
    floor: float = 0.02

    name: ClassVar[str] = "ucb"
    version: ClassVar[str] = "1"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.reach) and self.reach > 0):
            raise ValueError(f"reach is {self.reach}; it must be finite and above 0")
        if not 0.0 < self.floor <= 1.0:
            raise ValueError(
                f"floor is {self.floor}; it is a share above 0, up to 1: "
                "a choice that is certain can be evaluated for no other policy"
            )

    @property
    def parameters(self) -> dict[str, float]:
        return {"reach": self.reach, "floor": self.floor}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        index = scored.mean + self.reach * level * np.sqrt(scored.variance)
        floor = self.floor if level > 0 else 0.0

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            uniform = open_ * (floor / np.count_nonzero(open_))
            return (1.0 - floor) * best(index, open_) + uniform

        return conditional
