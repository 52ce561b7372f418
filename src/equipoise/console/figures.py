"""From tallies to what the console shows: figures with their population, and charts.

A slot is counted as shown once there is a verdict on it: at once when it is clicked, else when the
click window closes. Until a shop's first window has closed only clicks are known and every rate
would be 100 %, so click rates leave that time out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.console.history import MINUTE, SMOOTH, SPANS, History, Series
from equipoise.console.words import counted, duration, money, number, percent, ratio
from equipoise.types import Floats, Milliseconds

LEAST_MS = 15_000
"""A point that has run for less than this says nothing about a rate a minute."""
VERDICTS = ("clicks_", "shown_")


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure, its unit, its title, and what it is a figure *of*."""

    title: str
    figure: str
    of: str
    unit: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the figures are counted in."""

    currency: str
    click_window_ms: int


# ---------------------------------------------------------------- figures


def tiles(past: History, *, minutes: int, terms: Terms) -> list[Tile]:
    """The row of figures at the top, each over the last ``minutes``."""
    total, judged = _totals(past.last(minutes)), _totals(settled(past, terms).last(minutes))
    currency = terms.currency
    return [
        Tile("Lists served", f"{total['decisions']:,.0f}", "one for each time a placement asked"),
        _rate_tile("exploited", total, judged, terms),
        _rate_tile("explored", total, judged, terms),
        Tile("Spent on exploring", number(max(total["cost"], 0.0)), spent_of(total, terms),
             unit=currency),
        Tile(
            "Earned by lists",
            number(total["worth_exploited"] + total["worth_explored"]),
            "worth of the clicks, carts and orders that slots are credited with; "
            f"{money(total['worth_explored'], currency)} of it by explored ones",
            unit=currency,
        ),
        Tile(
            "Orders",
            f"{total['orders']:,.0f}",
            f"of the whole shop; revenue {money(total['revenue'], currency)}, refunds taken off",
        ),
    ]  # fmt: skip


def spent_of(total: Mapping[str, float], terms: Terms) -> str:
    """What was spent on exploring: which share, of what, against which budget."""
    cost, expected = total["cost"], total["expected"]
    if expected <= 0:
        return "no list has been served"
    share = percent(cost / expected)
    said = f"{share} of {money(expected, terms.currency)} that the lists were expected to earn"
    if share.startswith("−"):
        said = f"nothing: what was drawn looked {share[1:]} better than greedy lists"
    allowed = total["allowed"] / expected
    return said if isnan(allowed) else f"{said}; budget {percent(allowed)}"


def settled(past: History, terms: Terms) -> History:
    """Without the verdicts of the time in which only clicks could be known."""
    if past.decided is None:
        return past
    closes = past.decided + terms.click_window_ms
    known = past.minutes["ts"] > closes
    return replace(
        past,
        minutes={
            name: np.where(known, column, 0.0) if name.startswith(VERDICTS) else column
            for name, column in past.minutes.items()
        },
    )


def _rate_tile(
    kind: str, total: Mapping[str, float], judged: Mapping[str, float], terms: Terms
) -> Tile:
    title, clicks, shown = f"Click rate, {kind}", f"clicks_{kind}", f"shown_{kind}"
    if total[shown] and not judged[shown]:
        so_far = counted(total[clicks], "click")
        later = duration(terms.click_window_ms)
        waits = f"{so_far} so far; a slot without one counts {later} after it was seen"
        return Tile(title, "too early", waits, kind=kind)
    of = f"{counted(judged[clicks], 'click')} of {counted(judged[shown], 'slot')} shown"
    return Tile(title, ratio(judged[clicks], judged[shown]), of, kind=kind)


def _totals(series: Series) -> dict[str, float]:
    return {name: float(column.sum()) for name, column in series.items() if name != "ts"}


# ---------------------------------------------------------------- charts


def charts(past: History, *, minutes: int, terms: Terms) -> dict[str, Any]:
    """Columns of equal length for the four charts, from the first point that holds anything.

    ``time`` is the start of a point in seconds; None stands where there is nothing to divide by.
    Rates are moving: over the last ``SMOOTH`` points, or as many as there are.
    """
    step = SPANS[minutes]
    points = binned(settled(past, terms).minutes, step)
    keep = points["ts"] >= _since(past, minutes, step)
    worth = points["worth_exploited"] + points["worth_explored"]
    columns = {
        "events": _a_minute(points["events"], points["ts"], step, past.now),
        "ctr_exploited": moving_ratio(points["clicks_exploited"], points["shown_exploited"]),
        "ctr_explored": moving_ratio(points["clicks_explored"], points["shown_explored"]),
        "spent": moving_ratio(points["cost"], points["expected"]),
        "budget": moving_ratio(points["allowed"], points["expected"]),
        "worth": moving_ratio(worth, points["decisions"]),
    }
    time = (points["ts"][keep] // 1_000).tolist()
    return {
        "time": time,
        "step": step * 60,
        **{name: _plain(column[keep]) for name, column in columns.items()},
    }


def smoothing(minutes: int) -> str:
    """The window of the moving rates, in words."""
    return duration(SMOOTH * SPANS[minutes] * MINUTE)


def binned(series: Series, step: int) -> dict[str, NDArray[Any]]:
    """Sums over whole multiples of ``step`` minutes; ``ts`` is where each begins."""
    bins = series["ts"] // (step * MINUTE)
    first = bins[0]
    starts = np.arange(first, bins[-1] + 1, dtype=np.int64)
    summed: dict[str, NDArray[Any]] = {
        name: np.bincount(bins - first, weights=column, minlength=len(starts))
        for name, column in series.items()
        if name != "ts"
    }
    return {"ts": starts * step * MINUTE, **summed}


def moving_ratio(above: NDArray[Any], below: NDArray[Any], width: int = SMOOTH) -> Floats:
    """Sum of the last ``width`` points of one column by that of the other; NaN where that is 0."""
    numerator, denominator = _moving_sum(above, width), _moving_sum(below, width)
    ratios: Floats = np.divide(
        numerator, denominator, out=np.full(len(above), np.nan), where=denominator > 0
    )
    return ratios


def _moving_sum(column: NDArray[Any], width: int) -> Floats:
    sums: Floats = np.convolve(column.astype(np.float64), np.ones(width))[: len(column)]
    return sums


def _a_minute(counts: NDArray[Any], starts: NDArray[Any], step: int, now: Milliseconds) -> Floats:
    """Counts a minute; the point that is still running by the time that it has run."""
    ran = np.minimum(now - starts, step * MINUTE)
    rates: Floats = np.where(ran >= LEAST_MS, counts * MINUTE / np.maximum(ran, 1), np.nan)
    return rates


def _since(past: History, minutes: int, step: int) -> Milliseconds:
    """The first point that is drawn: not before anything happened."""
    if past.begun is None:
        return past.now + 1
    asked = past.now - minutes * MINUTE
    return max(asked, past.begun) // (step * MINUTE) * (step * MINUTE)


def _plain(column: Floats) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in column.tolist()]
