"""ε-greedy: mostly the best, now and then anything. Undirected: the yardstick for what is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from equipoise.exploration.policies.checks import check_open, check_scored, check_share
from equipoise.exploration.policies.greedy import best
from equipoise.interfaces import Conditional
from equipoise.types import Bools, Floats, Scored


@dataclass(frozen=True)
class EpsilonGreedy:
    """``p = (1 − e) greedy + e / n_open`` with ``e = min(1, epsilon · level)``, at each position.

    Sutton and Barto, *Reinforcement Learning*, 2nd ed., section 2.2. O(n) a position.
    """

    epsilon: float = 0.1

    name: ClassVar[str] = "epsilon_greedy"
    version: ClassVar[str] = "1"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_share("epsilon", self.epsilon)

    @property
    def parameters(self) -> dict[str, float]:
        return {"epsilon": self.epsilon}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        share = min(1.0, self.epsilon * level)

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            uniform = open_ * (share / np.count_nonzero(open_))
            return (1.0 - share) * best(scored.mean, open_) + uniform

        return conditional
