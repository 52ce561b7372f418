"""Group commit: one fsync for whatever has gathered, from any number of waiting coroutines.

A single fsync takes as long for one record as for a thousand. So submissions gather while the
writer thread is at the disk, and become its next append. This turns the rate of single events into
that of large batches without making anyone wait on purpose.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition, Thread

from equipoise.errors import LogError
from equipoise.log.base import EventLog
from equipoise.types import Receipt, Record, Rejected, Stored

GROUP = 5_000
"""Records a commit at most (a single larger submission stays whole)."""
WAITING = 50_000
"""Records that may wait at most; beyond, the log says that it is busy."""


@dataclass(frozen=True, slots=True)
class _Submission:
    records: Sequence[Record]
    waiter: asyncio.Future[list[Receipt]] | None
    """None: nobody waits, a failure is only counted."""


_Outcome = tuple[_Submission, list[Receipt] | Exception]


class GroupCommit:
    """Appends to ``log`` from one writer thread and tells ``deliver`` what became durable.

    ``deliver`` receives the records that are new (no duplicates), in order of seq, on the loop's
    thread, and before anyone who waits for them is woken: whoever was acknowledged finds the state
    already changed. If it raises, those who wait for that group get its error, and so does the
    loop's exception handler; the records are durable nevertheless.

    Call everything on the loop's thread. ``lost`` counts posted records that failed.
    """

    def __init__(
        self,
        log: EventLog,
        deliver: Callable[[list[Stored]], None],
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        group: int = GROUP,
        waiting: int = WAITING,
    ) -> None:
        self._log = log
        self._deliver = deliver
        self._loop = loop or asyncio.get_running_loop()
        self._group = group
        self._limit = waiting
        self._queue: deque[_Submission] = deque()
        self._change = Condition()
        self._closing = False
        self._drained = asyncio.Event()
        self.waiting = 0
        self.lost = 0
        self._thread = Thread(target=self._work, name="equipoise-log", daemon=True)
        self._thread.start()

    async def submit(self, records: Sequence[Record]) -> list[Receipt]:
        """Receipts, once durable and delivered.

        Raises LogError when too much waits already or the append failed (then nothing of it is on
        the log and a retry is safe), and InvalidInput for a record that no log could hold.
        """
        if not records:
            return []
        waiter: asyncio.Future[list[Receipt]] = self._loop.create_future()
        self._enqueue(_Submission(records, waiter))
        return await waiter

    def post(self, records: Sequence[Record]) -> None:
        """Append soon, without waiting or answer; a failure is counted in ``lost``."""
        try:
            if records:
                self._enqueue(_Submission(records, None))
        except LogError:
            self.lost += len(records)

    async def reject(self, letters: Sequence[Rejected]) -> None:
        """Keep dead letters without holding up the loop. Raises LogError as ``submit``."""
        self._admit(len(letters))
        try:
            await self._loop.run_in_executor(None, self._log.reject, letters)
        finally:
            self.waiting -= len(letters)

    async def close(self) -> None:
        """Accept nothing more, write and deliver what waits, end the thread. The log stays open."""
        with self._change:
            self._closing = True
            self._change.notify()
        await self._drained.wait()
        self._thread.join()

    # ------------------------------------------------------------ the loop's thread

    def _enqueue(self, submission: _Submission) -> None:
        self._admit(len(submission.records))
        with self._change:
            self._queue.append(submission)
            self._change.notify()

    def _admit(self, records: int) -> None:
        if self._closing:
            raise LogError("the log is closing and accepts nothing more")
        if self.waiting + records > self._limit:
            raise LogError(
                f"the log is busy: {self.waiting} records wait to be written and at most "
                f"{self._limit} may; Retry-After: 1"
            )
        self.waiting += records

    def _finish(self, outcomes: list[_Outcome]) -> None:
        self.waiting -= sum(len(submission.records) for submission, _ in outcomes)
        self.lost += sum(
            len(submission.records)
            for submission, result in outcomes
            if submission.waiter is None and isinstance(result, Exception)
        )
        try:
            if fresh := _fresh(outcomes):
                self._deliver(fresh)
        except Exception as error:
            outcomes = [(submission, error) for submission, _ in outcomes]
            raise
        finally:
            for submission, result in outcomes:
                _wake(submission.waiter, result)

    # ------------------------------------------------------------ the writer's thread

    def _work(self) -> None:
        while group := self._gather():
            outcomes = self._commit(group)
            if not self._call(self._finish, outcomes):
                return
        self._call(self._drained.set)

    def _call(self, function: Callable[..., None], *arguments: object) -> bool:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            return False  # The loop is closed: nobody is left who could be told.
        return True

    def _gather(self) -> list[_Submission]:
        """Whatever waits, up to the bound; empty only when closing."""
        with self._change:
            self._change.wait_for(lambda: self._queue or self._closing)
            group: list[_Submission] = []
            size = 0
            while self._queue and (not group or size + len(self._queue[0].records) <= self._group):
                group.append(self._queue.popleft())
                size += len(group[-1].records)
            return group

    def _commit(self, group: list[_Submission]) -> list[_Outcome]:
        try:
            receipts = self._log.append([r for submission in group for r in submission.records])
        except LogError as error:
            # The disk refuses: trying each alone would only ask it as many times more.
            return [(submission, type(error)(str(error))) for submission in group]
        except Exception as error:
            if len(group) == 1:
                return [(group[0], error)]
            return [outcome for submission in group for outcome in self._commit([submission])]
        return _shares(group, receipts)


def _wake(waiter: asyncio.Future[list[Receipt]] | None, result: list[Receipt] | Exception) -> None:
    # A waiter that is done has gone: its request was cancelled.
    if waiter is None or waiter.done():
        return
    if isinstance(result, Exception):
        waiter.set_exception(result)
    else:
        waiter.set_result(result)


def _shares(group: list[_Submission], receipts: list[Receipt]) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    place = 0
    for submission in group:
        end = place + len(submission.records)
        outcomes.append((submission, receipts[place:end]))
        place = end
    return outcomes


def _fresh(outcomes: list[_Outcome]) -> list[Stored]:
    return [
        Stored(seq=receipt.seq, record=record)
        for submission, result in outcomes
        if not isinstance(result, Exception)
        for receipt, record in zip(result, submission.records, strict=True)
        if not receipt.duplicate
    ]
