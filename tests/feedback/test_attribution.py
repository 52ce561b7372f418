"""Which decision earned it: the way of a slot from served to settled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.feedback.attribution import Attribution, Verdict
from equipoise.feedback.flight import RULES, Windows, parts
from equipoise.feedback.provenance import Origin, stamped_event
from equipoise.randomness import derive
from equipoise.state import Catalogue, Identities
from equipoise.testing.folds import Chain, Entry, check_fold, little_shop, slot
from equipoise.types import Decision, Event, Impression, Kind, Line, PolicyUsed, Query

NOW = 1_700_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
WORTH = {"click": 0.25, "add_to_cart": 0.5, "purchase": 2.0}


class Shop:
    """Attribution with its identities; lists are of three items, ``i0`` to ``i2``."""

    def __init__(self, *, prices: dict[str, float] | None = None, **keywords: Any) -> None:
        self.identities = Identities()
        worth = WORTH | (prices or {})
        self.attribution = Attribution(self.identities, worth=worth, **keywords)
        self.seq = 0
        self.log: list[Entry] = []

    def tell(self, arrived: int, kind: Kind, noun: Any) -> list[Verdict]:
        self.seq += 1
        self.log.append(Entry(self.seq, NOW + arrived, kind, noun))
        self.identities.apply(self.seq, NOW + arrived, kind, noun)
        return self.attribution.settle(self.seq, NOW + arrived, kind, noun)

    def serve(
        self,
        arrived: int = 0,
        *,
        name: str = "r",
        user: str | None = None,
        anon: str | None = "a",
        placement: str = "home",
    ) -> None:
        decision = Decision(
            decision_id=name,
            ts=NOW + arrived,
            query=Query(placement=placement, user_id=user, anonymous_id=anon),
            shopper=self.identities.key(user, anon),
            policy=PolicyUsed(name="greedy", version="1", level=0.0),
            slots=tuple(slot(f"i{n}", n) for n in range(3)),
            fallback_level="",
            reason="",
            expected=0.0,
            cost=0.0,
            snapshot="",
            seq=0,
            items=b"",
            mean=b"",
            variance=b"",
            groups=b"",
            max_per_group=1,
        )
        assert self.tell(arrived, Kind.DECISION, decision) == []

    def event(
        self,
        arrived: int,
        event: str,
        *items: int,
        token: str | None = "r",
        user: str | None = None,
        anon: str | None = "a",
        order: str | None = None,
    ) -> list[tuple[int, str, float, bool]]:
        """(slot, outcome, worth, first) of the verdicts; item n claims slot n of list ``token``."""
        lines = tuple(
            Line(
                item_id=f"i{n}",
                impression=Impression(decision_id=token, slot=n) if token else None,
            )
            for n in items
        )
        noun = Event(
            event_id=f"e{self.seq}",
            event=event,
            ts=NOW,
            user_id=user,
            anonymous_id=anon,
            items=lines,
            transaction_id=order,
        )
        return plain(self.tell(arrived, Kind.EVENT, noun))

    def touch(self, arrived: int, name: str, item: int = 0, *, placement: str = "home") -> None:
        """A list is served, and clicked at once."""
        self.serve(arrived, name=name, placement=placement)
        self.event(arrived, "select_item", item, token=name)

    def earned(
        self, arrived: int, event: str = "purchase", *items: int, order: str | None = None
    ) -> dict[str, float]:
        """Worth by list of what an event without a token gave; of ``i0`` where none is named."""
        lines = tuple(Line(item_id=f"i{n}") for n in items or (0,))
        noun = Event(
            event_id=f"e{self.seq}", event=event, ts=NOW, anonymous_id="a", items=lines,
            transaction_id=order,
        )  # fmt: skip
        verdicts = self.tell(arrived, Kind.EVENT, noun)
        assert not any(verdict.reward.first for verdict in verdicts)
        return {verdict.reward.decision_id: verdict.reward.worth for verdict in verdicts}

    def tick(self, arrived: int) -> list[tuple[int, str, float, bool]]:
        return plain(self.tell(arrived, Kind.TICK, None))


def plain(verdicts: list[Verdict]) -> list[tuple[int, str, float, bool]]:
    return [(v.reward.slot, v.reward.outcome, v.reward.worth, v.reward.first) for v in verdicts]


def test_a_click_on_a_shown_slot_is_one_look_and_its_worth() -> None:
    """Served, shown, clicked: one first verdict with all that learning needs."""
    shop = Shop()
    shop.serve()
    assert shop.event(1, "view_item_list", 0, 1, 2) == []
    shop.seq += 1
    line = Line(item_id="i1", impression=Impression(decision_id="r", slot=1))
    event = Event(event_id="e", event="select_item", ts=0, anonymous_id="a", items=(line,))
    (verdict,) = shop.attribution.settle(shop.seq, NOW + 2, Kind.EVENT, event)

    assert verdict.slot == slot("i1", 1)
    assert verdict.placement == "home"
    assert verdict.reward.decision_id == "r"
    assert verdict.reward.ts == NOW + 2
    assert plain([verdict]) == [(1, "click", 0.25, True)]


def test_a_slot_is_credited_at_most_one_click() -> None:
    """Select, view and view again are one click."""
    shop = Shop()
    shop.serve()
    shop.event(1, "view_item_list", 0)

    assert len(shop.event(2, "select_item", 0)) == 1
    assert shop.event(3, "view_item", 0) == []
    assert shop.event(4, "view_item", 0, 0) == []


def test_shown_without_a_click_is_nothing_after_the_window() -> None:
    """The first record that arrives when the window is over settles it, at the time it was due."""
    shop = Shop(click_window_ms=10 * MINUTE)
    shop.serve()
    shop.event(MINUTE, "view_item_list", 0, 1)

    assert shop.attribution.next_due == NOW + 11 * MINUTE
    assert shop.tick(11 * MINUTE - 1) == []

    verdicts = shop.tell(12 * MINUTE, Kind.TICK, None)

    assert plain(verdicts) == [(0, "none", 0.0, True), (1, "none", 0.0, True)]
    assert {verdict.reward.ts for verdict in verdicts} == {NOW + 11 * MINUTE}
    assert shop.attribution.next_due is None
    assert shop.event(13 * MINUTE, "select_item", 0) == []


def test_what_was_served_and_never_shown_teaches_nothing() -> None:
    """Served is not shown: no verdict, and no memory of it after the window."""
    shop = Shop(click_window_ms=10 * MINUTE)
    shop.serve()

    assert shop.attribution.next_due is None
    assert len(shop.attribution) == 1
    assert shop.tick(10 * MINUTE) == []
    assert len(shop.attribution) == 0
    assert shop.event(11 * MINUTE, "view_item_list", 0) == []
    assert shop.tick(30 * MINUTE) == []


def test_a_click_says_that_the_slot_was_seen() -> None:
    """A shop that reports no impressions still learns from clicks."""
    shop = Shop()
    shop.serve()

    assert shop.event(1, "select_item", 2) == [(2, "click", 0.25, True)]


def test_each_shown_slot_has_exactly_one_first_verdict() -> None:
    """Whatever happens to it, a slot counts as one look."""
    shop = Shop(click_window_ms=10 * MINUTE)
    shop.serve()
    found = []
    for arrived, name, items in (
        (0, "view_item_list", (0, 1, 2)),
        (1, "view_item_list", (0, 1, 2)),
        (2, "add_to_cart", (0,)),
        (3, "select_item", (0, 1)),
        (4, "purchase", (0, 1)),
        (5, "purchase", (0, 1)),
    ):
        found += shop.event(arrived, name, *items)
    found += shop.tick(HOUR)

    assert sorted(place for place, _, _, first in found if first) == [0, 1, 2]


def test_impressions_are_counted_once() -> None:
    """A second impression neither shows again nor moves the window."""
    shop = Shop(click_window_ms=10 * MINUTE)
    shop.serve()
    shop.event(1 * MINUTE, "view_item_list", 0)
    shop.event(9 * MINUTE, "view_item_list", 0)

    assert shop.attribution.in_flight(0) == 1
    assert shop.tick(11 * MINUTE) == [(0, "none", 0.0, True)]
    assert shop.attribution.in_flight(0) == 0


def test_in_flight_counts_what_is_shown_and_not_settled() -> None:
    """By position, over all lists; a click or the window ends it."""
    shop = Shop(click_window_ms=10 * MINUTE)
    for name in ("r", "q"):
        shop.serve(name=name)
        shop.event(1, "view_item_list", 0, 1, token=name)

    assert [shop.attribution.in_flight(n) for n in range(3)] == [2, 2, 0]

    shop.event(2, "select_item", 0)

    assert [shop.attribution.in_flight(n) for n in range(3)] == [1, 2, 0]

    shop.tick(HOUR)

    assert [shop.attribution.in_flight(n) for n in range(3)] == [0, 0, 0]


def test_later_worth_adds_and_is_no_second_look() -> None:
    """Click, cart, purchase: each once, the first alone is a look."""
    shop = Shop()
    shop.serve()
    shop.event(1, "select_item", 0)

    assert shop.event(2, "add_to_cart", 0) == [(0, "add_to_cart", 0.5, False)]
    assert shop.event(3, "add_to_cart", 0) == []
    assert shop.event(4, "purchase", 0) == [(0, "purchase", 2.0, False)]
    assert shop.event(5, "purchase", 0) == []


def test_a_cart_straight_from_the_list_is_its_look() -> None:
    """With nothing before it, a cart or a purchase is the first verdict, and no click follows."""
    shop = Shop()
    shop.serve()
    shop.event(1, "view_item_list", 0)

    assert shop.event(2, "add_to_cart", 0) == [(0, "add_to_cart", 0.5, True)]
    assert shop.event(3, "view_item", 0) == []
    assert shop.event(4, "purchase", 1) == [(1, "purchase", 2.0, True)]
    assert shop.tick(HOUR) == []


def test_without_a_token_the_last_touch_earns_it() -> None:
    """The newest clicked slot of that item within the window, and no other."""
    shop = Shop()
    for name, arrived in (("r", 0), ("q", 10)):
        shop.serve(arrived, name=name)
        shop.event(arrived + 1, "select_item", 0, token=name)
    noun = Event(
        event_id="p", event="purchase", ts=0, anonymous_id="a", items=(Line(item_id="i0"),)
    )
    (verdict,) = shop.tell(20, Kind.EVENT, noun)

    assert verdict.reward.decision_id == "q"
    assert shop.event(21, "purchase", 1, token=None) == []
    assert shop.event(22, "view_item", 0, token=None) == []


def test_the_purchase_window_ends() -> None:
    """A purchase after the window is nobody's, and nothing is kept for it."""
    shop = Shop(purchase_window_ms=HOUR)
    shop.serve()
    shop.event(1, "select_item", 0)

    assert shop.event(HOUR, "add_to_cart", 0, token=None) == [(0, "add_to_cart", 0.5, False)]
    assert shop.event(HOUR + 1, "purchase", 0) == []
    assert len(shop.attribution) == 0


def test_a_refund_takes_the_worth_back_once() -> None:
    """Of the items it names, or of the whole order; what it took back may be earned again."""
    shop = Shop()
    shop.serve()
    shop.event(1, "select_item", 0, 1)
    shop.event(2, "purchase", 0, 1, token=None, order="o")

    assert shop.event(3, "refund", 0, order="p") == []
    assert shop.event(3, "refund") == []
    assert shop.event(4, "refund", 0, order="o") == [(0, "purchase", -2.0, False)]
    assert shop.event(5, "refund", order="o") == [(1, "purchase", -2.0, False)]
    assert shop.event(6, "refund", order="o") == []
    assert shop.event(7, "refund", 0) == []
    assert shop.event(8, "purchase", 0, order="q") == [(0, "purchase", 2.0, False)]
    assert shop.event(9, "refund", 0) == [(0, "purchase", -2.0, False)]


@pytest.mark.parametrize("name", ["view_item_list", "select_item", "add_to_cart", "purchase"])
def test_a_token_passed_on_earns_nothing(name: str) -> None:
    """Only whom the list was made for can show, click or buy it."""
    shop = Shop()
    shop.serve(anon="a")

    assert shop.event(1, name, 0, anon="thief") == []
    assert shop.event(2, name, 0, user="thief", anon="other") == []
    assert shop.attribution.in_flight(0) == 0


def test_a_person_who_logs_in_stays_the_same() -> None:
    """A list for a browser may be earned by the user it is linked to, and the other way round."""
    shop = Shop()
    shop.serve(name="r", anon="a")
    shop.serve(name="q", user="v", anon="b")

    assert shop.event(1, "select_item", 0, user="u", anon="a") == [(0, "click", 0.25, True)]
    assert shop.event(2, "purchase", 0, user="u", anon=None, token=None) == [
        (0, "purchase", 2.0, False)
    ]
    assert shop.event(3, "select_item", 1, token="q", anon="b") == [(1, "click", 0.25, True)]
    assert shop.event(4, "select_item", 2, token="q", user="w", anon="b") == []


def test_a_list_for_nobody_is_whoevers_holds_the_token() -> None:
    """A list asked for without any id can be earned, once."""
    shop = Shop()
    shop.serve(anon=None)

    assert shop.event(1, "select_item", 0, anon="x") == [(0, "click", 0.25, True)]
    assert shop.event(2, "select_item", 0, anon="y") == []
    assert shop.event(3, "purchase", 0, anon="x", token=None) == [(0, "purchase", 2.0, False)]


def test_a_claim_must_fit_the_decision() -> None:
    """An unknown list, a slot it has not, or another item than it showed: no credit."""
    shop = Shop()
    shop.serve()
    lines = [
        Line(item_id="i0", impression=Impression(decision_id="unknown", slot=0)),
        Line(item_id="i0", impression=Impression(decision_id="r", slot=7)),
        Line(item_id="i0", impression=Impression(decision_id="r", slot=-3)),
        Line(item_id="i0", impression=Impression(decision_id="r", slot=1)),
    ]
    event = Event(event_id="e", event="select_item", ts=0, anonymous_id="a", items=tuple(lines))

    assert shop.tell(1, Kind.EVENT, event) == []


def test_an_erased_person_leaves_nothing_in_flight() -> None:
    """Slots of whoever is removed are dropped without a verdict; others go on."""
    shop = Shop(click_window_ms=10 * MINUTE)
    for name, user in (("r", "canary"), ("q", "other")):
        shop.serve(name=name, user=user, anon=f"browser-{user}")
        shop.event(1, "view_item_list", 0, 1, token=name, user=user, anon=f"browser-{user}")
        shop.event(2, "select_item", 1, token=name, user=user, anon=f"browser-{user}")
    shop.tell(3, Kind.USER_REMOVED, "canary")

    assert b"canary" not in shop.attribution.dump()["slots"].tobytes()
    assert shop.attribution.in_flight(0) == 1
    assert shop.tick(HOUR) == [(0, "none", 0.0, True)]


def test_what_is_let_go_without_a_verdict_is_told() -> None:
    """Never seen, clicked long ago, or of an erased person; a slot that was left has its zero."""
    shop = Shop(click_window_ms=10 * MINUTE, purchase_window_ms=HOUR)
    shop.serve(name="r", user="u")
    shop.event(1, "view_item_list", 0, 1, user="u")
    shop.event(2, "select_item", 1, user="u")

    def dropped() -> list[tuple[str, int, bool]]:
        return [(one.decision_id, one.place, one.erased) for one in shop.attribution.dropped]

    assert shop.tick(10 * MINUTE) == []
    assert dropped() == [("r", 2, False)]
    assert shop.tick(11 * MINUTE) == [(0, "none", 0.0, True)]
    assert dropped() == []
    shop.serve(20 * MINUTE, name="q", user="u")
    shop.tell(21 * MINUTE, Kind.USER_REMOVED, "u")
    assert dropped() == [("r", 1, True), ("q", 0, True), ("q", 1, True), ("q", 2, True)]
    shop.serve(HOUR, name="p", user="v")
    shop.event(HOUR + 1, "select_item", 0, token="p", user="v")
    shop.tick(2 * HOUR + 1)
    assert ("p", 0, False) in dropped()


def test_an_erased_person_is_gone_from_lists_that_were_nobodys() -> None:
    """Whoever held the token and saw or clicked it is forgotten with it."""
    shop = Shop(click_window_ms=10 * MINUTE)
    shop.serve(user=None, anon=None)
    shop.event(1, "view_item_list", 0, 1, user="canary", anon=None)
    shop.event(2, "select_item", 1, user="canary", anon=None)
    shop.event(3, "view_item_list", 2, user="other", anon=None)
    before = shop.attribution.dump()["slots"].tobytes()
    shop.tell(4, Kind.USER_REMOVED, "canary")

    assert b"canary" in before
    assert b"canary" not in shop.attribution.dump()["slots"].tobytes()
    assert shop.tick(HOUR) == [(2, "none", 0.0, True)]


def test_a_verdict_says_whose_it_is() -> None:
    """Person and network of who saw it for a zero, of who clicked it for a click."""
    shop = Shop(click_window_ms=10 * MINUTE)
    shop.serve(anon=None)
    found = []
    for arrived, name, who, network in (
        (1, "view_item_list", "x", "n1"),
        (2, "select_item", "y", "n2"),
    ):
        lines = tuple(
            Line(item_id=f"i{n}", impression=Impression(decision_id="r", slot=n))
            for n in ((0, 1) if name == "view_item_list" else (1,))
        )
        event = Event(
            event_id=name, event=name, ts=NOW, anonymous_id=who, items=lines,
            context=stamped_event({}, network),
        )  # fmt: skip
        found += shop.tell(arrived, Kind.EVENT, event)
    found += shop.tell(HOUR, Kind.TICK, None)

    assert [verdict.origin for verdict in found] == [
        Origin("a:y", "n2", steered=False), Origin("a:x", "n1", steered=False)
    ]  # fmt: skip


def test_good_tokens_that_earn_nothing_are_counted() -> None:
    """By why: another's slot, another item, or a slot that is over."""
    shop = Shop(click_window_ms=10 * MINUTE)
    shop.serve()
    shop.event(1, "view_item_list", 0)
    shop.event(2, "select_item", 0, anon="thief")
    shop.event(3, "add_to_cart", 0, anon="thief")
    shop.event(HOUR, "select_item", 0)
    shop.event(HOUR, "select_item", 0, token="unknown")
    shop.event(HOUR, "select_item", 0, token=None)

    assert shop.attribution.unearned == {"closed": 2, "stranger": 2}


@pytest.mark.parametrize("event", ["purchase", "add_to_cart"])
@pytest.mark.parametrize(
    ("rule", "share"),
    [
        ("last_touch", {"p": 1.0}),
        ("first_touch", {"r": 1.0}),
        ("linear", {"r": 1 / 3, "q": 1 / 3, "p": 1 / 3}),
    ],
)
def test_the_rule_says_which_touch_earns(rule: str, share: dict[str, float], event: str) -> None:
    """The last, the first, or all in equal parts that are together the whole."""
    shop = Shop(rule=rule)
    for arrived, name in ((0, "r"), (10, "q"), (20, "p")):
        shop.touch(arrived, name)
    shop.touch(25, "other item", 1)
    found = shop.earned(30, event)

    assert found == pytest.approx({name: WORTH[event] * part for name, part in share.items()})
    assert sum(found.values()) == WORTH[event]


def test_a_token_wins_over_every_rule() -> None:
    """Whoever shows the token of a slot tells which one it was: it earns the whole."""
    shop = Shop(rule="linear")
    for arrived, name in ((0, "r"), (10, "q")):
        shop.touch(arrived, name)

    assert shop.event(20, "purchase", 0, token="r") == [(0, "purchase", 2.0, False)]


@pytest.mark.parametrize(
    ("lists", "wanted"),
    [
        (("home", "feed"), {"1": 2.0}),
        (("feed", "home"), {"0": 1.0, "1": 1.0}),
        (("home", "feed", "cart"), {"0": 2.0}),
        (("cart", "feed", "home"), {"0": 2 / 3, "1": 2 / 3, "2": 2 / 3}),
        (("cart", "home", "elsewhere"), {"2": 2.0}),
    ],
)
def test_the_placement_touched_last_rules(lists: Sequence[str], wanted: dict[str, float]) -> None:
    """Where placements have different rules, its own holds for the whole order."""
    windows = {"home": Windows(rule="linear"), "feed": Windows(rule="last_touch"),
               "cart": Windows(rule="first_touch")}  # fmt: skip
    shop = Shop(placements=windows)
    for place, placement in enumerate(lists):
        shop.touch(10 * place, str(place), placement=placement)

    assert shop.earned(100) == pytest.approx(wanted)


def test_each_placement_has_its_own_windows() -> None:
    """To be seen, to be clicked, to be bought; a placement that is not named has the shop's."""
    feed = Windows(click_ms=2 * MINUTE, purchase_ms=10 * MINUTE)
    shop = Shop(
        click_window_ms=10 * MINUTE, purchase_window_ms=HOUR, placements={"feed": feed},
    )  # fmt: skip
    for name, placement in (("r", "home"), ("q", "feed")):
        shop.serve(name=name, placement=placement)
        shop.event(0, "view_item_list", 0, token=name)
        shop.event(0, "select_item", 1, token=name)

    def gaveup(arrived: int) -> list[tuple[str, int]]:
        verdicts = shop.tell(arrived, Kind.TICK, None)
        return [(one.reward.decision_id, one.reward.ts - NOW) for one in verdicts]

    def let_go() -> list[tuple[str, int]]:
        return [(one.decision_id, one.place) for one in shop.attribution.dropped]

    assert shop.attribution.next_due == NOW + 2 * MINUTE
    assert gaveup(2 * MINUTE) == [("q", 2 * MINUTE)]
    assert let_go() == [("q", 2)]
    assert gaveup(10 * MINUTE) == [("r", 10 * MINUTE)]
    assert sorted(let_go()) == [("q", 1), ("r", 2)]
    assert shop.event(11 * MINUTE, "purchase", 1, token="q") == [(1, "purchase", 2.0, False)]
    assert shop.attribution.unearned["closed"] == 1
    assert shop.earned(HOUR - 1, "add_to_cart", 1) == {"r": 0.5}
    assert shop.earned(HOUR, "purchase", 1) == {}


def test_only_touches_whose_window_is_open_have_a_part() -> None:
    """A slot of a placement with a short window is out, though it was clicked last of all."""
    windows = {"feed": Windows(purchase_ms=10 * MINUTE, rule="last_touch")}
    shop = Shop(rule="linear", placements=windows)
    for arrived, name, placement in ((0, "r", "home"), (1, "q", "home"), (2, "p", "feed")):
        shop.touch(arrived, name, placement=placement)

    assert shop.earned(10 * MINUTE + 2) == {"r": 1.0, "q": 1.0}


def test_a_slot_has_its_part_of_one_order() -> None:
    """``linear``: a second order belongs to what was clicked since, and then to nobody."""
    shop = Shop(rule="linear")
    for arrived, name in ((0, "r"), (1, "q")):
        shop.touch(arrived, name)

    assert shop.earned(2, order="o") == {"r": 1.0, "q": 1.0}
    shop.touch(3, "p")
    assert shop.earned(4, order="n") == {"p": 2.0}
    assert shop.earned(5, order="m") == {}
    assert shop.earned(6, "refund", order="o") == {"r": -1.0, "q": -1.0}
    assert shop.earned(7, order="l") == {"r": 1.0, "q": 1.0}


def test_a_refund_takes_back_every_part() -> None:
    """To the last unit, whatever the number of parts; once."""
    shop = Shop(rule="linear")
    for n in range(7):
        shop.touch(n, str(n))
    gave, taken = shop.earned(10, order="o"), shop.earned(11, "refund", order="o")

    assert len(gave) == 7
    assert taken == {name: -worth for name, worth in gave.items()}
    assert shop.earned(12, "refund", order="o") == {}


@pytest.mark.parametrize("rule", RULES)
def test_a_list_made_after_the_click_has_no_part(rule: str) -> None:
    """It showed the item, and was seen, before the order; only a click of its own counts."""
    shop = Shop(rule=rule)
    shop.touch(0, "r")
    shop.serve(1, name="q")
    shop.event(2, "view_item_list", 0, token="q")

    assert shop.earned(3) == {"r": 2.0}
    shop.serve(4, name="p")
    assert shop.event(5, "select_item", 0, token=None) == []
    assert shop.earned(6) == {}


@settings(max_examples=60, derandomize=True, deadline=None)
@given(worth=st.floats(0.0, 1e300), n=st.integers(1, 400), luck=st.randoms(use_true_random=False))
def test_parts_are_equal_and_their_sum_is_exact(worth: float, n: int, luck: Any) -> None:
    """In any order of adding, and none differs from another by more than the last place."""
    found = parts(worth, n)
    luck.shuffle(found)

    assert len(found) == n
    assert sum(found) == math.fsum(found) == sum(reversed(found)) == worth
    assert max(found) - min(found) <= math.ulp(worth)


Step = tuple[str, str, int]
"""What happens, in which placement, to which item."""
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["touch", "touch", "touch", "serve", "purchase", "refund"]),
        st.sampled_from(["home", "feed", "cart"]),
        st.integers(0, 1),
    ),
    max_size=40,
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(steps=STEPS, price=st.floats(0.01, 1e6))
def test_the_worth_of_an_order_is_conserved(steps: list[Step], price: float) -> None:
    """Its parts sum to it exactly, over all rules and windows; what is taken back is what was
    given; and each part goes to a list that was clicked before the order, within its window."""
    windows = {"home": Windows(purchase_ms=50, rule="linear"), "feed": Windows(purchase_ms=20),
               "cart": Windows(purchase_ms=90, rule="first_touch")}  # fmt: skip
    shop = Shop(prices={"purchase": price}, placements=windows)
    clicked: dict[str, tuple[int, str, int]] = {}
    balance: dict[str, float] = {}
    for step, (what, placement, item) in enumerate(steps):
        now, name = 3 * step, str(step)
        if what == "touch":
            shop.touch(now, name, item, placement=placement)
            clicked[name] = now, placement, item
        elif what == "serve":
            shop.serve(now, name=name, placement=placement)
        elif what == "refund":
            taken = shop.earned(now, "refund", item)
            assert all(balance.pop(one) == -worth for one, worth in taken.items())
        else:
            found = shop.earned(now, "purchase", item, order=name)
            inside = [one for one, (at, where, which) in clicked.items()
                      if which == item and at + windows[where].purchase_ms > now]  # fmt: skip
            assert set(found) == set(_entitled(windows, clicked, inside, balance))
            assert sum(found.values()) == math.fsum(found.values()) == (price if found else 0.0)
            balance |= found


def _entitled(
    windows: dict[str, Windows],
    clicked: dict[str, tuple[int, str, int]],
    inside: list[str],
    balance: dict[str, float],
) -> list[str]:
    """Whose an order is, said once more and plainly; ``inside`` in the order of the clicks."""
    if not inside:
        return []
    rule = windows[clicked[inside[-1]][1]].rule
    chosen = {"linear": inside, "last_touch": inside[-1:], "first_touch": inside[:1]}[rule]
    return [name for name in chosen if name not in balance]


def test_worth_is_conserved() -> None:
    """Over a whole log each slot has at most one look, one click, and no negative balance."""
    catalogue, identities = Catalogue(), Identities()
    attribution = Attribution(identities, worth=WORTH)
    looks: dict[tuple[str, int], int] = {}
    balance: dict[tuple[str, int], float] = {}
    for record in little_shop(2, 600):
        catalogue.apply(*record)
        identities.apply(*record)
        for verdict in attribution.settle(*record):
            key = (verdict.reward.decision_id, verdict.reward.slot)
            looks[key] = looks.get(key, 0) + verdict.reward.first
            balance[key] = balance.get(key, 0.0) + verdict.reward.worth

    assert set(looks.values()) == {1}
    assert all(0.0 <= worth <= sum(WORTH.values()) for worth in balance.values())
    assert any(worth > 0.25 for worth in balance.values())


@pytest.mark.parametrize("rule", RULES)
def test_the_laws_of_a_fold(rule: str) -> None:
    """Replay = live, and stopping anywhere changes nothing; verdicts included."""

    def make() -> Chain:
        identities = Identities()
        home = Windows(click_ms=5 * MINUTE, rule=rule)
        attribution = Attribution(identities, worth=WORTH, placements={"home": home})
        return Chain(identities, attribution)

    check_fold(make, little_shop(1), ask=lambda chain: chain.folds[1].next_due)


@pytest.mark.parametrize("rule", RULES)
def test_verdicts_are_the_same_after_loading(rule: str) -> None:
    """A fold stopped in the middle gives the verdicts of one that was not, in the same order."""
    records = little_shop(6, 400)
    identities, whole = Identities(), None
    runs = []
    for stop in (None, 150, 250):
        identities = Identities()
        whole = Attribution(identities, worth=WORTH, rule=rule)
        verdicts = []
        for place, record in enumerate(records):
            if place == stop:
                dumped, links = whole.dump(), identities.dump()
                identities = Identities()
                identities.load(links)
                whole = Attribution(identities, worth=WORTH, rule=rule)
                whole.load(dumped)
            identities.apply(*record)
            verdicts += whole.settle(*record)
        runs.append(verdicts)

    assert len(runs[0]) > 20
    assert runs[0] == runs[1] == runs[2]


def keen_shoppers(seed: int) -> list[Entry]:
    """The log of two who click the same three items again and again, order and send back."""
    luck, shop, lists = derive(seed, "keen shoppers"), Shop(), ["0a"]
    shop.serve(name="0a")
    for step in range(400):
        what, who = str(luck.choice(KEEN)), "ab"[int(luck.integers(2))]
        item, order = int(luck.integers(3)), f"o{int(luck.integers(4))}"
        if step == 150:
            shop.tell(step * MINUTE, Kind.USER_REMOVED, f"u{who}")
        elif what == "serve":
            # Names fall as time goes on: no order may come from them.
            lists.append(f"{999 - step}{who}")
            placement = str(luck.choice(["home", "feed", "cart"]))
            shop.serve(step * MINUTE, name=lists[-1], anon=who, placement=placement)
        elif what == "select_item":
            name = lists[int(luck.integers(max(0, len(lists) - 12), len(lists)))]
            shop.event(step * MINUTE, what, item, token=name, anon=name[-1])
        else:
            shop.event(step * MINUTE, what, item, token=None, user=f"u{who}", anon=who, order=order)
    return shop.log


KEEN = ("serve",) * 12 + ("select_item",) * 24 + ("purchase",) * 8 + ("refund",) * 3
KEEN_WINDOWS = {"feed": Windows(30 * MINUTE, HOUR), "cart": Windows(rule="first_touch")}


def make_keen() -> Chain:
    identities = Identities()
    attribution = Attribution(identities, worth=WORTH, rule="linear", placements=KEEN_WINDOWS)
    return Chain(identities, attribution)


def test_parts_of_orders_obey_the_laws_of_a_fold() -> None:
    """Rules and windows by placement, orders in parts, refunds and erasures among them."""

    check_fold(make_keen, keen_shoppers(1), ask=lambda chain: len(chain.folds[1]))


@pytest.mark.parametrize("stop", [100, 200, 300])
def test_parts_of_orders_are_the_same_after_loading(stop: int) -> None:
    """Stopped in the middle, the same verdicts in the same order: also of parts taken back."""
    records, runs = keen_shoppers(2), []
    for stops in ((), (stop,)):
        chain, verdicts = make_keen(), []
        for place, record in enumerate(records):
            if place in stops:
                dumped = chain.dump()
                chain = make_keen()
                chain.load(dumped)
            identities, attribution = chain.folds
            identities.apply(*record)
            verdicts += attribution.settle(*record)
        runs.append(verdicts)
    worths = [one.reward.worth for one in runs[0] if one.reward.outcome == "purchase"]

    assert sum(0 < worth < WORTH["purchase"] for worth in worths) > 10
    assert sum(-WORTH["purchase"] < worth < 0 for worth in worths) > 5
    assert runs[0] == runs[1]


def test_worth_windows_and_rules_are_checked() -> None:
    """A missing worth, an empty window and an unknown rule are refused by name."""
    with pytest.raises(ValueError, match="worth says nothing of add_to_cart; it needs click, add"):
        Attribution(Identities(), worth={"click": 1.0, "purchase": 1.0})
    with pytest.raises(ValueError, match=r"click window is 0 ms .* both must be above 0"):
        Attribution(Identities(), worth=WORTH, click_window_ms=0)
    with pytest.raises(ValueError, match=r"purchase window -1 ms; both must be above 0"):
        Attribution(Identities(), worth=WORTH, placements={"feed": Windows(purchase_ms=-1)})
    with pytest.raises(ValueError, match="'even' is no rule; the rules are last_touch, first_touc"):
        Attribution(Identities(), worth=WORTH, rule="even")
