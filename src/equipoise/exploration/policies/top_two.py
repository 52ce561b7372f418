"""Top-two Thompson sampling: half of the draws go to the best's nearest rival."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from equipoise.exploration.policies.best_of import Race
from equipoise.exploration.policies.checks import check_open, check_scored, check_share
from equipoise.exploration.policies.greedy import best
from equipoise.interfaces import Conditional
from equipoise.types import Bools, Floats, Scored


@dataclass(frozen=True)
class TopTwo:
    """``p_i = b P(i best) + (1 − b) Σ_j P(j best) P(i best of the others than j)``.

    For finding *which* item is best, as after a launch: Thompson sampling soon shows the leader
    almost always and then learns little about its rival (Russo, *Simple Bayesian Algorithms for
    Best Arm Identification*, 2016). Russo draws again until the winner is another, which conditions
    on the first having lost; here the first is closed and one more is drawn, as a slate would. So
    the second is a little nearer to the best of the others, and never in want of a draw that ends.
    Exact, from the same grid as ``Thompson``.

    It keeps exploring when all is known, by its nature: hold it with a budget. ``level`` multiplies
    the spreads and, below 1, the rival's share: ``1 − b = (1 − beta) · min(1, level)``.

    Args:
        beta: share of the leader at level 1; ½ is within twice the best rate.
    """

    beta: float = 0.5

    name: ClassVar[str] = "top_two"
    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        check_share("beta", self.beta)

    @property
    def parameters(self) -> dict[str, float]:
        return {"beta": self.beta}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        race = Race(scored.mean, level * np.sqrt(scored.variance))
        rival = (1.0 - self.beta) * min(1.0, level)

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            if level == 0:
                return best(scored.mean, open_)
            if np.count_nonzero(open_) == 1:
                return open_.astype(float)
            first, second = race.top_two(open_)
            return (1.0 - rival) * first + rival * second

        return conditional
