"""The ladder: from how far down a list had to be served, and in words why it is short."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class FallbackLevel(StrEnum):
    """Rungs, best first."""

    PERSONALISED = "personalised"
    """From a fitted recommender, by the shopper's history."""
    SESSION = "session"
    """From what the shopper did of late, without a fitted recommender."""
    ITEM_ITEM = "item_item"
    """From the item of the page alone."""
    POPULAR = "popular"
    """What everybody likes."""
    CATALOGUE = "catalogue"
    """Anything that the shop sells."""
    NONE = "none"
    """Nothing at all."""


RUNGS: dict[str, FallbackLevel] = {
    "co_viewed": FallbackLevel.SESSION,
    "favourites": FallbackLevel.SESSION,
    "similar": FallbackLevel.ITEM_ITEM,
    "popularity": FallbackLevel.POPULAR,
    "trending": FallbackLevel.POPULAR,
    "new": FallbackLevel.CATALOGUE,
    "anything": FallbackLevel.CATALOGUE,
}
"""Where a source stands. Any other is a fitted recommender, which scores a history."""


def level_of(served: Iterable[str]) -> FallbackLevel:
    """The best rung of the sources that filled a slate, one name a slot; none for no slots."""
    rungs = {RUNGS.get(source, FallbackLevel.PERSONALISED) for source in served}
    return next((rung for rung in FallbackLevel if rung in rungs), FallbackLevel.NONE)


def reason_for(shown: int, asked: int, eligible: int, candidates: int | None = None) -> str:
    """Why a list is shorter than asked; empty where it is not.

    Args:
        shown: slots filled.
        asked: slots asked for.
        eligible: items that the shop may show this shopper here (stock, dates, filter, exclusions).
        candidates: items that the placement's sources proposed of these; None: all of them.
    """
    if shown >= asked:
        return ""
    proposed = eligible if candidates is None else candidates
    if eligible <= shown:
        why = f"{_items(eligible)} in stock, within dates and allowed by filter and exclusions"
    elif proposed <= shown:
        why = f"the placement's sources proposed {_items(proposed)} of {eligible} eligible"
    else:
        why = f"rules closed the rest of {_items(proposed)} proposed (limits by group, pins)"
    return f"{_items(asked)} asked for, {shown} shown: {why}"


def _items(n: int) -> str:
    return f"{n or 'no'} item{'' if n == 1 else 's'}"
