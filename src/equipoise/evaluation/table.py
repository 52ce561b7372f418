"""The accuracy table: rows of numbers that print themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any

from equipoise.types import Floats

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Table:
    """What ``evaluate`` found. ``print`` and rich show it; ``to_dicts()`` is for programs."""

    rows: list[dict[str, Any]]
    """One a recommender: name, baseline, metrics, seconds to fit, microseconds a list."""
    note: str
    """Who was judged and who was left out, in words."""
    per_user: dict[str, dict[str, Floats]] = field(repr=False)
    """(users,) values by recommender and metric, users in one order: for paired comparisons."""

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as plain dictionaries, JSON-ready (an interval is a list of two)."""
        return [dict(row) for row in self.rows]

    def __rich__(self) -> RenderableType:
        from rich.table import Table as Grid

        columns = [key for key in self.rows[0] if key != "baseline" and "interval" not in key]
        grid = Grid(caption=self.note, caption_justify="left")
        for place, column in enumerate(columns):
            grid.add_column(column.replace("_", " "), justify="right" if place else "left")
        for row in self.rows:
            cells = [_cell(column, row) for column in columns]
            grid.add_row(*cells, style="dim" if row["baseline"] else "")
        return grid

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(file=StringIO(), width=160)
        console.print(self)
        text: str = console.file.getvalue()  # type: ignore[attr-defined]
        return text


def _cell(column: str, row: dict[str, Any]) -> str:
    value = row[column]
    if isinstance(value, str):
        return value
    if column == "list_microseconds":
        return f"{value:,.0f}"
    if column == "fit_seconds":
        return f"{value:.2f}"
    interval = row.get(f"{column}_interval")
    spread = f" ±{(interval[1] - interval[0]) / 2:.4f}" if interval else ""
    return f"{value:.4f}{spread}"
