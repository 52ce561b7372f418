"""Which decision earned it: the way of a slot from served to settled."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.feedback.attribution import Attribution, Verdict
from equipoise.feedback.provenance import Origin, stamped_event
from equipoise.state import Catalogue, Identities
from equipoise.testing.folds import Chain, check_fold, little_shop, slot
from equipoise.types import Decision, Event, Impression, Kind, Line, PolicyUsed, Query

NOW = 1_700_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
WORTH = {"click": 0.25, "add_to_cart": 0.5, "purchase": 2.0}


class Shop:
    """Attribution with its identities; lists are of three items, ``i0`` to ``i2``."""

    def __init__(self, **keywords: Any) -> None:
        self.identities = Identities()
        self.attribution = Attribution(self.identities, worth=WORTH, **keywords)
        self.seq = 0

    def tell(self, arrived: int, kind: Kind, noun: Any) -> list[Verdict]:
        self.seq += 1
        self.identities.apply(self.seq, NOW + arrived, kind, noun)
        return self.attribution.settle(self.seq, NOW + arrived, kind, noun)

    def serve(
        self, arrived: int = 0, *, name: str = "r", user: str | None = None, anon: str | None = "a"
    ) -> None:
        decision = Decision(
            decision_id=name,
            ts=NOW + arrived,
            query=Query(placement="home", user_id=user, anonymous_id=anon),
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


def test_the_laws_of_a_fold() -> None:
    """Replay = live, and stopping anywhere changes nothing; verdicts included."""

    def make() -> Chain:
        identities = Identities()
        attribution = Attribution(identities, worth=WORTH, click_window_ms=5 * MINUTE)
        return Chain(identities, attribution)

    check_fold(make, little_shop(1), ask=lambda chain: chain.folds[1].next_due)


def test_verdicts_are_the_same_after_loading() -> None:
    """A fold stopped in the middle gives the verdicts of one that was not."""
    records = little_shop(6, 400)
    identities, whole = Identities(), None
    runs = []
    for stop in (None, 150, 250):
        identities = Identities()
        whole = Attribution(identities, worth=WORTH)
        verdicts = []
        for place, record in enumerate(records):
            if place == stop:
                dumped, links = whole.dump(), identities.dump()
                identities = Identities()
                identities.load(links)
                whole = Attribution(identities, worth=WORTH)
                whole.load(dumped)
            identities.apply(*record)
            verdicts += whole.settle(*record)
        runs.append(verdicts)

    assert len(runs[0]) > 20
    assert runs[0] == runs[1] == runs[2]


def test_worth_and_windows_are_checked() -> None:
    """A missing worth and an empty window are refused by name."""
    with pytest.raises(ValueError, match="worth says nothing of add_to_cart; it needs click, add"):
        Attribution(Identities(), worth={"click": 1.0, "purchase": 1.0})
    with pytest.raises(ValueError, match=r"click window is 0 ms .* both must be above 0"):
        Attribution(Identities(), worth=WORTH, click_window_ms=0)
