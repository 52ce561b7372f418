"""One protocol for all: fit on the training part, list for each test user, compare with what
followed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import elapsed
from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation.baselines import PersonalFrequency
from equipoise.evaluation.intervals import bootstrap
from equipoise.evaluation.metrics import coverage, hit_rate, ndcg, recall, reciprocal_rank
from equipoise.evaluation.table import Table
from equipoise.evaluation.task import Task
from equipoise.randomness import RandomState
from equipoise.types import Floats, Floats32, Item

__all__ = ["Judged", "Task", "evaluate", "listed"]

BATCH = 1_000


class Judged(Protocol):
    """Whatever fits interactions and answers histories: ours, or somebody else's."""

    @property
    def name(self) -> str: ...

    def fit(self, interactions: Interactions) -> Any: ...

    def recommend_batch(
        self, histories: Sequence[Sequence[Hashable]], n: int, *, repeats: bool
    ) -> tuple[NDArray[np.object_], Floats32]: ...


def evaluate(
    train: Interactions,
    test: Interactions,
    recommenders: Mapping[str, Judged] | Sequence[Judged],
    *,
    n: Sequence[int] = (10, 20),
    baselines: Sequence[Judged] | None = None,
    repeats: bool = False,
    strangers: bool = True,
    items: Iterable[Item] | None = None,
    confidence: float | None = None,
    random_state: RandomState = None,
) -> Table:
    """Fit every recommender on ``train`` and judge its lists against ``test``, one row each.

    All items are ranked. ``repeats=False`` asks for what is new to the user: a test item that
    stands in the user's training part is neither listed nor relevant. ``repeats=True`` asks for
    what comes next, known or not. ``strangers``: test users without a training row are answered
    from an empty history; False leaves them out. Items that training never met stay relevant:
    missing them is a miss. The table's note counts all of these.

    ``recommenders`` by name, or with names of their own; ``baselines`` stand above them, by default
    ``PersonalFrequency``. ``items`` are handed to each ``fit`` of ``recommenders``. ``confidence``
    adds bootstrap intervals over users. Metrics are those of ``metrics``, at each of ``n``; MRR
    within the longest list. Raises InvalidInput where nobody can be judged or two recommenders
    share a name.
    """
    if not n or min(n) < 1:
        raise InvalidInput(f"n is {tuple(n)}; at least one list length, from 1 up", pointer="/n")
    task = Task.of(train, test, repeats=repeats, strangers=strangers)
    above = _named([PersonalFrequency()] if baselines is None else baselines)
    below = _named(recommenders)
    _refuse_twins([name for name, _ in above + below])
    extra = {} if items is None else {"items": list(items)}
    rows, per_user = [], {}
    for place, (name, recommender) in enumerate(above + below):
        baseline = place < len(above)
        seconds = _fit(recommender, train, {} if baseline else extra)
        lists, microseconds = listed(recommender, task, max(n), repeats=repeats)
        per_user[name] = values = _judge(task, lists, sorted(n))
        row: dict[str, Any] = {"recommender": name, "baseline": baseline}
        row |= _summary(values, confidence, random_state)
        row["coverage"] = coverage(lists, len(task.code_of))
        rows.append(row | {"fit_seconds": seconds, "list_microseconds": microseconds})
    return Table(rows, task.note, per_user)


def _fit(recommender: Judged, train: Interactions, keywords: dict[str, Any]) -> float:
    started = elapsed()
    recommender.fit(train, **keywords)
    return elapsed() - started


def listed(
    recommender: Judged, task: Task, n: int, *, repeats: bool
) -> tuple[NDArray[np.int32], float]:
    """Codes (U, n) of the lists, −1 where there is no item, and microseconds a list."""
    lists = np.full((len(task.histories), n), -1, np.int32)
    spent = 0.0
    for start in range(0, len(lists), BATCH):
        histories = task.histories[start : start + BATCH]
        started = elapsed()
        ids, _ = recommender.recommend_batch(histories, n, repeats=repeats)
        spent += elapsed() - started
        for row, chosen in enumerate(ids, start):
            lists[row] = [task.code_of.get(id_, -1) for id_ in chosen]
    return lists, 1e6 * spent / len(lists)


def _judge(task: Task, lists: NDArray[np.int32], n: Sequence[int]) -> dict[str, Floats]:
    hits = task.hits(lists)
    values: dict[str, Floats] = {}
    for k in n:
        values[f"recall@{k}"] = recall(hits, task.relevant, k)
        values[f"ndcg@{k}"] = ndcg(hits, task.relevant, k)
        values[f"hit_rate@{k}"] = hit_rate(hits, k)
    values["mrr"] = reciprocal_rank(hits)
    return values


def _summary(
    values: dict[str, Floats], confidence: float | None, random_state: RandomState
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for metric, each in values.items():
        row[metric] = float(each.mean())
        if confidence is not None:
            low, high = bootstrap(each, confidence=confidence, random_state=random_state)
            row[f"{metric}_interval"] = [low, high]
    return row


def _named(recommenders: Mapping[str, Judged] | Sequence[Judged]) -> list[tuple[str, Judged]]:
    if isinstance(recommenders, Mapping):
        return list(recommenders.items())
    return [(recommender.name, recommender) for recommender in recommenders]


def _refuse_twins(names: list[str]) -> None:
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise InvalidInput(
            f"more than one recommender is named {', '.join(twins)}; give a mapping of names",
            pointer="/recommenders",
        )
