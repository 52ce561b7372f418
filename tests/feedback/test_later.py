"""Clicks that wait for the slots that were left beside them."""

from __future__ import annotations

from equipoise.feedback.later import Later
from equipoise.types import Slot


def slot(item: str) -> Slot:
    return Slot(
        item_id=item, position=0, propensity=0.1, explored=False, pinned=False, source="als",
        mean=0.1, variance=0.0, look=1.0, rate=0.1, features=(1.0,),
    )  # fmt: skip


def told(later: Later, now: int) -> list[tuple[str, float | None]]:
    return [(one.item_id, looked) for one, looked in later.until(now)]


def test_each_is_heard_at_its_time_and_once() -> None:
    """The earliest first, those of one time in the order they came."""
    later = Later()
    for due, item in ((30, "a"), (10, "b"), (30, "c"), (20, "d")):
        later.put(due, slot(item), 0.5)

    assert told(later, 9) == []
    assert told(later, 20) == [("b", 0.5), ("d", 0.5)]
    assert told(later, 99) == [("a", 0.5), ("c", 0.5)]
    assert told(later, 99) == []


def test_dumped_and_loaded_it_goes_on() -> None:
    """The same, to the byte, whatever the heap looked like."""
    later, again = Later(), Later()
    for due, item in ((30, "a"), (10, "b"), (20, "c")):
        later.put(due, slot(item), None)
    again.load(later.dump())

    assert {k: v.tobytes() for k, v in again.dump().items()} == {
        k: v.tobytes() for k, v in later.dump().items()
    }
    assert told(again, 99) == told(later, 99)
    assert len(later) == 0
