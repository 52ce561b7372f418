"""Which verdicts may teach: what stands between a click and the learner.

A token proves that a slot was shown to whoever clicks; it does not prove that he is a shopper. So
each verdict (a look, with a click or without) has to pass::

    verdict ──▶ caps ──▶ quarantine ──▶ in a burst? ──no──▶ the learner
                 │                          │ yes: in the item's lane, until the burst is over
                 ▼                          ▼ too long
              withheld                   withheld

All of a verdict is left out, the look with the click, so that who is not heard neither promotes an
item nor sinks it; and no rule asks how the verdict itself went, only what came before it. A rate
estimated from what passes therefore keeps its expectation (Wald's identity), but for one thing: a
look becomes a zero half an hour after it was taken, and a click in the meantime may have used up
its person's cap; the zero is then withheld. It takes seeing an item twice within that half hour.

Purchases always pass: they come from the shop's own servers (a browser's are emptied at the door),
and to pay is what a forger would have to do. A cart passes where its slot's click did.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import msgspec

from equipoise.feedback import bursts, caps
from equipoise.feedback.attribution import Verdict
from equipoise.feedback.bursts import Bursts, Waits, without
from equipoise.feedback.caps import Caps
from equipoise.feedback.provenance import is_steered
from equipoise.state.packing import pack, unpack
from equipoise.types import Arrays, Decision, Kind, Milliseconds, Reward

REASONS = ("person", "network", "steered", "burst", "follows")
"""Why a verdict is withheld: the cap of its person, of its network, of steered lists; held for too
long; or a cart whose slot's click was withheld."""


class Persons(Protocol):
    """Who is who (``state.identities``)."""

    @property
    def forgotten(self) -> tuple[str, ...]: ...


class Account(NamedTuple):
    """An item, and what became of its verdicts in the running period."""

    position: int
    clicks: int
    """That no cap withheld."""
    looks: int
    withheld: int
    held: int
    """In its lane now."""


class Credit:
    """A fold over the verdicts of ``Attribution``: ``admit`` gives those that may teach now.

    It has no clock: a wait that is over is noticed with the next record, whatever that is. Memory
    is bounded: that of ``caps`` and ``bursts``, and ``kept`` verdicts in quarantine.

    Args:
        persons: who is who; folds each record before this does.
        caps, bursts: the rules, with what they remember.
        quarantine_ms: how long a verdict waits at least.
        kept: verdicts in quarantine; beyond, the oldest have waited long enough.

    Raises:
        ValueError: a number that cannot be.
    """

    def __init__(
        self,
        persons: Persons,
        *,
        caps: Caps | None = None,
        bursts: Bursts | None = None,
        quarantine_ms: int = 0,
        kept: int = 200_000,
    ) -> None:
        if quarantine_ms < 0 or kept <= 0:
            raise ValueError(
                f"a quarantine of {quarantine_ms} ms for {kept} verdicts; it is 0 or more, for some"
            )
        self._persons = persons
        self._caps = Caps() if caps is None else caps
        self._bursts = Bursts() if bursts is None else bursts
        self._quarantine = quarantine_ms
        self._kept = kept
        self._waiting: Waits = deque()
        self._refused: OrderedDict[tuple[str, int], None] = OrderedDict()
        """Slots (decision, place) whose click was withheld: their carts follow them."""
        self._credited = 0
        self._withheld = dict.fromkeys(REASONS, 0)

    # ------------------------------------------------------------ what is asked

    @property
    def credited(self) -> int:
        """Verdicts that were given to the learner since the log began."""
        return self._credited

    @property
    def withheld(self) -> dict[str, int]:
        """Verdicts that were not, by reason (``REASONS``)."""
        return dict(self._withheld)

    @property
    def waiting(self) -> int:
        """Verdicts in quarantine."""
        return len(self._waiting)

    @property
    def held(self) -> int:
        """Verdicts of items in a burst."""
        return len(self._bursts)

    @property
    def rows(self) -> int:
        """Rows that the caps remember: their memory."""
        return len(self._caps)

    def account(self, position: int) -> Account:
        """How an item stands in this period."""
        item = self._caps.of(position)
        held = self._bursts.held(position)
        return Account(position, item.clicks, item.looks, item.withheld, held)

    def suspects(self, most: int = 10) -> list[Account]:
        """The items of which most was withheld in this period, those held now before all."""
        known = map(self.account, self._caps.positions | self._bursts.positions)
        found = [one for one in known if one.withheld or one.held]
        found.sort(key=lambda one: (-one.held, -one.withheld, one.position))
        return found[:most]

    # ------------------------------------------------------------ the fold

    def admit(
        self, arrived: Milliseconds, kind: Kind, noun: Any, verdicts: Iterable[Verdict] = ()
    ) -> list[Verdict]:
        """Take a record in, with the verdicts it brought; those that may teach now, in order."""
        out: list[Verdict] = []
        late: list[Verdict] = []
        self._caps.turn(arrived)
        self._bursts.turn(arrived, out, late)
        if kind is Kind.DECISION:
            self._serve(noun)
        elif kind is Kind.USER_REMOVED:
            self._forget(frozenset(self._persons.forgotten))
        self._waiting.extend((arrived, one) for one in verdicts if self._passes(one))
        while self._waiting and self._is_over(self._waiting[0][0], arrived):
            since, verdict = self._waiting.popleft()
            self._bursts.meet(since, arrived, verdict, out, late)
        out += [one for one in late if self._is_proven(one)]
        self._credited += len(out)
        return out

    def _serve(self, decision: Decision) -> None:
        steered = is_steered(decision.query)
        self._caps.serve(steered=steered)
        if not steered:
            self._bursts.expect(decision.slots)

    def _passes(self, verdict: Verdict) -> bool:
        """Whether no cap is reached; it is then counted by all."""
        reward, position = verdict.reward, verdict.slot.position
        if reward.outcome == "purchase":
            return True
        if not reward.first:
            return _slot(reward) not in self._refused or self._withhold(verdict, "follows")
        reason = self._caps.reached(position, verdict.origin)
        if reason:
            return self._withhold(verdict, reason)
        self._caps.credit(position, verdict.origin, clicked=reward.outcome != "none")
        return True

    def _is_proven(self, verdict: Verdict) -> bool:
        """Whether a verdict that was held too long teaches all the same: it was paid for."""
        return verdict.reward.outcome == "purchase" or self._withhold(verdict, "burst")

    def _withhold(self, verdict: Verdict, reason: str) -> bool:
        """Leave it out, and say why. False: it does not pass."""
        self._withheld[reason] += 1
        self._caps.withhold(verdict.slot.position)
        if verdict.reward.first and verdict.reward.outcome != "none":
            self._refused[_slot(verdict.reward)] = None
            if len(self._refused) > self._kept:
                self._refused.popitem(last=False)
        return False

    def _is_over(self, since: Milliseconds, arrived: Milliseconds) -> bool:
        # A clock that was set back must not make anything wait for years.
        waits = 0 <= arrived - since < self._quarantine
        return not waits or len(self._waiting) > self._kept

    def _forget(self, keys: frozenset[str]) -> None:
        self._caps.forget(keys)
        self._bursts.forget(keys)
        self._waiting = without(self._waiting, keys)

    def dump(self) -> Arrays:
        return {"credit": pack(_State(
            self._caps.state(), self._bursts.state(), list(self._waiting), list(self._refused),
            self._credited, self._withheld,
        ))}  # fmt: skip

    def load(self, arrays: Arrays) -> None:
        state = unpack(arrays["credit"], _State)
        self._caps.restore(state.caps)
        self._bursts.restore(state.bursts)
        self._waiting = deque(state.waiting)
        self._refused = OrderedDict.fromkeys(state.refused)
        self._credited, self._withheld = state.credited, state.withheld


class _State(msgspec.Struct, array_like=True):
    caps: caps.State
    bursts: bursts.State
    waiting: list[tuple[int, Verdict]]
    refused: list[tuple[str, int]]
    credited: int
    withheld: dict[str, int]


def _slot(reward: Reward) -> tuple[str, int]:
    return reward.decision_id, reward.slot
