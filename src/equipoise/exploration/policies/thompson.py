"""Thompson sampling with exact propensities: a probability is the chance of being the best."""

from __future__ import annotations

import math
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
    """``p_i ∝ P(item i has the highest worth of all that are open) ^ sharpness``, beliefs apart.

    A fresh draw for each position among those left. (One draw for the slate, sorted, is another
    policy, and has no simple propensity.) ``level`` multiplies the spreads: 1 is Thompson
    sampling, 0 greedy. Where no open candidate has any spread, ties are shared evenly.

    Thompson, Biometrika 1933; Russo et al., *A Tutorial on Thompson Sampling*, 2018. The integral
    and its cost: ``best_of``. Beliefs count as independent; ``JointThompson`` knows better.

    Args:
        sharpness: 1 is Thompson sampling. Above 1, what is unlikely to be the best is shown more
            rarely than that: it costs less, learns less, and serves where items do not live long
            enough for the learning to be repaid. The direction stays: what may be the best.
    """

    sharpness: float = 1.0

    name: ClassVar[str] = "thompson"
    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sharpness) and self.sharpness > 0):
            raise ValueError(f"sharpness is {self.sharpness}; it must be finite and above 0")

    @property
    def monotone(self) -> bool:
        """More level never costs less: of lines m + level · x the leader's x only rises with it."""
        return self.sharpness == 1.0

    @property
    def parameters(self) -> dict[str, float]:
        return {"sharpness": self.sharpness}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        spread = level * np.sqrt(scored.variance)
        race = Race(scored.mean, spread) if spread.any() else None

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            if race is None:
                return best(scored.mean, open_)
            return sharpened(race.chances(open_), self.sharpness)

        return conditional


def sharpened(chance: Floats, power: float) -> Floats:
    """(n,) ``chance ^ power``, normalised; the likeliest is 1 first, so that nothing overflows."""
    if power == 1.0:
        return chance
    sharp: Floats = (chance / chance.max()) ** power
    sharp /= sharp.sum()
    return sharp
