"""What commands print: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

Data = Annotated[Path, typer.Option("--data", help="The data directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
DEFAULT_DATA = Path("equipoise-data")

PIPED_WIDTH = 1_000
"""Columns of what is no terminal: wide enough that nothing is folded for whoever reads a pipe."""

T = TypeVar("T")


def out() -> Console:
    """Standard output: as wide as the terminal, or as the text where there is none."""
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)


def err() -> Console:
    """Standard error."""
    return Console(stderr=True)


def say(text: str) -> None:
    """What a person is told beside the result."""
    err().print(Text(text), soft_wrap=True)


def remark(text: str) -> None:
    """What long work is at; silent where nobody watches."""
    if err().is_terminal:
        err().print(Text(text, style="dim"), soft_wrap=True)


def complain(text: str) -> None:
    """The one line of a failure."""
    err().print(Text.assemble(("error:", "bold red"), " ", " ".join(text.split())), soft_wrap=True)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def progress(things: Iterable[T], what: str, *, total: int | None = None) -> Iterator[T]:
    """Pass things on, with a bar where standard error is a terminal."""
    if not err().is_terminal:
        yield from things
        return
    share = [TaskProgressColumn()] if total is not None else []
    count = TextColumn("{task.completed:,}")
    columns = (TextColumn("{task.description}"), BarColumn(), *share, count, TimeElapsedColumn())
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task(what, total=total)
        for thing in things:
            yield thing
            bar.advance(task)
