"""Which decision earned it: slots in flight, and the verdicts on them.

A slot goes one way::

    served ──seen──▶ shown ──click, cart or purchase──▶ clicked ──purchase window──▶ dropped
      │                │
      │ click window   │ click window: verdict ``none``, worth 0, and dropped
      ▼                ▼
    dropped: it was never seen, so it teaches nothing

Only the first verdict on a slot counts as a look; what a clicked slot earns later adds to it. Only
the person whom the decision was made for can earn it (a token passed on is worth nothing), each
outcome once a slot. All windows run on the times of arrival, so that no sender's clock can stretch
them; each placement may have its own.

A purchase or cart that carries no token belongs to slots of that item which this person clicked
before, by a rule (``flight.RULES``): to the last touch, to the first, or to all in equal parts,
which together are worth exactly what the outcome is. Where the touched slots are of placements with
different rules, that of the placement touched last holds for the whole outcome. A list that was
made after the click, and was not clicked itself, has no part in what the click led to. Each part is
a verdict of its own: ``delay`` counts it as one outcome of its click.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import numpy as np

from equipoise.feedback import flight
from equipoise.feedback.flight import CLICKED, DROPPED, SERVED, SHOWN, Due, Open, Touch, Touched
from equipoise.feedback.flight import Dropped as Dropped
from equipoise.feedback.flight import Shown as Shown
from equipoise.feedback.flight import Verdict as Verdict
from equipoise.feedback.provenance import Origin, is_steered, network_of
from equipoise.types import Arrays, Decision, Event, Kind, Line, Milliseconds

CLICKS = frozenset({"select_item", "view_item"})
EARNINGS = frozenset({"add_to_cart", "purchase"})
"""Events that are outcomes by their own name."""
OUTCOMES = ("click", "add_to_cart", "purchase")


class Persons(Protocol):
    """Who is who (``state.identities``)."""

    @property
    def forgotten(self) -> tuple[str, ...]:
        """The keys of whoever was forgotten last."""

    def parts(self, user_id: str | None, anonymous_id: str | None) -> tuple[str, ...]:
        """All keys of this person; folds each record before ``Attribution`` does."""


class Attribution:
    """A ``Fold`` whose records also give verdicts: ``settle`` is ``apply`` with an answer.

    Args:
        persons: who is who.
        worth: money for ``click``, ``add_to_cart`` and ``purchase``.
        click_window_ms: how long a slot waits to be seen after it was served, and to be clicked
            after it was seen.
        purchase_window_ms: how long after its click a slot may still earn, and be taken back.
        rule: who earns an outcome without a token (``flight.RULES``).
        placements: windows and rule of a placement, where they are others.

    Raises:
        ValueError: an outcome has no worth, a window is not above 0, or there is no such rule.
    """

    def __init__(
        self,
        persons: Persons,
        *,
        worth: Mapping[str, float],
        click_window_ms: int = 1_800_000,
        purchase_window_ms: int = 86_400_000,
        rule: str = "last_touch",
        placements: Mapping[str, flight.Windows] | None = None,
    ) -> None:
        missing = [outcome for outcome in OUTCOMES if outcome not in worth]
        if missing:
            raise ValueError(
                f"worth says nothing of {', '.join(missing)}; it needs {', '.join(OUTCOMES)}"
            )
        self._persons = persons
        self._worth = dict(worth)
        self._shop = flight.Windows(click_window_ms, purchase_window_ms, rule)
        self._placements = dict(placements or {})
        for windows in (self._shop, *self._placements.values()):
            windows.check()
        self.dropped: list[Dropped] = []
        """Slots that the last record let go, beside its verdicts."""
        self.shown: list[Shown] = []
        """Slots that the last record brought into view."""
        self._unearned = {"closed": 0, "stranger": 0}
        self._open: dict[str, Open] = {}
        self._waiting: list[Due] = []
        """Shown slots: a heap."""
        self._kept: list[Due] = []
        """Served and clicked slots: a heap."""
        self._in_flight: dict[int, int] = {}
        self._touched: dict[str, dict[tuple[str, int], None]] = {}
        """Person → the slots (decision, place) that are clicked and not yet dropped."""

    # ------------------------------------------------------------ what is asked

    @property
    def next_due(self) -> Milliseconds | None:
        """When a shown slot's wait ends: a record that arrives then or later settles it."""
        return self._waiting[0].ts if self._waiting else None

    def in_flight(self, position: int) -> int:
        """How many slots show this item to somebody right now, without a verdict yet."""
        return self._in_flight.get(position, 0)

    @property
    def unearned(self) -> dict[str, int]:
        """Outcomes whose token was good and earned nothing, since the log began.

        ``closed``: the slot was settled, or its window over; ``stranger``: it is another person's,
        or shows another item.
        """
        return dict(self._unearned)

    def __len__(self) -> int:
        """Decisions that have slots in flight."""
        return len(self._open)

    # ------------------------------------------------------------ the fold

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        self.settle(seq, arrived, kind, noun)

    def settle(self, seq: int, arrived: int, kind: Kind, noun: Any) -> list[Verdict]:
        """Take one record in; the verdicts it brings, first of all those whose time was up."""
        verdicts: list[Verdict] = []
        self.dropped, self.shown = [], []
        while self._waiting and self._waiting[0].ts <= arrived:
            self._give_up(heapq.heappop(self._waiting), verdicts)
        while self._kept and self._kept[0].ts <= arrived:
            self._let_go(heapq.heappop(self._kept))
        if kind is Kind.EVENT:
            self._hear(seq, arrived, noun, verdicts)
        elif kind is Kind.DECISION:
            self._serve(seq, arrived, noun)
        elif kind is Kind.USER_REMOVED:
            self._forget(self._persons.forgotten)
        return verdicts

    def _serve(self, seq: int, arrived: int, decision: Decision) -> None:
        if not decision.slots:
            return
        anonymous = decision.query.anonymous_id
        self._open[decision.decision_id] = Open(
            decision_id=decision.decision_id,
            placement=decision.query.placement,
            shopper=decision.shopper,
            anonymous=f"a:{anonymous}" if anonymous else "",
            slots=dict(enumerate(decision.slots)),
            stages=[SERVED] * len(decision.slots),
            steered=is_steered(decision.query),
        )
        places = tuple(range(len(decision.slots)))
        wait = self._windows(decision.query.placement).click_ms
        due = Due(arrived + wait, seq, decision.decision_id, SERVED, places)
        heapq.heappush(self._kept, due)

    def _hear(self, seq: int, arrived: int, event: Event, verdicts: list[Verdict]) -> None:
        name = event.event
        if name == "view_item_list":
            self._see(seq, arrived, event)
        elif name in CLICKS:
            for line in event.items:
                if line.impression is not None:
                    self._earn(seq, arrived, event, line, "click", verdicts)
        elif name in EARNINGS:
            for line in event.items:
                self._earn(seq, arrived, event, line, name, verdicts)
        elif name == "refund":
            self._take_back(arrived, event, verdicts)

    def _see(self, seq: int, arrived: int, event: Event) -> None:
        """Slots come into view."""
        seen: dict[str, list[int]] = {}
        for line in event.items:
            found = self._by_token(event, line)
            if found is not None and found[0].stages[found[1]] == SERVED:
                opened, place = found
                opened.seen_by[place] = self._origin(event, opened)
                self._reach(opened, place, SHOWN)
                self.shown.append(opened.shown(place))
                seen.setdefault(opened.decision_id, []).append(place)
        for decision_id, places in seen.items():
            wait = self._windows(self._open[decision_id].placement).click_ms
            due = Due(arrived + wait, seq, decision_id, SHOWN, tuple(places))
            heapq.heappush(self._waiting, due)

    def _earn(
        self,
        seq: int,
        arrived: int,
        event: Event,
        line: Line,
        outcome: str,
        verdicts: list[Verdict],
    ) -> None:
        found = self._by_token(event, line)
        if found is None and line.impression is not None:
            known = self._open.get(line.impression.decision_id)
            is_open = known is not None and line.impression.slot in known.slots
            self._unearned["stranger" if is_open else "closed"] += 1
        if found is None:
            if outcome != "click":
                self._share(arrived, event, line, outcome, verdicts)
            return
        opened, place = found
        first = opened.stages[place] != CLICKED
        if first:
            self._click(seq, arrived, self._origin(event, opened), opened, place)
        if first or outcome != "click":
            touched = Touched(opened, place, opened.touches[place])
            self._credit(arrived, event, touched, outcome, self._worth[outcome], first, verdicts)

    def _share(
        self, arrived: int, event: Event, line: Line, outcome: str, verdicts: list[Verdict]
    ) -> None:
        """Without a token it belongs to what this person touched, by the last one's rule."""
        touched = [one for one in self._touches(event)
                   if one.opened.slots[one.place].item_id == line.item_id]  # fmt: skip
        if not touched:
            return
        rule = self._windows(touched[-1].opened.placement).rule
        theirs = flight.entitled(rule, touched, outcome)
        for one, worth in zip(theirs, flight.parts(self._worth[outcome], len(theirs)), strict=True):
            self._credit(arrived, event, one, outcome, worth, False, verdicts)

    def _credit(
        self,
        arrived: int,
        event: Event,
        touched: Touched,
        outcome: str,
        worth: float,
        first: bool,
        verdicts: list[Verdict],
    ) -> None:
        opened, place, touch = touched
        if outcome not in touch.earned:
            touch.earned[outcome] = worth
            if outcome == "purchase":
                touch.order_id = event.transaction_id
            origin = self._origin(event, opened)
            verdicts.append(opened.verdict(place, outcome, worth, first, arrived, origin))

    def _click(self, seq: int, arrived: int, origin: Origin, opened: Open, place: int) -> None:
        opened.seen_by[place] = origin
        opened.touches[place] = Touch(origin.person, (arrived, seq))
        self._reach(opened, place, CLICKED)
        wait = self._windows(opened.placement).purchase_ms
        due = Due(arrived + wait, seq, opened.decision_id, CLICKED, (place,))
        heapq.heappush(self._kept, due)

    def _take_back(self, arrived: int, event: Event, verdicts: list[Verdict]) -> None:
        """A refund: of its lines, or of the whole order where it names none."""
        items = {line.item_id for line in event.items}
        order = event.transaction_id
        if not items and order is None:
            return
        for opened, place, touch in self._touches(event):
            named = not items or opened.slots[place].item_id in items
            if named and order in (None, touch.order_id) and "purchase" in touch.earned:
                worth = -touch.earned.pop("purchase")
                origin = self._origin(event, opened)
                verdicts.append(opened.verdict(place, "purchase", worth, False, arrived, origin))

    def _origin(self, event: Event, opened: Open) -> Origin:
        keys = self._persons.parts(event.user_id, event.anonymous_id)
        return Origin(keys[0] if keys else "", network_of(event), opened.steered)

    # ------------------------------------------------------------ finding the slot

    def _by_token(self, event: Event, line: Line) -> tuple[Open, int] | None:
        """The slot that a verified token names, if it is in flight and this person's."""
        claim = line.impression
        opened = self._open.get(claim.decision_id) if claim is not None else None
        if claim is None or opened is None:
            return None
        slot = opened.slots.get(claim.slot)
        if slot is None or slot.item_id != line.item_id or not self._theirs(opened, event):
            return None
        return opened, claim.slot

    def _theirs(self, opened: Open, event: Event) -> bool:
        # A list that was asked for without any id belongs to whoever holds the token.
        parts = self._persons.parts(event.user_id, event.anonymous_id)
        same_browser = not event.user_id and opened.anonymous == f"a:{event.anonymous_id}"
        return not opened.shopper or opened.shopper in parts or same_browser

    def _touches(self, event: Event) -> list[Touched]:
        """The clicked slots of whoever sent this, in order of their clicks."""
        keys = self._persons.parts(event.user_id, event.anonymous_id)
        held = [slot for key in keys for slot in self._touched.get(key, ())]
        opens = [(self._open[decision_id], place) for decision_id, place in held]
        found = (Touched(opened, place, opened.touches[place]) for opened, place in opens)
        # Sorted, since a fold that was loaded holds them in another order.
        return sorted(found, key=lambda one: one.order)

    def _windows(self, placement: str) -> flight.Windows:
        return self._placements.get(placement, self._shop)

    # ------------------------------------------------------------ the way of a slot

    def _reach(self, opened: Open, place: int, stage: int) -> None:
        position = opened.slots[place].position
        if opened.stages[place] == SHOWN:
            self._in_flight[position] -= 1
            if not self._in_flight[position]:
                del self._in_flight[position]
        if stage == SHOWN:
            self._in_flight[position] = self._in_flight.get(position, 0) + 1
        if stage == CLICKED:
            self._touched.setdefault(opened.touches[place].key, {})[opened.decision_id, place] = (
                None
            )
        opened.stages[place] = stage

    def _give_up(self, due: Due, verdicts: list[Verdict]) -> None:
        """Shown for the whole window, and no click."""
        for opened, place in self._still(due):
            seen_by = opened.seen_by[place]
            verdicts.append(opened.verdict(place, "none", 0.0, True, due.ts, seen_by))
            self._drop(opened, place)

    def _let_go(self, due: Due) -> None:
        for opened, place in self._still(due):
            self._part(opened, place, erased=False)

    def _still(self, due: Due) -> list[tuple[Open, int]]:
        opened = self._open.get(due.decision_id)
        if opened is None:
            return []
        stages = opened.stages
        return [(opened, place) for place in due.slots if stages[place] == due.stage]

    def _part(self, opened: Open, place: int, *, erased: bool) -> None:
        self.dropped.append(Dropped(opened.decision_id, place, opened.slots[place], erased))
        self._drop(opened, place)

    def _drop(self, opened: Open, place: int) -> None:
        opened.seen_by.pop(place, None)
        touch = opened.touches.pop(place, None)
        if touch is not None:
            held = self._touched[touch.key]
            del held[opened.decision_id, place]
            if not held:
                del self._touched[touch.key]
        self._reach(opened, place, DROPPED)
        del opened.slots[place]
        if not opened.slots:
            del self._open[opened.decision_id]

    def _forget(self, keys: tuple[str, ...]) -> None:
        """Drop what is in flight of an erased person: it will earn nothing, and teaches nothing."""
        for opened in tuple(self._open.values()):
            theirs = opened.shopper in keys or opened.anonymous in keys
            for place in tuple(opened.slots):
                if theirs or opened.seen_by.get(place, Origin()).person in keys:
                    self._part(opened, place, erased=True)

    # ------------------------------------------------------------ dump and load

    def dump(self) -> Arrays:
        heaps = sorted(self._waiting), sorted(self._kept)
        state = (list(self._open.values()), *heaps, self._unearned)
        return {"slots": np.frombuffer(msgspec.msgpack.encode(state), dtype=np.uint8)}

    def load(self, arrays: Arrays) -> None:
        kind = tuple[list[Open], list[Due], list[Due], dict[str, int]]
        opens, self._waiting, self._kept, self._unearned = msgspec.msgpack.decode(
            arrays["slots"].tobytes(), type=kind
        )
        self._open = {opened.decision_id: opened for opened in opens}
        self._in_flight, self._touched = {}, {}
        for opened in opens:
            for place, stage in enumerate(opened.stages):
                if stage == SHOWN:
                    position = opened.slots[place].position
                    self._in_flight[position] = self._in_flight.get(position, 0) + 1
                if stage == CLICKED:
                    held = self._touched.setdefault(opened.touches[place].key, {})
                    held[opened.decision_id, place] = None
