"""Clicks of items stand on several memories: time passes for them as the log's records come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.clock import ManualClock
from equipoise.errors import SettingsError
from equipoise.knowledge import Knowledge
from equipoise.settings import build


def known(front: Any) -> list[float]:
    """Looks that each memory still has on record, the shortest first."""
    return [float(belief.looks.sum()) for belief in front.engine.knowledge.clicks.beliefs]


def lived(front: Any, clock: ManualClock, lists: int) -> None:
    """Lists that were seen and left."""
    for n in range(lists):
        front.see(front.show(n=5), who=f"c-{n}")
        clock.advance(seconds=1_900)
    front.say("page_view", who="c-z")


def test_memories_fade_by_the_day(front: Any, clock: ManualClock) -> None:
    """After the half-life of one, it has half left to a step's rounding; the longest has all."""
    lived(front, clock, 20)
    before = known(front)
    clock.advance(seconds=12 * 86_400)
    front.say("page_view", who="c-z")
    shortest, middle, long, never = (
        after / held for after, held in zip(known(front), before, strict=True)
    )

    assert shortest == pytest.approx(2.0**-4, rel=0.2)
    assert middle == pytest.approx(0.5, rel=0.05)
    assert long == pytest.approx(2.0**-0.25, rel=0.05)
    assert never == 1.0


def test_what_is_outdated_shortens_the_horizon(front: Any, clock: ManualClock) -> None:
    """By half of what the memories in use forget: less is worth finding out."""
    lived(front, clock, 20)
    knowledge, days = front.engine.knowledge, front.engine.settings.exploration.planning_days
    rate = knowledge.clicks.weights @ (1.0 / np.array([3.0, 12.0, 48.0, np.inf]))
    ends = 1.0 / days + knowledge.tempo.turnover

    assert knowledge.clicks.outdating == pytest.approx(0.5 * rate)
    assert front.engine.walk.horizon("home") == pytest.approx(
        knowledge.tempo.horizon("home", days) * ends / (ends + 0.5 * rate)
    )


def test_no_memories_asked_for_nothing_is_forgotten() -> None:
    """One memory, that of before."""
    clicks = Knowledge(build({"ranking": {"click_memories_days": []}})).clicks

    assert len(clicks.beliefs) == 1
    assert clicks.outdating == 0.0


@pytest.mark.parametrize("days", [[3.0, 3.0], [12.0, 3.0], [0.0], [float("inf")]])
def test_memories_that_cannot_be(days: list[float]) -> None:
    """With the value and what would be right."""
    with pytest.raises(SettingsError, match=r"click_memories_days is .*; days, rising"):
        build({"ranking": {"click_memories_days": days}})
