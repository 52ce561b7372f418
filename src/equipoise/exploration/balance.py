"""How much to explore: a budget, what was spent, and the multiplier that moves one to the other.

The budget is a share of expected reward. Each decision states what it expects to earn when greedy
(``expected``) and how much of it the policy gives up (``cost``). The multiplier is the running sum
of overspending, in units of the budget::

    λ ← clip(λ + step · (cost − target · expected) / (target · Ē), 0, Λ)
    level = level_max · e^(−λ)

with Ē the decayed mean of ``expected``: online gradient descent on the dual of "earn the most, but
spend no more than the target" (Balseiro and Gur, Management Science 2019, pacing of budgets). As λ
is a sum and stays bounded, what is spent in the long run is the target itself whenever some level
within the bounds spends it, however cost depends on level, so long as it rises with it. Where even
``level_max`` spends less, the level rests there, and the budget is a cap.

A ``floor`` is the same from the other side: λ goes on below 0, and the level above ``level_max``,
by as much as is spent too little of it. Between floor and target the level rests at ``level_max``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

LOWEST = 1e-4
"""The smallest level, as a share of the natural one: the way back from it is not too long."""


class BalanceState(Struct, frozen=True, kw_only=True):
    """All that a balance remembers. Plain numbers: as JSON it loses nothing."""

    cost: float = 0.0
    expected: float = 0.0
    decisions: float = 0.0
    """The three are decayed sums with the same weights: what the console shows as *now*."""
    multiplier: float = 0.0
    told: float = 0.0
    """The level at the last move."""
    spell_cost: float = 0.0
    spell_expected: float = 0.0
    spell_decisions: int = 0
    """The three are sums since the last move, or since the level last rested at a bound."""


class Move(Struct, frozen=True, kw_only=True):
    """The level has changed by enough to say so."""

    ts: int
    before: float
    after: float
    measured: float
    """Share of expected reward spent on exploring over the decisions that made the change."""
    target: float
    reason: str


@dataclass(frozen=True, slots=True)
class Balance:
    """Holds exploring to a share of expected reward. Pure: state in, state out.

    Args:
        target: share of expected reward that exploring may cost; 0 never explores.
        half_life: decisions after which one counts half in what is measured.
        step: how far the multiplier moves at a decision that spends twice its budget. Small is
            steady and slow: at a constant overspending of 100 % the level falls to 1/e of itself
            in ``1 / step`` decisions.
        level_max: the highest level; 1 is a policy's natural amount.
        start: the level before anything is measured, or ``level_max`` if that is lower.
        tell: smallest relative change of the level that makes a ``Move``.
        floor: share of expected reward that exploring is to cost at least; 0: no such wish.
        lift: how many times ``level_max`` the floor may ask for.
        of: what ``expected`` sums up, in words, for the reasons.

    Raises:
        ValueError: an argument out of its range.
    """

    target: float = 0.05
    half_life: float = 2_000.0
    step: float = 0.002
    level_max: float = 1.0
    start: float = 1.0
    tell: float = 0.1
    floor: float = 0.0
    lift: float = 10.0
    of: str = "expected reward"

    def __post_init__(self) -> None:
        if not 0.0 <= self.target < 1.0:
            raise ValueError(f"target is {self.target}; it is a share from 0 to below 1")
        if not 0.0 <= self.floor <= self.target:
            raise ValueError(f"floor is {self.floor}; it is a share from 0 to {self.target}")
        if not 1.0 <= self.lift < math.inf:
            raise ValueError(f"lift is {self.lift}; it must be 1 or more, and finite")
        for name in ("half_life", "step", "level_max", "start", "tell"):
            value = getattr(self, name)
            if not 0.0 < value < math.inf:
                raise ValueError(f"{name} is {value}; it must be above 0 and finite")

    def init(self) -> BalanceState:
        """Nothing spent yet."""
        state = BalanceState(multiplier=math.log(max(self.level_max / self.start, 1.0)))
        return replace(state, told=self.level(state))

    def level(self, state: BalanceState) -> float:
        """How much to explore now: ``level_max · e^(−λ)``; 0 if the target is 0."""
        return self.level_max * math.exp(-state.multiplier) if self.target > 0 else 0.0

    def measured(self, state: BalanceState) -> float:
        """Share of expected reward spent on exploring of late; 0 before anything was expected."""
        return _share(state.cost, state.expected)

    def update(
        self, state: BalanceState, *, cost: float, expected: float, ts: int
    ) -> tuple[BalanceState, Move | None]:
        """Take one decision in: what it expected to earn, and what exploring cost of that.

        Raises:
            ValueError: a number is not finite.
        """
        if not (math.isfinite(cost) and math.isfinite(expected)):
            raise ValueError(f"cost is {cost} and expected {expected}; both must be finite")
        keep = 0.5 ** (1.0 / self.half_life)
        summed = replace(
            state,
            cost=keep * state.cost + cost,
            expected=keep * state.expected + expected,
            decisions=keep * state.decisions + 1.0,
            spell_cost=state.spell_cost + cost,
            spell_expected=state.spell_expected + expected,
            spell_decisions=state.spell_decisions + 1,
        )
        return self._tell(self._move(summed, self._overspent(state, cost, expected)), ts)

    def _overspent(self, state: BalanceState, cost: float, expected: float) -> float:
        """Money above the target (below it: less than 0), or above the floor where that counts."""
        over, under = cost - self.target * expected, cost - self.floor * expected
        if state.multiplier > 0 or not self.floor:
            return over
        return under if state.multiplier < 0 else max(over, 0.0) + min(under, 0.0)

    def _move(self, state: BalanceState, overspent: float) -> BalanceState:
        budget = self.target * state.expected / state.decisions
        if budget <= 0:
            return state
        wanted = state.multiplier + self.step * overspent / budget
        within = min(max(wanted, self._least(state)), self._most(state))
        if within == wanted:
            return replace(state, multiplier=within)
        # At a bound nothing adds up to a change: what explains the next one starts here.
        return replace(
            state, multiplier=within, spell_cost=0.0, spell_expected=0.0, spell_decisions=0
        )

    def _least(self, state: BalanceState) -> float:
        """Of λ: 0 stands between what the target asks and what the floor asks."""
        return -math.log(self.lift) if self.floor and state.multiplier <= 0 else 0.0

    def _most(self, state: BalanceState) -> float:
        if state.multiplier < 0:
            return 0.0
        return math.log(max(self.level_max, 1.0) / LOWEST)

    def _tell(self, state: BalanceState, ts: int) -> tuple[BalanceState, Move | None]:
        before, after = state.told, self.level(state)
        measured = _share(state.spell_cost, state.spell_expected)
        raised = self.floor > 0 and max(before, after) > self.level_max * (1.0 + 1e-9)
        bound, name = (self.floor, "floor") if raised else (self.target, "target")
        explained = (after < before) == (measured > bound)
        if abs(after - before) < self.tell * before or not (state.spell_decisions and explained):
            return state, None
        move = Move(
            ts=ts,
            before=before,
            after=after,
            measured=measured,
            target=bound,
            # Below 0 an early choice left the best for later: it cost nothing.
            reason=f"spent {_percent(max(measured, 0.0))} of {self.of} over the last "
            f"{state.spell_decisions:,} decisions, {name} {_percent(bound)}: "
            f"exploring {'less' if after < before else 'more'}",
        )
        return replace(
            state, told=after, spell_cost=0.0, spell_expected=0.0, spell_decisions=0
        ), move


def _share(cost: float, expected: float) -> float:
    return cost / expected if expected > 0 else 0.0


def _percent(share: float) -> str:
    return f"{100.0 * share:.3g} %"
