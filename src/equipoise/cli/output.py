"""What commands print: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

Data = Annotated[Path, typer.Option("--data", help="The data directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DEFAULT_DATA = Path("equipoise-data")

out = Console()
err = Console(stderr=True)
T = TypeVar("T")


def say(text: str) -> None:
    """A remark on the way; not part of the result."""
    err.print(text, highlight=False)


def complain(text: str) -> None:
    """The one line of a failure."""
    err.print(f"[bold red]error:[/] {text}", highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(title: str, columns: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """A table; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = all(_is_number(row[index]) for row in cells) and bool(cells)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    out.print(table, highlight=False)


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "", 1).replace("%", "").strip().lstrip("-").isdigit()


def progress(things: Iterable[T], what: str, *, total: int | None = None) -> Iterator[T]:
    """Pass things on, with a bar where standard error is a terminal."""
    if not err.is_terminal:
        yield from things
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=total)
        for thing in things:
            yield thing
            bar.advance(task)
