"""``train`` and ``evaluate``: fit on the log, judge on its last days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, out, print_json, progress, say
from equipoise.codec import decode
from equipoise.data import Interactions
from equipoise.errors import InvalidInput, SettingsError
from equipoise.evaluation.protocol import evaluate as judge
from equipoise.feedback.training import train as fit
from equipoise.home import Home
from equipoise.intake.data_sets import DATA_SETS
from equipoise.log.base import EventLog
from equipoise.log.sqlite import SQLiteLog
from equipoise.recommenders import ALL
from equipoise.settings import Settings
from equipoise.types import Event, Item, Kind

Names = Annotated[
    list[str] | None, typer.Option("--recommender", help="Which ones; repeatable. Default: all.")
]


def train(
    recommender: Names = None,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Fit on the log, check against its last days, publish a snapshot if it is no worse."""
    home = Home(data)
    settings = home.settings()
    home.secrets()
    with SQLiteLog(home.log, read_only=True) as log:
        report = fit(
            progress(events_of(log), "Reading the log"),
            items_of(log),
            recommenders=_chosen(recommender or settings.training.recommenders, settings),
            holdout_days=settings.training.holdout_days,
            folder=home.snapshots,
            tolerance=settings.training.tolerance,
            keep=settings.training.keep,
            say=say,
        )
    if as_json:
        print_json(report.to_dict())
    else:
        out.print(report)
    if not report.published:
        raise typer.Exit(1)


def evaluate(
    dataset: Annotated[str, typer.Option(help="A known data set instead of the log.")] = "",
    train_file: Annotated[Path | None, typer.Option("--train", help="CSV to fit on.")] = None,
    test_file: Annotated[Path | None, typer.Option("--test", help="CSV to judge on.")] = None,
    last_days: Annotated[float, typer.Option(help="Days held out, where there is one log.")] = 28.0,
    repeats: Annotated[
        bool, typer.Option("--repeats", help="Items the shopper knows may be listed and count.")
    ] = False,
    recommender: Names = None,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """The accuracy table, one row a recommender; baselines above."""
    settings = Home(data).settings()
    items: list[Item] = []
    if train_file or test_file:
        if not (train_file and test_file):
            raise typer.BadParameter("--train and --test go together")
        parts = (Interactions.from_csv(train_file), Interactions.from_csv(test_file))
    else:
        events, items = _events_and_items(dataset, data)
        whole = Interactions.from_events(progress(events, "Reading events"))
        parts = whole.split_temporal(last_days=last_days)
    chosen = _chosen(recommender or settings.training.recommenders, settings)
    table = judge(*parts, chosen, repeats=repeats, items=items)
    if as_json:
        print_json({"rows": table.to_dicts(), "note": table.note})
    else:
        out.print(table)


def events_of(log: EventLog) -> Iterator[Event]:
    for stored in log.read(kinds=(Kind.EVENT,)):
        yield decode(stored.record.kind, stored.record.key, stored.record.body)


def items_of(log: EventLog) -> list[Item]:
    """The catalogue as it stands at the end of the log."""
    items: dict[str, Item] = {}
    for stored in log.read(kinds=(Kind.ITEM, Kind.ITEM_REMOVED)):
        record = stored.record
        if record.kind is Kind.ITEM:
            items[record.key] = decode(record.kind, record.key, record.body)
        else:
            items.pop(record.key, None)
    return list(items.values())


def _events_and_items(dataset: str, data: Path) -> tuple[Iterable[Event], list[Item]]:
    if not dataset:
        home = Home(data)
        home.secrets()
        log = SQLiteLog(home.log, read_only=True)
        return events_of(log), items_of(log)
    if dataset not in DATA_SETS:
        raise InvalidInput(
            f"{dataset!r} is no known data set; the data sets are {', '.join(DATA_SETS)}"
        )
    say(f"Reading {dataset}")
    nouns = list(DATA_SETS[dataset]())
    items = [noun for noun in nouns if isinstance(noun, Item)]
    return [noun for noun in nouns if isinstance(noun, Event)], items


def _chosen(names: Iterable[str], settings: Settings) -> list[Any]:
    """Recommenders by name, with the keywords that the settings give them."""
    classes = {cls.name: cls for cls in ALL}
    chosen = []
    for name in names:
        if name not in classes:
            raise SettingsError(
                f"{name!r} is no recommender; the recommenders are {', '.join(classes)}"
            )
        try:
            chosen.append(classes[name](**settings.recommenders.get(name, {})))
        except TypeError as error:
            raise SettingsError(f"recommenders.{name}: {error}") from error
    return chosen


commands: dict[str, Callable[..., Any]] = {"train": train, "evaluate": evaluate}
