"""All limits taken together: the strictest holds, and all is a fold."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.clock import DAY
from equipoise.exploration import Apprentice, Balance, Guarantee, Limit, Move
from equipoise.exploration.coin import OURS, WEIGHT
from equipoise.exploration.steering import Steering
from equipoise.exploration.terms import Group, GroupSwitch, Part, Switch, Terms
from equipoise.types import Decision, PolicyUsed, Query

NOW = 1_700_000_000_000
HOUR = 3_600_000
SHOES = {"category": "Shoes"}


class Fold:
    """A steering with the moves that it told."""

    def __init__(self, **terms: Any) -> None:
        self.moves: list[Move] = []
        self.steering = Steering(
            {"home": Terms(**terms)},
            window_ms=HOUR,
            tell=lambda placement, move: self.moves.append(move),
        )
        self.lists = 0

    def plan(self, *segments: str, level: float = 1.0, ts: int = NOW, **how: Any) -> Any:
        return self.steering.plan("home", level, segments, ts, **how)

    def serve(self, *segments: str, cost: float = 0.1, ts: int = NOW, **how: Any) -> Decision:
        self.lists += 1
        query = Query(placement="home")
        plan = self.plan(*segments, ts=ts)
        coin = {} if plan.ours is None else {OURS: plan.ours, WEIGHT: how.pop("weight", 1.0)}
        decision = Decision(
            decision_id=f"r-{self.lists}", ts=ts, query=query, shopper="",
            policy=PolicyUsed(name="thompson", version="1", level=plan.level), slots=(),
            fallback_level="", reason="", expected=how.pop("expected", 1.0),
            cost=cost if plan.level else 0.0,
            snapshot="", seq=0, items=b"", mean=b"", variance=b"", groups=b"", max_per_group=0,
            coin=coin,
        )  # fmt: skip
        self.steering.decided(decision, segments, how.pop("looks", {}), ts, **how)
        return decision

    def switch(self, **switched: Any) -> None:
        self.steering.switch(Switch(placement="home", **switched), NOW)


def test_without_terms_the_balance_alone_says_how_far() -> None:
    """Of a placement that is not named, too."""
    fold = Fold()

    assert fold.plan(level=0.7) == (0.7, None, (), "")
    assert fold.steering.plan("attic", 0.3, (), NOW) == (0.3, None, (), "")


def test_the_stop_switch() -> None:
    """Greedy at once; on again by hand, or by what the settings say."""
    fold = Fold()
    fold.switch(stopped=True, reason="sale week")

    assert (fold.plan().level, fold.plan().why) == (0.0, "stopped")
    fold.switch(reason="nothing is named, nothing changes")
    assert fold.plan().level == 0.0
    fold.switch(stopped=False)
    assert fold.plan().level == 1.0
    fold.switch(stopped=None)
    assert [move.reason for move in fold.moves] == [
        "exploring stopped, by hand: sale week",
        "exploring allowed again, by hand",
    ]
    assert [(move.before, move.after) for move in fold.moves] == [(1.0, 0.0), (0.0, 1.0)]


def test_the_switch_stands_above_the_settings() -> None:
    """Stopped in the settings, allowed by hand, given back: stopped."""
    fold = Fold(stopped=True)

    assert fold.plan().level == 0.0
    fold.switch(stopped=False)
    assert fold.plan().level == 1.0
    fold.switch(stopped=None)
    assert fold.plan().level == 0.0


def test_a_segment_is_stopped_for_itself() -> None:
    """By the settings or by hand; others explore on."""
    fold = Fold(segments={"vip": Part(stopped=True)})
    fold.switch(segments={"press": True})

    assert fold.plan("vip").why == "stopped for segment vip"
    assert fold.plan("press", "other").why == "stopped for segment press"
    assert fold.plan("other").level == 1.0
    fold.switch(segments={"vip": False})
    assert fold.plan("vip").level == 1.0


def test_a_segment_has_its_own_budget_and_money() -> None:
    """The smaller level holds; its money is spent by its own lists alone."""
    balance = Balance(target=0.05, start=0.2, step=0.05)
    fold = Fold(segments={"vip": Part(balance=balance), "new": Part(limit=Limit(total=0.25))})

    assert fold.plan("vip").level == pytest.approx(0.2)
    assert fold.plan("vip", level=0.1).level == 0.1
    for _ in range(40):
        fold.serve("vip")
        fold.serve()
    assert fold.plan("vip").level < 0.15
    for _ in range(5):
        fold.serve("new")
    assert fold.plan("new").why.startswith("segment new: the 0.25 that exploring may cost in all")
    assert fold.plan().level == 1.0
    assert any(move.reason.startswith("segment vip: spent 10 %") for move in fold.moves)
    assert any(move.reason.startswith("segment new: the 0.25") for move in fold.moves)


def test_money_a_day_stops_the_placement_and_comes_in_again() -> None:
    """A hundred lists of 0.1 a day against 2 a day."""
    fold = Fold(limit=Limit(day=2.0, saved=1.0))
    for n in range(300):
        fold.serve(ts=NOW + n * DAY // 100)

    assert fold.steering.describe("home", NOW)["limit"]["spent"] == pytest.approx(8.0, rel=0.06)
    assert fold.moves[0].reason == "the 2.00 that exploring may cost a day are spent: greedy"


def test_item_groups_are_held_back() -> None:
    """By a stop all of their spread goes, by a share as much as must; live groups too."""
    fold = Fold(
        groups={
            "shoes": Group(filter=SHOES, balance=Balance(target=0.2, step=0.05, start=1.0)),
            "old": Group(filter={"tags": "old"}, stopped=True),
        }
    )

    assert fold.plan().held == (({"tags": "old"}, 0.0),)
    for _ in range(60):
        fold.serve(looks={"shoes": (3.0, 5.0)})
    remains = fold.steering.group("home", "shoes")
    assert 0.0 < remains < 0.5
    assert (SHOES, remains) in fold.plan().held
    assert fold.moves[0].reason.startswith("items of shoes: spent 60 % of")
    assert not fold.steering.knows("home", "hats")
    fold.switch(groups={"hats": GroupSwitch(stopped=True, filter={"category": "Hats"})})
    assert ({"category": "Hats"}, 0.0) in fold.plan().held
    assert fold.steering.knows("home", "hats")
    fold.switch(groups={"old": GroupSwitch(stopped=False)})
    assert ({"tags": "old"}, 0.0) not in fold.plan().held
    assert "exploring with items of hats stopped, by hand" in [m.reason for m in fold.moves]


def test_the_guarantee_comes_to_allow() -> None:
    """Baseline lists that earn, heard an hour later, are the credit; half of the lists are then
    ours."""
    fold, ts = Fold(guarantee=Guarantee(alpha=0.2, most=1.0)), NOW
    assert fold.plan().ours == 0.0
    assert fold.plan().level == 0.0
    for _ in range(200):
        decision = fold.serve(ts=ts)
        fold.steering.earned("home", decision.decision_id, 0.25)
        fold.steering.earned("home", decision.decision_id, 0.25)
        ts += 60_000
    assert fold.steering.describe("home", ts)["guarantee"]["lists"] == 0
    fold.steering.mature(ts + HOUR)
    said = fold.steering.describe("home", ts)["guarantee"]
    assert (said["lists"], said["allows"]) == (200, True)
    assert fold.plan().ours == 0.5
    fold.serve(ts=ts)
    assert fold.steering.describe("home", ts)["guarantee"]["under_way"] == 1


def test_lists_are_heard_in_their_order_and_only_after_their_time() -> None:
    """What was served later waits, and what is earned after the hour is not counted."""
    fold = Fold(apprentice=Apprentice())
    first, second = fold.serve(ts=NOW), fold.serve(ts=NOW + HOUR // 2)
    fold.steering.earned("home", first.decision_id, 1.0)
    fold.steering.mature(NOW + HOUR)
    assert fold.steering.describe("home", NOW)["apprentice"]["lists"] == 1
    fold.steering.earned("home", first.decision_id, 1.0)
    fold.steering.earned("home", "r-unknown", 1.0)
    fold.steering.mature(NOW + HOUR + HOUR // 2)
    assert second.decision_id == "r-2"
    assert fold.steering.describe("home", NOW)["apprentice"]["lists"] == 2


def test_the_stricter_of_apprentice_and_guarantee_holds() -> None:
    """No list is ours before the guarantee allows it, whatever the trial."""
    fold = Fold(apprentice=Apprentice(trial=0.2), guarantee=Guarantee())

    assert fold.plan().ours == 0.0
    assert Fold(apprentice=Apprentice(trial=0.2)).plan().ours == pytest.approx(0.2)


def test_stopped_no_coin_is_thrown() -> None:
    """Whoever has most of the lists has all of them: the shop's own order at first, ours later."""
    fold = Fold(apprentice=Apprentice())
    fold.switch(stopped=True)
    assert (fold.plan().level, fold.plan().ours) == (0.0, 0.0)
    fold.switch(stopped=False)
    ts = NOW
    for _ in range(800):
        decision = fold.serve(ts=ts, weight=0.0, expected=0.1)
        fold.steering.earned("home", decision.decision_id, 1.0)
        ts += HOUR
        fold.steering.mature(ts)
    assert fold.plan().ours > 0.8
    fold.switch(stopped=True)
    assert (fold.plan().level, fold.plan().ours) == (0.0, None)
    assert any("that ours earn more is proved" in move.reason for move in fold.moves)


def test_what_a_browser_steers_proves_and_spends_nothing() -> None:
    """It is the baseline's list, and no limit hears of it."""
    fold = Fold(apprentice=Apprentice(), limit=Limit(total=1.0))
    assert fold.plan(steered=True).ours == 0.0
    fold.serve(cost=5.0, steered=True)
    fold.steering.mature(NOW + 2 * HOUR)
    said = fold.steering.describe("home", NOW)
    assert said["apprentice"]["lists"] == 0
    assert said["limit"]["spent"] == 0.0


def lived() -> Fold:
    fold = Fold(
        limit=Limit(day=1.0),
        segments={"vip": Part(balance=Balance(target=0.05), limit=Limit(total=3.0))},
        groups={"shoes": Group(filter=SHOES, balance=Balance(target=0.2))},
        guarantee=Guarantee(alpha=0.3),
        apprentice=Apprentice(),
    )
    hats = GroupSwitch(stopped=True, filter={"tags": "x"})
    fold.switch(segments={"press": True}, groups={"hats": hats})
    return fold


def go_on(fold: Fold, lists: range) -> None:
    for n in lists:
        decision = fold.serve("vip", ts=NOW + n * HOUR // 4, looks={"shoes": (1.0, 3.0)})
        fold.steering.earned("home", decision.decision_id, 0.4 * (n % 3))
        fold.steering.mature(NOW + n * HOUR // 4)


def test_it_goes_on_from_its_arrays() -> None:
    """Stopped in the midst, read again and gone on with: never stopped, to the byte."""
    whole, first, second = lived(), lived(), Fold()
    go_on(whole, range(400))
    go_on(first, range(150))
    second.steering = lived().steering
    second.steering.load(first.steering.arrays())
    second.lists = first.lists
    go_on(second, range(150, 400))

    assert second.steering.arrays()["json"].tobytes() == whole.steering.arrays()["json"].tobytes()
    assert second.steering.describe("home", NOW) == whole.steering.describe("home", NOW)


def test_what_people_are_told() -> None:
    """Every limit, with where it stands."""
    fold = lived()
    go_on(fold, range(20))
    said = fold.steering.describe("home", NOW)

    assert said["segments"]["press"]["stopped"]
    assert said["segments"]["vip"]["target"] == 0.05
    assert said["groups"]["hats"] == {"stopped": True, "filter": {"tags": "x"}, "spread": 0.0}
    assert said["limit"]["day"] == 1.0
    assert said["apprentice"]["share"] == pytest.approx(0.1)
    assert said["guarantee"]["alpha"] == 0.3
