"""A list is ours or theirs, by the toss of a coin; and what the log may then say of it.

Where a list must also tell how another policy would have done (the shop's own order, or greedy), a
coin decides whose list it is, *the whole of it*: ours with the chance ``ours``. Both then earn on
the same shoppers, and with S the list that was shown::

    P(S) = ours · P_ours(S) + (1 − ours) · P_theirs(S)      w = P_theirs(S) / P(S) ≤ 1 / (1 − ours)

is all that an estimate needs. To mix slot by slot instead (``policies.Mixture``) would make w a
product over slots, of no use beyond the third. Which side came up is not kept: propensities are
those of the mixture, slot by slot, given the slots before::

    p_k = P(S_1…k) / P(S_1…k−1)

so that whoever reads the log need not know of the coin, and weights are smaller than by the coin
alone: where both would have shown the same, nothing is lost.

``InOrder`` shows candidates in the order in which they are given: the shop's own, where they came
so from the source that stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Self

import numpy as np

from equipoise.exploration.limits import Restrained
from equipoise.exploration.policies import Greedy
from equipoise.exploration.policies.checks import check_open, check_scored
from equipoise.exploration.policies.greedy import best
from equipoise.interfaces import Conditional, Policy
from equipoise.slates.draw import draw, probability_of
from equipoise.slates.rules import Rules
from equipoise.types import Bools, Draw, Floats, Scored

OURS = "ours"
"""A decision's ``coin`` tells how its list was drawn: the chance that it was ours;"""
FIRST = "in_order"
"""candidates in front that are the baseline's, in its order;"""
WEIGHT = "baseline_weight"
"""how many times as likely the baseline was to show it;"""
HELD = "held"
"""1 where items with variance 0 were not to be explored."""


@dataclass(frozen=True)
class InOrder:
    """The first ``first`` candidates as they stand, then whatever is believed to be best."""

    first: int

    name: ClassVar[str] = "in_order"
    version: ClassVar[str] = "1"

    @property
    def parameters(self) -> dict[str, float]:
        return {"first": float(self.first)}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            ahead = open_[: self.first]
            if not np.count_nonzero(ahead):
                return best(scored.mean, open_)
            chance = np.zeros(len(scored))
            chance[int(np.argmax(ahead))] = 1.0
            return chance

        return conditional


class Toss(NamedTuple):
    """How a list was drawn: what, beside the beliefs, makes it again."""

    policy: Policy
    """Ours."""
    ours: float | None = None
    """Chance that the list is ours; None: there is no baseline to be compared with."""
    first: int | None = None
    """Candidates in front that are the baseline's, in its order; None: the baseline is greedy."""

    @classmethod
    def of(cls, policy: Policy, marks: Mapping[str, float]) -> Self:
        """As a decision has it on record."""
        first = marks.get(FIRST)
        return cls(
            policy=Restrained(policy) if HELD in marks else policy,
            ours=marks.get(OURS),
            first=None if first is None else int(first),
        )

    @property
    def theirs(self) -> Policy:
        return Greedy() if self.first is None else InOrder(self.first)

    def draw(
        self,
        scored: Scored,
        rules: Rules,
        n: int,
        level: float,
        look: Floats,
        rng: np.random.Generator,
    ) -> tuple[Draw, float | None]:
        """A slate as ``slates.draw``, and w, how many times as likely it was as the baseline's.

        To follow the baseline is no exploring: it costs nothing, and no slot of it is explored.
        """
        if self.ours is None:
            return draw(self.policy, scored, rules, n, level, look, rng), None
        mine = bool(rng.random() < self.ours)
        drawn = draw(self.policy if mine else self.theirs, scored, rules, n, level, look, rng)
        if not mine:
            drawn = replace(drawn, cost=0.0, explored=np.zeros(len(drawn.chosen), dtype=bool))
        own, others = (
            np.cumsum(_logs(probability_of(policy, scored, rules, drawn.chosen, level)))
            for policy in (self.policy, self.theirs)
        )
        with np.errstate(divide="ignore"):
            both = np.logaddexp(np.log(self.ours) + own, np.log1p(-self.ours) + others)
        before = np.concatenate(([0.0], both[:-1])) if len(both) else both
        weight = float(np.exp(others[-1] - both[-1])) if len(both) else 1.0
        return replace(drawn, propensity=np.exp(both - before)), weight


def ours_weight(ours: float, weight: float) -> float:
    """P_ours(S) / P(S) from the baseline's: the two, weighed by their chances, make 1."""
    return (1.0 - (1.0 - ours) * weight) / ours


def _logs(chance: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        logs: Floats = np.log(chance)
    return logs
