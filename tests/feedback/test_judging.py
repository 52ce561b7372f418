"""The exam: nobody is asked what they were told, and nobody learns from what is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInteractions, SnapshotError
from equipoise.feedback import judging
from equipoise.feedback.judging import (
    Marks,
    best_of,
    clearly_worse,
    examine,
    mark,
    refuse_unsound,
    set_exam,
)
from equipoise.recommenders import EASE, ItemKNN, Popularity


def test_the_task_is_the_last_new_item(log: Any) -> None:
    """Against a plain loop: target, history, and who is left out."""
    events = log(users=25, each=6, seed=4)
    interactions = Interactions.from_events(events)
    exam = set_exam(interactions, 7.0)
    wanted = {}
    for user in sorted({event.user_id for event in events}):
        met = [(e.ts, e.items[0].item_id) for e in events if e.user_id == user]
        new = [n for n, (ts, item) in enumerate(met)
               if n > 0 and ts > exam.split and item not in [i for _, i in met[:n]]]  # fmt: skip
        if new:
            wanted[user] = ([item for _, item in met[: new[-1]]], met[new[-1]][1])

    ids = interactions.item_ids
    asked = [ids[pair % len(ids)] for pair in exam.task.pairs]

    assert list(zip(exam.task.histories, asked, strict=True)) == list(wanted.values())
    assert 0 < len(exam) == len(wanted) < 25


def test_nothing_of_the_later_part_is_learnt(log: Any) -> None:
    """Every row is either before the split or after it, and the newest days are after."""
    interactions = Interactions.from_events(log())
    exam = set_exam(interactions, 7.0)
    time = interactions.timestamp
    assert time is not None
    assert exam.earlier.timestamp is not None

    assert exam.earlier.timestamp.max() <= exam.split
    assert exam.split == time.max() - 7 * DAY
    assert len(exam.earlier) == (time <= exam.split).sum()


def test_a_young_shop_holds_out_a_quarter(log: Any) -> None:
    """Where the log spans fewer days than would be held out, part of them is."""
    interactions = Interactions.from_events(log(days=2.0))
    time = interactions.timestamp
    assert time is not None

    exam = set_exam(interactions, 7.0)

    assert (time.max() - exam.split) / (time.max() - time.min()) == pytest.approx(0.25, abs=0.01)
    assert len(exam) > 20


def test_refunds_are_no_taste() -> None:
    """What was sent back is neither history nor target."""
    interactions = Interactions.from_columns(
        ["u", "u", "u"], ["a", "b", "c"], [1.0, 1.0, -5.0], [0, 90, 100]
    )

    exam = set_exam(interactions, 1.0)

    assert exam.task.histories == [["a"]]


def test_an_empty_log_asks_nobody() -> None:
    """No rows, no exam; no times, no exam either, but that is an error."""
    none = np.empty(0, np.int32)
    ids = np.empty(0, object)
    empty = Interactions(none, none, np.empty(0, np.float32), np.empty(0, np.int64), ids, ids)
    assert len(set_exam(empty, 7.0)) == 0

    with pytest.raises(InvalidInteractions, match="judging needs interactions with times"):
        set_exam(Interactions.from_columns(["u"], ["a"]), 7.0)


def test_the_judged_are_drawn_by_lot(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit a fixed draw decides: the same shoppers for everybody, in order."""
    interactions = Interactions.from_events(log())
    whole = set_exam(interactions, 7.0)
    monkeypatch.setattr(judging, "MOST_JUDGED", 10)

    part, again = set_exam(interactions, 7.0), set_exam(interactions, 7.0)

    assert len(part) == 10 < len(whole)
    assert part.task.histories == again.task.histories
    places = [whole.task.histories.index(history) for history in part.task.histories]
    assert places == sorted(places)


def test_who_knows_the_crowds_is_better(log: Any) -> None:
    """In a shop of two crowds neighbours beat popularity clearly, and never the other way round."""
    exam = set_exam(Interactions.from_events(log()), 7.0)
    knn, popular = examine(ItemKNN(), exam, []), examine(Popularity(), exam, [])

    assert knn.mean > 1.3 * popular.mean
    assert clearly_worse(popular, knn, 0.02)
    assert not clearly_worse(knn, popular, 0.02)
    assert not clearly_worse(knn, knn, 0.0)
    assert best_of([popular, knn]) is knn
    assert np.array_equal(mark(knn.recommender, exam, 0.0).ndcg, knn.ndcg)


def test_chance_is_no_refusal() -> None:
    """A difference within its own noise is let pass, the same one over many shoppers is not."""
    better, worse = np.tile([0.0, 0.6], 8), np.tile([0.5, 0.0], 8)

    def marks(values: Any) -> Marks:
        return Marks(Popularity(), values, values, 0.0)

    assert not clearly_worse(marks(worse), marks(better), 0.02)
    assert clearly_worse(marks(np.tile(worse, 100)), marks(np.tile(better, 100)), 0.02)
    assert not clearly_worse(marks(np.tile(worse, 100)), marks(np.tile(better, 100)), 0.2)


def test_who_cannot_be_fitted_fails_with_the_reason(log: Any) -> None:
    """The others go on; a failed one is never the best."""
    exam = set_exam(Interactions.from_events(log()), 7.0)

    failed = examine(EASE(max_items=1), exam, [])

    assert "max_items is 1" in failed.failed
    assert failed.mean == 0
    assert best_of([failed]) is None


def test_numbers_that_are_none_are_refused(log: Any) -> None:
    """A model that learnt NaN must not reach a shop."""
    model = Popularity().fit(Interactions.from_events(log()))
    refuse_unsound(model)
    model.counts_[0] = np.nan

    with pytest.raises(SnapshotError, match="popularity: counts holds values that are not finite"):
        refuse_unsound(model)
