"""Which verdicts may teach: caps, shares, quarantine, bursts."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from equipoise.clock import DAY
from equipoise.feedback.attribution import Attribution, Verdict
from equipoise.feedback.bursts import HOUR, Bursts
from equipoise.feedback.caps import Caps
from equipoise.feedback.credit import Credit
from equipoise.feedback.provenance import Origin, stamped_query
from equipoise.randomness import derive
from equipoise.state import Catalogue, Identities
from equipoise.testing.folds import check_fold, little_shop, slot
from equipoise.types import Arrays, Decision, Kind, PolicyUsed, Query, Reward

START = 20_000 * 7 * DAY
MINUTE = 60_000
WORTH = {"click": 0.25, "add_to_cart": 0.5, "purchase": 2.0}


def verdict(
    outcome: str = "click",
    *,
    item: int = 0,
    person: str = "a:1",
    network: str = "",
    steered: bool = False,
    first: bool = True,
    name: str = "r",
) -> Verdict:
    reward = Reward(decision_id=name, slot=item, outcome=outcome, worth=0.0, first=first, ts=START)
    return Verdict(slot(f"i{item}", item), "home", reward, Origin(person, network, steered))


def served(*items: int, steered: bool = False) -> Decision:
    """A list by a browser; ``slot`` says that each of its items has a rate of .1."""
    query = Query(placement="home", context=stamped_query({}), filter={"a": 1} if steered else {})
    return Decision(
        decision_id="d",
        ts=START,
        query=query,
        shopper="",
        policy=PolicyUsed(name="greedy", version="1", level=0.0),
        slots=tuple(slot(f"i{item}", item) for item in items),
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


class Gate:
    """Credit, in one line a verdict."""

    def __init__(
        self,
        *,
        quarantine_ms: int = 0,
        waits: int = 200_000,
        bursts: dict[str, Any] | None = None,
        **caps: Any,
    ) -> None:
        self.identities = Identities()
        self.credit = Credit(
            self.identities,
            caps=Caps(**caps),
            bursts=Bursts(**(bursts or {"clicks": 0})),
            quarantine_ms=quarantine_ms,
            kept=waits,
        )
        self.now = START

    def pass_(self, *verdicts: Verdict, after: int = 0) -> int:
        """How many go through to the learner with this record, ``after`` milliseconds."""
        self.now += after
        return len(self.credit.admit(self.now, Kind.TICK, None, verdicts))

    def serve(self, *items: int, steered: bool = False, times: int = 1) -> None:
        for _ in range(times):
            self.credit.admit(self.now, Kind.DECISION, served(*items, steered=steered))


# ---------------------------------------------------------------- caps


def test_a_person_is_credited_once_an_item_and_period() -> None:
    """The second click is withheld with its look; another item, person or period is another."""
    gate = Gate()

    assert gate.pass_(verdict()) == 1
    assert gate.pass_(verdict()) == 0
    assert gate.pass_(verdict("none")) == 0
    assert gate.pass_(verdict(item=1)) == 1
    assert gate.pass_(verdict(person="a:2")) == 1
    assert gate.pass_(verdict(), after=7 * DAY) == 1
    assert gate.credit.withheld["person"] == 2


def test_looks_are_capped_against_whoever_never_clicks() -> None:
    """Zeros of one person sink an item by no more than their cap."""
    gate = Gate(looks_per_person=3)

    assert sum(gate.pass_(verdict("none")) for _ in range(10)) == 3
    assert gate.credit.withheld["person"] == 7


def test_a_network_has_its_floor_and_then_a_share() -> None:
    """New identities from one network: first five, then a tenth of all; another one has its own."""
    gate = Gate()
    alone = sum(gate.pass_(verdict(person=f"a:{n}", network="x")) for n in range(50))
    crowd = sum(gate.pass_(verdict(person=f"b:{n}", network=f"n{n}")) for n in range(95))
    more = sum(gate.pass_(verdict(person=f"c:{n}", network="x")) for n in range(50))

    assert (alone, crowd) == (5, 95)
    assert alone + more == (5 + 95 + more) // 10
    assert gate.credit.withheld["network"] == 50 - alone + 50 - more


def test_no_network_is_no_cap() -> None:
    """What the shop's own servers report comes from everywhere."""
    gate = Gate()

    assert sum(gate.pass_(verdict(person=f"a:{n}")) for n in range(50)) == 50


def test_steered_lists_count_as_a_share_alone() -> None:
    """Of an item that others click a tenth at most; of one that nobody clicks nothing."""
    gate = Gate()
    gate.serve(0, times=3)
    forged = sum(gate.pass_(verdict(person=f"x:{n}", steered=True)) for n in range(30))
    crowd = sum(gate.pass_(verdict(person=f"a:{n}")) for n in range(90))
    after = sum(gate.pass_(verdict(person=f"y:{n}", steered=True)) for n in range(30))

    assert (forged, crowd, after) == (0, 90, 10)
    assert gate.credit.withheld["steered"] == 50


def test_where_most_lists_are_steered_they_count() -> None:
    """A shop whose browsers filter every list still learns; a fifth of its lists do not decide."""
    gate = Gate()
    gate.serve(0, steered=True, times=3)
    gate.serve(0, times=2)
    usual = sum(gate.pass_(verdict(person=f"a:{n}", steered=True)) for n in range(20))
    gate.serve(0, times=8)
    rare = sum(gate.pass_(verdict(person=f"b:{n}", steered=True)) for n in range(20))

    assert (usual, rare) == (20, 0)


@pytest.mark.parametrize("source", [{}, {"network": "x"}, {"steered": True}])
def test_no_caps_at_all(source: dict[str, Any]) -> None:
    """0 switches a cap off, a share of 1 those of crowds: every signed token is believed."""
    gate = Gate(
        clicks_per_person=0, looks_per_person=0, clicks_per_network=0, looks_per_network=0, share=1
    )

    assert sum(gate.pass_(verdict(**source)) for _ in range(200)) == 200


def test_caps_leave_a_rate_unbiased() -> None:
    """Clicks over looks of what passes: the true rate, though each person is stopped at a click."""
    luck, gate = derive(3, "unbiased"), Gate(looks_per_person=6)
    passed = clicks = 0
    for person in range(4_000):
        for _ in range(10):
            clicked = luck.random() < 0.2
            outcome = "click" if clicked else "none"
            through = gate.pass_(verdict(outcome, person=f"a:{person}"))
            passed += through
            clicks += through * clicked

    assert passed < 20_000
    # Four standard errors of some 15,000 looks.
    assert clicks / passed == pytest.approx(0.2, abs=4 * (0.2 * 0.8 / passed) ** 0.5)


def test_a_cart_follows_its_click_and_an_order_is_always_heard() -> None:
    """A withheld slot earns no cart; what the shop's server sold is sold."""
    gate = Gate()
    gate.pass_(verdict(name="good"), verdict(name="bad"))
    later = [
        gate.pass_(verdict(outcome, name=name, first=False))
        for name in ("good", "bad")
        for outcome in ("add_to_cart", "purchase")
    ]

    assert later == [1, 1, 0, 1]
    assert gate.credit.withheld == {
        "person": 1, "network": 0, "steered": 0, "burst": 0, "follows": 1
    }  # fmt: skip
    assert gate.pass_(verdict("purchase", name="straight")) == 1


# ---------------------------------------------------------------- quarantine and bursts


def test_a_verdict_waits_for_its_quarantine() -> None:
    """It is learnt with the first record after its time, in order, and caps were asked before."""
    gate = Gate(quarantine_ms=MINUTE)

    assert gate.pass_(verdict(), verdict(), verdict(item=1)) == 0
    assert gate.credit.waiting == 2
    assert gate.pass_(after=MINUTE - 1) == 0
    assert gate.pass_(after=1) == 2
    assert gate.credit.credited == 2


def test_a_clock_that_jumps_holds_nothing_for_years() -> None:
    """Set ahead by 400 days and back again: what came meanwhile is let go."""
    gate = Gate(quarantine_ms=MINUTE)
    gate.pass_(verdict(), after=400 * DAY)

    assert gate.pass_(verdict(person="a:2"), after=-400 * DAY) == 1
    assert gate.pass_(after=MINUTE) == 1


def test_a_burst_is_held_and_flows_on_with_the_next_hours() -> None:
    """Beyond 3 clicks and 2 times what 10 lists promise: held in order, then as fast as before."""
    gate = Gate(bursts={"clicks": 3, "factor": 2.0})
    gate.serve(0, times=10)
    crowd = [verdict(person=f"a:{n}") for n in range(12)]

    assert gate.pass_(*crowd) == 3 + 2 * 10 * 0.1
    assert gate.pass_(verdict("none", person="b:0")) == 0
    assert gate.pass_(verdict(item=1, person="b:0")) == 1
    assert gate.credit.held == 8
    assert gate.pass_(after=HOUR) == 3
    gate.serve(0, times=30)
    assert gate.pass_(verdict("none", person="b:1")) == 6
    assert gate.credit.held == 0


def test_what_is_held_too_long_is_withheld() -> None:
    """All but orders, which were paid for."""
    gate = Gate(bursts={"clicks": 1, "factor": 0.0, "hold_ms": 2 * HOUR})
    gate.pass_(*(verdict(person=f"a:{n}", name=f"r{n}") for n in range(5)))
    gate.pass_(verdict("purchase", name="r4", first=False))
    gate.pass_(verdict("add_to_cart", name="r4", first=False))

    assert gate.credit.held == 6
    assert gate.pass_(after=3 * HOUR) == 1
    assert gate.credit.withheld["burst"] == 5
    assert gate.pass_(verdict("add_to_cart", name="r3", first=False)) == 0


def test_suspects_are_the_items_of_which_most_is_not_believed() -> None:
    """Those held now before all others; an item without trouble is none."""
    gate = Gate(bursts={"clicks": 2, "factor": 0.0})
    gate.pass_(verdict(item=1), verdict(item=1), verdict(item=3), verdict(item=2, person="a:9"))
    gate.pass_(*(verdict(item=2, person=f"a:{n}") for n in range(3)))
    first, second = gate.credit.suspects()

    assert (first.position, first.clicks, first.held, first.withheld) == (2, 4, 2, 0)
    assert (second.position, second.clicks, second.looks, second.withheld) == (1, 1, 1, 1)
    assert gate.credit.suspects(1) == [first]


# ---------------------------------------------------------------- memory, erasure, replay


def test_memory_is_bounded() -> None:
    """Identities that never repeat: rows, waits and lanes stay within what was allowed."""
    gate = Gate(
        kept=100,
        waits=100,
        quarantine_ms=DAY,
        bursts={"clicks": 1, "factor": 0.0, "kept": 100},
    )
    sizes = []
    for n in range(4_000):
        gate.pass_(verdict(person=f"a:{n}", name=f"r{n}"), verdict(person=f"a:{n}", name=f"s{n}"))
        if n in (1_999, 3_999):
            sizes.append(gate.credit.dump()["credit"].nbytes)

    assert gate.credit.rows <= 200
    assert gate.credit.waiting <= 100
    assert gate.credit.held <= 100
    assert gate.credit.withheld["burst"] > 3_000
    assert sizes[1] <= 1.01 * sizes[0]


def test_an_erased_person_leaves_nothing() -> None:
    """Neither a row, nor a verdict that waits or is held."""
    gate = Gate(quarantine_ms=MINUTE, bursts={"clicks": 1, "factor": 0.0})
    gate.pass_(*(verdict(person="u:canary", item=n) for n in range(3)))
    gate.pass_(verdict(person="a:1"), verdict(person="a:2"), verdict(person="u:canary", item=9))
    gate.pass_(after=MINUTE)
    gate.pass_(verdict(person="u:canary", item=7), verdict(person="a:3", item=7))
    before = gate.credit.dump()["credit"].tobytes()
    gate.identities.apply(1, gate.now, Kind.USER_REMOVED, "canary")
    gate.credit.admit(gate.now, Kind.USER_REMOVED, "canary")

    assert b"canary" in before
    assert b"canary" not in gate.credit.dump()["credit"].tobytes()
    assert gate.pass_(after=MINUTE) == 1


class Chain:
    """Attribution and credit as one fold; two items, and clicks and networks made up by seq."""

    def __init__(self) -> None:
        self.catalogue, self.identities = Catalogue(), Identities()
        self.attribution = Attribution(self.identities, worth=WORTH, click_window_ms=5 * MINUTE)
        self.credit = Credit(
            self.identities,
            caps=Caps(
                period_ms=DAY // 4, looks_per_person=5, clicks_per_network=2, looks_per_network=9
            ),
            bursts=Bursts(clicks=1, factor=0.0, hold_ms=10 * MINUTE),
            quarantine_ms=MINUTE,
        )

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        self.catalogue.apply(seq, arrived, kind, noun)
        self.identities.apply(seq, arrived, kind, noun)
        verdicts = [
            one._replace(
                slot=replace(one.slot, position=one.slot.position % 2),
                reward=replace(one.reward, outcome="click") if seq % 2 else one.reward,
                origin=one.origin._replace(network=f"n{seq % 9}", steered=seq % 5 == 0),
            )
            for one in self.attribution.settle(seq, arrived, kind, noun)
        ]
        self.credit.admit(arrived, kind, noun, verdicts)

    def dump(self) -> Arrays:
        return {
            **self.catalogue.dump(),
            **self.identities.dump(),
            **self.attribution.dump(),
            **self.credit.dump(),
        }

    def load(self, arrays: Arrays) -> None:
        self.catalogue.load(arrays)
        self.identities.load(arrays)
        self.attribution.load(arrays)
        self.credit.load(arrays)


def test_the_laws_of_a_fold() -> None:
    """Replay = live, and stopping anywhere changes nothing, with every rule at work."""
    met: list[dict[str, int]] = []

    def ask(chain: Chain) -> None:
        chain.credit.suspects()
        met.append({**chain.credit.withheld, "credited": chain.credit.credited})

    check_fold(Chain, little_shop(1, 900), ask=ask)

    assert min(max(one[name] for one in met) for name in met[0] if name != "follows") > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Caps(period_ms=0), "period of 0 ms and 200000 rows: both must be above 0"),
        (lambda: Caps(kept=0), "and 0 rows: both must be above 0"),
        (lambda: Caps(looks_per_person=-1), r"a cap is -1; it is 0 \(none\) or more"),
        (lambda: Caps(share=0), "share is 0; it lies above 0 and is at most 1"),
        (lambda: Bursts(factor=-1), "bursts of 20 clicks, -1 times, held .*all are 0 or more"),
        (lambda: Credit(Identities(), quarantine_ms=-1), "quarantine of -1 ms for 200000 verdicts"),
        (lambda: Credit(Identities(), kept=0), "for 0 verdicts; it is 0 or more, for some"),
    ],
)
def test_numbers_that_cannot_be(make: Any, words: str) -> None:
    """The message names the number and what would be right."""

    with pytest.raises(ValueError, match=words):
        make()
