"""The engine: one shop, its log, what it knows, and the walk from a query to a stored decision."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np

from equipoise import __version__
from equipoise import clock as clocks
from equipoise.codec import decode, encode
from equipoise.errors import UnknownDecision
from equipoise.home import Home
from equipoise.intake.canonical import record_ids
from equipoise.intake.tokens import Claim, impression, sign
from equipoise.knowledge import FOLDS, Knowledge
from equipoise.log.base import EventLog
from equipoise.log.memory import MemoryLog
from equipoise.log.sqlite import SQLiteLog
from equipoise.randomness import derive, fresh_id
from equipoise.ranking.reasons import reasons
from equipoise.recommenders import Recommender, recommenders_from
from equipoise.settings import Settings
from equipoise.state import snapshot
from equipoise.types import (
    Arrays,
    Coupon,
    Decision,
    Event,
    Item,
    Kind,
    Line,
    Query,
    Receipt,
    Record,
    Stored,
    User,
)
from equipoise.walk import Walk

logger = logging.getLogger("equipoise.engine")

DECISIONS_KEPT = 2_000
"""Newest decisions that stay in memory, some 10 KB each; older ones are read from the log."""


class Engine:
    """One shop: its log, what it knows, and the walk from a query to a stored decision.

    Touched by one thread. ``recommend`` and the ``…_record`` functions write nothing; ``store``
    (or a server's own commit followed by ``apply``) does.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        settings: Settings,
        seed: int,
        secret: bytes,
        home: Home | None = None,
        clock: clocks.Clock = clocks.now,
        read_only: bool = False,
        new_id: Callable[[int], str] = lambda now: fresh_id("r-", now),
    ) -> None:
        self.log = log
        self.settings = settings
        self.home = home
        self.clock = clock
        self.knowledge = Knowledge(settings)
        self.walk = Walk(self.knowledge, settings, seed=seed, clock=clock, new_id=new_id)
        self._read_only = read_only
        self._secret = secret
        self._recent: OrderedDict[str, Decision] = OrderedDict()

    # ------------------------------------------------------------ open and close

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        settings: Settings | None = None,
        clock: clocks.Clock = clocks.now,
        read_only: bool = False,
    ) -> Self:
        """The shop of a data directory, with its log folded in.

        Raises:
            SettingsError: the directory is not ours, or its settings cannot be.
            LogLocked: another process writes to it (``read_only`` is then still possible).
        """
        home = Home(folder)
        settings = settings or home.settings()
        secrets = home.secrets()
        log = SQLiteLog(home.log, read_only=read_only, durability=settings.log.durability)
        engine = cls(
            log,
            settings=settings,
            seed=secrets.root_seed,
            secret=secrets.token_secret,
            home=home,
            clock=clock,
            read_only=read_only,
        )
        engine.load_state()
        engine.apply(log.read(engine.knowledge.seq))
        engine.refresh()
        return engine

    @classmethod
    def in_memory(
        cls,
        *,
        settings: Settings | None = None,
        clock: clocks.Clock = clocks.now,
        seed: int = 0,
    ) -> Self:
        """A shop without files, the same to the last bit for the same seed: tests, simulations."""
        luck = derive(seed, "decision ids")
        return cls(
            MemoryLog(),
            settings=settings or Settings(),
            seed=seed,
            secret=derive(seed, "token secret").bytes(32),
            clock=clock,
            new_id=lambda now: f"r-{now:012x}{luck.bytes(8).hex()}",
        )

    def close(self) -> None:
        """Keep a checkpoint and let the log go."""
        self.keep(self.checkpoint())
        self.log.close()

    # ------------------------------------------------------------ serve

    def recommend(self, query: Query) -> Decision:
        """A list for a placement: decided, not yet stored, nothing changed.

        Raises:
            InvalidInput: the placement is unknown, or the filter cannot be.
        """
        return self.walk.recommend(query)

    def replay(self, decision_id: str) -> Decision:
        """The decision computed again from what it stored alone: equal, bit for bit.

        Raises:
            UnknownDecision: no such decision is on the log.
        """
        return self.walk.replay(self.decision(decision_id))

    def level(self, placement: str) -> float:
        """How strongly a placement explores now."""
        return self.walk.level(placement)

    @property
    def snapshot_id(self) -> str:
        """The published recommenders in use; empty before the first."""
        return self.walk.snapshot_id

    # ------------------------------------------------------------ the log, and the fold

    def store(self, records: Sequence[Record]) -> list[Receipt]:
        """Make records durable and fold in what is no duplicate."""
        receipts = self.log.append(records)
        self.apply(
            [
                Stored(seq=receipt.seq, record=record)
                for receipt, record in zip(receipts, records, strict=True)
                if not receipt.duplicate
            ]
        )
        return receipts

    def apply(self, stored: Any) -> None:
        """Fold durable records in, in order of seq."""
        self.knowledge.apply(stored)

    def event_records(self, events: Sequence[Event]) -> list[Record]:
        """Events as records; a line whose token holds gets the impression it speaks of."""
        now = self.clock()
        return [self._event_record(event, now) for event in events]

    def _event_record(self, event: Event, now: int) -> Record:
        if any(line.token for line in event.items):
            lines = tuple(self._verified(line, now) for line in event.items)
            event = msgspec.structs.replace(event, items=lines)
        return Record(
            kind=Kind.EVENT,
            key=event.event_id,
            arrived=now,
            body=encode(event),
            shopper=event.user_id or event.anonymous_id or "",
            ids=record_ids(event),
        )

    def _verified(self, line: Line, now: int) -> Line:
        if not line.token:
            return line
        lifetime = round(self.settings.server.token_lifetime_hours * 3_600_000)
        return msgspec.structs.replace(
            line,
            token=None,
            impression=impression(self._secret, line.item_id, line.token, now, lifetime),
        )

    def item_record(self, item: Item) -> Record:
        return self._record(Kind.ITEM, item.item_id, encode(item))

    def item_removal(self, item_id: str) -> Record:
        return self._record(Kind.ITEM_REMOVED, item_id)

    def coupon_record(self, coupon: Coupon) -> Record:
        return self._record(Kind.COUPON, coupon.coupon_id, encode(coupon))

    def coupon_removal(self, coupon_id: str) -> Record:
        return self._record(Kind.COUPON_REMOVED, coupon_id)

    def user_record(self, user: User) -> Record:
        return self._record(Kind.USER, user.user_id, encode(user), shopper=user.user_id)

    def user_removal(self, user_id: str) -> Record:
        return self._record(Kind.USER_REMOVED, user_id, shopper=user_id)

    def decision_record(self, decision: Decision) -> Record:
        """The decision for the log; from now on it is also found by its id."""
        self._remember(decision)
        who = decision.query.user_id or decision.query.anonymous_id or ""
        return self._record(Kind.DECISION, decision.decision_id, encode(decision), shopper=who)

    def control_record(self, placement: str, switched: dict[str, Any]) -> Record:
        return self._record(Kind.CONTROL, placement, encode(switched))

    def tick_record(self) -> Record | None:
        """That time has passed, if a slot's window has closed and no other record has said so."""
        due = self.knowledge.attribution.next_due
        return self._record(Kind.TICK, "") if due is not None and due <= self.clock() else None

    def _record(self, kind: Kind, key: str, body: bytes = b"", shopper: str = "") -> Record:
        return Record(kind=kind, key=key, arrived=self.clock(), body=body, shopper=shopper)

    # ------------------------------------------------------------ ask

    def item(self, item_id: str) -> Item | None:
        """What the shop said of an item; None for a stranger and for what was removed."""
        position = self.knowledge.catalogue.find(item_id)
        return None if position is None else self.knowledge.catalogue.item(position)

    def decision(self, decision_id: str) -> Decision:
        """Raises UnknownDecision where no such decision is on the log."""
        recent = self._recent.get(decision_id)
        if recent is not None:
            return recent
        stored = self.log.find(Kind.DECISION, decision_id)
        if stored is None:
            raise UnknownDecision(f"no decision {decision_id!r} is on the log")
        decision: Decision = decode(Kind.DECISION, decision_id, stored.record.body)
        return decision

    def newest_decisions(self, n: int) -> list[Decision]:
        """Of this process, newest first."""
        return list(reversed(self._recent.values()))[:n]

    def _remember(self, decision: Decision) -> None:
        self._recent[decision.decision_id] = decision
        while len(self._recent) > DECISIONS_KEPT:
            self._recent.popitem(last=False)

    def token(self, decision: Decision, slot: int) -> str:
        """The signed impression token of a slot: a click teaches only with it."""
        shown = decision.slots[slot]
        claim = Claim(
            decision_id=decision.decision_id,
            slot=slot,
            item_id=shown.item_id,
            placement=decision.query.placement,
            policy=decision.policy.name,
            propensity=shown.propensity,
            issued=decision.ts,
        )
        return sign(self._secret, claim)

    def reasons(self, decision: Decision, slot: int) -> list[str]:
        """Why an item is where it is, in plain sentences."""
        return reasons(decision.slots[slot])

    def export(self, user_id: str) -> dict[str, Any]:
        """Everything held about a shopper, the devices linked to them included."""
        shoppers = self.knowledge.shoppers
        held: dict[str, Any] = {"user": None, "events": [], "decisions": []}
        places = {Kind.EVENT: "events", Kind.DECISION: "decisions"}
        for name in (user_id, *shoppers.identities.anonymous_ids(user_id)):
            for stored in self.log.of_shopper(name):
                record = stored.record
                noun = decode(record.kind, record.key, record.body)
                if record.kind in places:
                    held[places[record.kind]].append(msgspec.to_builtins(noun))
                elif record.kind in (Kind.USER, Kind.USER_REMOVED):
                    held["user"] = msgspec.to_builtins(noun) if record.kind is Kind.USER else None
        held["profile"] = shoppers.profile(shoppers.identities.key(user_id, None))
        return held

    def departments(self) -> list[str]:
        """Top-level categories, those with most items first."""
        catalogue = self.knowledge.catalogue
        listed = catalogue.department[catalogue.listed]
        codes, counts = np.unique(listed[listed >= 0], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        return [catalogue.name("category", code) for code in codes[order].tolist()]

    def summary(self) -> dict[str, Any]:
        """The learner's state, for people."""
        known = self.knowledge
        model = known.model.summary()
        return {
            "weights": model["weights"],
            "state": [
                ("Items on sale", f"{int(known.catalogue.available(self.clock()).sum()):,}"),
                ("Shoppers with a profile", f"{len(known.shoppers):,}"),
                ("Looks learnt from", f"{model['looks']:,.0f}"),
                ("Clicks a look, unknown item", f"{model['click_rate']:.4f}"),
                ("Worth of its click", f"{model['click_worth']:.3f}"),
                ("Decisions in flight", f"{len(known.attribution):,}"),
                ("Published recommenders", self.snapshot_id or "none yet: `equipoise train`"),
                ("Records folded in", f"{known.seq:,}"),
            ],
        }

    # ------------------------------------------------------------ snapshots and checkpoints

    def refresh(self) -> bool:
        """Swap in the newest published snapshot, if it is another than the one in use."""
        found = self.newest_snapshot()
        if found is not None:
            self.walk.use(*found)
        return found is not None

    def newest_snapshot(self) -> tuple[str, list[Recommender]] | None:
        """Id and recommenders of what has been published since; None if nothing has.

        Reads files only, so that a server may do it beside the serving. A damaged snapshot is set
        aside, said so on the log of the process, and the newest good one stands in its place.
        """
        if self.home is None or snapshot.current(self.home.snapshots) in (None, self.snapshot_id):
            return None
        found = self._good(self.home.snapshots, accept=recommenders_from)
        if found.snapshot_id in ("", self.snapshot_id):
            return None
        return found.snapshot_id, recommenders_from(found.arrays)

    def checkpoint(self) -> dict[str, Arrays]:
        """The folds as they are now, for ``keep``."""
        return self.knowledge.dump()

    def keep(self, tables: dict[str, Arrays]) -> None:
        """Write a checkpoint, so that the next start need not read the whole log."""
        if self.home is None or self._read_only:
            return
        state_id = snapshot.write(self.home.state, tables, {"settings": self._fingerprint()})
        snapshot.publish(self.home.state, state_id)
        snapshot.prune(self.home.state, keep=2)

    def load_state(self) -> None:
        """Start from the newest checkpoint that is whole and of these settings; else from zero."""
        if self.home is None or snapshot.current(self.home.state) is None:
            return
        found = self._good(self.home.state)
        if found.snapshot_id and found.about.get("settings") == self._fingerprint():
            self.knowledge.load(found.arrays)

    def seal(self) -> None:
        """Move the log's old days into Parquet segments."""
        days = self.settings.log.seal_after_days
        self.log.seal(self.clock() - days * clocks.DAY)

    def _good(
        self, folder: Path, accept: Callable[[dict[str, Arrays]], object] = lambda arrays: None
    ) -> snapshot.Snapshot:
        found = snapshot.newest_good(folder, accept=accept, set_aside=not self._read_only)
        for problem in found.problems:
            logger.warning("%s", problem)
        return found

    def _fingerprint(self) -> str:
        """What a fold depends on besides the log."""
        settings = msgspec.structs.replace(self.settings, server=type(self.settings.server)())
        return hashlib.blake2b(
            f"{__version__} {FOLDS}".encode() + msgspec.json.encode(settings), digest_size=16
        ).hexdigest()
