"""What the events of one id say about a shopper: sums, counts and newest words.

Everything here is additive or the newest by the events' own time, so that the order of arrival does
not matter (up to rounding), and two profiles merge into what one would have been.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

from msgspec import Struct, field

from equipoise.clock import DAY

K = TypeVar("K")

SEARCHES_KEPT = 20
SESSIONS_KEPT = 20
ORDERS_KEPT = 10
KINDS_KEPT = 64
CATEGORIES_KEPT = 64
SHOWN_HALF_LIFE = 3 * DAY
"""How long being tired of an item lasts."""
REBASE = 500
"""Half-lives: powers of two beyond this come near the end of a double."""


class Seen(Struct, array_like=True, gc=False):
    """How often, when last, and by which event."""

    count: int = 0
    last: int = 0
    event_id: str = ""

    def add(self, ts: int, event_id: str) -> None:
        self.count += 1
        if (ts, event_id) > (self.last, self.event_id):
            self.last, self.event_id = ts, event_id

    def absorb(self, other: Seen) -> None:
        self.count += other.count
        if (other.last, other.event_id) > (self.last, self.event_id):
            self.last, self.event_id = other.last, other.event_id


class Word(Struct, array_like=True, gc=False):
    """The newest word on something: of two at the same time, a refusal or the later in order."""

    value: Any
    ts: int
    event_id: str

    def newer(self, than: Word | None) -> bool:
        return than is None or (self.ts, self._rank()) > (than.ts, than._rank())

    def _rank(self) -> tuple[str, str]:
        return ("" if self.value is True else str(self.value), self.event_id)


class Profile(Struct, array_like=True, gc=False):
    """Items are positions, categories codes of the catalogue, times milliseconds."""

    events: int = 0
    first: int = 0
    last: int = 0
    kinds: dict[str, Seen] = field(default_factory=dict)
    """By name of the event."""
    met: dict[int, int] = field(default_factory=dict)
    """When each item was last met."""
    weight: dict[int, float] = field(default_factory=dict)
    """Interest in each item met; below 0 for what was disliked."""
    shown: dict[int, float] = field(default_factory=dict)
    """How often lists showed each item, decayed to the moment in ``shown_at``."""
    shown_at: dict[int, int] = field(default_factory=dict)
    bought: dict[int, float] = field(default_factory=dict)
    """Pieces of each item bought, less those given back."""
    bought_at: dict[int, int] = field(default_factory=dict)
    orders: dict[str, dict[int, float]] = field(default_factory=dict)
    """Pieces by item of the newest orders: a refund may name the order alone."""
    epoch: int = 0
    """``interest`` is in units of this time, counted in half-lives since 1970."""
    interest: dict[int, float] = field(default_factory=dict)
    """By category, decayed forward: growing units instead of shrinking values."""
    log_prices: float = 0.0
    prices: int = 0
    dwell_ms: float = 0.0
    dwells: int = 0
    searched: int = 0
    searches: dict[str, Seen] = field(default_factory=dict)
    sessions: int = 0
    session_last: dict[str, int] = field(default_factory=dict)
    personalization: Word | None = None
    analytics: Word | None = None
    locale: Word | None = None

    # ------------------------------------------------------------ one event

    def happened(self, name: str, ts: int, event_id: str) -> None:
        """Count an event."""
        if self.events == 0 or ts < self.first:
            self.first = ts
        if ts > self.last:
            self.last = ts
        self.events += 1
        seen = self.kinds.get(name)
        if seen is None and len(self.kinds) < KINDS_KEPT:
            seen = self.kinds[name] = Seen()
        if seen is not None:
            seen.add(ts, event_id)

    def meet(self, item: int, weight: float, ts: int, most: int) -> None:
        """Interest in an item. A quarter beyond ``most`` items, the longest unmet are dropped."""
        met = self.met
        known = met.get(item)
        if known is None:
            met[item] = ts
            self.weight[item] = weight
            if len(met) > most + most // 4:
                _keep_newest(met, most, self.weight)
        else:
            self.weight[item] += weight
            if ts > known:
                met[item] = ts

    def show(self, item: int, ts: int, most: int) -> None:
        """A list showed an item: once more, of late. A quarter beyond ``most`` the oldest go."""
        known = self.shown_at.get(item)
        if known is None:
            self.shown[item], self.shown_at[item] = 1.0, ts
            if len(self.shown) > most + most // 4:
                _keep_newest(self.shown_at, most, self.shown)
            return
        self._reshow(item, 1.0, ts)

    def _reshow(self, item: int, times: float, ts: int) -> None:
        known = self.shown_at[item]
        at = max(ts, known)
        kept = self.shown[item] * 0.5 ** ((at - known) / SHOWN_HALF_LIFE)
        self.shown[item] = kept + times * 0.5 ** ((at - ts) / SHOWN_HALF_LIFE)
        self.shown_at[item] = at

    def like(self, category: int, weight: float, ts: int, half_life: int) -> None:
        """Interest in a category, worth half of its weight after each ``half_life`` (ms)."""
        age = ts / half_life - self.epoch
        if age > REBASE or not self.interest:
            self.rebase(int(ts // half_life))
            age = ts / half_life - self.epoch
        self.interest[category] = self.interest.get(category, 0.0) + weight * 2.0**age
        if len(self.interest) > CATEGORIES_KEPT:
            _keep_largest(self.interest, 3 * CATEGORIES_KEPT // 4)

    def rebase(self, epoch: int) -> None:
        """Count interest in units of another time: exact, since a whole number of half-lives."""
        shift = self.epoch - epoch
        self.interest = {code: math.ldexp(sum_, shift) for code, sum_ in self.interest.items()}
        self.epoch = epoch

    def buy(self, item: int, pieces: float, ts: int, most: int) -> None:
        """Pieces bought, or (below 0) given back."""
        self.bought[item] = self.bought.get(item, 0.0) + pieces
        known = self.bought_at.get(item, 0)
        self.bought_at[item] = max(ts, known) if pieces > 0 else known
        if len(self.bought) > most + most // 4:
            _keep_newest(self.bought_at, most, self.bought)

    def order(self, order_id: str, pieces: dict[int, float]) -> None:
        self.orders[order_id] = pieces
        if len(self.orders) > ORDERS_KEPT:
            del self.orders[next(iter(self.orders))]

    def search(self, term: str, ts: int, event_id: str) -> None:
        self.searched += 1
        self.searches.setdefault(term, Seen()).add(ts, event_id)
        self._bound_searches()

    def session(self, session_id: str, ts: int) -> None:
        """A session is counted once; of the longest past the ids are forgotten."""
        known = self.session_last.get(session_id)
        if known is None:
            self.sessions += 1
            self.session_last[session_id] = ts
            if len(self.session_last) > SESSIONS_KEPT:
                _keep_newest(self.session_last, SESSIONS_KEPT // 2)
        elif ts > known:
            self.session_last[session_id] = ts

    # ------------------------------------------------------------ two profiles

    def absorb(self, other: Profile) -> None:
        """Become what one profile of both their events would be (its items are not bounded)."""
        self.first = min(self.first or other.first, other.first or self.first)
        self.last = max(self.last, other.last)
        self._absorb_sums(other)
        self._absorb_interest(other)
        _absorb_seen(self.kinds, other.kinds)
        _absorb_seen(self.searches, other.searches)
        self._bound_searches()
        _absorb_sums(self.weight, other.weight)
        _absorb_sums(self.bought, other.bought)
        _absorb_latest(self.met, other.met)
        for item, times in other.shown.items():
            if item in self.shown:
                self._reshow(item, times, other.shown_at[item])
            else:
                self.shown[item], self.shown_at[item] = times, other.shown_at[item]
        _absorb_latest(self.bought_at, other.bought_at)
        for name in ("personalization", "analytics", "locale"):
            self.say(name, getattr(other, name))

    def say(self, name: str, word: Word | None) -> None:
        """Take a word on ``personalization``, ``analytics`` or ``locale``, if it is the newest."""
        if word is not None and word.newer(getattr(self, name)):
            setattr(self, name, word)

    def _absorb_sums(self, other: Profile) -> None:
        for name in ("events", "log_prices", "prices", "dwell_ms", "dwells", "searched"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        shared = self.session_last.keys() & other.session_last.keys()
        self.sessions += other.sessions - len(shared)
        _absorb_latest(self.session_last, other.session_last)

    def _absorb_interest(self, other: Profile) -> None:
        if other.epoch > self.epoch:
            self.rebase(other.epoch)
        shift = other.epoch - self.epoch
        for code, sum_ in other.interest.items():
            self.interest[code] = self.interest.get(code, 0.0) + math.ldexp(sum_, shift)

    def _bound_searches(self) -> None:
        if len(self.searches) > SEARCHES_KEPT:
            newest = sorted(self.searches.items(), key=lambda entry: entry[1].last)
            self.searches = dict(newest[-SEARCHES_KEPT:])


def newest_first(last: dict[K, int]) -> list[K]:
    """Keys, newest first; of the same time, the later to come first."""
    return sorted(last, key=last.__getitem__)[::-1]


def _keep_newest(last: dict[K, int], most: int, *beside: dict[K, Any]) -> None:
    for key in newest_first(last)[most:]:
        for table in (last, *beside):
            del table[key]


def _keep_largest(sums: dict[int, float], most: int) -> None:
    for key in sorted(sums, key=lambda key: (-abs(sums[key]), key))[most:]:
        del sums[key]


def _absorb_sums(mine: dict[int, float], theirs: dict[int, float]) -> None:
    shared = {key: mine[key] for key in mine.keys() & theirs.keys()}
    mine.update(theirs)
    for key, sum_ in shared.items():
        mine[key] += sum_


def _absorb_latest(mine: dict[K, int], theirs: dict[K, int]) -> None:
    shared = {key: mine[key] for key in mine.keys() & theirs.keys()}
    mine.update(theirs)
    for key, ts in shared.items():
        mine[key] = max(ts, mine[key])


def _absorb_seen(mine: dict[str, Seen], theirs: dict[str, Seen]) -> None:
    for name, seen in theirs.items():
        mine.setdefault(name, Seen()).absorb(seen)
