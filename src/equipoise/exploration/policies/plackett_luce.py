"""Plackett–Luce: a softmax over the means, position by position, without replacement."""

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
class PlackettLuce:
    """``p_i ∝ exp(mean_i / (temperature · level · s))`` over what is open.

    ``s`` is the root mean square of the candidates' spreads, ``√mean(variance)``, one number for
    the whole decision. So the temperature has no unit (rewards in cents or in euros give the same
    probabilities), and exploring fades as the beliefs settle: a difference of means that is small
    against what is unknown is drawn nearly evenly, one that is large is not. Where nothing is
    unknown (all variances 0) it is greedy. It looks at how much is unknown, not of which item;
    ``Thompson`` does.

    Plackett 1975; Luce 1959. Drawing a slate from it equals sorting by Gumbel-perturbed means
    (Kool, van Hoof and Welling, ICML 2019). O(n) a position.
    """

    temperature: float = 0.25

    name: ClassVar[str] = "plackett_luce"
    version: ClassVar[str] = "1"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature is {self.temperature}; it must be finite and above 0")

    @property
    def parameters(self) -> dict[str, float]:
        return {"temperature": self.temperature}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        scale = self.temperature * level * math.sqrt(scored.variance.mean())

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            return softmax(scored.mean, scale, open_) if scale > 0 else best(scored.mean, open_)

        return conditional


def softmax(value: Floats, scale: float, open_: Bools) -> Floats:
    """(n,) ``exp(value / scale)`` normalised over what is open, 0 elsewhere; safe for any gap."""
    gap = np.where(open_, value, -np.inf)
    gap -= gap.max()
    # A gap over a tiny scale may leave the range of a float: it is then -inf, and its weight 0.
    with np.errstate(over="ignore"):
        weight: Floats = np.exp(gap / scale)
    weight /= weight.sum()
    return weight
