"""The log in one SQLite file, with its older days sealed into Parquet beside it.

::

    folder/
      log.sqlite (-wal, -shm)   what is not sealed, every id ever met, dead letters, the manifest
      log.lock                  flock of the one writer; holds its process id
      segments/2026-11-24.000000000001.parquet

``append`` returns after the commit's fsync, so its records survive SIGKILL and a power cut
(``durability="power-loss"``: SQLite's WAL with synchronous=FULL), or SIGKILL alone
(``durability="process"``: synchronous=NORMAL).

Ids are kept as 16-byte digests and for ever, also after sealing: de-duplication has no window.
Nouns are found by digest too, and there is no index on shoppers: ``of_shopper`` scans what is not
sealed (some ten million rows a second) and only those segments whose manifest admits the shopper.
Both keep appending fast (``benchmarks/ingest``). Why apsw: see ``database.py``; why SQLite at all:
``docs/log.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from threading import Lock

import apsw

from equipoise.clock import DAY
from equipoise.errors import LogCorrupt, LogError, SettingsError
from equipoise.log import database, segments
from equipoise.log.database import Reader, translated
from equipoise.log.rows import Mark, Row, Wanted, digest, is_text, marks, row, settle, stored
from equipoise.log.writer import Writer
from equipoise.types import Kind, Milliseconds, Receipt, Record, Rejected, Stored

SYNCHRONOUS = {"power-loss": "full", "process": "normal"}
PAGE = 1_000
"""Records that a reader takes in one short snapshot."""


def sqlite_version() -> str:
    """Of the SQLite in use: the one that apsw bundles."""
    return apsw.sqlite_lib_version()


class _RowsMoved(Exception):
    """A part was sealed between two pages of a reader: it must look at the manifest again."""


class SQLiteLog:
    """The ``Log`` protocol on disk. One writer a folder; any number of readers, in any process.

    All writes and checkpoints go through one connection, reads through another. Safe from any
    thread.

    Raises LogLocked if another process writes here, LogCorrupt where stored bytes are damaged,
    LogFull or LogError where the disk refuses: then nothing of that call was kept, and the next
    call tries afresh.
    """

    def __init__(
        self,
        folder: Path,
        *,
        read_only: bool = False,
        durability: str = "power-loss",
        checkpoint_pages: int = 4_000,
    ) -> None:
        if durability not in SYNCHRONOUS:
            names = ", ".join(SYNCHRONOUS)
            raise SettingsError(f"log durability {durability!r}: must be one of {names}")
        self._path = Path(folder) / "log.sqlite"
        self._folder = Path(folder) / "segments"
        self._sealing = Lock()
        self._writer: Writer | None = None
        if not read_only:
            with translated(self._path):
                self._folder.mkdir(parents=True, exist_ok=True)
            self._writer = Writer(
                self._path,
                synchronous=SYNCHRONOUS[durability],
                checkpoint_pages=checkpoint_pages,
            )
        try:
            self._reader = Reader(self._path)
            self._refuse_to_begin_anew()
            if not read_only:
                with self._reader.snapshot() as connection:
                    segments.sweep(connection, self._folder)
        except BaseException:
            if self._writer is not None:
                self._writer.close()
            raise

    def _refuse_to_begin_anew(self) -> None:
        sealed = next(self._folder.glob("*.parquet"), None)
        if sealed and self.last == 0:
            raise LogCorrupt(
                f"{self._path}: empty, but sealed segments stand beside it ({sealed}): put the "
                "database back from a backup, or move them away to begin a new log"
            )

    # ------------------------------------------------------------ writing

    def append(self, records: Sequence[Record]) -> list[Receipt]:
        """As ``Log.append``. Raises InvalidInput for a record that no log could hold."""
        checked = marks(records)
        if not checked:
            return []
        with self._write() as connection:
            last = database.newest_seq(connection)
            receipts = settle(checked, _known(connection, checked), last)
            fresh = [place for place, receipt in enumerate(receipts) if not receipt.duplicate]
            rows = [row(receipts[place].seq, records[place]) for place in fresh]
            _insert(connection, rows, [checked[place] for place in fresh])
        return receipts

    def reject(self, rejected: Sequence[Rejected]) -> None:
        """Keep dead letters; each is given the next ``rejected_id``."""
        letters = [
            (r.code, r.pointer, r.message, r.body, r.arrived, r.source, r.event_id)
            for r in rejected
        ]
        with self._write() as connection:
            connection.executemany(
                "INSERT INTO rejected (code, pointer, message, body, arrived, source, event_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                letters,
            )

    def forget_rejected(self, ids: Iterable[int]) -> None:
        """Drop dead letters; an unknown id is no error."""
        with self._write() as connection:
            connection.executemany(
                "DELETE FROM rejected WHERE rejected_id = ?", [(number,) for number in ids]
            )

    def seal(self, before: Milliseconds) -> list[Path]:
        """Move whole UTC days that ended by ``before`` into Parquet; the files written, oldest
        first.

        Readers see no difference. A kill at any moment leaves each part either in the database or
        sealed: its file is durable before the one transaction that lists it and removes its rows.
        """
        with self._sealing, closing(Reader(self._path)) as source:
            self._write_allowed()
            paths = [
                self._move(day, piece)
                for day in _days(source, before // DAY)
                for piece in segments.part(self._hot(source, 0, Wanted(day=day)))
            ]
        if paths:
            self._write_allowed().tidy()
        return paths

    def _move(self, day: int, piece: list[Stored]) -> Path:
        with translated(self._folder):
            segment = segments.write(self._folder, day, piece)
        with self._write() as connection:
            segments.register(connection, segment, day)
        return self._folder / segment.name

    def _write(self) -> AbstractContextManager[apsw.Connection]:
        return self._write_allowed().transaction()

    def _write_allowed(self) -> Writer:
        if self._writer is None:
            raise LogError(f"{self._path}: opened read-only; nothing can be written")
        return self._writer

    # ------------------------------------------------------------ reading

    def read(self, after: int = 0, *, kinds: Iterable[Kind] = ()) -> Iterator[Stored]:
        """As ``Log.read``, in bounded memory; what is appended meanwhile is read too."""
        return self._stream(after, Wanted(kinds=tuple(map(str, kinds))))

    def of_shopper(self, shopper: str) -> Iterator[Stored]:
        """As ``Log.of_shopper``. Costs a scan of what is not sealed."""
        return self._stream(0, Wanted(shopper=shopper)) if is_text(shopper) else iter(())

    def find(self, kind: Kind, key: str) -> Stored | None:
        name = digest(f"{kind}:{key}")
        with self._reader.snapshot() as connection:
            seqs = database.rows(
                connection,
                "SELECT seq FROM newest WHERE name = ? UNION SELECT seq FROM ids WHERE id = ? "
                "ORDER BY seq DESC",
                name,
                name,
            )
            places = [(seq, _place(connection, seq)) for (seq,) in seqs]
        for seq, place in places:
            found = place if isinstance(place, Stored) else self._sealed(seq, place)
            # An id is only a hint: another noun may have carried "event:…" among its ids.
            if found and (found.record.kind, found.record.key) == (kind, key):
                return found
        return None

    @property
    def last(self) -> int:
        with self._reader.snapshot() as connection:
            return database.newest_seq(connection)

    def rejected(self, after: int = 0, limit: int = 100) -> list[Rejected]:
        """Dead letters with ``rejected_id > after``, oldest first, at most ``limit``."""
        with self._reader.snapshot() as connection:
            letters = database.rows(
                connection,
                "SELECT code, pointer, message, body, arrived, source, event_id, rejected_id "
                "FROM rejected WHERE rejected_id > ? ORDER BY rejected_id LIMIT ?",
                after,
                limit,
            )
        fields = Rejected.__struct_fields__
        return [Rejected(**dict(zip(fields, values, strict=True))) for values in letters]

    def _stream(self, after: int, wanted: Wanted) -> Iterator[Stored]:
        while True:
            try:
                for record in self._pass(after, wanted):
                    after = record.seq
                    yield record
                return
            except _RowsMoved:
                continue

    def _pass(self, after: int, wanted: Wanted) -> Iterator[Stored]:
        with self._reader.snapshot() as connection:
            shelf = segments.shelf(connection, after, wanted.shopper)
            count = segments.count(connection)
        hot = self._hot(self._reader, after, wanted, count)
        sealed = [(s.first, s.read(self._folder, after, wanted)) for s in shelf]
        return segments.in_order([(after + 1, hot), *sealed])

    def _hot(
        self, source: Reader, after: int, wanted: Wanted, count: int | None = None
    ) -> Iterator[Stored]:
        """What is wanted and not sealed, as long as there are ``count`` segments."""
        rows: list[Row] | None = None
        while rows is None or len(rows) == PAGE:
            with source.snapshot() as connection:
                if count is not None and segments.count(connection) != count:
                    raise _RowsMoved
                rows = database.hot_rows(connection, after, wanted, PAGE)
            yield from map(stored, rows)
            after = rows[-1][0] if rows else after

    def _sealed(self, seq: int, shelf: list[segments.Segment]) -> Stored | None:
        found = (segment.at(self._folder, seq) for segment in shelf)
        return next((record for record in found if record), None)

    # ------------------------------------------------------------ keeping

    def check(self) -> list[str]:
        """Problems in words, none if all is well: pages, structure, every segment's SHA-256.

        Reads every byte: seconds a gigabyte.
        """
        return [*self._check_database(), *self._check_segments()]

    def _check_database(self) -> list[str]:
        try:
            with translated(self._path), closing(database.reader(self._path)) as connection:
                found = database.rows(connection, "PRAGMA integrity_check(20)")
        except LogError as error:
            return [str(error)]
        return [f"{self._path}: {words}" for (words,) in found if words != "ok"]

    def _check_segments(self) -> list[str]:
        with self._reader.snapshot() as connection:
            shelf = segments.shelf(connection, 0)
            strays = segments.strays(connection, self._folder)
        problems = []
        for segment in shelf:
            try:
                segment.verified(self._folder)
            except LogCorrupt as error:
                problems.append(str(error))
        return problems + [f"{stray}: not in the manifest, so not of the log" for stray in strays]

    def close(self) -> None:
        """Give the lock back. Idempotent; nothing is lost without it."""
        self._reader.close()
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> SQLiteLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _known(connection: apsw.Connection, checked: Sequence[Mark]) -> dict[bytes, int]:
    """Which of these ids stand on the log already, and where."""
    # Sorted, so that neighbours share a page of the tree; the inserts that follow find it cached.
    asked = sorted({name for mark in checked for name in mark.ids})
    if not asked:
        return {}
    query = "SELECT id, seq FROM carray(?) CROSS JOIN ids ON id = value"
    return dict(database.rows(connection, query, apsw.carray(tuple(asked))))


def _insert(connection: apsw.Connection, rows: Sequence[Row], checked: Sequence[Mark]) -> None:
    pairs = list(zip(checked, rows, strict=True))
    ids = {name: row[0] for mark, row in pairs for name in mark.ids}
    names = {mark.name: row[0] for mark, row in pairs if mark.name is not None}
    connection.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.executemany("INSERT INTO ids VALUES (?, ?)", sorted(ids.items()))
    connection.executemany("REPLACE INTO newest VALUES (?, ?)", sorted(names.items()))


def _place(connection: apsw.Connection, seq: int) -> Stored | list[segments.Segment]:
    """The record itself, or the segments one of which must hold it."""
    rows = database.hot_rows(connection, seq - 1, Wanted(), 1)
    if rows and rows[0][0] == seq:
        return stored(rows[0])
    return [s for s in segments.shelf(connection, seq - 1) if s.first <= seq]


def _days(source: Reader, before: int) -> list[int]:
    with source.snapshot() as connection:
        days = database.rows(
            connection,
            f"SELECT DISTINCT arrived / {DAY} FROM records WHERE arrived < ? ORDER BY 1",
            before * DAY,
        )
    return [day for (day,) in days]
