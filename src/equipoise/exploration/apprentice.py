"""An apprentice follows the shop's own order until it has earned the right to replace it.

At first all but a few lists (``trial``) are in the shop's own order. What is clicked on them
teaches as on any list. The few are ours, by a coin (``exploration.coin``), for without them nothing
that was logged could say how our lists would do. With r the reward of a list S and any guess q of
it, made before the coin was thrown::

    x = (P_ours(S) − P_theirs(S)) / P(S) · (r − q)          E[x | past] = value of ours − of theirs

Its sum is bounded from below by ``exploration.sequence``: at all times at once, however often one
looks, with a chance of at most ``error`` of ever being wrong. The evidence behind that bound, on
its way from nothing to what is needed, is also the way from ``trial`` to ``1 − trial`` of the
lists: so we take over by degrees, and step back where the evidence does. A few lists stay in the
shop's own order, to go on comparing.

What is compared is whole lists as they were served, ours exploring included. It is on average over
all lists so far: if ours are worse now than when they won, the evidence falls, but slowly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from equipoise.exploration.balance import Move
from equipoise.exploration.coin import ours_weight
from equipoise.exploration.sequence import SumBound, SumState

STEP = 0.1
"""Of the share of lists: a change that is worth telling."""


class ApprenticeState(Struct, frozen=True, kw_only=True):
    """All that an apprentice remembers. Plain numbers: as JSON it loses nothing."""

    ahead: SumState = SumState()
    """Of what ours earned more than theirs would have."""
    ours: float = 0.0
    theirs: float = 0.0
    """Sums of weighted rewards: what each would have earned on all lists."""
    told: float = 0.0
    """The share at the last move."""
    proved: bool = False
    """Whether it has ever been proved to be better."""


@dataclass(frozen=True, slots=True)
class Apprentice:
    """How many lists may be ours. Pure: state in, state out.

    Args:
        trial: share of the lists that are ours from the start, and theirs at the end.
        error: chance that we are said to be better and are not.
        most: no list counts for more.

    Raises:
        ValueError: an argument out of its range.
    """

    trial: float = 0.1
    error: float = 0.05
    most: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.trial < 0.5:
            raise ValueError(f"trial is {self.trial}; it is a share above 0 and below a half")
        if not 0.0 < self.most < math.inf:
            raise ValueError(f"most is {self.most}; it must be above 0 and finite")
        self._bound.init()

    def init(self) -> ApprenticeState:
        """Nothing proved."""
        return ApprenticeState(told=self.trial)

    def share(self, state: ApprenticeState) -> float:
        """Chance that the next list is ours."""
        proof = self._bound.evidence(state.ahead) / self._bound.needed
        return self.trial + (1.0 - 2.0 * self.trial) * min(max(proof, 0.0), 1.0)

    def lead(self, state: ApprenticeState) -> tuple[float, float]:
        """What a list of ours earns more than theirs, and its lower bound, in reward."""
        n = max(state.ahead.n, 1)
        return state.ahead.total / n, self._bound.lower(state.ahead) / n

    def update(
        self,
        state: ApprenticeState,
        *,
        reward: float,
        weight: float,
        share: float,
        guess: float = 0.0,
        ts: int = 0,
    ) -> tuple[ApprenticeState, Move | None]:
        """A list is over, in the order in which they were decided.

        Args:
            reward: that it earned.
            weight: chance that the shop's own order had of it, over the chance that it was drawn
                with.
            share: chance that it was ours. One below ``trial`` (another limit's doing) says
                nothing and is passed over.
            guess: of the reward, made before the list was drawn.

        Raises:
            ValueError: a reward below 0, or a weight that this share cannot give.
        """
        if not 0.0 <= reward < math.inf:
            raise ValueError(f"reward is {reward}; it must be finite, 0 or more")
        if not 0.0 <= weight <= (1.0 + 1e-6) / (1.0 - share):
            raise ValueError(
                f"weight is {weight}; with a share of {share:g} it is 0 to {1 / (1 - share):g}"
            )
        if share < self.trial * (1.0 - 1e-9):
            return state, None
        r, q = min(reward, self.most), min(max(guess, 0.0), self.most)
        theirs = min(weight, 1.0 / (1.0 - share))
        ours = max(ours_weight(share, theirs), 0.0)
        after = replace(
            state,
            ahead=self._bound.update(state.ahead, (ours - theirs) * (r - q)),
            ours=state.ours + q + ours * (r - q),
            theirs=state.theirs + q + theirs * (r - q),
        )
        return self._tell(after, ts)

    @property
    def _bound(self) -> SumBound:
        return SumBound(below=self.most / self.trial, error=self.error)

    def _tell(self, state: ApprenticeState, ts: int) -> tuple[ApprenticeState, Move | None]:
        before, after = state.told, self.share(state)
        proved = self._bound.evidence(state.ahead) >= self._bound.needed
        news = proved and not state.proved
        if not news and abs(after - before) < STEP:
            return state, None
        lead, least = self.lead(state)
        return replace(state, told=after, proved=state.proved or proved), Move(
            ts=ts,
            before=before,
            after=after,
            measured=lead,
            target=least,
            reason=self._words(state, proved) + f": {100 * after:.0f} % of the lists are ours",
        )

    def _words(self, state: ApprenticeState, proved: bool) -> str:
        n = state.ahead.n
        ours, theirs = state.ours / n, state.theirs / n
        compared = (
            f"over {n:,} lists ours earned {ours:.4g} each, the shop's own order {theirs:.4g}"
        )
        if not proved:
            return f"{compared}; that is not proof yet"
        return (
            f"{compared}; that ours earn more is proved, but for a chance of {100 * self.error:g} %"
        )
