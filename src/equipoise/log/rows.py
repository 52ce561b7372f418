"""Records on their way into a log: what is refused, what is hashed, what is a duplicate."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from msgspec.structs import replace

from equipoise.clock import DAY
from equipoise.errors import InvalidInput
from equipoise.types import Kind, Milliseconds, Receipt, Record, Stored

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes. Far above any noun; below it one record cannot exhaust what a commit may hold."""

LATEST: Milliseconds = 253_402_300_800_000
"""The first moment of the year 10000: segments are named by date."""

KINDS = {kind.value: kind for kind in Kind}

Row = tuple[int, str, str, str, int, bytes]
"""seq, kind, key, shopper, arrived, body."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a log must know of a record besides its row."""

    ids: tuple[bytes, ...]
    """Digest of each of its ids."""
    name: bytes | None
    """Digest of ``kind:key``, by which ``find`` asks; None where that is one of its ids already."""


def digest(name: str) -> bytes:
    """16 bytes of BLAKE2b: among 10^11 names two meet with probability 1.5e-17."""
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def is_text(value: str) -> bool:
    """Whether a string can be stored as UTF-8: a lone surrogate cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def marks(records: Sequence[Record]) -> list[Mark]:
    """Check records before anything is written; InvalidInput names the first bad one."""
    return [_mark(place, record) for place, record in enumerate(records)]


def _mark(place: int, record: Record) -> Mark:
    if record.kind not in KINDS:
        raise _refusal(place, "kind", f"{record.kind!r} is none of {', '.join(KINDS)}")
    for field, text in (("key", record.key), ("shopper", record.shopper)):
        if not is_text(text):
            raise _refusal(place, field, f"{text!r} holds a lone surrogate and is no text")
    if not 0 <= record.arrived < LATEST:
        raise _refusal(place, "arrived", f"{record.arrived} is not within the years 1970 to 9999")
    if len(record.body) > BODY_LIMIT:
        raise _refusal(place, "body", f"{len(record.body)} bytes; at most {BODY_LIMIT} are kept")
    name = f"{record.kind}:{record.key}"
    ids = tuple([digest(one) for one in record.ids])
    return Mark(ids, None if name in record.ids else digest(name))


def _refusal(place: int, field: str, problem: str) -> InvalidInput:
    return InvalidInput(
        f"record {place}: {field} {problem}", code="unstorable", pointer=f"/{place}/{field}"
    )


def settle(checked: Iterable[Mark], known: MutableMapping[bytes, int], last: int) -> list[Receipt]:
    """A receipt for each record, in order; the first bearer of an id wins.

    ``known`` (digest of an id → seq) learns the new ids.
    """
    receipts = []
    for mark in checked:
        twin = next((known[mark_id] for mark_id in mark.ids if mark_id in known), None)
        if twin is None:
            last += 1
            known.update(dict.fromkeys(mark.ids, last))
            receipts.append(Receipt(seq=last))
        else:
            receipts.append(Receipt(seq=twin, duplicate=True))
    return receipts


def row(seq: int, record: Record) -> Row:
    return (seq, str(record.kind), record.key, record.shopper, record.arrived, record.body)


def stored(row: Row) -> Stored:
    """The record of a row. Its ids were spent at the door and are not given back."""
    seq, kind, key, shopper, arrived, body = row
    record = Record(kind=KINDS[kind], key=key, arrived=arrived, body=body, shopper=shopper)
    return Stored(seq=seq, record=record)


def kept(seq: int, record: Record) -> Stored:
    """The record as a later ``read`` will give it."""
    return Stored(seq=seq, record=replace(record, ids=()) if record.ids else record)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records a reader asks for; nothing named means all."""

    kinds: tuple[str, ...] = ()
    shopper: str | None = None
    day: int | None = None
    """Whole UTC days since 1970, of ``arrived``."""

    def sql(self) -> tuple[str, tuple[str | int, ...]]:
        """Conditions to stand behind a WHERE clause, and their bindings."""
        clause, bindings = "", list[str | int]()
        if self.kinds:
            clause += f" AND kind IN ({', '.join('?' * len(self.kinds))})"
            bindings += self.kinds
        if self.shopper is not None:
            clause += " AND shopper = ?"
            bindings.append(self.shopper)
        if self.day is not None:
            clause += " AND arrived >= ? AND arrived < ?"
            bindings += (self.day * DAY, (self.day + 1) * DAY)
        return clause, tuple(bindings)
