"""What the events say about each shopper, and the view of it that a list may use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from equipoise.clock import DAY, rfc3339
from equipoise.state.catalogue import Catalogue
from equipoise.state.identities import Identities, own_key
from equipoise.state.profile import Profile, Seen, Word, newest_first
from equipoise.state.shelf import Shelf
from equipoise.types import Arrays, Consent, Event, Kind, Line, Query, Shopper, User

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "view_item": 1.0,
        "select_item": 0.5,
        "add_to_cart": 3.0,
        "remove_from_cart": -2.0,
        "add_to_wishlist": 2.0,
        "purchase": 5.0,
        "refund": -5.0,
        "share": 2.0,
        "dislike": -5.0,
        "review": 1.0,
    }
)
"""What one line of an event adds to the interest in its item; a review times its stars less two."""
INDIFFERENT_STARS, MOST_STARS = 2.0, 5.0
LONGEST_DWELL_MS = 3_600_000.0
"""A page left open over night is not a night of looking."""
SEARCHES = ("search", "view_search_results")
TERM_LENGTH = 100
CATEGORIES_SHOWN = 12
ITEMS_SHOWN = 20


class Shoppers:
    """A ``Fold``: a profile for each id that events came with, put together by person when read.

    A profile's ``ts`` are the events' own, never later than their arrival. Of an event whose sender
    says no to personalisation, or of whom this was the newest word, only the counts and the word
    itself are kept. Memory is bounded: ``history_length`` items a profile (and a quarter more until
    the next clearing), ``open_profiles`` as objects, ``most`` in all, the longest unused dropped.

    Args:
        catalogue: folds each record before this does.
        half_life_days: after which interest in a category counts half.
        personalised_by_default: whether a shopper who was never asked may be personalised.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        half_life_days: float = 14.0,
        history_length: int = 200,
        personalised_by_default: bool = True,
        open_profiles: int = 50_000,
        most: int = 1_000_000,
    ) -> None:
        self.identities = Identities()
        self._catalogue = catalogue
        self._half_life = round(half_life_days * DAY)
        self._history_length = history_length
        self._default = personalised_by_default
        self._shelf = Shelf(Profile, open=open_profiles, most=most)

    def __len__(self) -> int:
        """Ids with a profile."""
        return len(self._shelf)

    # ------------------------------------------------------------ what is asked

    def view(self, query: Query, catalogue: Catalogue) -> Shopper:
        """What the walk may know of whoever asks; of a stranger, nothing."""
        key = self.identities.key(query.user_id, query.anonymous_id)
        whole = self._whole(self.identities.parts(query.user_id, query.anonymous_id))
        locale = whole.locale.value if whole.locale else None
        if not self._personalised(whole):
            return _unknown(key, locale, whole.events)
        history = newest_first(whole.met)[: self._history_length][::-1]
        shown = sorted(whole.shown)
        return Shopper(
            key=key,
            history=np.array(history, dtype=np.int32),
            weights=np.array([whole.weight[item] for item in history], dtype=np.float32),
            bought=np.array(_bought(whole), dtype=np.int32),
            categories=_shares(whole, catalogue),
            shown=np.array(shown, dtype=np.int32),
            shown_times=np.array([whole.shown[item] for item in shown], dtype=np.float32),
            price=_price(whole),
            locale=locale,
            personalised=True,
            events=whole.events,
        )

    def analytics(self, user_id: str | None, anonymous_id: str | None) -> bool:
        """Whether what this id does may be counted; True for whoever was never asked."""
        profile = self._shelf.read(own_key(user_id, anonymous_id))
        return profile is None or profile.analytics is None or bool(profile.analytics.value)

    def profile(self, key: str) -> dict[str, Any]:
        """All that is known of a person, as JSON, each value with what it came from.

        ``key`` is one of ``identities.key``. Without consent the tastes are left out, as they are
        for a list.
        """
        parts = self.identities.parts_of(key)
        whole = self._whole(parts)
        allowed = self._personalised(whole)
        return {
            "key": key,
            "ids": list(parts),
            "events": whole.events,
            "first_seen": rfc3339(whole.first) if whole.events else None,
            "last_seen": rfc3339(whole.last) if whole.events else None,
            "sessions": whole.sessions,
            "personalised": allowed,
            "consent": {
                "personalization": _word(whole.personalization),
                "analytics": _word(whole.analytics),
            },
            "locale": _word(whole.locale),
            "by_event": {name: _seen(seen) for name, seen in whole.kinds.items()},
            **(self._tastes(whole) if allowed else {}),
        }

    def forget(self, key: str) -> None:
        """Drop a person: every profile that is theirs, and the links between them."""
        self.identities.forget(key)
        for part in self.identities.forgotten:
            self._shelf.drop(part)

    def _whole(self, parts: tuple[str, ...]) -> Profile:
        held = [profile for part in parts if (profile := self._shelf.read(part)) is not None]
        if len(held) == 1:
            return held[0]
        whole = Profile()
        for profile in held:
            whole.absorb(profile)
        return whole

    def _personalised(self, profile: Profile) -> bool:
        word = profile.personalization
        return self._default if word is None else bool(word.value)

    def _tastes(self, whole: Profile) -> dict[str, Any]:
        ids = self._catalogue.ids
        shares = sorted(_shares(whole, self._catalogue).items(), key=lambda entry: -entry[1])
        return {
            "history": [
                {"item_id": ids[item], "weight": whole.weight[item], "last": rfc3339(ts)}
                for item in newest_first(whole.met)[:ITEMS_SHOWN]
                for ts in (whole.met[item],)
            ],
            "shown": [
                {"item_id": ids[item], "times": whole.shown[item], "last": rfc3339(ts)}
                for item in newest_first(whole.shown_at)[:ITEMS_SHOWN]
                for ts in (whole.shown_at[item],)
            ],
            "bought": [
                {"item_id": ids[item], "pieces": whole.bought[item]}
                for item in _bought(whole)[::-1][:ITEMS_SHOWN]
            ],
            "categories": [
                {"path": path, "share": share} for path, share in shares[:CATEGORIES_SHOWN]
            ],
            "categories_from": {"items_met": len(whole.met), "half_life_ms": self._half_life},
            "price": {"value": _price(whole), "from": {"prices": whole.prices}},
            "dwell": {"ms": whole.dwell_ms, "from": {"events": whole.dwells}},
            "searches": {
                "count": whole.searched,
                "last": [
                    {"term": term, **_seen(seen)}
                    for term, seen in sorted(whole.searches.items(), key=lambda e: -e[1].last)
                ],
            },
        }

    # ------------------------------------------------------------ the fold

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        if kind is Kind.USER_REMOVED:
            self.forget(f"u:{noun}")
        else:
            self.identities.apply(seq, arrived, kind, noun)
        if kind is Kind.EVENT:
            self._happened(noun, min(noun.ts, arrived))
        elif kind is Kind.USER:
            self._described(noun, arrived)

    def _happened(self, event: Event, ts: int) -> None:
        profile = self._shelf.use(own_key(event.user_id, event.anonymous_id))
        profile.happened(event.event, ts, event.event_id)
        consent = event.consent
        if consent is not None:
            _hear(profile, consent, ts, event.event_id)
        word = profile.personalization
        if word is not None and not word.value:
            return
        if consent is None or consent.personalization is not False:
            self._learn(profile, event, ts)

    def _learn(self, profile: Profile, event: Event, ts: int) -> None:
        if event.session_id:
            profile.session(event.session_id, ts)
        if event.context:
            locale = event.context.get("locale")
            if isinstance(locale, str):
                profile.say("locale", Word(locale, ts, event.event_id))
        name = event.event
        if name in SEARCHES and event.search_term:
            profile.search(event.search_term[:TERM_LENGTH], ts, event.event_id)
        if name in ("purchase", "refund"):
            self._trade(profile, event, ts)
        elif name == "view_item_list":
            for line in event.items:
                item = self._catalogue.positions[line.item_id]
                profile.show(item, ts, self._history_length)
        elif name == "view_portion":
            _dwell(profile, event)
        else:
            weight = _weight(event)
            if weight:
                for line in event.items:
                    self._meet(profile, self._catalogue.positions[line.item_id], weight, ts, line)

    def _meet(
        self, profile: Profile, item: int, weight: float, ts: int, line: Line | None = None
    ) -> None:
        profile.meet(item, weight, ts, self._history_length)
        category = self._catalogue.category_of(item)
        if category >= 0:
            profile.like(category, weight, ts, self._half_life)
        price = self._catalogue.price_of(item)
        if line is not None and weight > 0:
            # The catalogue's price is in the shop's currency, the line's perhaps not.
            paid = price if price > 0 else line.price
            if paid is not None and paid > 0:
                profile.log_prices += math.log(paid)
                profile.prices += 1

    def _trade(self, profile: Profile, event: Event, ts: int) -> None:
        """A purchase, or the refund that undoes it (of the whole order where it names no items)."""
        sign = 1.0 if event.event == "purchase" else -1.0
        pieces = {self._catalogue.positions[line.item_id]: 0.0 for line in event.items}
        for line in event.items:
            pieces[self._catalogue.positions[line.item_id]] += abs(float(line.quantity))
        lines = {self._catalogue.positions[line.item_id]: line for line in event.items}
        if event.transaction_id and sign > 0:
            profile.order(event.transaction_id, pieces)
        elif event.transaction_id and not pieces:
            pieces = profile.orders.pop(event.transaction_id, {})
        for item, count in pieces.items():
            self._meet(profile, item, sign * WEIGHTS["purchase"], ts, lines.get(item))
            profile.buy(item, sign * count, ts, self._history_length)

    def _described(self, user: User, ts: int) -> None:
        profile = self._shelf.use(f"u:{user.user_id}")
        if user.consent is not None:
            _hear(profile, user.consent, ts, "")
        if user.locale:
            profile.say("locale", Word(user.locale, ts, ""))

    def dump(self) -> Arrays:
        return {**self._shelf.dump(), **self.identities.dump()}

    def load(self, arrays: Arrays) -> None:
        self._shelf.load(arrays)
        self.identities.load(arrays)


def _hear(profile: Profile, consent: Consent, ts: int, event_id: str) -> None:
    if consent.personalization is not None:
        profile.say("personalization", Word(consent.personalization, ts, event_id))
    if consent.analytics is not None:
        profile.say("analytics", Word(consent.analytics, ts, event_id))


def _weight(event: Event) -> float:
    weight = WEIGHTS.get(event.event, 0.0)
    if event.event == "review":
        stars = event.attributes.get("rating", event.value)
        if isinstance(stars, int | float):
            weight *= min(max(stars, 0.0), MOST_STARS) - INDIFFERENT_STARS
    return weight


def _dwell(profile: Profile, event: Event) -> None:
    seconds = event.attributes.get("seconds")
    if isinstance(seconds, int | float) and seconds > 0:
        profile.dwell_ms += min(seconds * 1_000.0, LONGEST_DWELL_MS)
        profile.dwells += 1


def _unknown(key: str, locale: str | None, events: int) -> Shopper:
    none = np.zeros(0, dtype=np.int32)
    return Shopper(
        key=key,
        history=none,
        weights=np.zeros(0, dtype=np.float32),
        bought=none,
        categories={},
        shown=none,
        shown_times=np.zeros(0, dtype=np.float32),
        price=None,
        locale=locale,
        personalised=False,
        events=events,
    )


def _bought(profile: Profile) -> list[int]:
    """Items bought and kept, newest last."""
    return [item for item in newest_first(profile.bought_at)[::-1] if profile.bought[item] > 0]


def _shares(profile: Profile, catalogue: Catalogue) -> dict[str, float]:
    """Share of interest by path: each leaf's goes to its parents too. Dislike counts as none."""
    total = sum(sum_ for sum_ in profile.interest.values() if sum_ > 0)
    parents, shares = catalogue.parents, dict[int, float]()
    for leaf, sum_ in profile.interest.items():
        code = leaf if sum_ > 0 else -1
        while code >= 0:
            shares[code] = shares.get(code, 0.0) + sum_ / total
            code = parents[code]
    names = catalogue.names("category")
    return {names[code]: share for code, share in shares.items()}


def _price(profile: Profile) -> float | None:
    return math.exp(profile.log_prices / profile.prices) if profile.prices else None


def _word(word: Word | None) -> dict[str, Any] | None:
    if word is None:
        return None
    return {"value": word.value, "ts": rfc3339(word.ts), "event_id": word.event_id or None}


def _seen(seen: Seen) -> dict[str, Any]:
    return {"count": seen.count, "last": rfc3339(seen.last), "last_event_id": seen.event_id}
