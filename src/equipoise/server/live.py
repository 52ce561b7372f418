"""A running shop: the engine coupled to a log that many requests share.

One loop, one thread: whatever touches the engine runs on it. Writing is the exception; the group
commit has its own thread and comes back to the loop to fold in what has become durable, before any
caller hears of it. So an acknowledged event is on disk *and* known to the next list.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, cast

from litestar import Request

from equipoise.clock import elapsed
from equipoise.engine import Engine
from equipoise.errors import EquipoiseError, LogError
from equipoise.feedback.provenance import network_hash
from equipoise.log.base import EventLog
from equipoise.log.group import GroupCommit
from equipoise.server.keys import Keys, check_binding, is_loopback
from equipoise.server.limits import Limits, public_prefix
from equipoise.server.metrics import Metrics
from equipoise.types import Decision, Query, Receipt, Record, Rejected, Stored

TICK_S = 1.0
STATE_EVERY_S = 600.0
"""A checkpoint only spares the next start some reading; it is also kept on a clean stop."""
TURNS = 256

logger = logging.getLogger("equipoise.server")


class Live:
    """What every handler is given.

    Args:
        engine: open, and from now on touched by this loop alone.
        keys: default: those of the engine's data directory.
        host: the address that will be bound.

    Raises:
        SettingsError: the address can be reached by others, and there is no key.
    """

    def __init__(
        self, engine: Engine, *, keys: Keys | None = None, host: str = "127.0.0.1"
    ) -> None:
        server, home = engine.settings.server, engine.home
        self.engine = engine
        self.log: EventLog = engine.log
        self.keys = keys if keys is not None else Keys(home.keys_file if home else None)
        check_binding(host, self.keys)
        self.limits = Limits(server.requests_per_second, server.burst)
        self.max_body = server.max_body_kb * 1_024
        self.failing = False
        """True from the first write that the log refused to the first that it took again."""
        self._lost_before = 0
        self.fresh = _newest(engine)
        self.metrics = Metrics(self)
        self._loopback = is_loopback(host)
        # Without files the log ends with this process, and so may the key of what it holds.
        self._secret = home.secrets().token_secret if home else secrets.token_bytes(32)
        self._turns = [asyncio.Lock() for _ in range(TURNS)]
        self._group: GroupCommit | None = None
        self._ticker: asyncio.Task[None] | None = None

    @property
    def open(self) -> bool:
        """On loopback and without keys: whoever sits at this machine may do everything."""
        return self._loopback and not len(self.keys)

    @property
    def seq(self) -> int:
        """The newest record that is folded in."""
        return self.engine.knowledge.seq

    @property
    def lost(self) -> int:
        """Decisions that were served but could not be stored."""
        return self._group.lost if self._group else 0

    @property
    def waiting(self) -> int:
        """Records that wait to be written."""
        return self._group.waiting if self._group else 0

    def network(self, client: str) -> str:
        """The network of a client's address as the log may know it: a keyed hash of its prefix.

        Empty for an address that is not of the public internet: it is a proxy's, or this machine's,
        and everybody would seem to come from there.
        """
        return network_hash(self._secret, public_prefix(client))

    @property
    def buckets(self) -> int:
        """Token buckets that are kept."""
        return len(self.limits)

    @property
    def started(self) -> bool:
        return self._group is not None

    # ------------------------------------------------------------ start and stop

    async def start(self) -> None:
        """Begin to write and to tick."""
        self._warm_up()
        # What was loaded stays: the collector need not walk it again and again.
        gc.collect()
        gc.freeze()
        loop = asyncio.get_running_loop()
        self._group = GroupCommit(self.log, self._deliver, loop=loop)
        self._ticker = loop.create_task(self._tick_on())

    def _warm_up(self) -> None:
        """One list a placement that nobody sees: compiled kernels are loaded before the first."""
        for name, placement in self.engine.settings.placements.items():
            self.engine.recommend(Query(placement=name, n=placement.n, dry_run=True))

    async def stop(self) -> None:
        """Everything that was handed over becomes durable, then a checkpoint is kept."""
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
        if self._group is not None:
            await self._group.close()
        self._group = self._ticker = None
        self.engine.keep(self.engine.checkpoint())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Live]:
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    # ------------------------------------------------------------ write

    async def submit(self, records: Sequence[Record]) -> list[Receipt]:
        """Durable and folded in when it returns.

        Raises:
            LogError: nothing was stored.
        """
        if not records:
            return []
        started = elapsed()
        try:
            receipts = await self._writer().submit(records)
        except LogError:
            self.failing = True
            raise
        self.metrics.commit.observe(elapsed() - started)
        return receipts

    async def reject(self, letters: list[Rejected]) -> None:
        """Keep dead letters. Where even that fails they are counted: the caller has the reasons."""
        self.metrics.rejected.inc(len(letters))
        if not letters:
            return
        try:
            await self._writer().reject(letters)
        except LogError as error:
            self.metrics.unkept.inc(len(letters))
            logger.error("%d dead letters could not be stored: %s", len(letters), error)

    async def forget(self, rejected_ids: list[int]) -> None:
        """Drop dead letters. Raises LogError."""
        await asyncio.to_thread(self.log.forget_rejected, rejected_ids)

    def decide(self, query: Query) -> Decision:
        """Recommend, and put the decision on its way to the log (unless it is a dry run)."""
        decision = self.engine.recommend(query)
        if not query.dry_run:
            self.metrics.decision(decision)
            self._writer().post([self.engine.decision_record(decision)])
        return decision

    @asynccontextmanager
    async def turn(self, identifiers: Sequence[str]) -> AsyncIterator[None]:
        """Alone with these nouns: what is read in here is not changed by another writer."""
        places = sorted({hash(one) % TURNS for one in identifiers})
        async with AsyncExitStack() as stack:
            for place in places:
                await stack.enter_async_context(self._turns[place])
            yield

    def _writer(self) -> GroupCommit:
        if self._group is None:
            raise LogError("the service has not started, or is stopping")
        return self._group

    def _deliver(self, stored: Sequence[Stored]) -> None:
        self.failing = False
        self.engine.apply(stored)
        self.fresh = stored[-1].record.arrived

    # ------------------------------------------------------------ once a second

    async def _tick_on(self) -> None:
        kept = elapsed()
        while True:
            await asyncio.sleep(TICK_S)
            await self._guarded(self._tick)
            if elapsed() - kept > STATE_EVERY_S:
                kept = elapsed()
                await self._guarded(self._keep_state)

    async def _tick(self) -> None:
        """Windows that closed become rewards, a new snapshot is swapped in, new keys are seen."""
        if self.lost > self._lost_before:
            self._lost_before, self.failing = self.lost, True
        self.keys.reload()
        found = await asyncio.to_thread(self.engine.newest_snapshot)
        if found is not None:
            self.engine.walk.use(*found)
        record = self.engine.tick_record()
        if record is not None:
            await self.submit([record])

    async def _keep_state(self) -> None:
        await asyncio.to_thread(self.engine.keep, self.engine.checkpoint())
        await asyncio.to_thread(self.engine.seal)

    async def _guarded(self, work: Any) -> None:
        """The clock goes on whatever one tick met."""
        try:
            await work()
        except EquipoiseError as error:
            logger.error("%s: %s", work.__name__, error)
        except Exception:
            logger.exception("%s", work.__name__)


def live_of(request: Request[Any, Any, Any]) -> Live:
    """The running shop behind a request."""
    return cast(Live, request.app.state.live)


def _newest(engine: Engine) -> int | None:
    """When the newest record of the log arrived."""
    last = next(engine.log.read(engine.log.last - 1), None) if engine.log.last else None
    return last.record.arrived if last else None
