"""The one writer of a log: its lock, its transactions, its recovery from a disk that failed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import apsw

from equipoise.errors import LogError, LogLocked
from equipoise.log import database


class WriterLock:
    """An exclusive ``flock``, which the system itself releases when its holder dies. POSIX only."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 20).decode().strip() or "unknown"
            os.close(self._file)
            raise LogLocked(
                f"{path.parent}: process {holder} is writing to this log; "
                "stop it first, or open the log read-only"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._file)


class Writer:
    """The connection that does all writes and all checkpoints, one transaction at a time."""

    def __init__(self, path: Path, *, synchronous: str, checkpoint_pages: int) -> None:
        self._path = path
        self._synchronous = synchronous
        self._checkpoint_pages = checkpoint_pages
        self._one = Lock()
        self._suspect = self._closed = False
        self._frames = 0
        self._connection: apsw.Connection | None = None
        self._lock = WriterLock(path.with_name("log.lock"))
        try:
            self._connect()
        except BaseException:
            self._lock.release()
            raise

    def _connect(self) -> apsw.Connection:
        with database.translated(self._path):
            self._connection = database.writer(self._path, synchronous=self._synchronous)
            self._connection.set_wal_hook(self._count_frames)
            database.sync_folder(self._path.parent)
        return self._connection

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """All that is written within becomes durable together, or (on any error) none of it."""
        with self._one, database.translated(self._path):
            connection = self._ready()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                self._undo(connection, error)
                raise
            self._checkpoint(connection)

    def _checkpoint(self, connection: apsw.Connection) -> None:
        """Move a write-ahead log that has grown into the database; what is committed stays so.

        If it fails, the write-ahead log still holds everything and the next commit tries again. Not
        SQLite's automatic checkpoint, which runs inside the commit.
        """
        if self._frames >= self._checkpoint_pages:
            with suppress(apsw.Error):
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def _count_frames(self, _connection: apsw.Connection, _name: str, frames: int) -> int:
        self._frames = frames
        return apsw.SQLITE_OK

    def _undo(self, connection: apsw.Connection, error: BaseException) -> None:
        self._suspect = isinstance(error, apsw.IOError)
        # The statement that failed may have rolled back by itself.
        with suppress(apsw.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _ready(self) -> apsw.Connection:
        if self._closed:
            raise LogError(f"{self._path}: this log is closed: open it again")
        if self._suspect:
            self._recover()
        return self._connection or self._connect()

    def _recover(self) -> None:
        """After a failed write or fsync: keep what was committed, drop what was not, start afresh.

        The frames of the failed commit may be whole in the write-ahead log, and opening it again
        would then bring to life what was refused. So first, while this connection still knows where
        the last commit ended, everything before that goes into the database (written anew, so a
        page that the kernel dropped at the failed fsync is written too) and the write-ahead log is
        emptied.
        """
        if self._connection is not None:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            self._connection.close()
            self._connection = None
        self._connect()
        self._suspect = False

    def tidy(self) -> None:
        """Empty the write-ahead log into the database, unless a reader is still using it."""
        with self._one, database.translated(self._path), suppress(apsw.BusyError):
            self._ready().wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def close(self) -> None:
        with self._one, database.translated(self._path):
            if self._closed:
                return
            self._closed = True
            try:
                if self._connection is not None:
                    self._connection.close()
            finally:
                self._lock.release()
