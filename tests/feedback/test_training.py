"""Training: what is published is no worse; whatever else happens, the old one stays."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from rich.console import Console

from equipoise.clock import DAY, ManualClock
from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.feedback.training import train
from equipoise.recommenders import EASE, Content, ItemKNN, Popularity, Recommender
from equipoise.state import snapshot
from equipoise.types import Event, Floats32, Item, Line, Positions


class Contrary(Recommender):
    """Recommends what an ItemKNN would recommend last: fitted in good faith, and bad."""

    name = "contrary"
    learned = ("sign",)

    def __init__(self, *, sign: float = -1.0) -> None:
        self.sign = sign

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        self.item_ids_ = interactions.item_ids
        self.sign_ = np.array([self.sign])
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        parity = np.array([int(item_id[1:]) % 2 for item_id in self.item_ids_])
        own = parity[codes].mean() if len(codes) else 0.5
        scores: Floats32 = (self.sign * -np.abs(parity - own)).astype(np.float32)
        return scores


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_first_snapshot(log: Any, shelf: Any, tmp_path: Path) -> None:
    """Fitted on everything, judged against popularity, published, and it tells of itself."""
    events, said = log(), []

    report = train(
        events,
        shelf(),
        recommenders=[Popularity(), ItemKNN(), Content()],
        folder=tmp_path,
        clock=ManualClock(0),
        say=said.append,
    )

    assert report.published
    assert snapshot.current(tmp_path) == report.snapshot_id
    arrays, about = snapshot.read(tmp_path, report.snapshot_id)
    assert set(arrays) == {"popularity", "item_knn", "content"}
    assert about["made_at"] == "1970-01-01T00:00:00.000Z"
    assert about["trained_until"] == events[-1].ts
    assert about["interactions"] == len(events)
    assert about["ndcg@20"] == {row.name: row.ndcg for row in report.rows}
    assert report.best > 1.3 * report.popularity
    assert report.live is None
    assert "judging item_knn" in said

    whole = ItemKNN().fit(Interactions.from_events(events), items=shelf())
    served = ItemKNN.from_arrays(arrays["item_knn"])
    history = ["i001", "i003"]
    assert served.recommend(history, 5)[0].tolist() == whole.recommend(history, 5)[0].tolist()


def test_training_again_is_no_worse(log: Any, shelf: Any, tmp_path: Path) -> None:
    """The same on the same log is published; older snapshots go beyond ``keep``."""
    for _ in range(4):
        report = train(log(), shelf(), recommenders=[ItemKNN()], folder=tmp_path, keep=2)
        assert report.published

    assert report.live == report.best
    assert len(contents(tmp_path)) == 3
    assert snapshot.current(tmp_path) == report.snapshot_id


@pytest.mark.parametrize("days_later", [0, 30])
def test_a_worse_one_is_refused(log: Any, shelf: Any, tmp_path: Path, days_later: int) -> None:
    """Whether the live one has seen the held-out days or not; nothing is written."""
    events = log()
    cut = events[-1].ts - days_later * DAY
    first = train(
        [e for e in events if e.ts <= cut], shelf(), recommenders=[ItemKNN()], folder=tmp_path
    )
    before = contents(tmp_path)

    report = train(events, shelf(), recommenders=[Contrary()], folder=tmp_path)

    assert not report.published
    assert report.snapshot_id == ""
    assert report.live_id == first.snapshot_id
    assert report.best < report.live
    assert "Not published: the best, contrary, has nDCG@20" in report.reason
    assert "the live snapshot" in report.reason
    assert contents(tmp_path) == before
    assert snapshot.current(tmp_path) == first.snapshot_id


def test_worse_than_popularity_is_refused(log: Any, shelf: Any, tmp_path: Path) -> None:
    """Even where there is nothing live to lose."""
    report = train(log(), shelf(), recommenders=[Contrary()], folder=tmp_path)

    assert not report.published
    assert "the most met items" in report.reason
    assert contents(tmp_path) == []


def test_tolerance_is_what_is_let_pass(log: Any, shelf: Any, tmp_path: Path) -> None:
    """All of it may be lost where a shop says so."""
    report = train(log(), shelf(), recommenders=[Contrary()], folder=tmp_path, tolerance=1.0)

    assert report.published


def test_an_old_live_is_judged_as_it_is(log: Any, shelf: Any, tmp_path: Path) -> None:
    """A snapshot from before the held-out days faces what it did not see."""
    events = log()
    cut = events[-1].ts - 20 * DAY
    train([e for e in events if e.ts <= cut], shelf(), recommenders=[ItemKNN()], folder=tmp_path)

    report = train(events, shelf(), recommenders=[ItemKNN()], folder=tmp_path)

    assert report.published
    assert report.live is not None
    assert 0 < report.live != report.best


def test_a_live_one_of_other_settings_is_fitted_anew(log: Any, shelf: Any, tmp_path: Path) -> None:
    """What a live snapshot already knows is not held against the new one."""
    train(log(), shelf(), recommenders=[Contrary(sign=1.0)], folder=tmp_path)

    report = train(log(), shelf(), recommenders=[ItemKNN(), Contrary()], folder=tmp_path)

    assert report.published
    assert report.live is not None
    assert {row.name: row.kept for row in report.rows} == {"item_knn": True, "contrary": True}


@pytest.mark.parametrize("live", [False, True])
def test_too_little_to_judge_by(log: Any, shelf: Any, tmp_path: Path, live: bool) -> None:
    """A young shop starts with popularity and content, and such a start replaces nothing."""
    if live:
        train(log(), shelf(), recommenders=[ItemKNN()], folder=tmp_path)
    before = snapshot.current(tmp_path)

    report = train(log(users=8), shelf(), recommenders=[ItemKNN()], folder=tmp_path)

    assert "Too little to judge by" in report.reason
    assert report.published is not live
    if live:
        assert report.reason.endswith("the live snapshot stays.")
        assert snapshot.current(tmp_path) == before
    else:
        arrays, _ = snapshot.read(tmp_path, report.snapshot_id)
        assert set(arrays) == {"popularity", "content"}
        assert all(row.ndcg is None for row in report.rows)


def test_nothing_but_a_catalogue(shelf: Any, tmp_path: Path) -> None:
    """Content can be learnt from items alone."""
    report = train([], shelf(), recommenders=[ItemKNN(), Content(fields={"categories": 1.0})],
                   folder=tmp_path)  # fmt: skip

    assert report.published
    arrays, _ = snapshot.read(tmp_path, report.snapshot_id)
    assert set(arrays) == {"content"}
    assert Content.from_arrays(arrays["content"]).fields == {"categories": 1.0}


def test_nothing_at_all(tmp_path: Path) -> None:
    """An empty shop is told so."""
    report = train([], [], recommenders=[ItemKNN()], folder=tmp_path)

    assert not report.published
    assert report.reason.endswith("and there is no catalogue either.")
    assert contents(tmp_path) == []


def test_who_fails_is_left_out(log: Any, shelf: Any, tmp_path: Path) -> None:
    """The report says why; the others are published."""
    report = train(log(), shelf(), recommenders=[EASE(max_items=1), ItemKNN()], folder=tmp_path)

    assert report.published
    arrays, about = snapshot.read(tmp_path, report.snapshot_id)
    assert set(arrays) == set(about["ndcg@20"]) == {"item_knn"}
    failed = report.rows[0]
    assert (failed.kept, failed.ndcg) == (False, None)
    assert failed.note.startswith("left out: EASE would invert 30")


def test_nobody_can_be_fitted(log: Any, shelf: Any, tmp_path: Path) -> None:
    """Then nothing is published."""
    report = train(log(), shelf(), recommenders=[EASE(max_items=1)], folder=tmp_path)

    assert report.reason == "Not published: no recommender could be fitted."


def test_a_damaged_live_sets_no_mark(log: Any, shelf: Any, tmp_path: Path) -> None:
    """It is told, and a sound one takes its place."""
    first = train(log(), shelf(), recommenders=[ItemKNN()], folder=tmp_path)
    manifest = tmp_path / first.snapshot_id / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-1])

    report = train(log(), shelf(), recommenders=[ItemKNN()], folder=tmp_path)

    assert report.published
    assert "The live snapshot cannot be read, so it sets no mark" in report.data
    assert "manifest.json" in report.data


def test_two_of_a_name(tmp_path: Path) -> None:
    """A snapshot holds one recommender of a name."""
    with pytest.raises(InvalidInput, match="more than one recommender is named item_knn"):
        train([], [], recommenders=[ItemKNN(), ItemKNN(k=3)], folder=tmp_path)


def test_a_review_without_stars_is_an_error_of_the_log(tmp_path: Path) -> None:
    """What is wrong in the interactions themselves is not taken for an empty log."""
    event = Event(event_id="e", event="review", ts=1, user_id="u", items=(Line(item_id="i"),),
                  attributes={"rating": float("nan")})  # fmt: skip

    with pytest.raises(InvalidInput):
        train([event], [], recommenders=[ItemKNN()], folder=tmp_path)


def test_who_a_shopper_is_is_the_callers_word(log: Any, shelf: Any, tmp_path: Path) -> None:
    """Devices of one person are one history: pooled, half the shoppers stand behind the log."""

    def person(event: Event) -> str:
        return str(int(str(event.user_id)[1:]) // 2)

    report = train(log(), shelf(), recommenders=[Popularity()], folder=tmp_path, shopper=person)

    assert "30 users" in report.data


def test_the_report_for_people_and_programs(log: Any, shelf: Any, tmp_path: Path) -> None:
    """It prints, and its dictionary is JSON with the same numbers."""
    train(log(), shelf(), recommenders=[ItemKNN()], folder=tmp_path)
    report = train(log(), shelf(), recommenders=[ItemKNN(), EASE(max_items=1)], folder=tmp_path)
    console = Console(file=StringIO(), width=200)
    console.print(report)
    text = console.file.getvalue()

    assert f"{report.best:.4f}" in text
    assert f"{report.popularity:.4f}" in text
    assert "left out: EASE would invert" in text
    assert report.reason in text
    told = json.loads(json.dumps(report.to_dict()))
    assert told["best"] == report.best
    assert told["rows"][0]["name"] == "item_knn"
    assert told["live"] == report.live
