"""``tune``: settings for a recommender, searched on a validation part of the training part."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer

from equipoise.cli.material import Material, names, of_files, of_log, of_set
from equipoise.cli.output import DEFAULT_DATA, AsJson, Data, print_json, remark
from equipoise.cli.tuned import draw, print_found, show_presets
from equipoise.errors import InvalidInput
from equipoise.recommenders import Recommender
from equipoise.tuning import SPACES, Cut, Found, Goal, Search, by_time, by_user
from equipoise.tuning import tune as search_for
from equipoise.tuning.study import require_optuna

METHODS = {cls.name: cls for cls in SPACES}


Method = Annotated[str, typer.Argument(metavar="RECOMMENDER", help=f"One of {', '.join(METHODS)}.")]
Dataset = Annotated[str, typer.Option(help=f"Instead of the log: {', '.join(names())}.")]
TrainFile = Annotated[
    Path | None,
    typer.Option("--train", exists=True, dir_okay=False, help="CSV to tune on, with --test."),
]
TestFile = Annotated[
    Path | None,
    typer.Option("--test", exists=True, dir_okay=False, help="CSV to judge the find on."),
]
LastDays = Annotated[
    float, typer.Option(min=0.0, help="Days of the test part, and of each validation part.")
]
PerUser = Annotated[
    bool,
    typer.Option(
        "--per-user", help="Validate on a random fifth of each user; so it is without times."
    ),
]
Cuts = Annotated[
    int, typer.Option(min=1, help="Validation parts; with several, bad trials end early.")
]
Metric = Annotated[
    str, typer.Option(help="ndcg, recall, hit_rate, precision, map, mrr @n; rmse, mae.")
]
Repeats = Annotated[
    bool, typer.Option("--repeats", help="Items the shopper knows may be listed and count.")
]
Trials = Annotated[int, typer.Option(min=1, help="Until the study holds so many.")]
Seconds = Annotated[float | None, typer.Option(min=0.0, help="No trial begins after so long.")]
StudyFile = Annotated[
    Path | None,
    typer.Option("--study", dir_okay=False, help="SQLite file to keep trials in, and go on."),
]
Drawing = Annotated[
    Path | None, typer.Option("--svg", help="Draw what each setting did into this file.")
]
Seed = Annotated[int, typer.Option(help="Same seed, same trials.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Of each fit; all cores by default.")]
Presets = Annotated[
    bool, typer.Option("--presets", help="List published settings, and do nothing else.")
]


def tune(
    recommender: Method = "",
    dataset: Dataset = "",
    train_file: TrainFile = None,
    test_file: TestFile = None,
    last_days: LastDays = 28.0,
    per_user: PerUser = False,
    cuts: Cuts = 1,
    metric: Metric = "ndcg@10",
    repeats: Repeats = False,
    trials: Trials = 50,
    seconds: Seconds = None,
    study: StudyFile = None,
    svg: Drawing = None,
    seed: Seed = 0,
    threads: Threads = None,
    presets: Presets = False,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Search settings for a recommender; the last days, or the test file, judge the find."""
    if presets:
        show_presets(recommender, as_json)
        return
    method, goal = _method(recommender), _goal(metric, repeats)
    if (train_file is None) != (test_file is None):
        raise typer.BadParameter("--train and --test go together")
    require_optuna()
    material = _material(dataset, train_file, test_file, last_days, data)
    parts, words = _cuts(material, last_days, per_user, cuts, seed)
    fixed = _fixed(method, threads or os.cpu_count() or 1)
    search = Search(method, parts, goal, fixed=fixed, items=material.items, seed=seed)
    found = search_for(search, trials=trials, seconds=seconds, storage=study, say=remark)
    remark("Judging on the test part")
    figures = _figures(search, found, material)
    if svg is not None:
        draw(found, svg)
    if as_json:
        print_json({**found.to_dict(), "validation": words, "test": figures, "toml": found.toml()})
    else:
        print_found(found, words, material.test, figures)


# ---------------------------------------------------------------- what was asked


def _method(name: str) -> type[Recommender]:
    if name not in METHODS:
        raise typer.BadParameter(f"RECOMMENDER {name!r} is none of {', '.join(METHODS)}")
    return METHODS[name]


def _goal(metric: str, repeats: bool) -> Goal:
    try:
        return Goal(metric, repeats)
    except InvalidInput as error:
        raise typer.BadParameter(str(error)) from None


def _material(
    dataset: str, train: Path | None, test: Path | None, last_days: float, data: Path
) -> Material:
    if train is not None and test is not None:
        return of_files(train, test)
    return of_set(dataset, last_days) if dataset else of_log(data, last_days)


def _cuts(
    material: Material, last_days: float, per_user: bool, cuts: int, seed: int
) -> tuple[list[Cut], str]:
    """The validation parts, and how they were cut in words."""
    if per_user or material.train.timestamp is None:
        return by_user(material.train, cuts=cuts, seed=seed), "a random fifth of each user"
    found = by_time(material.train, days=last_days, cuts=cuts)
    return found, f"the last {last_days:g} days of the training part"


def _fixed(method: type[Recommender], threads: int) -> dict[str, Any]:
    return {"threads": threads} if "threads" in signature(method).parameters else {}


def _figures(search: Search, found: Found, material: Material) -> dict[str, Mapping[str, float]]:
    """On the test part: defaults where they can be judged, and what was found where it differs."""
    figures = {}
    if found.defaults is not None:
        figures["defaults"] = material.judge(search.model({}), search.goal)
    if found.best is not None:
        model = search.method(**{**search.fixed, **found.keywords()})
        figures["tuned"] = material.judge(model, search.goal)
    return {name: {key: float(one) for key, one in row.items()} for name, row in figures.items()}


commands: dict[str, Callable[..., Any]] = {"tune": tune}
