"""What a merchant allows: money a day, money in all, a stop; for whom, and with which items.

``Balance`` holds a *share* on average, by a multiplier that moves slowly. A ``Limit`` is the hard
stop beside it: exploring goes on while there is money for it, and is greedy while there is none.
The money of a day trickles in (a token bucket), so a day's budget is not gone by breakfast, and
some days' worth may be saved up: a cold shop starts with that. What exploring costs is known when a
list is drawn (``Draw.cost``); the list that empties the bucket may overdraw it by its own cost, and
so may those drawn in the same moment, which the next hours pay back.

Items may be held back too. ``Restrained`` shows what there is nothing to learn of (variance 0)
where greedy shows it and nowhere else: so an item whose variance is taken as 0 is not explored, and
the probabilities of the log say so exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from equipoise.clock import DAY
from equipoise.exploration.balance import Move
from equipoise.exploration.policies.checks import check_open
from equipoise.exploration.policies.greedy import best
from equipoise.interfaces import Conditional, Policy
from equipoise.types import Bools, Floats, Milliseconds, Scored

RESUME = 0.1
"""Share of a day's money that must have come in again before exploring goes on: else it would stop
and go with every list."""


class LimitState(Struct, frozen=True, kw_only=True):
    """All that a limit remembers. Plain numbers: as JSON it loses nothing."""

    tokens: float = 0.0
    """Money for today and what was saved, when it was last reckoned."""
    at: Milliseconds | None = None
    """When that was; None before the first list."""
    spent: float = 0.0
    """In all."""
    closed: bool = False
    """Emptied, and not yet filled up again."""
    told: str = ""
    """Why there was no exploring, at the last move; empty while there was."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Money for exploring. Pure: state in, state out.

    Args:
        day: that comes in every day; 0: no such limit.
        saved: days' worth that may be saved up, and is there at first.
        total: for good; 0: no such limit.

    Raises:
        ValueError: an argument out of its range.
    """

    day: float = 0.0
    saved: float = 3.0
    total: float = 0.0

    def __post_init__(self) -> None:
        for name in ("day", "total"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise ValueError(f"{name} is {value}; it is an amount of money, 0 for no limit")
        if not RESUME <= self.saved < math.inf:
            raise ValueError(f"saved is {self.saved}; it is a number of days, {RESUME:g} or more")

    def init(self) -> LimitState:
        """Nothing spent, all that may be saved is there."""
        return LimitState(tokens=self.saved * self.day)

    def tokens(self, state: LimitState, ts: Milliseconds) -> float:
        """Money that is there now. A clock that jumps back brings nothing."""
        elapsed = 0 if state.at is None else max(ts - state.at, 0)
        return min(state.tokens + self.day * elapsed / DAY, self.saved * self.day)

    def reason(self, state: LimitState, ts: Milliseconds) -> str:
        """Why there is no exploring now; empty where there may be."""
        if self.total and state.spent >= self.total:
            return f"the {self.total:,.2f} that exploring may cost in all are spent"
        if self.day and not self._open(state, ts):
            return f"the {self.day:,.2f} that exploring may cost a day are spent"
        return ""

    def allows(self, state: LimitState, ts: Milliseconds) -> bool:
        return not self.reason(state, ts)

    def update(
        self, state: LimitState, *, cost: float, ts: Milliseconds
    ) -> tuple[LimitState, Move | None]:
        """Take one list in, and what exploring cost of it.

        Raises:
            ValueError: the cost is not finite.
        """
        if not math.isfinite(cost):
            raise ValueError(f"cost is {cost}; it must be finite")
        tokens = min(self.tokens(state, ts) - cost, self.saved * self.day)
        paid = replace(
            state,
            tokens=tokens,
            at=ts if state.at is None else max(state.at, ts),
            spent=state.spent + cost,
            closed=bool(self.day) and (tokens <= 0.0 or not self._open(state, ts)),
        )
        return self._tell(paid, ts)

    def _open(self, state: LimitState, ts: Milliseconds) -> bool:
        wanted = RESUME * self.day if state.closed else 0.0
        tokens = self.tokens(state, ts)
        return tokens >= wanted if state.closed else tokens > wanted

    def _tell(self, state: LimitState, ts: Milliseconds) -> tuple[LimitState, Move | None]:
        reason = self.reason(state, ts)
        if bool(reason) == bool(state.told):
            return state, None
        move = Move(
            ts=ts,
            before=float(bool(reason)),
            after=float(not reason),
            measured=state.spent if self.total else self.day * self.saved - state.tokens,
            target=self.total or self.day,
            reason=f"{reason}: greedy" if reason else "money has come in: exploring again",
        )
        return replace(state, told=reason), move


@dataclass(frozen=True)
class Restrained:
    """A policy that explores nothing of which nothing is to be learnt.

    A candidate with variance 0 keeps its chance where its mean is the best of what is open; else
    its chance goes to the others in proportion to theirs, and to the best where they have none.
    """

    policy: Policy

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def version(self) -> str:
        return str(getattr(self.policy, "version", "1"))

    @property
    def parameters(self) -> dict[str, float]:
        return self.policy.parameters

    def bind(self, scored: Scored, level: float) -> Conditional:
        under, held = self.policy.bind(scored, level), scored.variance <= 0.0

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(scored))
            chance = under(open_)
            behind = held & (scored.mean < scored.mean[open_].max())
            freed = np.where(behind, 0.0, chance)
            left = float(freed.sum())
            return freed / left if left > 0.0 else best(scored.mean, open_)

        return conditional
