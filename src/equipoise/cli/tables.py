"""Tables that can be read at any width: text folds, numbers never do, columns move below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from equipoise.cli.output import out

FOLD = 24
"""Columns of text wider than this may be folded down to it."""
GAP = 2


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Iterable[Any]], *, note: str = ""
) -> None:
    """A table; numbers to the right. Too wide a one goes in parts that repeat the first column."""
    console = out()
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [_least(cells, place, name) for place, name in enumerate(columns)]
    console.print(Text(title, style="bold"))
    for part in parts(widths, console.width):
        console.print(_table(columns, cells, part), highlight=False)
    if note:
        console.print(Text(note, style="dim"))


def parts(widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """Places of the columns that stand together; each part begins with the first column.

    A column that is too wide even alone beside the first one is a part of its own, and folds.
    """
    part, used = [0], widths[0]
    for place in range(1, len(widths)):
        if len(part) > 1 and used + GAP + widths[place] > width:
            yield part
            part, used = [0], widths[0]
        part.append(place)
        used += GAP + widths[place]
    yield part


def _least(cells: list[list[str]], place: int, name: str) -> int:
    """The columns of the terminal that this column cannot do without."""
    natural = max((cell_len(text) for text in (name, *(row[place] for row in cells))), default=0)
    return natural if place == 0 or _numeric(cells, place) else min(natural, FOLD)


def _table(columns: Sequence[str], cells: list[list[str]], part: list[int]) -> Table:
    table = Table(box=None, pad_edge=False)
    for place in part:
        number = _numeric(cells, place)
        table.add_column(
            columns[place],
            justify="right" if number else "left",
            no_wrap=number or place == 0,
            overflow="fold",
        )
    for row in cells:
        table.add_row(*(Text(row[place]) for place in part))
    return table


def _numeric(cells: list[list[str]], place: int) -> bool:
    return bool(cells) and all(_is_number(row[place]) for row in cells)


def _is_number(text: str) -> bool:
    plain = text.replace(",", "").replace(".", "", 1).strip("% ").lstrip("-")
    return plain.isdigit() or text in ("", "–")
