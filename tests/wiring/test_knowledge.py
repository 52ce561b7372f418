"""What the service knows is a fold over its log, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.home import Home
from equipoise.knowledge import Knowledge
from equipoise.settings import Settings, build
from equipoise.types import Arrays, Item, Kind, Query

Differing = Callable[[dict[str, Arrays], dict[str, Arrays]], list[str]]
Live = Callable[..., None]


def folded(engine: Engine, settings: Settings | None = None) -> Knowledge:
    knowledge = Knowledge(settings or engine.settings)
    knowledge.apply(engine.log.read())
    return knowledge


def test_the_log_is_worth_testing(lived: Engine) -> None:
    """All that follows stands on a log with lists, clicks, rewards and ticks in it."""
    kinds = {stored.record.kind for stored in lived.log.read()}

    assert {Kind.ITEM, Kind.EVENT, Kind.DECISION, Kind.TICK} <= kinds
    assert lived.knowledge.model.summary()["looks"] > 500
    assert lived.knowledge.moves["home"]


def test_replay_equals_live(lived: Engine, differing: Differing) -> None:
    """The log alone gives every byte of the state."""

    assert differing(folded(lived).dump(), lived.knowledge.dump()) == []


@pytest.mark.parametrize("size", [1, 7, 400])
def test_pieces_do_not_matter(lived: Engine, differing: Differing, size: int) -> None:
    """A record at a time, or in the pieces that a group commit happens to deliver."""
    knowledge, records = Knowledge(lived.settings), lived.log.read()
    while piece := list(islice(records, size)):
        knowledge.apply(piece)

    assert differing(knowledge.dump(), lived.knowledge.dump()) == []


@pytest.mark.parametrize("share", [0.0, 0.1, 0.37, 0.8, 1.0])
def test_checkpoint_and_tail_equal_the_whole(
    lived: Engine, differing: Differing, share: float
) -> None:
    """Stopped anywhere, loaded and gone on with: never stopped."""
    records = list(lived.log.read())
    first, second = Knowledge(lived.settings), Knowledge(lived.settings)
    first.apply(records[: round(share * len(records))])
    second.load(first.dump())
    second.apply(records)

    assert differing(second.dump(), lived.knowledge.dump()) == []


def test_what_was_folded_in_is_passed_over(lived: Engine, differing: Differing) -> None:
    """A record that is delivered twice counts once."""
    knowledge = folded(lived)
    knowledge.apply(lived.log.read())

    assert differing(knowledge.dump(), lived.knowledge.dump()) == []


def test_asking_changes_nothing(lived: Engine, differing: Differing) -> None:
    """Lists, replays, explanations, exports and figures leave no trace in the state."""
    before = {table: dict(arrays) for table, arrays in folded(lived).dump().items()}
    decisions = [s.record.key for s in lived.log.read(kinds=(Kind.DECISION,))]
    for name in ("a", "b"):
        lived.recommend(Query(placement="home", anonymous_id=name))
        lived.recommend(Query(placement="product", user_id=name, item_ids=("sku-100000",)))
    lived.reasons(lived.replay(decisions[0]), 0)
    lived.export(next(s.record.shopper for s in lived.log.read(kinds=(Kind.EVENT,))))
    lived.summary()
    lived.departments()

    assert differing(before, lived.knowledge.dump()) == []


def test_balances_survive_a_checkpoint(lived: Engine) -> None:
    """Levels and the reasons of their moves too."""
    knowledge = Knowledge(lived.settings)
    knowledge.load(lived.knowledge.dump())

    assert knowledge.balances == lived.knowledge.balances
    assert knowledge.moves == lived.knowledge.moves
    assert knowledge.seq == lived.log.last


def test_a_placement_that_is_gone_explores_nothing(lived: Engine) -> None:
    """The log may speak of placements that the settings no longer name."""

    assert lived.knowledge.balance("attic").target == 0.0


# ---------------------------------------------------------------- on disk


@pytest.fixture
def closed(
    tmp_path: Path, quick: Settings, live: Live
) -> tuple[Path, ManualClock, dict[str, Arrays]]:
    """A data directory that was lived in and closed, and what was known when it was."""
    clock = ManualClock()
    home = Home(tmp_path / "shop").create()
    engine = Engine.open(home.folder, settings=quick, clock=clock)
    live(engine, 60)
    known = engine.knowledge.dump()
    engine.close()
    return home.folder, clock, known


Closed = tuple[Path, ManualClock, dict[str, Arrays]]


def reopened(folder: Path, clock: ManualClock, settings: Settings, **how: Any) -> Engine:
    return Engine.open(folder, settings=settings, clock=clock, **how)


def test_delete_the_state_and_replay(closed: Closed, quick: Settings, differing: Differing) -> None:
    """The same bytes from the checkpoint, from the log alone, and for a reader beside."""
    folder, clock, known = closed
    with_state = reopened(folder, clock, quick, read_only=True)
    shutil.rmtree(folder / "state")
    without = reopened(folder, clock, quick)

    assert differing(with_state.knowledge.dump(), known) == []
    assert differing(without.knowledge.dump(), known) == []
    with_state.close()
    without.close()


def test_a_live_checkpoint_and_a_longer_log(
    closed: Closed, quick: Settings, live: Live, differing: Differing
) -> None:
    """Closed, opened, lived in again, and replayed from the start."""
    folder, clock, _ = closed
    engine = reopened(folder, clock, quick)
    live(engine, 40, seed=2, prefix="again-")

    assert differing(folded(engine).dump(), engine.knowledge.dump()) == []
    engine.close()


def test_a_damaged_checkpoint_is_replayed(
    closed: Closed, quick: Settings, differing: Differing
) -> None:
    """It is only speed: what fails its check is not believed."""
    folder, clock, known = closed
    for file in (folder / "state").rglob("*.npy"):
        body = bytearray(file.read_bytes())
        body[-1] ^= 1
        file.write_bytes(body)
    engine = reopened(folder, clock, quick)

    assert differing(engine.knowledge.dump(), known) == []
    engine.close()


def test_a_checkpoint_of_other_settings_is_not_used(closed: Closed, differing: Differing) -> None:
    """What a click is worth changes what is known, from the first click on."""
    folder, clock, known = closed
    dearer = build({"log": {"durability": "process"}, "worth": {"click": 0.5}})
    engine = reopened(folder, clock, dearer)

    assert differing(engine.knowledge.dump(), known)
    assert differing(folded(engine).dump(), engine.knowledge.dump()) == []
    engine.close()


def test_a_reader_writes_nothing(closed: Closed, quick: Settings) -> None:
    """``read_only`` leaves every file as it was; also while closing."""
    folder, clock, _ = closed
    before = _files(folder)
    engine = reopened(folder, clock, quick, read_only=True)
    engine.recommend(Query(placement="home", anonymous_id="x"))
    engine.close()

    assert _files(folder) == before


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        # SQLite's journal is empty after a clean end; whoever reads makes it and its index anew.
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_an_item_without_category_has_no_group() -> None:
    """Its rate starts from all items'."""
    engine = Engine.in_memory(clock=ManualClock())
    engine.store([engine.item_record(Item(item_id="a"))])

    assert engine.knowledge.group(0) == -1
