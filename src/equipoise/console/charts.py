"""Our own small charts: numbers to the points of an SVG that a template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 96.0, 24.0, 10.0, 26.0
"""Room for what stands beside the lines."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    says: str


@dataclass(frozen=True, slots=True)
class Fan:
    """A line of points with a band about it; all in the units of ``viewBox``."""

    line: str
    band: str
    """Paths, as the attribute ``d`` of an SVG."""
    points: list[tuple[float, float]]
    columns: list[Tick]
    rows: list[Tick]
    marked: int
    """The point that stands for what is set now; -1 for none."""
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT


def fan(
    names: Sequence[str],
    middle: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    rows: Sequence[tuple[float, str]],
    *,
    marked: int = -1,
) -> Fan:
    """One point a name, evenly spaced; ``rows`` are values of the upright axis, with their words.

    Raises:
        ValueError: columns of different lengths, or fewer than two points.
    """
    if len({len(names), len(middle), len(low), len(high)}) != 1 or len(names) < 2:
        raise ValueError(
            f"{len(names)} names, {len(middle)} points and a band of {len(low)} and {len(high)}; "
            "all must be as many, two at least"
        )
    values = [*low, *high, *middle, *(value for value, _ in rows)]
    least, most = min(values), max(values)
    xs = [_between(i / (len(names) - 1), LEFT, WIDTH - RIGHT) for i in range(len(names))]

    def y(value: float) -> float:
        share = (value - least) / (most - least) if most > least else 0.5
        return _between(share, HEIGHT - BOTTOM, TOP)

    upper = list(zip(xs, map(y, high), strict=True))
    lower = list(zip(xs, map(y, low), strict=True))
    points = list(zip(xs, map(y, middle), strict=True))
    return Fan(
        line=_path(points),
        band=f"{_path([*upper, *reversed(lower)])}Z",
        points=points,
        columns=[Tick(x, name) for x, name in zip(xs, names, strict=True)],
        rows=[Tick(y(value), says) for value, says in rows],
        marked=marked,
    )


def spark(values: Sequence[float], *, width: float = 120.0, height: float = 24.0) -> str:
    """A path that steps from one value to the next, 0 at its foot; empty for none of them."""
    if not values:
        return ""
    most = max(*values, 0.0) or 1.0
    step, points = width / len(values), []
    for i, value in enumerate(values):
        y = round(height - 1.0 - (height - 2.0) * value / most, 1)
        points += [(round(i * step, 1), y), (round((i + 1) * step, 1), y)]
    return _path(points)


def _between(share: float, start: float, end: float) -> float:
    return round(start + share * (end - start), 1)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
