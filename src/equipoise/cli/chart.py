"""A line chart with bands as SVG: one string, no script, no font to load, readable in grey."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8c8c3c")
"""Okabe and Ito's, which colour-blind readers tell apart, and one more."""
DASHES = ("", "6 3", "2 2", "8 3 2 3")
"""Lines differ in these too: for whoever prints in grey."""
WIDTH, HEIGHT = 930, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 320, 48, 52
TICKS = 5


@dataclass(frozen=True)
class Series:
    """One line and, around it, what it varies by."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class _Frame:
    """From the numbers to the page."""

    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, x: float) -> float:
        first, last = self.x
        return LEFT + (x - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def down(self, y: float) -> float:
        low, high = self.y
        return HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> str:
        pairs = zip(xs, ys, strict=True)
        return " ".join(f"{self.across(x):.1f},{self.down(y):.1f}" for x, y in pairs)


def line_chart(title: str, series: Sequence[Series], *, x_label: str, y_label: str) -> str:
    """The chart; the vertical axis begins at 0, or below where a band does.

    Raises:
        ValueError: no series, or one without two points.
    """
    if not series or any(len(one.x) < 2 for one in series):
        raise ValueError("a chart needs at least one series, each of two points at least")
    frame = _frame(series)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            ' font-family="system-ui, sans-serif" font-size="13" fill="#222">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            _text(LEFT, TOP - 20, title, size=15),
            *_grid(frame),
            *(_band(frame, one, place) for place, one in enumerate(series)),
            *(_line(frame, one, place) for place, one in enumerate(series)),
            *(_key(one, place) for place, one in enumerate(series)),
            _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_label, anchor="middle"),
            f'<g transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">'
            f"{_text(0, 0, y_label, anchor='middle')}</g>",
            "</svg>\n",
        ]
    )


def ticks(low: float, high: float) -> list[float]:
    """Some TICKS round numbers within low and high, 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1.0, 2.0, 5.0, 10.0) if power * times >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [count * step for count in range(first, last + 1)]


def _frame(series: Sequence[Series]) -> _Frame:
    xs = [x for one in series for x in one.x]
    low = min(0.0, *(y for one in series for y in one.low))
    high = max(y for one in series for y in one.high)
    return _Frame((min(xs), max(xs)), (low, high if high > low else low + 1.0))


def _grid(frame: _Frame) -> Iterable[str]:
    for y in ticks(*frame.y):
        at = frame.down(y)
        yield f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield _text(LEFT - 8, at + 4, f"{y:g}", anchor="end")
    for x in ticks(*frame.x):
        yield _text(frame.across(x), HEIGHT - BOTTOM + 18, f"{x:,g}", anchor="middle")


def _band(frame: _Frame, one: Series, place: int) -> str:
    there = frame.points(one.x, one.high)
    back = frame.points(list(one.x)[::-1], list(one.low)[::-1])
    return f'<polygon points="{there} {back}" fill="{_colour(place)}" fill-opacity="0.12"/>'


def _line(frame: _Frame, one: Series, place: int) -> str:
    return f'<polyline points="{frame.points(one.x, one.y)}" fill="none" {_stroke(place)}/>'


def _key(one: Series, place: int) -> str:
    x, y = WIDTH - RIGHT + 16, TOP + 10 + 22 * place
    return f'<path d="M{x} {y - 4}h26" {_stroke(place)}/>{_text(x + 34, y, one.name)}'


def _stroke(place: int) -> str:
    dash = DASHES[place % len(DASHES)]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'stroke="{_colour(place)}" stroke-width="2"{dashed}'


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 13) -> str:
    placed = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {placed}>{escape(words)}</text>"
