"""What each setting did: a panel a keyword, a dot a trial. SVG like ``chart.py``'s."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from equipoise.cli.chart import COLOURS, ticks

ACROSS = 3
WIDTH, HEIGHT = 300, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 64, 40
HEAD = 40


@dataclass(frozen=True)
class Panel:
    """One keyword and, of each trial, its value and what came of it."""

    title: str
    note: str
    x: Sequence[Any]
    """Numbers, or anything else, which then stand side by side by their names."""
    y: Sequence[float]
    log: bool = False


def scatter(title: str, panels: Sequence[Panel], *, best: int) -> str:
    """All panels with one vertical axis; the ``best`` trial is ringed in each of them.

    Raises:
        ValueError: no panel, or no trial.
    """
    if not panels or not panels[0].y:
        raise ValueError("a chart needs at least one panel, and each panel a trial")
    rows = -(-len(panels) // ACROSS)
    width, height = ACROSS * WIDTH, HEAD + rows * HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
            ' font-family="system-ui, sans-serif" font-size="12" fill="#222">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            _text(16, 26, title, size=15),
            *(_placed(panel, place, best) for place, panel in enumerate(panels)),
            "</svg>\n",
        ]
    )


def _placed(panel: Panel, place: int, best: int) -> str:
    down, across = divmod(place, ACROSS)
    drawn = "".join(_panel(panel, best))
    return f'<g transform="translate({across * WIDTH} {HEAD + down * HEIGHT})">{drawn}</g>'


def _panel(panel: Panel, best: int) -> Iterator[str]:
    low, high = min(panel.y), max(panel.y)
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    floor = HEIGHT - BOTTOM
    yield _text(LEFT, TOP - 26, panel.title, size=13)
    yield _text(LEFT, TOP - 11, panel.note)
    for y in ticks(low, high):
        at = floor - (y - low) / (high - low) * (floor - TOP)
        yield f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield _text(LEFT - 6, at + 4, f"{y:.4g}", anchor="end")
    shares, marks = _axis(panel)
    for share, words in marks:
        yield _text(_across(share), floor + 18, words, anchor="middle")
    for number, (share, y) in enumerate(zip(shares, panel.y, strict=True)):
        at = floor - (y - low) / (high - low) * (floor - TOP)
        ring = ' stroke="#222" stroke-width="2"' if number == best else ' fill-opacity="0.6"'
        radius = 5 if number == best else 3.5
        yield (
            f'<circle cx="{_across(share):.1f}" cy="{at:.1f}" r="{radius}"'
            f' fill="{COLOURS[0]}"{ring}/>'
        )


def _axis(panel: Panel) -> tuple[list[float], list[tuple[float, str]]]:
    """Of each trial where it stands, 0..1 from left to right; and what is written below."""
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in panel.x):
        names = sorted({str(x) for x in panel.x})
        places = {name: (at + 0.5) / len(names) for at, name in enumerate(names)}
        return [places[str(x)] for x in panel.x], [(at, name) for name, at in places.items()]
    scale = math.log10 if panel.log else float
    low, high = scale(min(panel.x)), scale(max(panel.x))
    span = high - low or 1.0
    ends = [(0.0, min(panel.x)), (1.0, max(panel.x))] if high > low else [(0.5, panel.x[0])]
    marks = [(share, f"{value:.3g}") for share, value in ends]
    shares = [(scale(x) - low) / span if high > low else 0.5 for x in panel.x]
    return shares, marks


def _across(share: float) -> float:
    return LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16)


def _text(x: float, y: float, words: str, *, anchor: str = "start", size: int = 12) -> str:
    placed = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f"<text {placed}>{escape(words)}</text>"
