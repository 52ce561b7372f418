"""Limits at work in the engine: what a list may explore, whose it is, and that replay is live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.errors import SettingsError
from equipoise.knowledge import Knowledge
from equipoise.randomness import derive
from equipoise.settings import build
from equipoise.types import Decision, Kind, Line, Query, Record, User

Open = Callable[..., Any]
ItemOf = Callable[..., Any]
Differing = Callable[..., list[str]]


WORTH = {"click": 1.0, "add_to_cart": 0.0, "purchase": 0.0}


def stocked(opened: Open, item_of: ItemOf, step: float = 0.005, **home: Any) -> Any:
    """Sixty items on six shelves, with the home page set so; clicks alone are worth anything."""
    front = opened(placements={"home": home}, worth=WORTH, exploration={"step": step})
    front.stock(*(item_of(number) for number in range(60)))
    return front


def switch(front: Any, **switched: Any) -> None:
    record = front.engine.control_record("home", {"placement": "home", **switched})
    front.engine.store([record])


def shelf(item_id: str) -> int:
    return int(item_id.removeprefix("sku-")) % 6


def explored(decision: Decision) -> list[int]:
    """Shelves of what greedy would not have shown."""
    return [shelf(slot.item_id) for slot in decision.slots if slot.explored]


def shown(front: Any, lists: int, **query: Any) -> list[Decision]:
    return [front.show(f"v-{n}", n=8, **query) for n in range(lists)]


def taught(front: Any, lists: int = 30) -> None:
    """Clicks by luck, so that greedy is not a tie of all, and much is still unknown."""
    rng = derive(1, "test steered: taught")
    for n in range(lists):
        decision = front.show(f"t-{n}", n=8)
        front.see(decision, f"t-{n}")
        for slot in np.flatnonzero(rng.random(8) < 0.2).tolist():
            front.say("select_item", front.line(decision, slot), who=f"t-{n}")
    front.engine.clock.advance(seconds=1_900)
    front.tick()


THOMPSON = {"policy": "thompson", "fixed_level": 1.0}


def test_the_stop_switch_is_greedy_from_the_next_list_on(opened: Open, item_of: ItemOf) -> None:
    """Nothing is explored while it is off, for the switched placement alone."""
    front = stocked(opened, item_of, **THOMPSON)
    taught(front)

    assert any(explored(one) for one in shown(front, 10))
    switch(front, stopped=True, reason="sale week")
    assert not any(explored(one) for one in shown(front, 10))
    assert front.engine.level("home") == 0.0
    assert front.engine.level("feed") > 0.0
    assert front.engine.knowledge.moves["home"][-1].reason.endswith("by hand: sale week")
    switch(front, stopped=None)
    assert any(explored(one) for one in shown(front, 10))


def test_a_segment_is_stopped_by_what_the_shop_says_of_a_user(
    opened: Open, item_of: ItemOf
) -> None:
    """The user's record, a device linked to it, or the query itself; others explore on."""
    front = stocked(opened, item_of, **THOMPSON, segments={"vip": {"stopped": True}})
    taught(front)
    front.engine.store(
        [front.engine.user_record(User(user_id="u-1", segments=("vip",), linked_ids=("c-7",)))]
    )

    def level(**who: Any) -> float:
        return float(front.engine.recommend(Query(placement="home", **who)).policy.level)

    assert level(user_id="u-1") == 0.0
    assert level(anonymous_id="c-7") == 0.0
    assert level(anonymous_id="c-8", context={"segments": "vip"}) == 0.0
    assert level(user_id="u-2") == 1.0


@pytest.mark.parametrize("policy", ["thompson", "plackett_luce", "epsilon_greedy", "optimism"])
def test_a_stopped_item_group_is_not_explored(opened: Open, item_of: ItemOf, policy: str) -> None:
    """Of forty lists not one shows an item of that shelf where greedy would not; each computes to
    the same again."""
    groups = {"first": {"filter": {"category": "Shelf 3"}, "stopped": True}}
    front = stocked(
        opened, item_of, policy=policy, fixed_level=1.0, floor=0.1, groups=groups
    )  # fmt: skip
    taught(front)
    seen = [place for one in shown(front, 40) for place in explored(one)]
    free = stocked(opened, item_of, policy=policy, fixed_level=1.0, floor=0.1)
    taught(free)

    assert len(seen) > 20
    assert 3 not in seen
    assert 3 in [place for one in shown(free, 40) for place in explored(one)]
    for stored in front.engine.newest_decisions(40):
        assert stored.coin == {"held": 1.0}
        assert front.engine.replay(stored.decision_id) == stored


def test_an_item_group_has_at_most_its_share_of_what_is_explored(
    opened: Open, item_of: ItemOf
) -> None:
    """Three shelves of six would have half of it; they are held to a fifth."""
    groups = {"half": {"filter": {"any": [{"category": f"Shelf {n}"} for n in (2, 3, 4)]},
                       "share": 0.2}}  # fmt: skip
    front = stocked(opened, item_of, step=0.01, **THOMPSON, groups=groups)
    taught(front)
    for _ in range(4):
        shown(front, 100)
    seen = [place for one in shown(front, 250) for place in explored(one)]
    share = sum(place in (2, 3, 4) for place in seen) / len(seen)

    assert share == pytest.approx(0.2, abs=0.06)
    assert front.engine.knowledge.steering.group("home", "half") < 0.8


def test_money_in_all_is_spent_and_no_more(opened: Open, item_of: ItemOf) -> None:
    """Exploring goes on until its cost has added up, by our own estimate, and one list beyond."""
    front = stocked(opened, item_of, **THOMPSON, loss_budget=5.0)
    taught(front)
    lists = shown(front, 120)
    spent = front.engine.knowledge.steering.describe("home", front.engine.clock())["limit"]

    assert 5.0 <= spent["spent"] < 5.0 + max(one.cost for one in lists)
    assert lists[0].policy.level == 1.0
    assert lists[-1].policy.level == 0.0


def test_the_floor_on_spending_lifts_the_level(opened: Open, item_of: ItemOf) -> None:
    """``least`` reaches the balance; the budget stays its cap."""
    front = stocked(opened, item_of, budget=0.08, least=0.02)

    assert front.engine.knowledge.balance("home").floor == 0.02
    assert front.engine.knowledge.balance("feed").floor == 0.0


# ---------------------------------------------------------------- the apprentice


def clicks(front: Any, lists: int, seed: int) -> None:
    """Visitors of a shop whose own order is by views, while what they want is on one shelf."""
    rng = derive(seed, "test steered")
    for n in range(lists):
        decision = front.show(f"a-{seed}-{n}", n=6)
        who = f"a-{seed}-{n}"
        front.see(decision, who)
        for slot in range(len(decision.slots)):
            wanted = shelf(decision.slots[slot].item_id) == 5
            if rng.random() < (0.5 if wanted else 0.02):
                front.say("select_item", front.line(decision, slot), who=who)
        front.engine.clock.advance(seconds=120)


def viewed(front: Any) -> None:
    for number in range(30):
        front.say("view_item", Line(item_id=f"sku-{6 * (number % 6)}"), who=f"w-{number}")


def test_the_apprentice_follows_the_shops_own_order_and_learns(
    opened: Open, item_of: ItemOf
) -> None:
    """At first nine lists of ten are the baseline's to the item; what is clicked on them teaches;
    every list is computed to the same again."""
    front = stocked(opened, item_of, apprentice=True, baseline="trending")
    viewed(front)
    lists = shown(front, 60)
    best = [f"sku-{6 * n}" for n in range(6)]
    followed = [set(best) <= {slot.item_id for slot in one.slots} for one in lists]

    assert sum(followed) >= 45
    assert sum(one.cost == 0.0 for one in lists) >= 45
    for stored in lists:
        assert front.engine.replay(stored.decision_id) == stored
        assert stored.coin["ours"] == pytest.approx(0.1)
    clicks(front, 20, seed=1)
    assert front.looks > 0


def test_the_apprentice_takes_over_when_its_lists_are_proved_better(
    opened: Open, item_of: ItemOf
) -> None:
    """Visitors want one shelf, the shop's own order shows another: its share of the lists rises by
    degrees to nine tenths, said in words; replayed, all is the same."""
    front = stocked(opened, item_of, apprentice=True, baseline="trending")
    viewed(front)
    clicks(front, 500, seed=2)
    front.engine.clock.advance(seconds=7_200)
    front.say("search", search_term="x")
    said = front.engine.knowledge.steering.describe("home", front.engine.clock())["apprentice"]
    reasons = [move.reason for move in front.engine.knowledge.moves["home"]]

    assert said["proved"]
    assert said["share"] == pytest.approx(0.9)
    assert said["lead"] > said["lead_at_least"] > 0
    assert any("that ours earn more is proved" in reason for reason in reasons)
    assert any("that is not proof yet" in reason for reason in reasons)


# ---------------------------------------------------------------- the guarantee, replay, alarms


def test_with_a_guarantee_the_first_lists_are_greedy(opened: Open, item_of: ItemOf) -> None:
    """Without credit nothing is explored, and each list says that it was the baseline's."""
    front = stocked(opened, item_of, guarantee=0.1)
    taught(front)
    lists = shown(front, 10)

    assert not any(explored(one) for one in lists)
    assert all(one.coin == {"ours": 0.0, "baseline_weight": 1.0} for one in lists)
    assert front.engine.knowledge.steering.describe("home", 0)["guarantee"]["allows"] is False


def test_replay_is_live(opened: Open, item_of: ItemOf, differing: Differing) -> None:
    """Switches, limits, coin and alarms, folded again from the log and from a checkpoint in the
    midst: the same bytes."""
    home = {
        "apprentice": True, "baseline": "trending", "guarantee": 0.3, "day_budget": 1.0,
        "segments": {"vip": {"budget": 0.02, "loss_budget": 1.0}},
        "groups": {"third": {"filter": {"category": "Shelf 3"}, "share": 0.1}},
    }  # fmt: skip
    front = stocked(opened, item_of, **home)
    viewed(front)
    front.engine.store([front.engine.user_record(User(user_id="u-1", segments=("vip",)))])
    clicks(front, 40, seed=3)
    switch(front, segments={"vip": True}, groups={"x": {"stopped": True, "filter": {"tags": "a"}}})
    clicks(front, 40, seed=4)
    records = list(front.engine.log.read())
    whole, first, second = (Knowledge(front.engine.settings) for _ in range(3))
    whole.apply(records)
    first.apply(records[: len(records) // 2])
    second.load(first.dump())
    second.apply(records)

    assert differing(whole.dump(), front.engine.knowledge.dump()) == []
    assert differing(second.dump(), front.engine.knowledge.dump()) == []


def test_an_alarm_makes_a_category_uncertain_again(opened: Open, item_of: ItemOf) -> None:
    """A shelf's clicks dry up: the alarm names it, its items' spread widens, no other's does."""
    front = stocked(opened, item_of, **THOMPSON, sources=["anything"])
    known, rng = front.engine.knowledge, derive(1, "test steered alarm")
    spreads: list[tuple[float, float]] = []
    for n in range(900):
        decision, who = front.show(f"b-{n}", n=12), f"b-{n}"
        front.see(decision, who)
        for slot, one in enumerate(decision.slots):
            rate = 0.4 if shelf(one.item_id) == 2 and n < 450 else 0.05
            if rng.random() < rate:
                front.say("select_item", front.line(decision, slot), who=who)
        front.engine.clock.advance(seconds=1_900)
        front.tick()
        spreads.append(spread(front.engine))
        if any(alarm.where == "Shelf 2" for alarm in known.sentry.alarms):
            break
    alarm = next(one for one in known.sentry.alarms if one.where == "Shelf 2")
    (before, other), (after, other_after) = spreads[-2], spreads[-1]

    assert alarm.reason.startswith("clicks in Shelf 2 fell from ")
    assert after > 1.5 * before
    assert other_after == pytest.approx(other, rel=0.1)


def spread(engine: Engine) -> tuple[float, float]:
    """Mean variance of the belief about clicks, of the second shelf and of the others."""
    belief = engine.knowledge.clicks
    _, variance = belief.predict(np.arange(60))
    second = [n for n in range(60) if n % 6 == 2]
    others = [n for n in range(60) if n % 6 != 2]
    return float(variance[second].mean()), float(variance[others].mean())


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("home", "words"),
    [
        ({"least": 0.5}, r"home\.least is 0\.5; it is a share from 0 to the budget, 0\.08"),
        ({"baseline": "alss"}, r"home\.baseline: 'alss' is none of its sources; they are als"),
        ({"apprentice": True}, r"home\.apprentice follows the order of a source; name it"),
        ({"guarantee": 1.0}, r"home\.guarantee is 1\.0 and guarantee_error 0\.05; the first is"),
        ({"day_budget": -1}, r"home\.day_budget is -1\.0; it is an amount of money"),
        ({"saved_days": 0}, r"home\.saved_days is 0\.0; it is a number of days, 0\.1 or more"),
        ({"segments": {"a": {"budget": 2}}}, r"segments\.a\.budget is 2\.0; it is a share"),
        ({"segments": {"a": {"bugdet": 0}}}, r"unknown field `bugdet`.*stopped, budget"),
        ({"groups": {"a": {"filter": {"colour": 1}}}}, r"groups\.a\.filter: 'colour' is no field"),
        ({"groups": {"a": {"filter": {}, "share": 2}}}, r"groups\.a\.share is 2\.0; it is a share"),
        (
            {"policy": "square_cb", "groups": {"a": {"filter": {}, "share": 0.5}}},
            r"groups\.a\.share: square_cb does not explore by how little is known",
        ),
    ],
)
def test_limits_that_cannot_be(home: dict[str, Any], words: str) -> None:
    """The message names the place, the value and what would be right."""
    with pytest.raises(SettingsError, match=words):
        build({"placements": {"home": home}})


def test_what_remains_after_an_alarm_is_a_share() -> None:
    """No more than all."""
    with pytest.raises(SettingsError, match=r"alarm_keep is 2\.0; it is a share from 0 to 1"):
        build({"exploration": {"alarm_keep": 2}})


def test_a_control_record_is_an_object_on_the_log(opened: Open, item_of: ItemOf) -> None:
    """Kept under its placement, found again as it was written."""
    front = stocked(opened, item_of)
    switch(front, stopped=True)
    kept = front.engine.log.find(Kind.CONTROL, "home")

    assert isinstance(kept.record, Record)
    assert kept.record.body == b'{"placement":"home","stopped":true}'


def test_the_clock_of_the_shop_is_the_only_one(opened: Open, item_of: ItemOf) -> None:
    """Money of the day comes in as the shop's clock goes, not the machine's."""
    front = stocked(opened, item_of, **THOMPSON, day_budget=1.0, saved_days=1.0)
    taught(front)
    shown(front, 100)
    assert front.engine.level("home") == 0.0
    assert isinstance(front.engine.clock, ManualClock)
    front.engine.clock.advance(days=1.0)
    assert front.engine.level("home") == 1.0
