"""What a row counts: by what happened, and by how long ago.

Weights say an order and a rough ratio, no more; a method that uses values (``use_values=True``)
should have them tuned like any other setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import DAY
from equipoise.data.columns import Column, listed
from equipoise.errors import InvalidInteractions
from equipoise.types import Event, Floats32, Milliseconds

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "view_item": 1.0,
        "add_to_wishlist": 2.0,
        "share": 2.0,
        "add_to_cart": 3.0,
        "purchase": 5.0,
        "remove_from_cart": -2.0,
        "refund": -5.0,
        "dislike": -5.0,
        "review": 1.0,
    }
)
"""What a row of an event counts. A review counts its stars times this: one star as little as a
view, five as much as a purchase. What is negative takes back what the same pair earned before; the
methods that know positive values only take a pair whose sum is not above 0 for one never met."""


def weigh(kinds: Column, weights: Mapping[Any, float] = WEIGHTS, name: str = "events") -> Floats32:
    """(n,) the weight of each row's kind. Any names will do: ``weigh(kinds, {"play": 1, "skip":
    -1})``; a kind of weight 0 keeps its rows and adds nothing.

    Raises:
        InvalidInteractions: a kind without a weight (nothing is left out silently), or a weight
            that is not finite.
    """
    for kind, weight in weights.items():
        if not np.isfinite(weight):
            raise InvalidInteractions(
                f"the weight of {kind!r} is {weight}; a finite number is wanted", code="weight"
            )
    values = listed(kinds)
    try:
        return np.fromiter(map(weights.__getitem__, values), np.float32, len(values))
    except KeyError:
        row = next(row for row, kind in enumerate(values) if kind not in weights)
    raise InvalidInteractions(
        f"row {row} of column {name!r} is {values[row]!r}, which has no weight; those with one are"
        f" {', '.join(map(str, weights))}",
        code="weight",
        pointer=f"/{name}/{row}",
    )


def worth(event: Event, weights: Mapping[str, float]) -> float | None:
    """What a line of ``event`` counts; None for one without a weight, or a review without stars."""
    weight = weights.get(event.event)
    if weight is None or event.event != "review":
        return weight
    stars = event.attributes.get("rating", event.value)
    return weight * stars if isinstance(stars, int | float) else None


def decayed(
    values: NDArray[Any],
    timestamp: NDArray[np.int64] | None,
    half_life_days: float,
    *,
    now: Milliseconds | None = None,
) -> Floats32:
    """``values`` · 2^(−age / half-life), age counted from ``now``, by default the newest row.

    Exponential forgetting as in Ding, Li, "Time weight collaborative filtering", CIKM 2005. Where
    ``now`` lies only changes a common factor. Very old values reach 0 (below 1e-38).

    Args:
        values: (n,).
        timestamp: (n,) milliseconds.

    Raises:
        InvalidInteractions: no times, a half-life that is not above 0, or a row later than ``now``.
    """
    if timestamp is None:
        raise InvalidInteractions("decay needs timestamps", code="missing", pointer="/timestamp")
    if not half_life_days > 0:
        raise InvalidInteractions(
            f"half_life_days is {half_life_days}; days above 0 are wanted",
            pointer="/half_life_days",
        )
    newest = int(timestamp.max(initial=0))
    now = newest if now is None else now
    if newest > now:
        raise InvalidInteractions(
            f"a row is later than now: {newest} > {now} (milliseconds)", pointer="/now"
        )
    age = (now - timestamp) / (half_life_days * DAY)
    faded: Floats32 = (values * np.exp2(-age)).astype(np.float32)
    return faded
