"""SQLite through apsw: opening a database, reading it in snapshots, errors in our words.

apsw rather than the standard library's ``sqlite3`` for three reasons. It bundles a current SQLite,
where CPython links whatever the system has: before 3.51.3 a WAL database could be corrupted by two
connections writing and checkpointing at the same instant. Its wheels carry SQLite's checksum VFS,
so every page that is read from the database is verified (8 bytes a page; some 4 % of the speed of
appending). And its VFS classes let the tests cut the power.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import apsw
import apsw.sqlite_extra

from equipoise.errors import LogCorrupt, LogError, LogFull
from equipoise.log.rows import Row, Wanted

APPLICATION = 0x45515051
"""Marks a file as ours (``PRAGMA application_id``)."""
VERSION = 1
CHECKSUM_BYTES = 8
BUSY_MS = 5_000

_SCHEMA = f"""
CREATE TABLE records (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, shopper TEXT NOT NULL,
  arrived INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE ids (id BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE newest (name BLOB PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE rejected (
  rejected_id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL, pointer TEXT NOT NULL,
  message TEXT NOT NULL, body BLOB NOT NULL, arrived INTEGER NOT NULL, source TEXT NOT NULL,
  event_id TEXT) STRICT;
CREATE TABLE segments (
  name TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, records INTEGER NOT NULL,
  sha256 TEXT NOT NULL, shoppers BLOB NOT NULL) STRICT;
CREATE INDEX segments_by_last ON segments (last);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Say SQLite's and the system's errors as a LogError that names the file."""
    try:
        yield
    except apsw.Error as error:
        raise _meaning(error)(f"{path}: {error}") from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise (LogFull if full else LogError)(
            f"{error.filename or path}: {error.strerror}"
        ) from error


def _meaning(error: apsw.Error) -> type[LogError]:
    if isinstance(error, apsw.FullError):
        return LogFull
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return LogCorrupt
    if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA:
        return LogCorrupt
    return LogError


@cache
def load_checksums() -> None:
    """Load the checksum VFS, which then stands below every connection of this process."""
    ferry = apsw.Connection(":memory:")
    try:
        apsw.sqlite_extra.load(ferry, "cksumvfs")
    finally:
        ferry.close()


def writer(path: Path, *, synchronous: str) -> apsw.Connection:
    """Open to write, creating the tables in an empty file.

    Raises LogCorrupt for a damaged file, LogError for one that is not ours or is of a later
    version.
    """
    load_checksums()
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(BUSY_MS)
        connection.reserve_bytes(reserve=CHECKSUM_BYTES)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", synchronous)
        connection.pragma("secure_delete", True)
        connection.pragma("cache_size", -65_536)
        connection.pragma("journal_size_limit", 67_108_864)
        _create(connection)
        _ours(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: apsw.Connection) -> None:
    with connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall():
            connection.execute(_SCHEMA)


def reader(path: Path) -> apsw.Connection:
    """Open to read, beside a living writer of this process or another. Never checkpoints."""
    load_checksums()
    if not path.exists():
        raise LogError(f"{path}: no log here yet; a writer creates it")
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(BUSY_MS)
        _ours(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _ours(connection: apsw.Connection, path: Path) -> None:
    if connection.pragma("application_id") != APPLICATION:
        raise LogError(f"{path}: an SQLite file, but no log of Equipoise")
    version = connection.pragma("user_version")
    if version != VERSION:
        raise LogError(
            f"{path}: written by another version of Equipoise: "
            f"log format {version}, this one reads {VERSION}"
        )


def rows(connection: apsw.Connection, query: str, *bindings: object) -> list[Any]:
    """All rows of a query, as tuples."""
    return connection.execute(query, bindings).fetchall()


def hot_rows(connection: apsw.Connection, after: int, wanted: Wanted, limit: int) -> list[Row]:
    """The next records that are not sealed, as rows."""
    clause, bindings = wanted.sql()
    return rows(
        connection,
        "SELECT seq, kind, key, shopper, arrived, body FROM records "
        f"WHERE seq > ?{clause} ORDER BY seq LIMIT ?",
        after,
        *bindings,
        limit,
    )


def newest_seq(connection: apsw.Connection) -> int:
    """The last seq given, sealed or not; 0 for an empty log."""
    ((hot, sealed),) = rows(
        connection, "SELECT (SELECT max(seq) FROM records), (SELECT max(last) FROM segments)"
    )
    return max(hot or 0, sealed or 0)


class Reader:
    """A connection for short snapshots, one at a time, from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        with translated(path):
            self._connection: apsw.Connection | None = reader(path)

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """One consistent view: what is committed during it is not seen."""
        with self._lock, translated(self._path):
            connection = self._connection
            if connection is None:
                raise LogError(f"{self._path}: this log is closed: open it again")
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, not only the bytes of its files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
