"""``import``: events, items and ratings from files and from known data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from enum import StrEnum
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from polars.exceptions import PolarsError

from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, print_json, progress, say
from equipoise.cli.tables import print_table
from equipoise.engine import Engine
from equipoise.errors import InvalidInput
from equipoise.home import Home
from equipoise.intake.canonical import Refusal
from equipoise.intake.data_sets import DATA_SETS
from equipoise.intake.files import TableKind, read_table
from equipoise.log.base import EventLog
from equipoise.types import Event, Item, Record, Rejected

Noun: TypeAlias = Event | Item | Refusal

BATCH = 2_000
"""Records a commit: an interrupted import has kept every whole batch, and goes on from there."""
CHUNK = 2**20
LETTERS = 1_000
"""Dead letters read at a time."""


class Rows(StrEnum):
    """What the rows of a file are."""

    EVENTS = "events"
    ITEMS = "items"
    RATINGS = "ratings"


KINDS: dict[Rows, TableKind] = {
    Rows.EVENTS: "events",
    Rows.ITEMS: "items",
    Rows.RATINGS: "ratings",
}


def import_(
    source: Annotated[
        str,
        typer.Argument(help=f"A CSV, JSONL or Parquet file, or a data set: {', '.join(DATA_SETS)}"),
    ],
    format_: Annotated[
        Rows, typer.Option("--format", help="What the rows of a file are.")
    ] = Rows.EVENTS,
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
    """Bring a log in. Killed, it goes on where it was; a second import adds nothing twice."""
    columns, constants = _pairs("--map", mapping), _pairs("--set", constant)
    nouns = _begun(_nouns(source, format_, columns, constants), source)
    home = Home(data)
    if not home.exists:
        home.create()
        say(f"Made the data directory {data}.")
    with closing(Engine.open(data)) as engine:
        watched = progress(nouns, f"Importing {source}", total=_length(Path(source)))
        counts = bring(engine, watched, Path(source).name)
    if as_json:
        print_json(counts)
    else:
        print_table(f"Imported {source}", ["what", "records"], _readable(counts))


def bring(engine: Engine, nouns: Iterable[Noun], source: str) -> dict[str, int]:
    """Store what is new, keep what is refused as dead letters; counts by what became of it.

    Whatever an earlier import of this source has kept is met again and left alone: events by their
    ids, items where the catalogue says the same of them, dead letters by all that they say.
    """
    counts: Counter[str] = Counter({"items": 0, "events": 0, "already there": 0, "rejected": 0})
    letters = _letters(engine.log, f"import:{source}")
    for batch in _batches(nouns, BATCH):
        records = list(_records(engine, batch, counts))
        for record, receipt in zip(records, engine.store(records), strict=True):
            counts["already there" if receipt.duplicate else f"{record.kind}s"] += 1
        refused = [
            noun.letter(engine.clock(), f"import:{source}")
            for noun in batch
            if isinstance(noun, Refusal)
        ]
        fresh = list(_unknown(refused, letters))
        engine.log.reject(fresh)
        counts["rejected"] += len(fresh)
        counts["already there"] += len(refused) - len(fresh)
    return dict(counts)


def _records(engine: Engine, batch: list[Noun], counts: Counter[str]) -> Iterator[Record]:
    said: dict[str, Item] = {}
    for noun in batch:
        if isinstance(noun, Event):
            yield from engine.event_records([noun])
        elif isinstance(noun, Item):
            if noun == (said.get(noun.item_id) or engine.item(noun.item_id)):
                counts["already there"] += 1
            else:
                said[noun.item_id] = noun
                yield engine.item_record(noun)


# ---------------------------------------------------------------- dead letters, once


def _letters(log: EventLog, source: str) -> Counter[bytes]:
    """How often each dead letter of this source is kept already."""
    kept: Counter[bytes] = Counter()
    after = 0
    while page := log.rejected(after, LETTERS):
        kept.update(_digest(letter) for letter in page if letter.source == source)
        after = page[-1].rejected_id
    return kept


def _unknown(letters: Iterable[Rejected], kept: Counter[bytes]) -> Iterator[Rejected]:
    """Those that ``kept`` does not account for. Two rows alike are two letters, not one."""
    for letter in letters:
        name = _digest(letter)
        if kept[name] > 0:
            kept[name] -= 1
        else:
            yield letter


def _digest(letter: Rejected) -> bytes:
    said = "\x1f".join((letter.code, letter.pointer, letter.message)).encode(errors="replace")
    return blake2b(said + letter.body, digest_size=16).digest()


# ---------------------------------------------------------------- what was asked for


def _nouns(
    source: str, rows: Rows, columns: dict[str, str], constants: dict[str, str]
) -> Iterable[Noun]:
    if source in DATA_SETS:
        return DATA_SETS[source]()
    path = Path(source)
    if not path.is_file():
        raise InvalidInput(
            f"{source} is neither a file nor a known data set; the data sets are "
            f"{', '.join(DATA_SETS)}"
        )
    return read_table(path, kind=KINDS[rows], mapping=columns, constants=constants)


def _length(path: Path) -> int | None:
    """About how many rows: the lines of a text; None where only reading would tell."""
    if path.suffix == ".parquet" or not path.is_file():
        return None
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b""))


def _begun(nouns: Iterable[Noun], source: str) -> Iterator[Noun]:
    """With the first one read: what cannot be read at all is told before anything is made."""
    iterator = _legible(nouns, source)
    first = list(islice(iterator, 1))
    return chain(first, iterator)


def _legible(nouns: Iterable[Noun], source: str) -> Iterator[Noun]:
    try:
        yield from nouns
    except PolarsError as error:
        raise InvalidInput(f"{source} cannot be read: {error}", code="format") from error


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


def _readable(counts: dict[str, int]) -> Iterator[tuple[str, str]]:
    for what, count in counts.items():
        yield what, f"{count:,}"


commands: dict[str, Callable[..., Any]] = {"import": import_}
