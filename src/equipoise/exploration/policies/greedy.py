"""Greedy: show what looks best. The baseline, and what every policy is at level 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from equipoise.exploration.policies.checks import check_open, check_scored
from equipoise.interfaces import Conditional
from equipoise.types import Bools, Floats, Scored


def best(mean: Floats, open_: Bools) -> Floats:
    """(n,) the greedy probabilities: shared evenly by the open candidates of the highest mean."""
    top = open_ & (mean == np.max(mean, initial=-np.inf, where=open_))
    return np.asarray(top / np.count_nonzero(top))


@dataclass(frozen=True)
class Greedy:
    """The highest mean, whatever its variance and the level; uniform among exact ties."""

    name: ClassVar[str] = "greedy"
    version: ClassVar[str] = "1"
    monotone: ClassVar[bool] = True

    @property
    def parameters(self) -> dict[str, float]:
        return {}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            return best(scored.mean, open_)

        return conditional
