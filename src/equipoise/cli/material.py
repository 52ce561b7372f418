"""What ``tune`` works on: a training part, and what its find is judged on in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import typer

from equipoise.cli.learn import events_of, items_of
from equipoise.cli.output import progress
from equipoise.data import Interactions
from equipoise.home import Home
from equipoise.intake.data_sets import DATA_SETS
from equipoise.log.sqlite import SQLiteLog
from equipoise.quality import STUDIES
from equipoise.recommenders import Recommender
from equipoise.tuning import Goal
from equipoise.types import Event, Item

Judge: TypeAlias = Callable[[Recommender, Goal], Mapping[str, float]]


@dataclass(frozen=True)
class Material:
    """A training part, what the catalogue says, and how a find is judged at last."""

    train: Interactions
    judge: Judge
    """Fits a recommender on the training part: metric → figure on the test part."""
    test: str
    """In words."""
    items: list[Item] | None = field(default=None)


def names() -> list[str]:
    """Of the data sets and of the studies whose parts are given."""
    return list(dict.fromkeys([*DATA_SETS, *(study.name for study in STUDIES)]))


def of_files(train: Path, test: Path) -> Material:
    parts = (Interactions.from_csv(train), Interactions.from_csv(test))
    return _material(*parts, None, f"{test.name}")


def of_set(name: str, last_days: float) -> Material:
    """A data set, its last days for the test; or the parts of a study, judged as it judges."""
    if name in DATA_SETS:
        nouns = list(progress(DATA_SETS[name](), f"Reading {name}"))
        items = [noun for noun in nouns if isinstance(noun, Item)]
        rows = Interactions.from_events(noun for noun in nouns if isinstance(noun, Event))
        return _cut(rows, items, last_days)
    found = next((study for study in STUDIES if study.name == name), None)
    if found is None:
        raise typer.BadParameter(f"--dataset {name!r} is none of {', '.join(names())}")
    parts: Any = found.load()
    if not isinstance(getattr(parts, "train", None), Interactions):
        raise typer.BadParameter(f"--dataset {name!r} has no one training part to be tuned on")
    return Material(parts.train, lambda model, goal: found.measure(parts, model), found.protocol)


def of_log(data: Path, last_days: float) -> Material:
    home = Home(data)
    home.secrets()
    with SQLiteLog(home.log, read_only=True) as log:
        events = progress(events_of(log), "Reading the log")
        return _cut(Interactions.from_events(events), items_of(log), last_days)


def _cut(rows: Interactions, items: list[Item], last_days: float) -> Material:
    parts = rows.split_temporal(last_days=last_days)
    return _material(*parts, items, f"the last {last_days:g} days")


def _material(
    train: Interactions, test: Interactions, items: list[Item] | None, words: str
) -> Material:
    def judge(model: Recommender, goal: Goal) -> dict[str, float]:
        return {goal.metric: goal.measure(model, train, test, items)}

    return Material(train, judge, words, items)
