"""``evaluate --suite quality``: published figures, measured again from the raw files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
import typer

from equipoise.cli.output import print_json, remark
from equipoise.cli.tables import print_table
from equipoise.errors import InvalidInput
from equipoise.quality import STUDIES, Measured, Study
from equipoise.quality.suite import MARKS, chosen, failing, figure, measure_all, page


def suite(
    names: Sequence[str], *, threads: int | None, keep: Path | None, to: Path | None, as_json: bool
) -> None:
    """Run the studies; exit 1 where a row is below what was published and nobody knows why."""
    try:
        studies = chosen(STUDIES, names)
    except InvalidInput as error:
        raise typer.BadParameter(str(error)) from None
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        remark(text)

    measured = list(
        measure_all(studies, threads=threads or os.cpu_count() or 1, keep=keep, say=say)
    )
    left_out = [text for text in said if " is left out: " in text]
    if to is not None:
        to.write_text(page(studies, measured), encoding="utf-8")
    if as_json:
        print_json({"rows": [msgspec.to_builtins(one) for one in measured], "left_out": left_out})
    else:
        for study in studies:
            _print(study, [one for one in measured if one.study == study.name])
        for text in left_out:
            typer.echo(text)
    if failing(measured):
        raise typer.Exit(1)


def _print(study: Study, measured: Sequence[Measured]) -> None:  # type: ignore[type-arg]
    if not measured:
        return
    rows = [
        [
            one.method,
            *(figure(one.figures[metric]) for metric in study.metrics),
            " / ".join(figure(value) for value in one.published.values()),
            MARKS[one.verdict],
            f"{one.seconds:.1f}",
        ]
        for one in measured
    ]
    columns = ("method", *study.metrics, "published", "", "seconds")
    notes = [f"{one.method}: {one.note}" for one in measured if one.note]
    print_table(study.name, columns, rows, note="\n".join([study.protocol, *notes]))
