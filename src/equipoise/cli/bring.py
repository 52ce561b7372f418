"""``import``: events, items and ratings from files and from known data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, print_json, print_table, progress, say
from equipoise.engine import Engine
from equipoise.errors import InvalidInput
from equipoise.home import Home
from equipoise.intake.canonical import Refusal
from equipoise.intake.data_sets import DATA_SETS
from equipoise.intake.files import TableKind, read_table
from equipoise.types import Event, Item, Record

Noun: TypeAlias = Event | Item | Refusal

KINDS: dict[str, TableKind] = {"events": "events", "items": "items", "ratings": "ratings"}
BATCH = 2_000
"""Records a commit: an interrupted import has kept every whole batch, and goes on from there."""


def import_(
    source: Annotated[str, typer.Argument(help="A file, or the name of a known data set.")],
    format_: Annotated[
        str, typer.Option("--format", help="events, items or ratings (what the rows of a file are)")
    ] = "events",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="our_field=their_column; once for each column."),
    ] = None,
    constant: Annotated[
        list[str] | None,
        typer.Option("--set", help="our_field=value that all rows share, such as event=purchase."),
    ] = None,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Bring a log in. A second import of the same source adds nothing twice."""
    home = Home(data)
    if not home.exists:
        home.create()
        say(f"Made the data directory {data}.")
    engine = Engine.open(data)
    try:
        counts = bring(
            engine,
            _nouns(source, format_, _pairs("--map", mapping), _pairs("--set", constant)),
            source,
        )
    finally:
        engine.close()
    if as_json:
        print_json(counts)
    else:
        print_table(f"Imported {source}", ["what", "records"], counts.items())


def bring(engine: Engine, nouns: Iterable[Noun], source: str) -> dict[str, int]:
    """Store what is new, keep what is refused as dead letters; counts by what became of it."""
    counts: Counter[str] = Counter({"items": 0, "events": 0, "already there": 0, "rejected": 0})
    for batch in _batches(progress(nouns, "Importing"), BATCH):
        records = [record for noun in batch for record in _records(engine, noun, counts)]
        receipts = engine.store(records)
        for record, receipt in zip(records, receipts, strict=True):
            counts["already there" if receipt.duplicate else f"{record.kind}s"] += 1
        refused = [
            noun.letter(engine.clock(), f"import:{source}")
            for noun in batch
            if isinstance(noun, Refusal)
        ]
        if refused:
            engine.log.reject(refused)
            counts["rejected"] += len(refused)
    return dict(counts)


def _records(engine: Engine, noun: Noun, counts: Counter[str]) -> Iterator[Record]:
    if isinstance(noun, Event):
        yield from engine.event_records([noun])
    elif isinstance(noun, Item):
        if engine.item(noun.item_id) == noun:
            counts["already there"] += 1
        else:
            yield engine.item_record(noun)


def _nouns(
    source: str, format_: str, columns: dict[str, str], constants: dict[str, str]
) -> Iterable[Noun]:
    if source in DATA_SETS:
        return DATA_SETS[source]()
    path = Path(source)
    if not path.exists():
        raise InvalidInput(
            f"{source} is neither a file nor a known data set; the data sets are "
            f"{', '.join(DATA_SETS)}"
        )
    return read_table(path, kind=_kind(format_), mapping=columns, constants=constants)


def _kind(format_: str) -> TableKind:
    if format_ not in KINDS:
        raise typer.BadParameter(f"--format {format_!r}: rows are {', '.join(KINDS)}")
    return KINDS[format_]


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    pairs = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise typer.BadParameter(f"{option} {text!r} is not of the form name=value")
        pairs[name] = value
    return pairs


def _batches(things: Iterable[Noun], size: int) -> Iterator[list[Noun]]:
    iterator = iter(things)
    while batch := list(islice(iterator, size)):
        yield batch


commands: dict[str, Callable[..., Any]] = {"import": import_}
