"""The log's lists, each with what it earned: one walk, and only what has had its time.

Rewards are what learning saw: verdicts of the shop's own ``Attribution`` that its ``Credit`` let
pass. A slot that was never seen, or whose click was withheld, earned nothing.

A list is *mature* when the log has gone on for so long after it that nothing more can come: twice
the click window (to be seen, then to be clicked), the purchase window where worth is asked for, and
what credit may hold a verdict back. That wait is the same for all lists. To take a list as soon as
its own slots are settled would let in the fruitless before the fruitful.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from equipoise.codec import decode
from equipoise.feedback.attribution import Verdict
from equipoise.interfaces import Log
from equipoise.knowledge import Knowledge
from equipoise.settings import Settings, attribution_of
from equipoise.types import Decision, Kind, Milliseconds

WORTH, CLICK = "worth", "click"
OUTCOMES = (WORTH, CLICK)


@dataclass(slots=True)
class Tally:
    """Which lists were asked for, and why some of them are not judged."""

    lists: int = 0
    """Mature, with at least one slot that was drawn."""
    immature: int = 0
    """Too young when the log ended."""
    empty: int = 0
    pinned: int = 0
    """All slots are a person's wish: nothing was drawn."""
    erased: int = 0
    """Their shopper was erased while they could still earn."""
    pinned_slots: int = 0
    """Pins in the lists that are judged: left out of them."""
    withheld: int = 0
    """Verdicts on the whole log that credit let nobody learn from."""
    wait_ms: int = 0
    """After which a list is mature."""
    first: Milliseconds | None = None
    last: Milliseconds | None = None
    """When the first and the last list that is judged was decided."""


@dataclass(slots=True)
class Earned:
    """A list and what its slots earned, (L,) each, in the order of the slots."""

    decision: Decision
    worth: list[float]
    clicks: list[float]
    """1 where the slot was clicked, carted or bought from."""


@dataclass(slots=True)
class Harvest:
    """A walk over a log: ``lists`` gives them in order, ``tally`` and ``persons`` say more at its
    end. Memory is that of the lists that are still under way."""

    settings: Settings
    placement: str
    since: Milliseconds | None = None
    until: Milliseconds | None = None
    """Lists decided before it."""
    outcome: str = WORTH
    tally: Tally = field(default_factory=Tally)
    _known: Knowledge = field(init=False)
    _under_way: dict[str, Earned] = field(init=False, default_factory=dict)
    _begun: deque[tuple[Milliseconds, str]] = field(init=False, default_factory=deque)

    def __post_init__(self) -> None:
        # Of all that a shop knows only who is who, and what is credited, is folded here.
        self._known = Knowledge(self.settings)
        self.tally.wait_ms = wait_ms(self.settings, self.placement, self.outcome)

    def lists(self, log: Log) -> Iterator[Earned]:
        """Every mature list that was asked for, oldest first.

        Raises:
            LogError: the log cannot be read.
        """
        known = self._known
        for stored in log.read():
            record = stored.record
            arrived, kind = record.arrived, record.kind
            noun = decode(kind, record.key, record.body)
            known.shoppers.identities.apply(stored.seq, arrived, kind, noun)
            verdicts = known.attribution.settle(stored.seq, arrived, kind, noun)
            for verdict in known.credit.admit(arrived, kind, noun, verdicts):
                self._earn(verdict)
            self._erase()
            if kind is Kind.DECISION and self._asked_for(noun):
                self._begin(arrived, noun)
            yield from self._mature(arrived)
        self.tally.immature += len(self._under_way)
        self.tally.withheld = sum(known.credit.withheld.values())

    def person(self, shopper: str, decision_id: str) -> str:
        """Whose list it was, by all links known at the walk's end; a stranger's is nobody else's.

        Rows of one person are dependent, also those of before they logged in.
        """
        parts = self._known.shoppers.identities.parts_of(shopper) if shopper else ()
        return parts[0] if parts else f"?:{decision_id}"

    def _asked_for(self, decision: Decision) -> bool:
        since = self.since is None or decision.ts >= self.since
        until = self.until is None or decision.ts < self.until
        return since and until and decision.query.placement == self.placement

    def _begin(self, arrived: Milliseconds, decision: Decision) -> None:
        slots = len(decision.slots)
        if not slots:
            self.tally.empty += 1
            return
        # Two lists: a slot that is clicked and then bought from earns twice, and is one click.
        self._under_way[decision.decision_id] = Earned(decision, [0.0] * slots, [0.0] * slots)
        self._begun.append((arrived, decision.decision_id))

    def _earn(self, verdict: Verdict) -> None:
        reward = verdict.reward
        earned = self._under_way.get(reward.decision_id)
        if earned is None:
            return
        earned.worth[reward.slot] += reward.worth
        if reward.outcome != "none":
            earned.clicks[reward.slot] = 1.0

    def _erase(self) -> None:
        for dropped in self._known.attribution.dropped:
            if dropped.erased and self._under_way.pop(dropped.decision_id, None) is not None:
                self.tally.erased += 1

    def _mature(self, arrived: Milliseconds) -> Iterator[Earned]:
        while self._begun and arrived - self._begun[0][0] >= self.tally.wait_ms:
            earned = self._under_way.pop(self._begun.popleft()[1], None)
            if earned is not None and self._count(earned.decision):
                yield earned

    def _count(self, decision: Decision) -> bool:
        """Whether anything in it was drawn."""
        pins, tally = sum(slot.pinned for slot in decision.slots), self.tally
        if pins == len(decision.slots):
            tally.pinned += 1
            return False
        tally.lists += 1
        tally.pinned_slots += pins
        tally.first = decision.ts if tally.first is None else tally.first
        tally.last = decision.ts
        return True


def wait_ms(settings: Settings, placement: str, outcome: str) -> int:
    """How long after it was served a list of a placement may still earn this outcome."""
    waits, credit = attribution_of(settings, placement), settings.credit
    purchase = waits.purchase_window_s if outcome == WORTH else 0.0
    held = credit.quarantine_s + credit.hold_hours * 3_600
    return round(1_000 * (2 * waits.click_window_s + purchase + held))
