"""Thompson sampling with exact propensities: a probability is the chance of being the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from equipoise.exploration.policies.best_of import Race
from equipoise.exploration.policies.checks import check_open, check_scored
from equipoise.exploration.policies.greedy import best
from equipoise.interfaces import Conditional
from equipoise.types import Bools, Floats, Scored


@dataclass(frozen=True)
class Thompson:
    """``p_i = P(item i has the highest worth of all that are open)`` under independent beliefs.

    A fresh draw for each position among those left. (One draw for the slate, sorted, is another
    policy, and has no simple propensity.) ``level`` multiplies the spreads: 1 is Thompson
    sampling, 0 greedy. Where no open candidate has any spread, ties are shared evenly.

    Thompson, Biometrika 1933; Russo et al., *A Tutorial on Thompson Sampling*, 2018. The integral
    and its cost: ``best_of``.
    """

    name: ClassVar[str] = "thompson"
    version: ClassVar[str] = "1"

    @property
    def parameters(self) -> dict[str, float]:
        return {}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        spread = level * np.sqrt(scored.variance)
        race = Race(scored.mean, spread) if spread.any() else None

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            return best(scored.mean, open_) if race is None else race.chances(open_)

        return conditional
