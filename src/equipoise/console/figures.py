"""From tallies and beliefs to what the console shows: numbers with their population, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.types import Floats

MINUTE = 60_000
SMOOTH = 5
"""Points of the moving means."""

Series = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure, its title, and what it is a figure *of*."""

    title: str
    figure: str
    of: str
    kind: str = ""


def tiles(series: Series, *, minutes: int, budget: float | None, currency: str) -> list[Tile]:
    """The row of figures at the top; ``budget`` is None where several placements are mixed."""
    total = {name: float(np.nansum(column)) for name, column in series.items() if name != "ts"}
    span = f"last {span_words(minutes)}"
    target = "each placement has its own budget" if budget is None else f"budget {percent(budget)}"
    return [
        Tile(
            "Lists served", f"{total['decisions']:,.0f}", f"{span}; {total['events']:,.0f} events"
        ),
        _rate_tile("Click rate, exploited", total, "exploited"),
        _rate_tile("Click rate, explored", total, "explored"),
        Tile(
            "Spent on exploring",
            money(total["cost"], currency),
            f"{ratio_words(total['cost'], total['expected'])} of "
            f"{money(total['expected'], currency)} expected; {target}",
        ),
        Tile(
            "Earned by lists",
            money(total["worth_exploited"] + total["worth_explored"], currency),
            f"worth of credited clicks, carts, orders; {money(total['worth_explored'], currency)} "
            "of it in explored slots",
        ),
        Tile(
            "Orders",
            f"{total['orders']:,.0f}",
            f"{money(total['revenue'], currency)} revenue, all orders, {span}",
        ),
    ]


def _rate_tile(title: str, total: Mapping[str, float], kind: str) -> Tile:
    clicks, shown = total[f"clicks_{kind}"], total[f"shown_{kind}"]
    return Tile(
        title, ratio_words(clicks, shown), f"{clicks:,.0f} clicks of {shown:,.0f} slots shown", kind
    )


def charts(series: Series, *, budget: float | None) -> dict[str, list[float | None]]:
    """Columns for the four charts; None where a minute has nothing to divide by."""
    minutes = series["ts"]
    clicked = {kind: moving_ratio(series[f"clicks_{kind}"], series[f"shown_{kind}"])
               for kind in ("exploited", "explored")}  # fmt: skip
    decisions = series["decisions"]
    worth = series["worth_exploited"] + series["worth_explored"]
    return {
        "time": (minutes // 1_000).tolist(),
        "events": _plain(series["events"].astype(float)),
        "ctr_exploited": _plain(
            moving_ratio(series["clicks_exploited"], series["shown_exploited"])
        ),
        "ctr_explored": _plain(clicked["explored"]),
        "spent": _plain(moving_ratio(series["cost"], series["expected"])),
        "budget": [budget] * len(minutes),
        "worth": _plain(moving_ratio(worth, decisions)),
    }


def moving_ratio(above: NDArray[Any], below: NDArray[Any], width: int = SMOOTH) -> Floats:
    """Sum over the last ``width`` points of one column by that of the other; NaN where that is 0."""
    window = np.ones(width)
    numerator = np.convolve(above.astype(float), window)[: len(above)]
    denominator = np.convolve(below.astype(float), window)[: len(below)]
    ratio: Floats = np.divide(
        numerator, denominator, out=np.full(len(above), np.nan), where=denominator > 0
    )
    return ratio


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"


def ratio_words(above: float, below: float) -> str:
    return percent(above / below) if below > 0 else "none yet"


def money(amount: float, currency: str) -> str:
    return f"{amount:,.2f} {currency}"


def span_words(minutes: int) -> str:
    if minutes % 1_440 == 0:
        days = minutes // 1_440
        return "day" if days == 1 else f"{days} days"
    if minutes % 60 == 0:
        hours = minutes // 60
        return "hour" if hours == 1 else f"{hours} hours"
    return f"{minutes} minutes"


def _plain(column: Floats) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in column.tolist()]
