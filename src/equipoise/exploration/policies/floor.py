"""A uniform floor under any policy: what makes a log useful for judging other policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.exploration.policies.checks import check_share
from equipoise.interfaces import Conditional, Policy
from equipoise.types import Bools, Floats, Scored


@dataclass(frozen=True)
class Floored:
    """``(1 − floor) p + floor / n_open``: nothing that is open is less likely than ``floor / n``.

    The floor is a promise to whoever reads the log, so no level shrinks it; only level 0, which
    means greedy everywhere, switches it off with all else.
    """

    policy: Policy
    floor: float

    def __post_init__(self) -> None:
        check_share("floor", self.floor)

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def version(self) -> str:
        return str(getattr(self.policy, "version", "1"))

    @property
    def monotone(self) -> bool:
        """Whether more level never costs less: as the policy under it."""
        return bool(getattr(self.policy, "monotone", False))

    @property
    def parameters(self) -> dict[str, float]:
        return {**self.policy.parameters, "floor": self.floor}

    def bind(self, scored: Scored, level: float) -> Conditional:
        under = self.policy.bind(scored, level)
        if level == 0:
            return under

        def conditional(open_: Bools) -> Floats:
            chance = (1.0 - self.floor) * under(open_)
            return chance + open_ * (self.floor / np.count_nonzero(open_))

        return conditional
