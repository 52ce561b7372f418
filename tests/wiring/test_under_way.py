"""What is not known yet: slots that are served, clicks that may still be bought or are withheld."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from equipoise.clock import ManualClock
from equipoise.ranking.features import NAMES

DAY = 86_400


def variance(front: Any, item: int) -> float:
    """Of the belief about an item shown to anybody."""
    items, g = np.array([item], np.int32), np.zeros((1, len(NAMES)))
    g[:, 0] = 1.0
    knowledge = front.engine.knowledge
    _, scored = knowledge.model.score(items, knowledge.catalogue.category[items], g)
    return float(scored.variance[0])


def pending(front: Any, belief: str = "clicks") -> float:
    arrays = front.engine.knowledge.model.arrays()
    # The belief about clicks keeps what is under way beside its looks and clicks.
    column = arrays["clicks.0.arms"][:, 2] if belief == "clicks" else arrays[f"{belief}.pending"]
    return float(column.sum())


def taught(front: Any) -> list[bytes]:
    """All that was learnt of items, matches and places; not what is under way, nor the time."""
    knowledge = front.engine.knowledge
    learnt = {
        name: array[:, :2] if name.startswith("clicks.") and name.endswith("arms") else array
        for name, array in knowledge.model.arrays().items()
        if not name.endswith(("pending", "clock"))
    }
    sized = [v[v != 0].tobytes() for k, v in sorted(learnt.items()) if k.endswith("arms")]
    rest = [v.tobytes() for k, v in sorted(learnt.items()) if "arm" not in k]
    return [*sized, *rest, knowledge.examination.look("home", 12).tobytes()]


def test_what_is_served_narrows_the_spread_until_it_is_settled(
    front: Any, clock: ManualClock
) -> None:
    """The next list knows that answers are under way; a slot that is never seen leaves nothing."""
    item = front.show(n=1).slots[0].position
    clock.advance(seconds=2_000)
    front.say("page_view", who="c-9")
    before = variance(front, item)
    shown = front.show(n=60)
    during = variance(front, item)
    clock.advance(seconds=1_801)
    front.say("page_view", who="c-9")

    assert any(slot.position == item for slot in shown.slots)
    assert during < before
    assert variance(front, item) == before
    assert pending(front) == 0.0


def test_a_slot_that_was_served_and_never_seen_teaches_nothing(
    front: Any, clock: ManualClock
) -> None:
    """Neither of the item, nor of the match, nor of the place."""
    before = taught(front)
    for _ in range(40):
        front.show(n=5)
        clock.advance(seconds=1_801)
    front.say("page_view", who="c-9")

    assert taught(front) == before
    assert front.looks == 0
    assert pending(front) == 0.0
    assert len(front.engine.knowledge.examination) == 0


def test_every_end_settles_what_was_under_way(front: Any, clock: ManualClock) -> None:
    """A click, slots that were left, those of an erased person, and of a list half seen."""
    clicked, left = (front.show(f"c-{n}", n=3) for n in (1, 2))
    erased = front.show("c-3", n=3, user_id="u-3")
    for decision, who in ((clicked, "c-1"), (left, "c-2"), (erased, "c-3")):
        front.see(decision, who=who)
    half = front.show("c-4", n=3)
    front.say("view_item_list", front.line(half, 0), who="c-4")
    front.say("select_item", front.line(clicked, 0), who="c-1")
    front.say("select_item", front.line(erased, 1), who="c-3")
    began = pending(front)
    front.engine.store([front.engine.user_removal("u-3")])
    clock.advance(seconds=1_801)
    front.tick()

    assert began > 0
    assert pending(front) == 0.0
    assert len(front.engine.knowledge.examination) == 0


def test_a_click_counts_by_degrees_and_then_in_full(front: Any, clock: ManualClock) -> None:
    """As its orders can have come in; what it earned with it. Until then its worth is awaited."""
    decision = front.show(n=1)
    front.say("select_item", front.line(decision, 0))
    front.say("purchase", front.line(decision, 0))
    sums = []
    for hours in (0, 1, 5, 18):
        clock.advance(seconds=hours * 3_600)
        front.say("page_view", who="c-9")
        clicks, worth = front.engine.knowledge.model.arrays()["worth.arms"].sum(axis=0).tolist()
        sums.append((clicks, worth, pending(front, "worth")))

    assert sums[0] == (0.0, 0.0, 1.0)
    assert 0 < sums[1][0] < sums[2][0] < 1
    assert [clicks + left for clicks, _, left in sums] == [1.0] * 4
    assert sums[3][1] == pytest.approx(front.engine.knowledge.worth.click + 2.0)


def test_an_erased_persons_click_is_awaited_no_more(front: Any, clock: ManualClock) -> None:
    """It stays counted as far as it was heard."""
    decision = front.show(n=1, user_id="u-1")
    front.say("select_item", front.line(decision, 0), user_id="u-1")
    clock.advance(seconds=3_600)
    front.engine.store([front.engine.user_removal("u-1")])
    heard = front.engine.knowledge.model.arrays()["worth.arms"][:, 0].sum()
    clock.advance(seconds=2 * DAY)
    front.say("page_view", who="c-9")

    assert 0 < heard < 1
    assert front.engine.knowledge.model.arrays()["worth.arms"][:, 0].sum() == heard
    assert pending(front, "worth") == 0.0
    assert len(front.engine.knowledge.delay) == 0


def test_what_was_withheld_does_not_stay_under_way(front: Any, clock: ManualClock) -> None:
    """A person's second click on an item is not credited; when no verdict can come any more, the
    slot counts as one that was never seen."""
    for _ in range(2):
        decision = front.show(n=60)
        place = next(k for k, slot in enumerate(decision.slots) if slot.item_id == "sku-0")
        front.say("view_item_list", front.line(decision, place))
        front.say("select_item", front.line(decision, place))
        clock.advance(seconds=1)
    clock.advance(seconds=1_801)
    front.say("page_view", who="c-9")
    withheld = pending(front)
    clock.advance(seconds=3 * DAY)
    front.say("page_view", who="c-9")

    assert front.engine.knowledge.credit.withheld["person"] == 1
    assert withheld > 0
    assert pending(front) == 0.0
    assert len(front.engine.knowledge.examination) == 0


@pytest.mark.parametrize("name", ["position", "cascade"])
def test_how_lists_are_read_may_be_stated(opened: Any, item_of: Any, name: str) -> None:
    """Placement by placement, in the settings."""
    front = opened(placements={"home": {"examination": name}})
    front.stock(item_of(0))
    front.show(n=1)

    assert front.engine.knowledge.examination.model("home") == name
    assert front.engine.knowledge.examination.model("feed") == "position"


def rate(front: Any, item: int) -> float:
    """Clicks a look that are believed of an item."""
    mean, _ = front.engine.knowledge.clicks.predict(np.array([item]), np.array([-1]))
    return float(mean[0])


def test_a_rush_is_not_taken_for_a_triumph(front: Any, clock: ManualClock) -> None:
    """Within one click window four hundred see an item each, every twentieth clicks at once, and
    nobody knows yet of the others. No rate is believed to be far above a twentieth all the same,
    and what is shown most is rated the same once all is known; nor does any match seem better for
    it before."""
    weights, shown = front.engine.knowledge.model.summary()["weights"], Counter[int]()
    for n in range(400):
        decision = front.show(f"r-{n}", n=1)
        front.see(decision, who=f"r-{n}")
        shown[decision.slots[0].position] += 1
        if n % 20 == 0:
            front.say("select_item", front.line(decision, 0), who=f"r-{n}")
        clock.advance(seconds=1)
    item, times = shown.most_common(1)[0]
    early = rate(front, item)
    told = front.engine.knowledge.model.summary()["weights"]
    clock.advance(seconds=1_801)
    front.tick()
    front.say("page_view", who="c-9")

    assert times > 30
    assert max(rate(front, one) for one in shown) < 0.1
    assert 0.02 < early < 0.08
    assert rate(front, item) == pytest.approx(early, rel=0.4)
    assert told == weights
    assert pending(front) == 0.0
    assert front.engine.knowledge.clicks.beliefs[0].in_view.sum() == 0.0


def test_views_of_one_person_count_as_often_as_verdicts_do(front: Any, clock: ManualClock) -> None:
    """Whoever looks at an item a hundred times within the window buries it no deeper than by
    twenty looks."""
    for _ in range(100):
        front.see(front.show("c-1", n=1))
    in_view = front.engine.knowledge.clicks.beliefs[0].in_view

    assert 0.0 < in_view.max() <= 20.5
