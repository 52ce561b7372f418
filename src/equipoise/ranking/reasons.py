"""Why an item is where it is, in plain sentences, from what the slot stored."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from equipoise.ranking.features import NAMES
from equipoise.types import Slot

BY_FEATURE: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        # feature: (sentence, least value that it is worth saying for)
        "similar": ("Goes with the item you are looking at", 0.1),
        "co_viewed": ("Often viewed together with what you looked at", 0.1),
        "recommended": ("Fits what you looked at lately", 0.3),
        "affinity": ("From a category you like", 0.1),
        "repeat": ("You looked at it before", 0.5),
    }
)
BY_SOURCE: Mapping[str, str] = MappingProxyType(
    {
        "similar": "Goes with the item you are looking at",
        "co_viewed": "Often viewed together with what you looked at",
        "favourites": "From a category you like",
        "trending": "Popular these days",
        "popularity": "Popular in this shop",
        "new": "New in the shop",
        "anything": "From the whole range",
    }
)
PINNED = "Placed here by the shop"
LEARN = "Shown to learn about it"
LEARN_NEW = "New: shown to learn about it"


def reasons(slot: Slot, *, most: int = 3) -> list[str]:
    """At most ``most`` sentences, the weightiest first; always one.

    A pin says only that it is one, and an explored slot says so first: it is the whole truth about
    why the shopper sees this and not what was thought best.
    """
    if slot.pinned:
        return [PINNED]
    found = [LEARN_NEW if slot.source == "new" else LEARN] if slot.explored else []
    for feature, (sentence, least) in BY_FEATURE.items():
        if _value(slot, feature) >= least:
            found.append(sentence)
    if not slot.explored or slot.source != "new":
        found.append(BY_SOURCE.get(slot.source, BY_FEATURE["recommended"][0]))
    return list(dict.fromkeys(found))[:most]


def _value(slot: Slot, feature: str) -> float:
    index = NAMES.index(feature)
    return slot.features[index] if index < len(slot.features) else 0.0
