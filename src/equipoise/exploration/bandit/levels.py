"""One policy at several levels at once, as a policy: what ``ContextualBandit`` draws from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.exploration.bandit.kernels import level_chances, mixture
from equipoise.exploration.policies.checks import check_open, check_scored
from equipoise.exploration.policies.optimism import Optimism
from equipoise.interfaces import Conditional, Policy
from equipoise.types import Bools, Floats, Scored


@dataclass(frozen=True, slots=True)
class Levels:
    """``p = Σ_q w_q p_q``, p_q the policy at ``level · levels[q]``; at each position anew.

    ``Optimism`` is computed for all levels in one compiled call, to the same probabilities.
    """

    policy: Policy
    levels: tuple[float, ...]
    weights: Floats
    """(Q,) their sum is 1."""

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def parameters(self) -> dict[str, float]:
        return self.policy.parameters

    def bind(self, scored: Scored, level: float) -> Conditional:
        each = self.each(scored, level)

        def conditional(open_: Bools) -> Floats:
            return np.asarray(mixture(self.weights, each(open_)))

        return conditional

    def each(self, scored: Scored, level: float) -> Conditional:
        """As ``bind``, with one row of probabilities a level: (Q, n)."""
        if isinstance(self.policy, Optimism):
            return self._optimism(self.policy, scored, level)
        bound = [self.policy.bind(scored, level * own) for own in self.levels]
        return lambda open_: np.stack([conditional(open_) for conditional in bound])

    def _optimism(self, policy: Optimism, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        reach = policy.reach * level * np.array(self.levels)

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            chances = level_chances(scored.mean, scored.variance, open_, reach, policy.temperature)
            return np.asarray(chances)

        return conditional


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Refuse what are no levels.

    Raises:
        ValueError
    """
    if not levels or not all(np.isfinite(level) and level >= 0 for level in levels):
        raise ValueError(f"levels are {levels}; there must be one at least, each finite, 0 or more")
    return tuple(float(level) for level in levels)
