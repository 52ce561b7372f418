"""The suite: study after study, row after row, kept as they come; and the page they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from equipoise.errors import InvalidInput
from equipoise.quality.study import Measured, Row, Study, run

MARKS = {"above": "≥", "reproduced": "≈", "below": "below", "": ""}


def measure_all(
    studies: Sequence[Study[Any]],
    *,
    threads: int = 1,
    keep: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[Measured]:
    """Row after row, in the order of the studies; a study whose archive is missing is passed over,
    and ``say`` tells so.

    Rows that stand in ``keep`` (JSON lines) are not run again; new ones are added there.
    """
    known = {(one.study, one.method): one for one in read(keep)}
    for study in studies:
        parts: Any = None
        for row in study.rows:
            found = known.get((study.name, row.method))
            if found is None:
                say(f"{study.name}: {row.method}")
                try:
                    parts = study.load() if parts is None else parts
                except InvalidInput as error:
                    say(f"{study.name} is left out: {error}")
                    break
                found = run(study, row, parts, threads)
                write(keep, found)
            yield found


def read(keep: Path | None) -> list[Measured]:
    """What a file of measured rows holds; nothing where there is none."""
    if keep is None or not keep.exists():
        return []
    lines = keep.read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Measured) for line in lines if line]


def write(keep: Path | None, one: Measured) -> None:
    if keep is not None:
        with keep.open("ab") as file:
            file.write(msgspec.json.encode(one) + b"\n")


def page(studies: Sequence[Study[Any]], measured: Sequence[Measured]) -> str:
    """Markdown: a table a study, our figure beside theirs."""
    return "\n".join(_section(study, measured) for study in studies if _of(study, measured))


def _of(study: Study[Any], measured: Sequence[Measured]) -> list[Measured]:
    names = [row.method for row in study.rows]
    mine = [one for one in measured if one.study == study.name and one.method in names]
    return sorted(mine, key=lambda one: names.index(one.method))


def _section(study: Study[Any], measured: Sequence[Measured]) -> str:
    head = ["method", *study.metrics, "published", "", "seconds"]
    lines = [
        f"## {study.name}",
        "",
        study.protocol,
        "",
        "| " + " | ".join(head) + " |",
        "| " + " | ".join("---" for _ in head) + " |",
    ]
    notes = []
    for one in _of(study, measured):
        lines.append("| " + " | ".join(_cells(study, one)) + " |")
        if one.note:
            notes.append(f"- *{one.method}*: {one.note}")
    sources = sorted({one.source for one in _of(study, measured) if one.source})
    tail = [f"\nSources: {'; '.join(sources)}."] if sources else []
    return "\n".join([*lines, *([""] if notes else []), *notes, *tail, ""])


def _cells(study: Study[Any], one: Measured) -> list[str]:
    ours = [figure(one.figures[metric]) for metric in study.metrics]
    theirs = " / ".join(
        figure(one.published[metric]) for metric in study.metrics if metric in one.published
    )
    return [one.method, *ours, theirs, MARKS[one.verdict], f"{one.seconds:.1f}"]


def figure(value: float) -> str:
    """Four places, without the zero before the point."""
    return f"{value:.4f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.4f}"


def chosen(studies: Sequence[Study[Any]], names: Sequence[str]) -> list[Study[Any]]:
    """The studies of these names, all without any.

    Raises:
        InvalidInput: a name that no study has.
    """
    there = [study.name for study in studies]
    for name in names:
        if name not in there:
            raise InvalidInput(
                f"there is no study {name!r}; there are {', '.join(there)}", pointer="/study"
            )
    return [study for study in studies if not names or study.name in names]


def failing(measured: Sequence[Measured]) -> list[Measured]:
    """Rows below what was published that do not say why."""
    return [one for one in measured if one.verdict == "below" and not one.note]


__all__ = ["Row", "chosen", "failing", "measure_all", "page", "read"]
