"""The minutes that a page is drawn from, cut to what is asked and to what there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.types import Floats, Milliseconds

MINUTE = 60_000
SPANS = {10: 1, 60: 1, 360: 5, 1_440: 15, 2_880: 30}
"""Minutes that can be shown, each with the minutes that one point of a chart stands for."""
SMOOTH = 5
"""Points of the moving rates."""
KEPT = max(SPANS)
"""Minutes that are read: as many as the tallies keep of a shop that is never quiet."""
OF_THE_SHOP = ("events", "orders", "revenue")
"""What is counted for the whole shop alone, whatever placement is looked at."""

Series = Mapping[str, NDArray[Any]]
"""Columns with one row a minute; ``ts`` is its start."""


class Tallies(Protocol):
    """What is read of ``state.tallies``."""

    @property
    def placements(self) -> list[str]: ...
    def minutes(
        self, since: Milliseconds, until: Milliseconds, placement: str | None = None
    ) -> dict[str, NDArray[Any]]: ...
    def totals(
        self, since: Milliseconds, until: Milliseconds, placement: str | None = None
    ) -> dict[str, float]: ...


@dataclass(frozen=True, slots=True)
class History:
    """Two days of a shop (or of one placement of it) up to now, minute by minute."""

    minutes: Series
    """The fields of the tallies, and ``allowed``: what the budgets let exploring cost."""
    now: Milliseconds
    begun: Milliseconds | None
    """The first minute in which anything happened; None before that, 0 where it is older."""
    decided: Milliseconds | None
    """The same for lists."""

    def last(self, minutes: int) -> Series:
        """The newest ``minutes`` rows, the one that is still running included."""
        return {name: column[-minutes:] for name, column in self.minutes.items()}


def history(
    tallies: Tallies, now: Milliseconds, placement: str, budgets: Mapping[str, float | None]
) -> History:
    """Read what the tallies hold; an empty ``placement`` means all of them.

    ``budgets``: by placement, the share of expected reward that exploring may cost there; None
    where none is kept, and nothing is said of what was allowed in its minutes.
    """
    since = now - now % MINUTE - (KEPT - 1) * MINUTE
    shop = tallies.minutes(since, now + 1)
    chosen = [placement] if placement else [one for one in budgets if one in tallies.placements]
    parts = {one: tallies.minutes(since, now + 1, one) for one in chosen}
    minutes = shop if not placement else parts[placement] | {k: shop[k] for k in OF_THE_SHOP}
    minutes = minutes | {"allowed": _allowed(shop, parts, budgets)}
    older = tallies.totals(0, since, placement or None)
    return History(
        minutes=minutes,
        now=now,
        begun=_first(minutes, ("events", "decisions"), older),
        decided=_first(minutes, ("decisions",), older),
    )


def nearest_span(minutes: int) -> int:
    """The shortest span on offer that covers as much, else the longest."""
    return next((span for span in SPANS if span >= minutes), KEPT)


def _allowed(
    shop: Series, parts: Mapping[str, Series], budgets: Mapping[str, float | None]
) -> Floats:
    allowed = np.zeros(len(shop["ts"]))
    for placement, series in parts.items():
        budget = budgets[placement]
        without = np.where(series["expected"] > 0, np.nan, 0.0)
        allowed += without if budget is None else budget * series["expected"]
    return allowed


def _first(
    minutes: Series, names: tuple[str, ...], older: Mapping[str, float]
) -> Milliseconds | None:
    if any(older[name] for name in names):
        return 0
    rows = np.flatnonzero(np.any([minutes[name] != 0 for name in names], axis=0))
    return int(minutes["ts"][rows[0]]) if len(rows) else None
