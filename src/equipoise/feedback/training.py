"""Train → snapshot → swap: fit on the log, judge on the last days, publish if no worse.

::

    log → interactions → split by time → fit each on the earlier part → judge on the later
        → behind what is live, or behind popularity?   yes → nothing is written, the old one stays
        → no: fit on everything → write → publish

A live snapshot that ends before the held-out days is judged as it is. One that has seen them would
only recite them: its recommenders are fitted anew, with its own settings, on the same earlier part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.clock import Clock, elapsed, now, rfc3339
from equipoise.data import Interactions
from equipoise.errors import InvalidInput, InvalidInteractions, SnapshotError
from equipoise.feedback.judging import (
    LEAST_JUDGED,
    Exam,
    Marks,
    best_of,
    clearly_worse,
    examine,
    mark,
    refuse_unsound,
    set_exam,
)
from equipoise.feedback.report import Report, Row
from equipoise.recommenders import ALL, Content, Popularity, Recommender
from equipoise.state import snapshot
from equipoise.types import Arrays, Event, Item

ShopperOf = Callable[[Event], str | None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class _Live:
    """What serves now."""

    snapshot_id: str = ""
    trained_until: int = 0
    recommenders: list[Recommender] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True)
class _Shop:
    """What is learnt from, and where it goes."""

    interactions: Interactions
    items: list[Item]
    folder: Path
    keep: int
    clock: Clock
    say: Say


def train(
    events: Iterable[Event],
    items: Iterable[Item],
    *,
    recommenders: Sequence[Recommender],
    folder: Path,
    holdout_days: float = 7.0,
    tolerance: float = 0.02,
    live_id: str | None = None,
    keep: int = 5,
    shopper: ShopperOf | None = None,
    clock: Clock = now,
    say: Say = lambda words: None,
) -> Report:
    """Fit ``recommenders`` on a shop's log and publish them in ``folder`` if they are no worse.

    Args:
        events, items: the log's events, and the catalogue as it is now.
        holdout_days: the newest days, which are judged on; at most a quarter of the log's time.
        tolerance: how much less nDCG@20, as a share, the new best may have than the live
            snapshot's best and than popularity; a standard error of the difference is let pass too.
        live_id: the snapshot to keep up with; by default the folder's current one.
        keep: snapshots left on disk.
        shopper: who an event belongs to; by default ``user_id`` or else ``anonymous_id``.
        say: told what is being done, for a progress line.

    A log too small to judge by says so: it makes a first snapshot of popularity and content, which
    few data cannot lead astray, and replaces none. A recommender that cannot be fitted is left out,
    with the reason in the report. Raises InvalidInput if two recommenders share a name.
    """
    _refuse_twins(recommenders)
    shop = _Shop(_interactions(events, shopper), list(items), folder, keep, clock, say)
    wanted = snapshot.current(folder) if live_id is None else live_id
    live = _live(folder, wanted, recommenders)
    report = Report(data=_described(shop) + live.problem, live_id=live.snapshot_id)
    exam = set_exam(shop.interactions, holdout_days)
    if len(exam) < LEAST_JUDGED:
        words = f"Too little to judge by ({exam.task.note}; {LEAST_JUDGED} are needed)"
        return _unjudged(report, recommenders, shop, words)
    judged = [_examined(one, exam, shop) for one in recommenders]
    rival, popular = _rival(live, judged, exam, shop), examine(Popularity(), exam, shop.items)
    report = replace(
        report,
        task=exam.task.note,
        rows=tuple(_row(one) for one in judged),
        popularity=popular.mean,
        live=rival.mean if rival else None,
    )
    refusal = _refusal(judged, rival, popular, tolerance)
    if refusal:
        return replace(report, reason=f"Not published: {refusal}")
    return _publish(report, [one.recommender for one in judged if not one.failed], shop)


# ---------------------------------------------------------------- what is learnt from


def _interactions(events: Iterable[Event], shopper: ShopperOf | None) -> Interactions:
    """Without any that counts the table is empty, which is how every shop starts."""
    try:
        return Interactions.from_events(events, shopper=shopper)
    except InvalidInteractions as error:
        if error.code != "empty":
            raise
    codes, times, ids = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, object)
    return Interactions(codes, codes, np.empty(0, np.float32), times, ids, ids)


def _described(shop: _Shop) -> str:
    return f"Learnt from {shop.interactions!r} and a catalogue of {len(shop.items):,} items."


def _refuse_twins(recommenders: Sequence[Recommender]) -> None:
    names = [one.name for one in recommenders]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise InvalidInput(
            f"more than one recommender is named {', '.join(twins)}; names in a snapshot differ",
            pointer="/recommenders",
        )


# ---------------------------------------------------------------- who it has to keep up with


def _live(folder: Path, snapshot_id: str | None, recommenders: Sequence[Recommender]) -> _Live:
    if not snapshot_id:
        return _Live()
    classes: dict[str, type[Recommender]] = {one.name: one for one in ALL}
    classes |= {one.name: type(one) for one in recommenders}
    try:
        arrays, about = snapshot.read(folder, snapshot_id)
        fitted = [classes[name].from_arrays(arrays[name]) for name in arrays if name in classes]
    except SnapshotError as error:
        return _Live(problem=f" The live snapshot cannot be read, so it sets no mark: {error}.")
    return _Live(snapshot_id, int(about.get("trained_until", 0)), fitted)


def _rival(live: _Live, judged: Sequence[Marks], exam: Exam, shop: _Shop) -> Marks | None:
    """The best marks of the live snapshot's recommenders, if there is one."""
    if live.trained_until <= exam.split:
        return best_of([mark(one, exam, elapsed()) for one in live.recommenders])
    known = {_settings(one.recommender): one for one in judged}
    twins = [type(one)(**one.parameters()) for one in live.recommenders]
    return best_of([known.get(_settings(one)) or _examined(one, exam, shop) for one in twins])


def _settings(recommender: Recommender) -> str:
    return f"{recommender.name} {recommender.parameters()}"


def _examined(recommender: Recommender, exam: Exam, shop: _Shop) -> Marks:
    shop.say(f"judging {recommender.name}")
    return examine(recommender, exam, shop.items)


def _refusal(judged: Sequence[Marks], rival: Marks | None, popular: Marks, tolerance: float) -> str:
    """Why what was judged must not be published; empty where it may."""
    best = best_of(judged)
    if best is None:
        return "no recommender could be fitted."
    for other, whose in ((rival, "the live snapshot"), (popular, "the most met items")):
        if other is not None and clearly_worse(best, other, tolerance):
            return (
                f"the best, {best.recommender.name}, has nDCG@20 {best.mean:.4f} and {whose}"
                f" {other.mean:.4f} on the same shoppers; up to {tolerance:.0%} less, or one"
                " standard error, would be let pass."
            )
    return ""


# ---------------------------------------------------------------- what becomes of it


def _unjudged(report: Report, recommenders: Sequence[Recommender], shop: _Shop, why: str) -> Report:
    if report.live_id:
        return replace(report, reason=f"Not published: {why}; the live snapshot stays.")
    given = {one.name: one for one in recommenders}
    popularity = [given.get(Popularity.name, Popularity())] if len(shop.interactions) else []
    content = [given.get(Content.name, Content())] if shop.items else []
    first = popularity + content
    if not first:
        return replace(report, reason=f"Not published: {why}, and there is no catalogue either.")
    rows = tuple(Row(one.name, None, None, 0.0, kept=True, note="not judged") for one in first)
    done = _publish(replace(report, rows=rows), first, shop)
    return replace(done, reason=f"{why}. {done.reason}")


def _publish(report: Report, recommenders: Sequence[Recommender], shop: _Shop) -> Report:
    """Fit on everything, write, publish, and let older snapshots go."""
    tables = {one.name: _fitted(one, shop) for one in recommenders}
    shop.say("publishing")
    snapshot_id = snapshot.write(shop.folder, tables, _about(report, shop))
    snapshot.publish(shop.folder, snapshot_id)
    snapshot.prune(shop.folder, shop.keep)
    names = ", ".join(tables)
    return replace(
        report,
        published=True,
        snapshot_id=snapshot_id,
        reason=f"Published {names} as snapshot {snapshot_id}.",
    )


def _fitted(recommender: Recommender, shop: _Shop) -> Arrays:
    """Fitted on the whole; what failed here did not fail on the earlier part, so it is a fault."""
    shop.say(f"fitting {recommender.name} on everything")
    recommender.fit(shop.interactions, items=shop.items)
    refuse_unsound(recommender)
    return recommender.arrays()


def _about(report: Report, shop: _Shop) -> dict[str, Any]:
    """What the snapshot tells of itself."""
    learnt = shop.interactions
    newest = 0 if learnt.timestamp is None else int(learnt.timestamp.max(initial=0))
    return {
        "made_at": rfc3339(shop.clock()),
        "trained_until": newest,
        "interactions": len(learnt),
        "items": len(shop.items),
        "task": report.task,
        "ndcg@20": {row.name: row.ndcg for row in report.rows if row.kept},
        "popularity": report.popularity,
        "live": {"id": report.live_id, "ndcg@20": report.live},
    }


def _row(marks: Marks) -> Row:
    if marks.failed:
        note = f"left out: {marks.failed}"
        return Row(marks.recommender.name, None, None, marks.seconds, kept=False, note=note)
    recall = float(marks.recall.mean())
    return Row(marks.recommender.name, marks.mean, recall, marks.seconds, kept=True)
