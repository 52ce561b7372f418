"""Snapshots: swapped in while lists go on; a corrupt or a worse one is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from equipoise.clock import DAY, ManualClock
from equipoise.data import Interactions
from equipoise.engine import Engine
from equipoise.feedback.report import Report
from equipoise.feedback.training import train
from equipoise.home import Home
from equipoise.recommenders import Content, ImplicitALS, ItemKNN, Popularity
from equipoise.settings import Settings
from equipoise.state import snapshot
from equipoise.types import Event, Item, Kind, Line, Query

Nouns = Callable[[Engine, Kind], list[Any]]
Train = Callable[..., Report]


@pytest.fixture
def trained(nouns: Nouns) -> Train:
    """What ``equipoise train`` does, with recommenders of our own choice."""

    def run(engine: Engine, *recommenders: Any) -> Report:
        return train(
            nouns(engine, Kind.EVENT),
            nouns(engine, Kind.ITEM),
            recommenders=recommenders,
            folder=snapshots(engine),
        )

    return run


def snapshots(engine: Engine) -> Path:
    assert engine.home is not None
    return engine.home.snapshots


def test_a_snapshot_is_swapped_in_and_decisions_still_replay(
    shop: Engine, nouns: Nouns, trained: Train
) -> None:
    """Served by other recommenders from the next list on; the past stays what it was."""
    before = nouns(shop, Kind.DECISION)
    report = trained(shop, Popularity(), Content())
    swapped, again = shop.refresh(), shop.refresh()
    query = Query(placement="home", user_id="u-1", n=12)
    decision = shop.recommend(query)
    shop.store([shop.decision_record(decision)])

    assert report.published
    assert (swapped, again) == (True, False)
    assert shop.snapshot_id == decision.snapshot == report.snapshot_id
    assert [shop.replay(one.decision_id) for one in before] == before
    assert shop.replay(decision.decision_id) == decision


def test_fitted_recommenders_propose(shop: Engine, nouns: Nouns) -> None:
    """A visitor with a history is served from what was trained, once it was."""
    events = nouns(shop, Kind.EVENT)
    visitor = next(e.anonymous_id for e in events if e.event == "view_item" and e.anonymous_id)
    query = Query(placement="home", anonymous_id=visitor, n=12)
    untrained = {slot.source for slot in shop.recommend(query).slots}
    fitted = [
        one.fit(Interactions.from_events(events)) for one in (ItemKNN(), ImplicitALS(factors=8))
    ]
    tables = {one.name: one.arrays() for one in fitted}
    snapshot.publish(snapshots(shop), snapshot.write(snapshots(shop), tables, {}))
    shop.refresh()
    decisions = [shop.recommend(query) for _ in range(30)]
    served = [{slot.source for slot in one.slots} for one in decisions]

    assert untrained.isdisjoint(tables)
    assert set().union(*served) & set(tables)
    for decision, sources in zip(decisions, served, strict=True):
        assert (decision.fallback_level == "personalised") == bool(sources & set(tables))


def test_a_corrupt_snapshot_is_refused_and_the_old_one_stays(shop: Engine, trained: Train) -> None:
    """Live: the lists go on from what was good, and a good one after it is taken."""
    good = trained(shop, Popularity(), Content()).snapshot_id
    shop.refresh()
    folder = snapshots(shop)
    arrays, about = snapshot.read(folder, good)
    bad = snapshot.write(folder, arrays, about | {"second": True})
    snapshot.publish(folder, bad)
    _flip(folder / bad)
    swapped, kept = shop.refresh(), shop.snapshot_id
    decision = shop.recommend(Query(placement="home", user_id="u-1"))
    better = snapshot.write(folder, arrays, about | {"third": True})
    snapshot.publish(folder, better)

    assert (swapped, kept) == (False, good)
    assert decision.snapshot == good
    assert (folder / f"{bad}.damaged").is_dir()
    assert shop.refresh()
    assert shop.snapshot_id == better


def test_when_nothing_on_disk_is_good_what_serves_stays(shop: Engine, trained: Train) -> None:
    """A damaged disk, or a snapshot of a foreign shape, takes nothing from who holds a good one."""
    good = trained(shop, Popularity(), Content()).snapshot_id
    shop.refresh()
    folder = snapshots(shop)
    arrays, about = snapshot.read(folder, good)
    foreign = snapshot.write(folder, {"popularity": {"zzz": np.zeros(3)}}, {})
    snapshot.publish(folder, foreign)
    after_foreign = shop.refresh(), shop.snapshot_id
    bad = snapshot.write(folder, arrays, about | {"second": True})
    snapshot.publish(folder, bad)
    _flip(folder / bad)
    _flip(folder / good)

    assert after_foreign == (False, good)
    assert not shop.refresh()
    assert shop.snapshot_id == good
    assert shop.recommend(Query(placement="home", user_id="u-1")).snapshot == good


def test_a_reader_sets_nothing_aside(shop: Engine, trained: Train) -> None:
    """Whoever only reads passes a damaged snapshot over, and leaves it where it is."""
    good = trained(shop, Popularity(), Content()).snapshot_id
    folder = snapshots(shop)
    arrays, about = snapshot.read(folder, good)
    bad = snapshot.write(folder, arrays, about | {"second": True})
    snapshot.publish(folder, bad)
    _flip(folder / bad)
    before = sorted(path.name for path in folder.iterdir())
    reader = Engine.open(folder.parent, settings=shop.settings, read_only=True)

    assert reader.snapshot_id == good
    assert sorted(path.name for path in folder.iterdir()) == before
    reader.close()


def _flip(folder: Path) -> None:
    file = next(iter(sorted(folder.rglob("*.npy"))))
    body = bytearray(file.read_bytes())
    body[-1] ^= 1
    file.write_bytes(body)


def test_a_worse_snapshot_is_refused_and_the_old_one_stays(
    tmp_path: Path, quick: Settings, clock: ManualClock, trained: Train
) -> None:
    """Nobody who learnt the shop's pattern is replaced by a list of best-sellers."""
    home = Home(tmp_path / "shop").create()
    engine = Engine.open(home.folder, settings=quick, clock=clock)
    _store_pairs(engine, clock)
    first = trained(engine, ItemKNN())
    engine.refresh()
    worse = trained(engine, Popularity())

    assert first.published
    assert not worse.published
    assert "the live snapshot" in worse.reason
    assert not engine.refresh()
    assert engine.snapshot_id == first.snapshot_id
    engine.close()


def _store_pairs(engine: Engine, clock: ManualClock) -> None:
    """400 shoppers view three of the five items of a shelf: what goes with what tells it all."""
    events = [
        Event(
            event_id=f"e-{who}-{step}",
            event="view_item",
            ts=clock() - 20 * DAY + (step * 400 + who) * 1_200_000,
            anonymous_id=f"c-{who}",
            items=(Line(item_id=f"i-{who % 20}-{(who // 20 + step) % 5}"),),
        )
        for step in range(3)
        for who in range(400)
    ]
    engine.store(
        [engine.item_record(Item(item_id=f"i-{a}-{b}")) for a in range(20) for b in range(5)]
    )
    engine.store(engine.event_records(events))
