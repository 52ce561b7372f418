"""A policy to start from: copy it to ``exploration/policies/``, rename it, change ``chances``.

Then add the class to ``POLICIES`` in ``exploration/policies/__init__.py``: settings, replay and the
laws of ``equipoise.testing.policies`` find it there. It runs as it is::

    python docs/skeletons/policy.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from equipoise.exploration.policies.checks import check_open, check_scored, check_share
from equipoise.exploration.policies.greedy import best
from equipoise.interfaces import Conditional
from equipoise.testing.policies import check_policy
from equipoise.types import Bools, Floats, Scored


@dataclass(frozen=True)
class Doubtful:
    """With probability ``share · level``: in proportion to spread; else greedy.

    Say here where the method comes from (paper, equation), what ``level`` does, and what a
    position costs. Hyper-parameters stand once, as fields, and are plain numbers, so that a stored
    decision can name them.
    """

    share: float = 0.1

    name: ClassVar[str] = "doubtful"
    version: ClassVar[str] = "1"
    """Raise it when the same parameters come to mean something else: old decisions name theirs."""

    def __post_init__(self) -> None:
        check_share("share", self.share)

    @property
    def parameters(self) -> dict[str, float]:
        return {"share": self.share}

    def bind(self, scored: Scored, level: float) -> Conditional:
        # Once a decision: whatever all positions have in common. No randomness, no clock.
        check_scored(scored, level)
        share = min(1.0, self.share * level)
        spread = np.sqrt(scored.variance)

        def conditional(open_: Bools) -> Floats:
            # Once a position: sum 1 over what is open, 0 elsewhere, a function of ``open_`` alone.
            check_open(open_, len(scored))
            return chances(scored.mean, spread, share, open_)

        return conditional


def chances(mean: Floats, spread: Floats, share: float, open_: Bools) -> Floats:
    doubt = np.where(open_, spread, 0.0)
    if doubt.sum() == 0:
        return best(mean, open_)
    return (1.0 - share) * best(mean, open_) + share * doubt / doubt.sum()


if __name__ == "__main__":
    check_policy(Doubtful())
    print("Doubtful keeps every law of a policy.")
