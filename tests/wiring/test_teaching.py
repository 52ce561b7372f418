"""What teaches the learner, and what does not: tokens, windows, zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from equipoise.clock import ManualClock
from equipoise.types import Kind, Line

Open = Callable[..., Any]


def test_a_good_token_teaches_once(front: Any) -> None:
    """The first click is one look; said again, or seen again, it adds none."""
    decision = front.show(n=3)
    front.see(decision)
    front.say("select_item", front.line(decision, 0))
    once = front.looks
    front.say("select_item", front.line(decision, 0))
    front.say("view_item", front.line(decision, 0))
    front.see(decision)

    assert once == decision.slots[0].look == 1.0
    assert front.looks == once


@pytest.mark.parametrize("whose", ["none", "forged", "other item", "other shop", "garbage"])
def test_a_bad_token_teaches_nothing(front: Any, opened: Open, whose: str) -> None:
    """Only this shop's word for this item counts."""
    decision = front.show(n=3)
    front.see(decision)
    good = front.engine.token(decision, 0)
    stranger = opened(seed=8)
    token = {
        "none": None,
        "forged": good[:-2] + ("AA" if good[-2:] != "AA" else "BB"),
        "other item": front.engine.token(decision, 1),
        "other shop": stranger.engine.token(decision, 0),
        "garbage": "ö" * 40,
    }[whose]
    front.say("select_item", Line(item_id=decision.slots[0].item_id, token=token))
    front.say("purchase", Line(item_id=decision.slots[0].item_id, token=token))

    assert front.looks == 0


def test_an_expired_token_teaches_nothing(opened: Open, item_of: Any, clock: ManualClock) -> None:
    """Even where the slot would still wait for its click."""
    front = opened(server={"token_lifetime_hours": 0.1})
    front.stock(item_of(0))
    decision = front.show(n=1)
    front.see(decision)
    clock.advance(seconds=360)
    front.say("select_item", front.line(decision, 0))
    late = front.looks
    decision = front.show(n=1)
    clock.advance(seconds=359)
    front.say("select_item", front.line(decision, 0))

    assert (late, front.looks) == (0, 1)


def test_a_token_that_was_passed_on_teaches_nothing(front: Any) -> None:
    """A slot can be earned only by whom it was shown to."""
    decision = front.show(n=1)
    front.see(decision)
    front.say("select_item", front.line(decision, 0), who="c-2")

    assert front.looks == 0


def test_a_token_is_not_kept(front: Any) -> None:
    """The log holds what the token proved, not the token."""
    decision = front.show(n=1)
    front.say("select_item", front.line(decision, 0))
    (body,) = (s.record.body for s in front.engine.log.read(kinds=(Kind.EVENT,)))

    assert b"token" not in body
    assert decision.decision_id.encode() in body


def test_a_shown_slot_without_a_click_becomes_a_zero(front: Any, clock: ManualClock) -> None:
    """After its window and not before; only what was seen; only once."""
    shown, unseen = front.show(n=3), front.show(n=3)
    front.see(shown)
    clock.advance(seconds=1_799)
    early = front.tick()
    clock.advance(seconds=1)
    due, left = front.tick(), front.looks
    clock.advance(days=2)

    assert (early, due) == (False, True)
    assert left == pytest.approx(sum(slot.look for slot in shown.slots))
    assert not front.tick()
    assert front.looks == left
    assert unseen.slots


def test_zeros_lower_and_clicks_raise(opened: Open, item_of: Any, clock: ManualClock) -> None:
    """The belief about an item follows what became of it."""
    front = opened()
    front.stock(item_of(0), item_of(6))
    good, bad = front.engine.knowledge.catalogue.find("sku-0"), 1
    for _ in range(12):
        decision = front.show(n=2)
        front.see(decision)
        place = [slot.position for slot in decision.slots].index(good)
        front.say("select_item", front.line(decision, place))
        clock.advance(seconds=1_801)
        front.tick()
    last = {slot.position: slot.rate for slot in front.show(n=2).slots}

    assert last[good] > last[bad]


def test_a_second_is_enough(front: Any) -> None:
    """Stored is learnt: the very next decision stands on the record of the click."""
    decision = front.show(n=2)
    front.say("select_item", front.line(decision, 0))
    after = front.show(n=2)

    assert after.seq == front.engine.log.last - 1
    assert after.seq > decision.seq
