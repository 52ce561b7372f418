"""One protocol for all: fit on the training part, list for each test user, compare with what
followed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import elapsed
from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation import metrics
from equipoise.evaluation.baselines import PersonalFrequency
from equipoise.evaluation.rows import fit_seconds, named, summary
from equipoise.evaluation.table import Table
from equipoise.evaluation.task import Task
from equipoise.randomness import RandomState
from equipoise.types import Floats, Floats32, Item

__all__ = ["Judged", "Task", "evaluate", "listed"]

BATCH = 1_000
Lists = NDArray[np.int32]


class Judged(Protocol):
    """Whatever fits interactions and answers histories: ours, or somebody else's."""

    @property
    def name(self) -> str: ...

    def fit(self, interactions: Interactions) -> Any: ...

    def recommend_batch(
        self, histories: Sequence[Sequence[Hashable]], n: int, *, repeats: bool
    ) -> tuple[NDArray[np.object_], Floats32]: ...


Several = Mapping[str, Judged] | Sequence[Judged]


def evaluate(
    train: Interactions,
    test: Interactions,
    recommenders: Several,
    *,
    n: Sequence[int] = (10, 20),
    baselines: Sequence[Judged] | None = None,
    repeats: bool = False,
    strangers: bool = True,
    items: Iterable[Item] | None = None,
    beyond_accuracy: bool = False,
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
    within the longest list. ``beyond_accuracy`` adds precision and MAP, and of the longest lists
    Gini, novelty, popularity and its lift. Raises InvalidInput where nobody can be judged or two
    recommenders share a name.
    """
    how = _How(n, repeats, beyond_accuracy, confidence, random_state)
    task = Task.of(train, test, repeats=repeats, strangers=strangers)
    return _table(train, task, recommenders, baselines, items, how)


@dataclass(frozen=True)
class _How:
    """What is asked, and how the answer is summed up."""

    n: Sequence[int]
    repeats: bool
    beyond: bool
    confidence: float | None
    random_state: RandomState

    def __post_init__(self) -> None:
        if not self.n or min(self.n) < 1:
            raise InvalidInput(
                f"n is {tuple(self.n)}; at least one list length, from 1 up", pointer="/n"
            )


def _table(
    train: Interactions,
    task: Task,
    recommenders: Several,
    baselines: Sequence[Judged] | None,
    items: Iterable[Item] | None,
    how: _How,
) -> Table:
    above = [PersonalFrequency()] if baselines is None else baselines
    judged = named(above, recommenders)
    extra = {} if items is None else {"items": list(items)}
    rows, per_user = [], {}
    for name, recommender, baseline in judged:
        seconds = fit_seconds(recommender, train, {} if baseline else extra)
        lists, microseconds = listed(recommender, task, max(how.n), repeats=how.repeats)
        per_user[name] = values = _judge(task, lists, how)
        row: dict[str, Any] = {"recommender": name, "baseline": baseline}
        row |= summary(values, how.confidence, how.random_state)
        row |= _of_lists(train, task, lists, how)
        rows.append(row | {"fit_seconds": seconds, "list_microseconds": microseconds})
    return Table(rows, task.note, per_user, task.users)


def listed(recommender: Judged, task: Task, n: int, *, repeats: bool) -> tuple[Lists, float]:
    """Codes (U, n) of the lists, −1 where there is no item, and microseconds a list."""
    lists = np.full((len(task.histories), n), -1, np.int32)
    spent = 0.0
    for start in range(0, len(lists), BATCH):
        histories = task.histories[start : start + BATCH]
        started = elapsed()
        ids, _ = recommender.recommend_batch(histories, n, repeats=repeats)
        spent += elapsed() - started
        lists[start : start + BATCH, : ids.shape[1]] = task.codes(ids)
    return lists, 1e6 * spent / len(lists)


def _judge(task: Task, lists: Lists, how: _How) -> dict[str, Floats]:
    hits, relevant = task.hits(lists), task.relevant
    values: dict[str, Floats] = {}
    for k in sorted(how.n):
        values[f"recall@{k}"] = metrics.recall(hits, relevant, k)
        values[f"ndcg@{k}"] = metrics.ndcg(hits, relevant, k)
        values[f"hit_rate@{k}"] = metrics.hit_rate(hits, k)
        if how.beyond:
            values[f"precision@{k}"] = metrics.precision(hits, k)
            values[f"map@{k}"] = metrics.average_precision(hits, relevant, k)
    values["mrr"] = metrics.reciprocal_rank(hits)
    return values


def _of_lists(train: Interactions, task: Task, lists: Lists, how: _How) -> dict[str, float]:
    """What is of all lists together; items that only the test part names count as known ones."""
    items = len(task.code_of)
    row = {"coverage": metrics.coverage(lists, items)}
    if how.beyond:
        counts = np.bincount(train.matrix(binary=True).indices, minlength=items)
        active = max(1, len(np.unique(train.user)))
        popularity = metrics.average_popularity(lists, counts)
        row["gini"] = metrics.gini(lists, items)
        row["novelty"] = metrics.novelty(lists, counts / active)
        row["popularity"] = _mean(popularity)
        row["popularity_lift"] = _mean(popularity) / _profile(task, counts) - 1
    return row


def _profile(task: Task, counts: NDArray[Any]) -> float:
    """Mean popularity of what the judged users had met, user by user."""
    met = [counts[[task.code_of[id_] for id_ in dict.fromkeys(h) if id_ in task.code_of]].mean()
           for h in task.histories if h]  # fmt: skip
    return float(np.mean(met)) if met else float("nan")


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
