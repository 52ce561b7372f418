"""The laws of a fold, and a little shop's log to try them on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from equipoise.interfaces import Fold
from equipoise.randomness import derive
from equipoise.types import (
    Arrays,
    Consent,
    Coupon,
    Decision,
    Event,
    Impression,
    Item,
    Kind,
    Line,
    PolicyUsed,
    Query,
    Slot,
    User,
)

START = 1_700_000_000_000
CUTS = 5
"""Places in the log at which a fold is stopped and started again."""


class Entry(NamedTuple):
    """A record as a fold meets it: the arguments of ``apply``."""

    seq: int
    arrived: int
    kind: Kind
    noun: Any


class Chain:
    """Folds that read one another, as one: each record goes to them in this order."""

    def __init__(self, *folds: Fold) -> None:
        self.folds = folds

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        for fold in self.folds:
            fold.apply(seq, arrived, kind, noun)

    def dump(self) -> Arrays:
        return {
            f"{place}.{name}": array
            for place, fold in enumerate(self.folds)
            for name, array in fold.dump().items()
        }

    def load(self, arrays: Arrays) -> None:
        for place, fold in enumerate(self.folds):
            prefix = f"{place}."
            fold.load(
                {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
            )


def check_fold(
    make: Callable[[], Fold],
    records: Sequence[Entry],
    *,
    ask: Callable[[Any], object] = lambda fold: None,
) -> None:
    """Hold a fold to its laws, or raise AssertionError with the name of the law and of the array.

    ``make`` gives an empty fold, ``ask`` asks one everything that can be asked. The laws: an empty
    fold survives dump and load; replaying gives the same bytes; asking changes nothing; a dump is a
    copy; stopping anywhere, loading what was dumped and going on gives the same bytes.
    """
    empty = make()
    empty.load(make().dump())
    same_arrays(empty.dump(), make().dump(), "an empty fold survives dump and load")
    whole = _folded(make(), records)
    end = _copy(whole.dump())
    same_arrays(_folded(make(), records).dump(), end, "replay gives the same bytes")
    ask(whole)
    same_arrays(whole.dump(), end, "asking changes nothing")
    same_arrays(_stopped(make, records, ask).dump(), end, "stopped and started is never stopped")


def same_arrays(given: Arrays, wanted: Arrays, law: str) -> None:
    """Names, dtypes, shapes and bytes agree, else AssertionError."""
    if given.keys() != wanted.keys():
        raise AssertionError(f"{law}: the arrays are {sorted(given)}, not {sorted(wanted)}")
    for name, array in wanted.items():
        other = given[name]
        same_form = (other.dtype, other.shape) == (array.dtype, array.shape)
        if not same_form or other.tobytes() != array.tobytes():
            raise AssertionError(
                f"{law}: the array {name!r} differs ({other.dtype}{list(other.shape)} against "
                f"{array.dtype}{list(array.shape)})"
            )


def _folded(fold: Fold, records: Sequence[Entry]) -> Fold:
    for record in records:
        fold.apply(*record)
    return fold


def _stopped(
    make: Callable[[], Fold], records: Sequence[Entry], ask: Callable[[Any], object]
) -> Fold:
    fold = make()
    for part in np.array_split(np.arange(len(records)), CUTS + 1):
        _folded(fold, [records[place] for place in part])
        ask(fold)
        dumped = fold.dump()
        kept = _copy(dumped)
        fold = make()
        fold.load(dumped)
        same_arrays(fold.dump(), kept, "load is the inverse of dump")
        _folded(fold, records[:1])
        same_arrays(dumped, kept, "a dump is a copy")
        fold = make()
        fold.load(kept)
    return fold


def _copy(arrays: Arrays) -> Arrays:
    return {name: array.copy() for name, array in arrays.items()}


# ---------------------------------------------------------------- a little shop


def little_shop(seed: int = 0, events: int = 300) -> list[Entry]:
    """The log of a small shop: a catalogue, then visits with lists, clicks, carts, orders, returns.

    In it are items nobody described, links and their undoing, refusals of consent, late events,
    items and shoppers that are removed, coupons and ticks. The same for the same seed.
    """
    return list(_Shop(seed).log(events))


class _Shop:
    def __init__(self, seed: int) -> None:
        self.luck = derive(seed, "little shop")
        self.seq = 0
        self.now = START
        self.decisions: list[Decision] = []

    def log(self, events: int) -> Iterator[Entry]:
        for place in range(30):
            yield self.entry(Kind.ITEM, self.item(place))
        for step in range(events):
            self.now += int(self.luck.integers(1, 120_000))
            yield from self.step(step)

    def entry(self, kind: Kind, noun: Any) -> Entry:
        self.seq += 1
        return Entry(self.seq, self.now, kind, noun)

    def step(self, step: int) -> Iterator[Entry]:
        if step % 10 == 3:
            self.decisions.append(self.decision(step))
            yield self.entry(Kind.DECISION, self.decisions[-1])
            yield self.entry(Kind.EVENT, self.seen(step, self.decisions[-1]))
        elif step % 10 == 7:
            yield self.entry(*self.rarity(step))
        else:
            yield self.entry(Kind.EVENT, self.event(step))

    def item(self, place: int) -> Item:
        return Item(
            item_id=f"i{place}",
            group_id=f"g{place // 3}" if place % 3 else None,
            title={"en": f"Thing {place}"},
            categories=(f"Dept {place % 2}/Shelf {place % 5}",) if place % 7 else (),
            brand=f"b{place % 4}",
            seller_id=f"s{place % 3}",
            price=10.0 + place if place % 9 else None,
            stock=float(place % 6) if place % 2 else None,
            available_until=self.now + 3_600_000 if place % 11 == 5 else None,
            hidden=place % 13 == 6,
        )

    def who(self) -> tuple[str | None, str | None]:
        number = int(self.luck.integers(8))
        user_id = f"u{number % 4}" if self.luck.random() < 0.5 else None
        anonymous_id = f"c{number}" if user_id is None or self.luck.random() < 0.5 else None
        return user_id, anonymous_id

    def event(self, step: int) -> Event:
        name = str(self.luck.choice(NAMES))
        user_id, anonymous_id = self.who()
        if name == "unlink":
            user_id, anonymous_id = user_id or "u0", anonymous_id or "c0"
        lines = () if name in ("search", "unlink") else tuple(self.lines())
        return Event(
            event_id=f"e{step}",
            event=name,
            ts=self.now - int(self.luck.integers(4)) * 40_000_000,
            user_id=user_id,
            anonymous_id=anonymous_id,
            session_id=f"s{step // 9}",
            items=lines,
            search_term="thing" if name == "search" else None,
            transaction_id=f"o{step // 20}" if name in ("purchase", "refund") else None,
            consent=Consent(personalization=bool(step % 3)) if step % 17 == 0 else None,
            context={"locale": "en-GB"} if step % 5 == 0 else {},
            attributes={"seconds": 12.5, "rating": 4.0},
        )

    def lines(self) -> Iterator[Line]:
        for _ in range(int(self.luck.integers(1, 4))):
            yield Line(item_id=f"i{int(self.luck.integers(36))}", quantity=2.0, price=9.5)
        if self.decisions and self.luck.random() < 0.5:
            decision = self.decisions[int(self.luck.integers(len(self.decisions)))]
            yield self.line(decision, int(self.luck.integers(len(decision.slots))))

    def line(self, decision: Decision, place: int) -> Line:
        impression = Impression(decision_id=decision.decision_id, slot=place)
        return Line(item_id=decision.slots[place].item_id, impression=impression)

    def seen(self, step: int, decision: Decision) -> Event:
        return Event(
            event_id=f"seen{step}",
            event="view_item_list",
            ts=self.now,
            user_id=decision.query.user_id,
            anonymous_id=decision.query.anonymous_id,
            items=tuple(self.line(decision, place) for place in range(3)),
        )

    def decision(self, step: int) -> Decision:
        user_id, anonymous_id = self.who()
        items = self.luck.permutation(30)[:5].tolist()
        return Decision(
            decision_id=f"r{step}",
            ts=self.now,
            query=Query(placement="home", user_id=user_id, anonymous_id=anonymous_id),
            shopper=f"u:{user_id}" if user_id else f"a:{anonymous_id}",
            policy=PolicyUsed(name="greedy", version="1", level=0.0),
            slots=tuple(slot(f"i{item}", item, explored=item % 2 == 0) for item in items),
            fallback_level="personalised",
            reason="" if step % 4 else "few items",
            expected=0.5,
            cost=0.01,
            snapshot="",
            seq=self.seq,
            items=b"",
            mean=b"",
            variance=b"",
            groups=b"",
            max_per_group=1,
        )

    def rarity(self, step: int) -> tuple[Kind, Any]:
        number = int(self.luck.integers(30))
        rarities = (
            (Kind.ITEM_REMOVED, f"i{number}"),
            (Kind.ITEM, self.item(number)),
            (Kind.COUPON, Coupon(coupon_id=f"k{number % 3}", kind="percent", discount=10.0)),
            (Kind.COUPON_REMOVED, f"k{number % 3}"),
            (Kind.USER, User(user_id=f"u{number % 4}", locale="de", linked_ids=(f"c{number}",))),
            (Kind.USER_REMOVED, f"u{number % 4}"),
            (Kind.TICK, None),
        )
        return rarities[step // 10 % len(rarities)]


NAMES = (
    "view_item", "view_item", "view_item", "select_item", "view_item_list", "add_to_cart",
    "add_to_cart", "remove_from_cart", "purchase", "purchase", "refund", "search", "view_portion",
    "review", "dislike", "unlink",
)  # fmt: skip


def slot(item_id: str, position: int, *, explored: bool = False) -> Slot:
    """A slot of a list, as plain as can be."""
    return Slot(
        item_id=item_id,
        position=position,
        propensity=0.5,
        explored=explored,
        pinned=False,
        source="trending",
        mean=0.1,
        variance=0.01,
        look=1.0,
        rate=0.1,
        features=(1.0, 0.0),
    )
