"""Group commit: many wait, one fsync, and nobody suffers for a neighbour."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from equipoise.errors import InvalidInput, LogError, LogFull
from equipoise.log.group import GroupCommit
from equipoise.log.memory import MemoryLog
from equipoise.log.sqlite import SQLiteLog
from equipoise.testing.logs import START, as_read, contents, record
from equipoise.types import Record, Rejected, Stored


class Gated(MemoryLog):
    """Counts its appends and holds each until the gate opens; refuses when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        """An append has begun."""
        self.appends: list[int] = []
        self.refuse: Callable[[], Exception | None] = lambda: None

    def append(self, records: Sequence[Record]):
        self.entered.set()
        self.gate.wait()
        self.appends.append(len(records))
        if error := self.refuse():
            raise error
        return super().append(records)


def ignore(stored: list[Stored]) -> None:
    pass


async def settle(group: GroupCommit, waiting: int) -> None:
    while group.waiting != waiting:
        await asyncio.sleep(0.001)


def test_what_gathers_becomes_one_append() -> None:
    """While the disk is busy everything gathers, and becomes bounded groups in order of arrival."""

    async def run() -> tuple[Gated, list]:
        log = Gated()
        group = GroupCommit(log, ignore, group=10)
        log.gate.clear()
        first = asyncio.create_task(group.submit([record(100)]))
        await asyncio.to_thread(log.entered.wait)
        rest = [asyncio.create_task(group.submit([record(n), record(n + 50)])) for n in range(12)]
        large = asyncio.create_task(group.submit([record(n) for n in range(200, 225)]))
        await settle(group, 50)
        log.gate.set()
        receipts = await asyncio.gather(first, *rest, large)
        await group.close()
        return log, receipts

    log, receipts = asyncio.run(run())

    assert log.appends == [1, 10, 10, 4, 25]
    assert [r.seq for one in receipts for r in one] == list(range(1, 51))
    assert len(list(log.read())) == 50


def test_delivered_in_order_before_anyone_wakes() -> None:
    """Only what is new is delivered, by seq, on the loop's thread, before its waiter goes on."""
    delivered: list[Stored] = []
    threads = set()

    def deliver(stored: list[Stored]) -> None:
        threads.add(threading.get_ident())
        delivered.extend(stored)

    async def one(group: GroupCommit, number: int) -> None:
        (receipt,) = await group.submit([record(number)])

        assert receipt.seq in {stored.seq for stored in delivered}

    async def run() -> MemoryLog:
        log = MemoryLog()
        group = GroupCommit(log, deliver)
        await asyncio.gather(*(one(group, n % 60) for n in range(150)))
        await group.close()
        return log

    log = asyncio.run(run())

    assert threads == {threading.get_ident()}
    assert [stored.seq for stored in delivered] == list(range(1, 61))
    assert as_read(contents(delivered)) == contents(log.read())


def test_a_bad_record_does_not_sink_its_neighbours() -> None:
    """The submission with the bad record fails by itself; the others of its group are kept."""

    async def run() -> list:
        log = Gated()
        group = GroupCommit(log, ignore)
        log.gate.clear()
        tasks = [asyncio.create_task(group.submit([record(100)]))]
        await asyncio.to_thread(log.entered.wait)
        bad = replace(record(2), key="\ud800")
        sent = (record(0), bad, record(4))
        tasks += [asyncio.create_task(group.submit([one])) for one in sent]
        group.post([replace(bad, ids=())])
        await settle(group, 5)
        log.gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await group.close()

        assert group.lost == 1
        assert contents(log.read()) == as_read([record(100), record(0), record(4)])
        return results

    results = asyncio.run(run())

    assert isinstance(results.pop(2), InvalidInput)
    assert [receipts[0].seq for receipts in results] == [1, 2, 3]


def test_a_failing_disk_fails_its_group_only() -> None:
    """Those whose append failed hear why; the next group goes on, and a retry is safe."""

    async def run() -> None:
        log = Gated()
        group = GroupCommit(log, ignore)
        errors = [LogFull("no space"), LogFull("no space")]
        log.refuse = lambda: errors.pop() if errors else None
        with pytest.raises(LogFull, match="no space"):
            await group.submit([record(0)])
        group.post([record(1), record(2)])
        await settle(group, 0)

        assert group.lost == 2
        assert (await group.submit([record(0)]))[0].seq == 1
        assert log.appends == [1, 2, 1]
        await group.close()

    asyncio.run(run())


def test_busy_rather_than_endless() -> None:
    """Beyond the bound a submission is refused at once, a post is lost and counted."""

    async def run() -> None:
        log = Gated()
        group = GroupCommit(log, ignore, waiting=3)
        log.gate.clear()
        waiting = asyncio.create_task(group.submit([record(0), record(1)]))
        await settle(group, 2)
        with pytest.raises(LogError, match=r"busy: 2 records wait .* at most 3 .*Retry-After: 1"):
            await group.submit([record(2), record(3)])
        group.post([record(2), record(3)])

        assert (group.lost, group.waiting) == (2, 2)
        log.gate.set()
        await waiting

        assert group.waiting == 0
        assert await group.submit([]) == []
        await group.close()

    asyncio.run(run())


def test_closing_drains() -> None:
    """What was accepted before ``close`` is durable and delivered; then nothing is taken."""
    delivered: list[Stored] = []

    async def run() -> MemoryLog:
        log = Gated()
        group = GroupCommit(log, delivered.extend, group=2)
        log.gate.clear()
        task = asyncio.create_task(group.submit([record(0)]))
        await asyncio.to_thread(log.entered.wait)
        for n in range(1, 8):
            group.post([record(n)])
        log.gate.set()
        await asyncio.gather(group.close(), group.close())

        assert (await task)[0].seq == 1
        with pytest.raises(LogError, match="the log is closing and accepts nothing more"):
            await group.submit([record(9)])
        return log

    log = asyncio.run(run())

    assert [stored.seq for stored in delivered] == list(range(1, 9))
    assert log.last == 8


def test_a_cancelled_waiter_changes_nothing() -> None:
    """A request that goes away leaves its records on the log and the others in peace."""

    async def run() -> None:
        log = Gated()
        group = GroupCommit(log, ignore)
        log.gate.clear()
        gone = asyncio.create_task(group.submit([record(0)]))
        stays = asyncio.create_task(group.submit([record(1)]))
        await settle(group, 2)
        gone.cancel()
        log.gate.set()

        assert (await stays)[0].seq == 2
        assert log.last == 2
        await group.close()

    asyncio.run(run())


def test_a_failing_fold_is_heard() -> None:
    """An error of ``deliver`` reaches the waiter and the loop's handler; the writer goes on."""
    reported = []

    def deliver(stored: list[Stored]) -> None:
        if stored[0].seq == 1:
            raise ZeroDivisionError("the fold broke")

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: reported.append(context["exception"]))
        group = GroupCommit(MemoryLog(), deliver, loop=loop)
        with pytest.raises(ZeroDivisionError, match="the fold broke"):
            await group.submit([record(0)])

        assert (await group.submit([record(1)]))[0].seq == 2
        await group.close()

    asyncio.run(run())

    assert [str(error) for error in reported] == ["the fold broke"]


def test_dead_letters_do_not_hold_up_the_loop() -> None:
    """``reject`` keeps letters off the loop's thread, and is refused when closing."""
    letter = Rejected(code="c", pointer="", message="m", body=b"", arrived=START)

    async def run() -> None:
        log = MemoryLog()
        group = GroupCommit(log, ignore)
        await group.reject([letter, letter])

        assert (len(log.rejected()), group.waiting) == (2, 0)
        await group.close()
        with pytest.raises(LogError, match="closing"):
            await group.reject([letter])

    asyncio.run(run())


def test_a_loop_that_has_gone() -> None:
    """Where the loop ended without ``close``, what was posted is kept and the thread ends too."""
    log = Gated()
    log.gate.clear()
    groups = []

    async def run() -> None:
        groups.append(GroupCommit(log, ignore))
        groups[0].post([record(0)])

    asyncio.run(run())
    log.gate.set()
    groups[0]._thread.join(timeout=5)

    assert not groups[0]._thread.is_alive()
    assert contents(log.read()) == as_read([record(0)])


def test_on_disk(tmp_path: Path) -> None:
    """With the real log: 40 submitters, one by one, each record once and durable."""

    async def submitter(group: GroupCommit, number: int) -> list[int]:
        return [(await group.submit([record(40 * n + number)]))[0].seq for n in range(5)]

    async def run(log: SQLiteLog) -> list[list[int]]:
        group = GroupCommit(log, ignore)
        seqs = await asyncio.gather(*(submitter(group, n) for n in range(40)))
        await group.close()
        return seqs

    with SQLiteLog(tmp_path) as log:
        seqs = asyncio.run(run(log))

    assert sorted(seq for one in seqs for seq in one) == list(range(1, 201))
    assert all(one == sorted(one) for one in seqs)
