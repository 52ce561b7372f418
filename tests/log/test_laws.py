"""Every log, every law."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.log.base import EventLog
from equipoise.log.memory import MemoryLog
from equipoise.log.sqlite import SQLiteLog
from equipoise.testing import logs

Make = Callable[[], EventLog]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Each call gives a new, empty log; all are closed in the end."""
    folders, opened = count(), []

    def new() -> EventLog:
        log = MemoryLog() if request.param == "memory" else SQLiteLog(tmp_path / f"{next(folders)}")
        opened.append(log)
        return log

    yield new
    for log in opened:
        log.close()


@pytest.mark.parametrize("law", logs.LAWS, ids=lambda law: law.__name__)
def test_law(law: Callable[[Make], None], make: Make) -> None:
    """The law in the function's own docstring."""
    law(make)


def test_all_at_once(tmp_path: Path) -> None:
    """``check_log`` accepts SQLiteLog with everything, reopening too."""
    folders = (tmp_path / f"{n}" for n in count())
    at: dict[int, Path] = {}

    def make() -> EventLog:
        folder = next(folders)
        log = SQLiteLog(folder)
        at[id(log)] = folder
        return log

    def reopen(log: EventLog) -> EventLog:
        log.close()
        again = SQLiteLog(at[id(log)])
        at[id(again)] = at[id(log)]
        return again

    logs.check_log(make, reopen=reopen)


class Forgetful(MemoryLog):
    """Reads everything but the last record."""

    def read(self, after=0, *, kinds=()):
        return iter(list(super().read(after, kinds=kinds))[:-1])


def test_laws_find_a_broken_log() -> None:
    """A log that loses its last record does not pass."""
    with pytest.raises(AssertionError):
        logs.check_log(Forgetful)


@given(
    st.lists(
        st.tuples(st.integers(0, 14), st.integers(1, 5), st.booleans()), min_size=1, max_size=20
    )
)
@settings(
    max_examples=500,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_each_once_and_in_order(deliveries_log: tuple, plan: list) -> None:
    """Any events ×1–5, cut into batches anywhere and partly retried, count once."""
    log, numbers = deliveries_log
    prefix = next(numbers)
    batches: list[list[str]] = [[]]
    for event, times, cut in plan:
        batches[-1] += [f"{prefix}-{event}"] * times
        if cut:
            batches.append([])
    retried = batches[len(batches) // 2]
    logs.once_and_in_order(log, [*batches, retried[: len(retried) // 2 + 1]])


@pytest.fixture(params=["memory", "sqlite"])
def deliveries_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple]:
    """One log for all generated sequences, which name their events apart."""
    sqlite = request.param == "sqlite"
    log = SQLiteLog(tmp_path, durability="process") if sqlite else MemoryLog()
    yield log, count()
    log.close()
