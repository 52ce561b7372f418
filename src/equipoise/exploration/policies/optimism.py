"""Optimism: a softmax over means with something added for what is unknown of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from equipoise.exploration.policies.checks import check_open, check_scored
from equipoise.exploration.policies.greedy import best
from equipoise.exploration.policies.plackett_luce import softmax
from equipoise.interfaces import Conditional
from equipoise.types import Bools, Floats, Scored


@dataclass(frozen=True)
class Optimism:
    """``p_i ∝ exp((m_i + c s_i) / (temperature · c · s_J))`` over what is open, c = reach · level.

    ``m_i`` and ``s_i`` are mean and spread of the belief, J the candidate that leads in ``m + c s``
    before anything is placed (of several, the widest). An upper confidence bound (Auer,
    Cesa-Bianchi and Fischer, *Machine Learning* 2002) says which items are worth trying; the
    softmax about it (Vaswani et al., AISTATS 2020: randomised exploration) gives every item a
    probability to be logged. One number sets both how far it reaches and how sharply: at ``c = 0``
    it is greedy, and as beliefs settle it becomes so by itself. Unit-free. O(n) a position.

    Args:
        reach: standard deviations that are added at level 1. An item nobody has seen must be able
            to lead: a budget lowers the level to what it allows, so that this is a bound.
        temperature: of the softmax, in units of what is added to the leader. Low, so that what is
            spent goes to the uncertain and not into shuffling what is known: in eleven simulated
            shops .04 earned 2 to 3 % more than .125, within noise.
    """

    reach: float = 4.0
    temperature: float = 0.04

    name: ClassVar[str] = "optimism"
    version: ClassVar[str] = "1"

    def __post_init__(self) -> None:
        for name in ("reach", "temperature"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}; it must be finite and above 0")

    @property
    def parameters(self) -> dict[str, float]:
        return {"reach": self.reach, "temperature": self.temperature}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        spread, reach = np.sqrt(scored.variance), self.reach * level
        index = scored.mean + reach * spread
        scale = self.temperature * reach * float(spread[index == index.max()].max())

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            return softmax(index, scale, open_) if scale > 0 else best(index, open_)

        return conditional
