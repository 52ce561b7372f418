"""The engine: decisions that replay, records that fold once, nouns that come and go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from equipoise.clock import ManualClock
from equipoise.engine import DECISIONS_KEPT, Engine
from equipoise.errors import LogLocked, SettingsError, UnknownDecision
from equipoise.types import Coupon, Event, Item, Kind, Line, Query, User

Live = Callable[..., None]
Open = Callable[..., Any]
Nouns = Callable[[Engine, Kind], list[Any]]

EVENT = Event(
    event_id="e-x",
    event="view_item",
    ts=1_700_000_000_000,
    user_id="u-1",
    items=(Line(item_id="sku-1"),),
)


def test_every_decision_replays_bit_for_bit(lived: Engine, nouns: Nouns) -> None:
    """Computed again from what it stored: the same slate, the same propensities, to the last bit.

    The state has learnt from hundreds of lists since the first of them.
    """
    decisions = nouns(lived, Kind.DECISION)
    different = [d.decision_id for d in decisions if lived.replay(d.decision_id) != d]

    assert len(decisions) > 250
    assert different == []


def test_a_stored_decision_equals_the_served(front: Any, nouns: Nouns) -> None:
    """What is read from the log is what was shown, every field of it."""
    served = [front.show(n=n) for n in (1, 12, 60, 61)]

    assert nouns(front.engine, Kind.DECISION) == served
    assert [front.engine.decision(one.decision_id) for one in served] == served
    assert [front.engine.replay(one.decision_id) for one in served] == served


def test_boosts_and_floors_replay(opened: Open, item_of: Callable[..., Item]) -> None:
    """The caller's wishes are in the stored means, the settings' in the stored policy."""
    table = {"sources": ["anything"], "floor": 0.2, "max_per_group": 2}
    front = opened(placements={"home": table})
    front.stock(*(item_of(k, group_id=f"g{k % 5}") for k in range(20)))
    boost = {"filter": {"category": "Shelf 1"}, "factor": 30.0}
    served = [front.show(n=12, boosts=(boost,)) for _ in range(5)]

    assert [front.engine.replay(one.decision_id) for one in served] == served
    assert served[0].policy.parameters == {"floor": 0.2, "horizon": 1.0}


def test_old_decisions_are_read_from_the_log(front: Any) -> None:
    """Memory holds the newest; the rest is asked of the log, and replays the same."""
    first = front.show()
    for number in range(DECISIONS_KEPT):
        other = msgspec.structs.replace(first, decision_id=f"other-{number}")
        front.engine.decision_record(other)

    assert front.engine.newest_decisions(1) == [other]
    assert first not in front.engine.newest_decisions(DECISIONS_KEPT)
    assert front.engine.decision(first.decision_id) == first
    assert front.engine.replay(first.decision_id) == first


def test_an_unknown_decision_is_said_to_be(front: Any) -> None:
    """Neither found nor replayed."""

    with pytest.raises(UnknownDecision, match="no decision 'r-0' is on the log"):
        front.engine.decision("r-0")
    with pytest.raises(UnknownDecision, match="no decision 'r-0' is on the log"):
        front.engine.replay("r-0")


def test_the_same_seed_is_the_same_shop(live: Live) -> None:
    """Two engines in memory with one seed and one world write the same log, byte for byte."""
    one, two = (Engine.in_memory(clock=ManualClock(), seed=9) for _ in range(2))
    live(one, 30)
    live(two, 30)

    assert list(one.log.read()) == list(two.log.read())


# ---------------------------------------------------------------- records and nouns


def test_duplicates_fold_once(front: Any) -> None:
    """An event that is sent again has a receipt, and changes nothing."""
    record = front.engine.event_records([EVENT])[0]
    first, again = front.engine.store([record, record])
    third = front.engine.store([record])[0]

    assert (first.duplicate, again.duplicate, third.duplicate) == (False, True, True)
    assert {first.seq, again.seq, third.seq} == {first.seq}
    assert front.engine.export("u-1")["profile"]["events"] == 1


def test_catalogue_and_coupons_come_and_go(front: Any) -> None:
    """An item that is removed is a stranger again, and is shown no more."""
    engine = front.engine
    before = engine.item("sku-3")
    engine.store([engine.item_removal("sku-3"), engine.coupon_record(_coupon())])
    engine.store([engine.coupon_removal("ten")])

    assert before is not None
    assert engine.item("sku-3") is None
    assert engine.item("never") is None
    assert "sku-3" not in {slot.item_id for slot in front.show(n=60).slots}


def _coupon() -> Coupon:
    return Coupon(coupon_id="ten", kind="percent", discount=10.0)


def test_export_holds_all_and_forgetting_drops_the_profile(front: Any) -> None:
    """User, events and decisions of every linked id; after a removal the profile is empty."""
    engine = front.engine
    front.say("login", user_id="u-1")
    front.say("view_item", Line(item_id="sku-4"))
    decision = front.show()
    engine.store([engine.user_record(User(user_id="u-1", locale="de"))])
    held = engine.export("u-1")
    engine.store([engine.user_removal("u-1")])
    after = engine.export("u-1")

    assert held["user"]["locale"] == "de"
    assert len(held["events"]) == 2
    assert [one["decision_id"] for one in held["decisions"]] == [decision.decision_id]
    assert held["profile"]["events"] == 2
    assert after["user"] is None
    assert after["profile"]["events"] == 0


def test_summary_and_departments(front: Any) -> None:
    """What a person is told: figures, and top-level categories by size."""
    front.stock(Item(item_id="x", categories=("Shelf 3/Box",)))
    state = dict(front.engine.summary()["state"])

    assert state["Items on sale"] == "61"
    assert state["Records folded in"] == "61"
    assert front.engine.departments()[0] == "Shelf 3"
    assert front.engine.level("home") > 0


# ---------------------------------------------------------------- the data directory


def test_decisions_survive_a_restart(shop: Engine, nouns: Nouns) -> None:
    """Read from disk by another engine they are the served ones, and replay."""
    served = nouns(shop, Kind.DECISION)
    folder = shop.home.folder  # type: ignore[union-attr]
    reader = Engine.open(folder, read_only=True, settings=shop.settings, clock=shop.clock)
    read = [reader.decision(one.decision_id) for one in served]
    again = [reader.replay(one.decision_id) for one in served]
    reader.close()

    assert served == list(reversed(shop.newest_decisions(len(served))))
    assert read == served
    assert again == served


def test_one_writer(shop: Engine) -> None:
    """A second engine is told who holds the log; a reader is let in beside."""
    folder = shop.home.folder  # type: ignore[union-attr]

    with pytest.raises(LogLocked, match="is writing to this log; stop it first"):
        Engine.open(folder)
    reader = Engine.open(folder, read_only=True, settings=shop.settings, clock=shop.clock)
    query = Query(placement="home", anonymous_id="x")

    assert reader.recommend(query).mean == shop.recommend(query).mean
    reader.close()


def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    """Nothing is made by opening."""

    with pytest.raises(SettingsError, match="is not an Equipoise data directory"):
        Engine.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
