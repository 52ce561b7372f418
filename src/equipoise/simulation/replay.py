"""A real shop's log, played again: its events in their order, and lists asked for at every visit.

Nobody was there to click on our lists, so a click is *inferred*: a shopper clicks a shown item if
and only if the log says that this shopper bought it within the next days (the order being replayed
included). What follows from that:

* It can show whether the lists name what people went on to buy, whether that gets better as the log
  is learnt, and how launches fare: items enter the shop when they were first sold.
* It cannot show what lists *cause*. An item that was never bought by this shopper can never be
  clicked, however much it would have pleased, so exploring can find nothing that the log does not
  hold; and whatever is clicked would have been bought without us. No lift can be read from it, and
  policies compared here are compared as forecasters of orders. ``simulate`` is for the rest.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event as Signal
from typing import Any

import msgspec

from equipoise import clock as clocks
from equipoise.clock import DAY, Clock, ManualClock, rfc3339
from equipoise.simulation.agenda import Pace, Paced, Stepped
from equipoise.simulation.client import Body, Shopfront
from equipoise.types import Event, Item, Milliseconds

PAUSE_MS = 30 * 60_000
"""A shopper who was away for longer begins a new visit, and sees a new list."""
MOST_LINES = 200
"""Lines of one event; a service takes 500 and 32 KB."""
LOOK_MS, CLICK_MS = 1_000, 3_000
"""How long after the list its impressions and its clicks are reported."""


@dataclass
class Replayed:
    """What came of it."""

    lists: int = 0
    slots: int = 0
    explored: int = 0
    clicks: int = 0
    """Shown items that the shopper bought within the days that count."""
    lists_clicked: int = 0
    events: int = 0
    """Of the log, sent on."""
    rejected: list[dict[str, Any]] = field(default_factory=list)
    """The first few refusals."""

    @property
    def hit_rate(self) -> float:
        """Share of lists that named something the shopper went on to buy."""
        return self.lists_clicked / self.lists if self.lists else 0.0


class Orders:
    """Who bought what when, over the whole log: what a replay's shoppers know of their future."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._times: dict[tuple[str, str], list[Milliseconds]] = defaultdict(list)
        for event in events:
            if event.event == "purchase":
                for line in event.items:
                    self._times[_who(event), line.item_id].append(event.ts)

    def bought(self, shopper: str, item_id: str, since: int, until: int) -> bool:
        """Whether the shopper bought the item in ``since … until``, both included."""
        times = self._times.get((shopper, item_id), [])
        return bisect_right(times, until) > bisect_left(times, since)


def replay(
    log: Iterable[Item | Event | Any],
    shopfront: Shopfront,
    *,
    speed: float,
    clock: Clock = clocks.now,
    within_days: float = 14.0,
    opening_days: float = 7.0,
    placement: str = "home",
    n: int = 12,
    prefix: str = "",
    limit: int | None = None,
    stop: Signal | None = None,
) -> Replayed:
    """Send a log's events in their original order, with lists for its shoppers in between.

    Args:
        log: items and events, as ``equipoise.intake.data_sets`` yields them; whatever else it holds
            is passed over. Read whole before the start, since clicks need the future.
        speed: days of the log in a day of the clock. Times are moved so that the log begins now.
        within_days: an item is clicked if it is bought so soon.
        opening_days: items first met in these first days of the log are there from the start, all
            others are launched when the log first names them.
        prefix: of event ids, so that a second replay is no duplicate of the first.
        limit: events to end after.

    Raises:
        ValueError: the log holds no event.
    """
    items, events = _sorted(log)
    if not events:
        raise ValueError("the log holds no event: there is nothing to replay")
    stop = stop or Signal()
    manual = isinstance(clock, ManualClock)
    pace = Stepped(clock, speed) if isinstance(clock, ManualClock) else Paced(clock, speed, stop)
    player = _Player(shopfront, pace, items, events, round(within_days * DAY), placement, n, prefix)
    player.open(round(opening_days * DAY))
    for event in events[:limit]:
        if not pace.wait(event.ts - player.start):
            break
        player.play(event)
        if manual:
            shopfront.tick()
    return player.outcome


class _Player:
    def __init__(
        self,
        shopfront: Shopfront,
        pace: Pace,
        items: dict[str, Item],
        events: list[Event],
        within: int,
        placement: str,
        n: int,
        prefix: str,
    ) -> None:
        self.shopfront, self.pace, self.items = shopfront, pace, items
        self.orders, self.events, self.start = Orders(events), events, events[0].ts
        self.within, self.placement, self.n, self.prefix = within, placement, n, prefix
        self.outcome = Replayed()
        self._shelved: set[str] = set()
        self._last_seen: dict[str, Milliseconds] = {}

    def open(self, opening_ms: int) -> None:
        """Put on the shelves what the first days name, and what no event ever names."""
        later: set[str] = set()
        named: set[str] = set()
        for event in self.events:
            ids = {line.item_id for line in event.items} - named
            named |= ids
            later |= ids if event.ts - self.start > opening_ms else set()
        self._shelve([item_id for item_id in self.items if item_id not in later])

    def play(self, event: Event) -> None:
        named = [line.item_id for line in event.items if line.item_id in self.items]
        self._shelve(named, launched=self._at(event.ts))
        who = _who(event)
        if event.ts - self._last_seen.get(who, -PAUSE_MS) >= PAUSE_MS:
            self._visit(event, who)
        self._last_seen[who] = event.ts
        for part in _parts(event):
            self._send([self._moved(part)])
        self.outcome.events += 1

    def _visit(self, event: Event, who: str) -> None:
        """The shopper's home page, just before the event."""
        ids = {"user_id": event.user_id, "anonymous_id": event.anonymous_id}
        named = {name: value for name, value in ids.items() if value is not None}
        answer = self.shopfront.recommend({**named, "placement": self.placement, "n": self.n})
        slots, outcome = answer["items"], self.outcome
        until = event.ts + self.within
        wanted = [self.orders.bought(who, slot["item_id"], event.ts, until) for slot in slots]
        outcome.lists += 1
        outcome.slots += len(slots)
        outcome.explored += sum(bool(slot.get("explored")) for slot in slots)
        outcome.clicks += sum(wanted)
        outcome.lists_clicked += any(wanted)
        self._report(event, named, answer, [k for k, want in enumerate(wanted) if want])

    def _report(self, event: Event, named: Body, answer: Body, clicked: list[int]) -> None:
        slots = answer["items"]
        lines = [
            {"item_id": slot["item_id"], "index": k, "token": slot["token"]}
            for k, slot in enumerate(slots)
        ]
        shared = {**named, "recommendation_id": answer["recommendation_id"]}
        stem = f"{self.prefix}{answer['recommendation_id']}"
        shown = self._at(event.ts + LOOK_MS)
        bodies = [{**shared, "event": "view_item_list", "event_id": stem, "ts": shown,
                   "items": lines}] if lines else []  # fmt: skip
        for k in clicked:
            then = self._at(event.ts + CLICK_MS)
            bodies.append({**shared, "event": "select_item", "event_id": f"{stem}-{k}",
                           "ts": then, "items": [lines[k]]})  # fmt: skip
        self._send(bodies)

    def _shelve(self, item_ids: list[str], launched: str | None = None) -> None:
        new = [item_id for item_id in dict.fromkeys(item_ids) if item_id not in self._shelved]
        if new:
            self._shelved.update(new)
            self.shopfront.put_items([_body(self.items[item_id], launched) for item_id in new])

    def _moved(self, event: Event) -> Body:
        body: Body = msgspec.to_builtins(event)
        return body | {"event_id": self.prefix + event.event_id, "ts": self._at(event.ts)}

    def _at(self, ts: Milliseconds) -> str:
        return rfc3339(self.pace.stamp(ts - self.start))

    def _send(self, bodies: list[Body]) -> None:
        if bodies:
            reply = self.shopfront.send(bodies)
            kept = self.outcome.rejected
            kept += reply["rejected"][: max(0, 5 - len(kept))]


def _parts(event: Event) -> Iterator[Event]:
    """The event in pieces that a service takes: wholesale orders have more lines than any basket.

    Each piece of an order is an order of its own, else all but the first would be duplicates.
    """
    if len(event.items) <= MOST_LINES:
        yield event
        return
    for start in range(0, len(event.items), MOST_LINES):
        order = event.transaction_id and f"{event.transaction_id}-{start}"
        yield msgspec.structs.replace(
            event,
            event_id=f"{event.event_id}-{start}",
            transaction_id=order,
            items=event.items[start : start + MOST_LINES],
        )


def _sorted(log: Iterable[Item | Event | Any]) -> tuple[dict[str, Item], list[Event]]:
    """Items by id, and events by time, those of one moment in the log's own order."""
    items: dict[str, Item] = {}
    events: list[Event] = []
    for noun in log:
        if isinstance(noun, Item):
            items[noun.item_id] = noun
        elif isinstance(noun, Event):
            events.append(noun)
    events.sort(key=lambda event: event.ts)
    return items, events


def _body(item: Item, launched: str | None) -> Body:
    """The item as an API body; the old log's dates would hide or age it, so they are replaced."""
    body: Body = msgspec.to_builtins(item)
    for name in ("created_at", "available_from", "available_until"):
        body.pop(name, None)
    return body if launched is None else body | {"created_at": launched}


def _who(event: Event) -> str:
    return event.user_id or event.anonymous_id or ""
