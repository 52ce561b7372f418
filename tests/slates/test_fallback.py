"""The ladder's rungs, and why a list is short."""

from __future__ import annotations

import pytest

from equipoise.slates.fallback import FallbackLevel, level_of, reason_for


@pytest.mark.parametrize(
    ("served", "level"),
    [
        (["als", "trending", "anything"], "personalised"),
        (["trending", "co_viewed"], "session"),
        (["anything", "similar"], "item_item"),
        (["new", "popularity"], "popular"),
        (["new", "anything"], "catalogue"),
        ([], "none"),
    ],
)
def test_the_best_rung_that_served(served: list[str], level: str) -> None:
    """One slot from a better source is enough; whatever has no rung is a fitted recommender."""
    assert level_of(served) == level
    assert FallbackLevel(level) is level_of(served)


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ((12, 12, 90), ""),
        (
            (3, 12, 3),
            "12 items asked for, 3 shown: "
            "3 items in stock, within dates and allowed by filter and exclusions",
        ),
        (
            (0, 1, 0),
            "1 item asked for, 0 shown: "
            "no items in stock, within dates and allowed by filter and exclusions",
        ),
        (
            (2, 5, 40, 2),
            "5 items asked for, 2 shown: the placement's sources proposed 2 items of 40 eligible",
        ),
        (
            (4, 5, 40, 20),
            "5 items asked for, 4 shown: "
            "rules closed the rest of 20 items proposed (limits by group, pins)",
        ),
    ],
)
def test_a_short_list_has_a_reason(numbers: tuple[int, ...], reason: str) -> None:
    """Stock and filters first, then the sources, then the rules; a full list needs none."""
    assert reason_for(*numbers) == reason
