"""The laws of a log, importable: whoever writes one may check it here.

::

    from equipoise.testing.logs import check_log

    check_log(MemoryLog)

Each law is a function of ``make``, which must return a new, empty log at every call; a broken law
raises AssertionError and says how. ``LAWS`` names them for parametrised tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import TypeAlias

from msgspec.structs import replace

from equipoise.clock import DAY
from equipoise.errors import InvalidInput, LogError
from equipoise.log.base import EventLog
from equipoise.randomness import derive
from equipoise.types import Kind, Record, Rejected, Stored

Make: TypeAlias = Callable[[], EventLog]

START = 20_000 * DAY
BODIES = (
    b"{}",
    b"",
    '{"title":"Škoda · 雪 · \U0001f9e6"}'.encode(),
    b'{"nul":"\\u0000"}',
    b"\x00\xff\xfe not text at all \x80",
    b"x" * 70_000,
)


def check_log(make: Make, *, reopen: Callable[[EventLog], EventLog] | None = None) -> None:
    """Hold a log to every law. ``reopen`` closes it and opens the same place; None: it has none."""
    for law in LAWS:
        law(make)
    if reopen is not None:
        keeps_all_when_reopened(make, reopen)


# ---------------------------------------------------------------- records to try it with


def record(number: int, *, day: int = 0, kind: Kind = Kind.EVENT) -> Record:
    """The ``number``-th record of a generated log; ``day`` is when it arrived, from ``START``."""
    return Record(
        kind=kind,
        key=f"é-{number}",
        arrived=START + day * DAY + number,
        body=BODIES[number % len(BODIES)],
        shopper=f"shopper-{number % 3}" if kind is Kind.EVENT else "",
        ids=(f"event:é-{number}", f"purchase:{number}") if kind is Kind.EVENT else (),
    )


def mixed(count: int = 40) -> list[Record]:
    """Events and items by turns, over three days, with a clock that once jumped back and once
    ahead.
    """
    days = (0, 0, 1, 3, 1, 0, 2)
    kinds = (Kind.EVENT, Kind.ITEM, Kind.EVENT, Kind.TICK)
    return [record(n, day=days[n % len(days)], kind=kinds[n % len(kinds)]) for n in range(count)]


def as_read(records: Iterable[Record]) -> list[Record]:
    """What a reader gets: ids are spent at the door."""
    return [replace(one, ids=()) for one in records]


def contents(stored: Iterable[Stored]) -> list[Record]:
    return [one.record for one in stored]


# ---------------------------------------------------------------- the laws


def reads_what_was_appended(make: Make) -> None:
    """Everything comes back, in order, with the seq of its receipt, rising from 1."""
    log, records = make(), mixed()
    receipts = [*log.append(records[:13]), *log.append(records[13:]), *log.append([])]
    stored = list(log.read())

    assert contents(stored) == as_read(records)
    assert [one.seq for one in stored] == [receipt.seq for receipt in receipts]
    assert not any(receipt.duplicate for receipt in receipts)
    assert receipts[0].seq == 1
    assert log.last == receipts[-1].seq == stored[-1].seq
    assert all(a.seq < b.seq for a, b in pairwise(stored))


def starts_empty(make: Make) -> None:
    """A new log holds nothing and says so."""
    log = make()

    assert log.last == 0
    assert list(log.read()) == []
    assert log.find(Kind.EVENT, "none") is None
    assert list(log.of_shopper("nobody")) == []
    assert log.rejected() == []
    assert log.check() == []


def keeps_the_first_of_its_ids(make: Make) -> None:
    """Any id met before makes a duplicate, across calls and inside one; the receipt names the
    first.
    """
    log = make()
    first = replace(record(0), ids=("event:a", "purchase:1"))
    by_one = replace(record(2), ids=("event:c", "purchase:1"))
    other = replace(record(4), ids=("event:b",))
    inside = log.append([first, first, other, by_one])
    later = log.append([by_one, replace(other, ids=()), first])

    assert [(r.seq, r.duplicate) for r in inside] == [(1, False), (1, True), (2, False), (1, True)]
    assert [(r.seq, r.duplicate) for r in later] == [(1, True), (3, False), (1, True)]
    assert contents(log.read()) == as_read([first, other, other])
    # A duplicate leaves nothing behind: its other ids are still free.
    assert not log.append([replace(record(6), ids=("event:c",))])[0].duplicate


def keeps_all_of_a_call_or_none(make: Make) -> None:
    """A call that fails leaves no record, no id and no seq behind."""
    log = make()
    log.append([record(0)])
    refused = {
        "/1/key": replace(record(2), key="\ud800"),
        "/1/shopper": replace(record(2), shopper="\udfff"),
        "/1/arrived": replace(record(2), arrived=-1),
        "/1/body": replace(record(2), body=b"x" * (16 * 1024 * 1024 + 1)),
        "/1/kind": replace(record(2), kind="rumour"),
    }
    for pointer, bad in refused.items():
        assert _pointer(log, [record(1), bad]) == pointer

    assert log.last == 1
    assert contents(log.read()) == as_read([record(0)])
    assert [r.duplicate for r in log.append([record(1), record(2)])] == [False, False]


def _pointer(log: EventLog, records: Sequence[Record]) -> str:
    try:
        log.append(records)
    except InvalidInput as error:
        return error.pointer
    return "accepted"


def reads_from_a_place_and_by_kind(make: Make) -> None:
    """``read(after)`` gives what follows; ``kinds`` only those; both together too."""
    log, records = make(), mixed()
    log.append(records)
    everything = list(log.read())

    assert [one.seq for one in log.read(17)] == [one.seq for one in everything if one.seq > 17]
    assert list(log.read(log.last)) == []
    assert list(log.read(log.last + 10)) == []
    for kinds in ((Kind.ITEM,), (Kind.ITEM, Kind.TICK), (Kind.COUPON,)):
        wanted = [one for one in everything if one.record.kind in kinds and one.seq > 5]

        assert list(log.read(5, kinds=kinds)) == wanted


def finds_the_newest(make: Make) -> None:
    """``find`` gives the last record of a kind and key, never another kind's, whatever ids are
    about.
    """
    log = make()
    old = replace(record(1, kind=Kind.ITEM), key="x")
    new = replace(old, body=b"new")
    named = replace(record(2), key="x", ids=("event:x",))
    thief = replace(record(4), key="thief", ids=("event:y", "item:x"))
    log.append([old, named, new, thief, replace(new, key="y")])

    assert _found(log, Kind.ITEM, "x") == new
    assert _found(log, Kind.EVENT, "x") == replace(named, ids=())
    assert _found(log, Kind.EVENT, "y") is None
    assert _found(log, Kind.DECISION, "x") is None
    assert _found(log, Kind.ITEM, "\ud800") is None
    log.append([replace(named, ids=("event:x2",), body=b"again")])

    assert _found(log, Kind.EVENT, "x") == replace(named, ids=(), body=b"again")


def _found(log: EventLog, kind: Kind, key: str) -> Record | None:
    found = log.find(kind, key)
    return found.record if found else None


def gathers_a_shopper(make: Make) -> None:
    """``of_shopper`` gives exactly the records that name a shopper, in order."""
    log, records = make(), mixed()
    log.append(records)
    for shopper in ("shopper-0", "shopper-1", "shopper-2", "nobody", "\ud800"):
        wanted = [one for one in as_read(records) if one.shopper == shopper]

        assert contents(log.of_shopper(shopper)) == wanted


def hides_sealing(make: Make) -> None:
    """Sealing moves whole days and changes no answer, nor does a clock that jumps about."""
    log, records = make(), mixed()
    log.append(records)
    before = _answers(log, records)
    log.seal(START)
    log.seal(START + DAY + 5)

    assert _answers(log, records) == before
    log.append([record(100, day=0), record(102, day=9)])
    before = _answers(log, records)
    log.seal(START + 9 * DAY)

    assert _answers(log, records) == before
    assert log.seal(START + 9 * DAY) == []
    assert log.append([record(101, day=9)])[0].seq == len(records) + 3
    log.seal(START + 99 * DAY)

    assert log.append([record(0)])[0].duplicate
    assert log.append([record(103)])[0].seq == len(records) + 4
    assert log.check() == []


def _answers(log: EventLog, records: Sequence[Record]) -> list[object]:
    """All that a reader can ask."""
    return [
        log.last,
        list(log.read()),
        list(log.read(7, kinds=[Kind.ITEM])),
        [list(log.of_shopper(f"shopper-{n}")) for n in range(3)],
        [log.find(one.kind, one.key) for one in records],
        [(receipt.seq, receipt.duplicate) for receipt in log.append(records[::4])],
    ]


def goes_on_reading_while_sealed(make: Make) -> None:
    """Whoever is in the middle of reading when days are sealed, or records come, misses none."""
    log = make()
    records = [record(n, day=n // 900) for n in range(2_700)]
    log.append(records[:2_500])
    reading = log.read()
    some = [next(reading) for _ in range(700)]
    log.seal(START + 2 * DAY)
    log.append(records[2_500:])
    log.seal(START + 9 * DAY)

    assert contents([*some, *reading])[:2_500] == as_read(records[:2_500])
    assert contents(log.read(2_600)) == as_read(records[2_600:])


def keeps_dead_letters(make: Make) -> None:
    """Dead letters come back oldest first, page by page, until forgotten; their numbers never
    return.
    """
    log = make()
    letters = [
        Rejected(
            code="missing",
            pointer=f"/events/{n}",
            message="é",
            body=b"\xff{",
            arrived=START + n,
            source="web",
            event_id=None if n % 2 else f"e{n}",
        )
        for n in range(5)
    ]
    log.reject(letters)
    page = log.rejected(limit=2)
    rest = log.rejected(after=page[-1].rejected_id)

    assert [replace(one, rejected_id=0) for one in [*page, *rest]] == letters
    log.forget_rejected([one.rejected_id for one in rest] + [10**9])
    log.reject(letters[:1])

    assert log.rejected()[:2] == page
    assert log.rejected()[2].rejected_id > rest[-1].rejected_id


def refuses_when_closed(make: Make) -> None:
    """A closed log says so, whatever is asked of it; closing twice is no error."""
    log = make()
    log.close()
    log.close()
    asked: tuple[Callable[[], object], ...] = (
        lambda: log.append([record(0)]),
        lambda: list(log.read()),
        lambda: log.find(Kind.EVENT, "x"),
        lambda: list(log.of_shopper("x")),
        lambda: log.reject([]),
        lambda: log.rejected(),
        lambda: log.forget_rejected([1]),
    )
    for ask in asked:
        assert "closed" in _complaint(ask)


def _complaint(act: Callable[[], object]) -> str:
    try:
        act()
    except LogError as error:
        return str(error)
    return "nothing was wrong"


def takes_each_once_and_in_order(make: Make) -> None:
    """Duplicates up to five times and partial retries leave what a single delivery leaves."""
    rng = derive(0, "testing.logs")
    log = make()
    for sequence in range(20):
        ids = [f"{sequence}-{n}" for n in range(int(rng.integers(1, 12)))]
        sent = [one for one in ids for _ in range(int(rng.integers(1, 6)))]
        cuts = sorted(rng.integers(0, len(sent) + 1, 3).tolist())
        batches = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
        once_and_in_order(log, [*batches, sent[: cuts[0]]])


def once_and_in_order(log: EventLog, batches: Sequence[Sequence[str]]) -> None:
    """Append batches of events named by ids not met before; hold the log to each once, as first
    sent.
    """
    start = log.last
    receipts = [
        receipt
        for batch in batches
        for receipt in log.append([replace(record(0), key=one, ids=(one,)) for one in batch])
    ]
    sent = [one for batch in batches for one in batch]
    first = list(dict.fromkeys(sent))
    stored = list(log.read(start))
    seq = {one.record.key: one.seq for one in stored}

    assert [one.record.key for one in stored] == first
    assert [receipt.seq for receipt in receipts] == [seq[one] for one in sent]
    assert sum(not receipt.duplicate for receipt in receipts) == len(first)


def keeps_all_when_reopened(make: Make, reopen: Callable[[EventLog], EventLog]) -> None:
    """Closing and opening changes no answer, sealed or not; ids and numbers go on."""
    log, records = make(), mixed()
    log.append(records)
    log.reject([Rejected(code="c", pointer="", message="m", body=b"", arrived=START)])
    before = _answers(log, records), log.rejected()
    log = reopen(log)

    assert (_answers(log, records), log.rejected()) == before
    log.seal(START + 2 * DAY)
    log = reopen(log)

    assert (_answers(log, records), log.rejected()) == before
    assert log.append([record(200)])[0].seq == len(records) + 1


LAWS: tuple[Callable[[Make], None], ...] = (
    starts_empty,
    reads_what_was_appended,
    keeps_the_first_of_its_ids,
    keeps_all_of_a_call_or_none,
    reads_from_a_place_and_by_kind,
    finds_the_newest,
    gathers_a_shopper,
    hides_sealing,
    goes_on_reading_while_sealed,
    keeps_dead_letters,
    takes_each_once_and_in_order,
    refuses_when_closed,
)
