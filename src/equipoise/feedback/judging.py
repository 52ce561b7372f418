"""How a recommender about to be published is judged: on what shoppers met next.

Of each shopper who met something new in the held-out days, the last new item is to be found from
all they met before it, among all items, in the first 20 places. Shoppers with nothing before it are
left out: they are served by what is trending, not by a snapshot.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import DAY, elapsed, rfc3339
from equipoise.data import Interactions
from equipoise.errors import EquipoiseError, InvalidInteractions, SnapshotError
from equipoise.evaluation import metrics
from equipoise.evaluation.protocol import Task, listed
from equipoise.randomness import derive
from equipoise.recommenders import Recommender
from equipoise.types import Floats, Item, Milliseconds

PLACES = 20
"""Length of the lists that are judged."""
LEAST_JUDGED = 30
"""Shoppers below which a difference says nothing."""
MOST_JUDGED = 5_000
"""Shoppers beyond which more would change little but the time it takes; they are drawn by lot."""
LARGEST_HOLDOUT = 0.25
"""Share of the log's time that is held out at most, so that a young shop can be judged too."""
HISTORY = 100
"""Newest items of a history that a server looks at."""


@dataclass(frozen=True)
class Exam:
    """What may be learnt from, and the task that what came later sets."""

    earlier: Interactions
    task: Task
    split: Milliseconds
    """The last moment of the earlier part."""

    def __len__(self) -> int:
        """Shoppers judged."""
        return len(self.task.histories)


@dataclass(frozen=True)
class Marks:
    """How one recommender did: a value a shopper, shoppers in the exam's order."""

    recommender: Recommender
    ndcg: Floats
    recall: Floats
    seconds: float
    failed: str = ""
    """Why it could not be judged; it then has no marks."""

    @property
    def mean(self) -> float:
        """nDCG@20; 0 for one that failed."""
        return float(self.ndcg.mean()) if len(self.ndcg) else 0.0


def set_exam(interactions: Interactions, holdout_days: float) -> Exam:
    """Hold out the newest days, at most a quarter of the log's time. May judge nobody."""
    time = interactions.timestamp
    if time is None:
        raise InvalidInteractions("judging needs interactions with times", pointer="/timestamp")
    oldest, newest = (int(time[0]), int(time[-1])) if len(time) else (0, 0)
    held = min(holdout_days * DAY, LARGEST_HOLDOUT * (newest - oldest))
    split = round(newest - held)
    histories, wanted = _next_items(interactions, time, split)
    items = len(interactions.item_ids)
    note = (
        f"{len(wanted):,} shoppers judged on their last new item after {rfc3339(split)[:10]}"
        f" ({held / DAY:.1f} days held out)"
    )
    codes: dict[Hashable, int] = {id_: code for code, id_ in enumerate(interactions.item_ids)}
    pairs = np.arange(len(wanted)) * items + wanted
    task = Task(histories, codes, pairs, np.ones(len(wanted), np.int64), note)
    return Exam(interactions.take(time <= split), task, split)


def _next_items(
    interactions: Interactions, time: NDArray[np.int64], split: int
) -> tuple[list[list[Any]], NDArray[np.int64]]:
    """Histories, and the code of the item that each is to foretell."""
    met = np.flatnonzero(interactions.value > 0)
    order = met[np.argsort(interactions.user[met], kind="stable")]
    user, item = interactions.user[order].astype(np.int64), interactions.item[order]
    new = np.zeros(len(order), np.bool_)
    new[np.unique(user * len(interactions.item_ids) + item, return_index=True)[1]] = True
    start = np.searchsorted(user, user)
    rows = np.flatnonzero(new & (time[order] > split) & (np.arange(len(order)) > start))
    rows = rows[np.append(user[rows][1:] != user[rows][:-1], True)[: len(rows)]]
    if len(rows) > MOST_JUDGED:
        rows = np.sort(derive(0, "judged shoppers").choice(rows, MOST_JUDGED, replace=False))
    ids = interactions.item_ids[item]
    histories = [ids[max(start[row], row - HISTORY) : row].tolist() for row in rows]
    return histories, item[rows].astype(np.int64)


def examine(recommender: Recommender, exam: Exam, items: Sequence[Item]) -> Marks:
    """Fit on the earlier part and judge. What cannot be fitted fails, with the reason."""
    started = elapsed()
    try:
        recommender.fit(exam.earlier, items=items)
        refuse_unsound(recommender)
        return mark(recommender, exam, started)
    except (EquipoiseError, MemoryError, np.linalg.LinAlgError) as error:
        none = np.empty(0)
        return Marks(recommender, none, none, elapsed() - started, str(error) or repr(error))


def mark(recommender: Recommender, exam: Exam, started: float) -> Marks:
    """Judge a fitted recommender as it is."""
    lists, _ = listed(recommender, exam.task, PLACES, repeats=False)
    hits = exam.task.hits(lists)
    return Marks(
        recommender,
        metrics.ndcg(hits, exam.task.relevant, PLACES),
        metrics.recall(hits, exam.task.relevant, PLACES),
        elapsed() - started,
    )


def refuse_unsound(recommender: Recommender) -> None:
    """Raises SnapshotError for one that learnt a number that is none: it must not reach a shop."""
    for name, array in recommender.arrays().items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise SnapshotError(f"{recommender.name}: {name} holds values that are not finite")


def best_of(marks: Sequence[Marks]) -> Marks | None:
    """The highest nDCG@20 among those that did not fail."""
    return max((one for one in marks if not one.failed), key=lambda one: one.mean, default=None)


def clearly_worse(marks: Marks, than: Marks, tolerance: float) -> bool:
    """Whether it falls short by more than ``tolerance`` (a share) and than chance would explain.

    Both were judged on the same shoppers, so the noise is that of the paired differences; one
    standard error of their mean is let pass.
    """
    short = than.ndcg - marks.ndcg
    error = float(short.std(ddof=1)) / sqrt(len(short))
    return float(short.mean()) - error > tolerance * than.mean
