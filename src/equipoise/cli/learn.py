"""``train`` and ``evaluate``: fit on the log, judge on its last days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, out, print_json, progress, remark
from equipoise.cli.quality import suite as published
from equipoise.cli.tables import print_table
from equipoise.codec import decode
from equipoise.data import Interactions
from equipoise.errors import SettingsError
from equipoise.evaluation.protocol import evaluate as judge
from equipoise.evaluation.table import Table
from equipoise.feedback.training import train as fit
from equipoise.home import Home
from equipoise.intake.data_sets import DATA_SETS
from equipoise.log.base import EventLog
from equipoise.log.sqlite import SQLiteLog
from equipoise.recommenders import ALL
from equipoise.settings import Settings
from equipoise.types import Event, Item, Kind

NAMES = [cls.name for cls in ALL]
HEADS = {
    "ndcg@10": "nDCG@10", "ndcg@20": "nDCG@20", "hit_rate@10": "hit rate@10",
    "hit_rate@20": "hit rate@20", "mrr": "MRR", "fit_seconds": "fit (s)",
    "list_microseconds": "a list (µs)",
}  # fmt: skip


def _known(names: list[str] | None) -> list[str] | None:
    for name in names or []:
        if name not in NAMES:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(NAMES)}")
    return names


Names = Annotated[
    list[str] | None,
    typer.Option(
        "--recommender",
        callback=_known,
        help=f"Which ones; repeatable: {', '.join(NAMES)}. Default: those that the settings name.",
    ),
]


def train(
    recommender: Names = None,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Fit on the log, check against its last days, publish a snapshot if it is no worse.

    Exit 1 where nothing was published; the report says why.
    """
    home = Home(data)
    settings = home.settings()
    home.secrets()
    with SQLiteLog(home.log, read_only=True) as log:
        report = fit(
            progress(events_of(log), "Reading the log"),
            items_of(log),
            recommenders=_chosen(recommender, settings),
            holdout_days=settings.training.holdout_days,
            folder=home.snapshots,
            tolerance=settings.training.tolerance,
            keep=settings.training.keep,
            say=remark,
        )
    if as_json:
        print_json(report.to_dict())
    else:
        out().print(report, highlight=False)
    if not report.published:
        raise typer.Exit(1)


def evaluate(
    dataset: Annotated[str, typer.Option(help=f"Instead of the log: {', '.join(DATA_SETS)}.")] = "",
    train_file: Annotated[
        Path | None,
        typer.Option("--train", exists=True, dir_okay=False, help="CSV to fit on, with --test."),
    ] = None,
    test_file: Annotated[
        Path | None,
        typer.Option("--test", exists=True, dir_okay=False, help="CSV to judge on, with --train."),
    ] = None,
    last_days: Annotated[
        float, typer.Option(min=0.0, help="Days held out, where there is one log.")
    ] = 28.0,
    repeats: Annotated[
        bool, typer.Option("--repeats", help="Items the shopper knows may be listed and count.")
    ] = False,
    recommender: Names = None,
    suite: Annotated[
        str, typer.Option(help="'quality': published figures, measured again from raw files.")
    ] = "",
    study: Annotated[
        list[str] | None, typer.Option(help="Of the suite only these; repeatable.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="For the suite; all cores by default.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="JSON lines: rows there are not run again, new ones added."
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the suite's tables as Markdown.")
    ] = None,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """The accuracy table, one row a recommender; above them each shopper's own most bought."""
    if suite:
        if suite != "quality":
            raise typer.BadParameter(f"--suite {suite!r}: there is 'quality'")
        published(study or [], threads=threads, keep=keep, to=page, as_json=as_json)
        return
    if (train_file is None) != (test_file is None):
        raise typer.BadParameter("--train and --test go together")
    items: list[Item] = []
    if train_file and test_file:
        parts = (Interactions.from_csv(train_file), Interactions.from_csv(test_file))
    else:
        whole, items = _set(dataset) if dataset else _logged(data)
        parts = whole.split_temporal(last_days=last_days)
    remark("Fitting and judging")
    judged = _chosen(recommender, Home(data).settings())
    table = judge(*parts, judged, repeats=repeats, items=items)
    if as_json:
        print_json({"rows": table.to_dicts(), "note": table.note})
    else:
        _print(table)


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


def _logged(data: Path) -> tuple[Interactions, list[Item]]:
    home = Home(data)
    home.secrets()
    with SQLiteLog(home.log, read_only=True) as log:
        events = progress(events_of(log), "Reading the log")
        return Interactions.from_events(events), items_of(log)


def _set(name: str) -> tuple[Interactions, list[Item]]:
    if name not in DATA_SETS:
        raise typer.BadParameter(f"--dataset {name!r} is none of {', '.join(DATA_SETS)}")
    nouns = list(progress(DATA_SETS[name](), f"Reading {name}"))
    items = [noun for noun in nouns if isinstance(noun, Item)]
    return Interactions.from_events(noun for noun in nouns if isinstance(noun, Event)), items


def _chosen(names: Iterable[str] | None, settings: Settings) -> list[Any]:
    """Recommenders by name, with the keywords that the settings give them."""
    classes = {cls.name: cls for cls in ALL}
    chosen = []
    for name in names or settings.training.recommenders:
        if name not in classes:
            raise SettingsError(
                f"training.recommenders: {name!r} is no recommender; "
                f"the recommenders are {', '.join(classes)}"
            )
        try:
            chosen.append(classes[name](**settings.recommenders.get(name, {})))
        except (TypeError, ValueError) as error:
            keywords = ", ".join(signature(classes[name]).parameters)
            raise SettingsError(
                f"recommenders.{name}: {error}; its keywords are {keywords}"
            ) from error
    return chosen


def _print(table: Table) -> None:
    columns = [key for key in table.rows[0] if key != "baseline"]
    print_table(
        "Accuracy",
        [HEADS.get(column, column) for column in columns],
        [[_figure(column, row[column]) for column in columns] for row in table.rows],
        note=table.note,
    )


def _figure(column: str, value: Any) -> str:
    digits = {"fit_seconds": 2, "list_microseconds": 0}.get(column, 4)
    return value if isinstance(value, str) else f"{value:,.{digits}f}"


commands: dict[str, Callable[..., Any]] = {"train": train, "evaluate": evaluate}
