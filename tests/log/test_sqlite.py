"""What only the log on disk can promise, and every complaint it has."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from equipoise.clock import DAY
from equipoise.errors import InvalidInput, LogCorrupt, LogError, LogFull, LogLocked, SettingsError
from equipoise.log import sqlite
from equipoise.log.sqlite import SQLiteLog
from equipoise.randomness import derive
from equipoise.testing.logs import START, as_read, contents, mixed, record
from equipoise.types import Kind, Record, Rejected

# ---------------------------------------------------------------- one writer, many readers


def test_one_writer(tmp_path: Path) -> None:
    """A second writer is told who holds the log; the lock goes with its holder."""
    with (
        SQLiteLog(tmp_path),
        pytest.raises(LogLocked, match=rf"process {os.getpid()} is writing .* read-only"),
    ):
        SQLiteLog(tmp_path)
    with SQLiteLog(tmp_path) as log:
        log.append([record(0)])


def test_a_holder_without_a_name(tmp_path: Path) -> None:
    """A lock whose holder has not yet said who it is counts all the same."""
    with (tmp_path / "log.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LogLocked, match="process unknown is writing"):
            SQLiteLog(tmp_path)


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """A holder killed by SIGKILL blocks nobody and loses nothing."""
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from equipoise.log.sqlite import SQLiteLog\n"
        "from equipoise.testing.logs import record\n"
        "log = SQLiteLog(Path(sys.argv[1])); log.append([record(0)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    with SQLiteLog(tmp_path) as log:
        assert contents(log.read()) == as_read([record(0)])


def test_reads_beside_a_writer(tmp_path: Path) -> None:
    """A read-only log sees each commit as it comes, sealed or not, and can write nothing."""
    with SQLiteLog(tmp_path) as writer, SQLiteLog(tmp_path, read_only=True) as reader:
        writer.append([record(0), record(1)])
        first = contents(reader.read())
        writer.append([record(2, day=1)])
        writer.seal(START + DAY)

        assert first == as_read([record(0), record(1)])
        assert contents(reader.read()) == as_read([record(0), record(1), record(2, day=1)])
        assert reader.last == 3
        assert reader.check() == []
        for write in (lambda: reader.append([record(3)]), lambda: reader.seal(START)):
            with pytest.raises(LogError, match="opened read-only; nothing can be written"):
                write()


def test_reads_what_a_killed_writer_left(tmp_path: Path) -> None:
    """A reader in another process needs no writer, not even to recover from a kill."""
    log = SQLiteLog(tmp_path)
    log.append([record(0)])
    script = (
        "import sys; from pathlib import Path; from equipoise.log.sqlite import SQLiteLog\n"
        "print(SQLiteLog(Path(sys.argv[1]), read_only=True).last)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    beside = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    log.close()
    alone = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert (beside, alone) == ("1\n", "1\n")


def test_version_is_past_the_checkpoint_bug() -> None:
    """The bundled SQLite is newer than the one that could corrupt a WAL database."""
    assert tuple(map(int, sqlite.sqlite_version().split("."))) >= (3, 51, 3)


# ---------------------------------------------------------------- what it will not open


def test_refuses_what_is_not_its_own(tmp_path: Path) -> None:
    """Settings, a missing log, a foreign database, plain noise: each is said in words."""
    with pytest.raises(
        SettingsError, match="durability 'none': must be one of power-loss, process"
    ):
        SQLiteLog(tmp_path, durability="none")
    with pytest.raises(LogError, match=r"log\.sqlite: no log here yet; a writer creates it"):
        SQLiteLog(tmp_path, read_only=True)
    file = tmp_path / "log.sqlite"
    file.write_bytes(b"noise " * 1000)
    with pytest.raises(LogCorrupt, match=r"log\.sqlite: .*not a database"):
        SQLiteLog(tmp_path)
    file.unlink()
    foreign = apsw.Connection(str(file))
    foreign.execute("CREATE TABLE theirs (x)")
    with pytest.raises(LogError, match=r"an SQLite file, but no log of Equipoise"):
        SQLiteLog(tmp_path)


def test_refuses_another_version(tmp_path: Path) -> None:
    """A log of a later format is left alone."""
    SQLiteLog(tmp_path).close()
    later = apsw.Connection(str(tmp_path / "log.sqlite"))
    later.pragma("user_version", 7)
    later.close()
    with pytest.raises(LogError, match=r"another version .* log format 7, this one reads 1"):
        SQLiteLog(tmp_path)
    # The failed opening has given its lock back.
    later = apsw.Connection(str(tmp_path / "log.sqlite"))
    later.pragma("user_version", 1)
    later.close()
    SQLiteLog(tmp_path).close()


def test_refuses_unwritable_folder(tmp_path: Path) -> None:
    """A place that cannot be a folder is named."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(LogError, match=r"file/log.*: Not a directory"):
        SQLiteLog(tmp_path / "file" / "log")


def test_names_the_bad_record(tmp_path: Path) -> None:
    """A record that cannot be stored is refused by place, field and reason."""
    with (
        SQLiteLog(tmp_path) as log,
        pytest.raises(InvalidInput, match="record 1: arrived -1 is not within the years 1970 to"),
    ):
        log.append([record(0), Record(kind=Kind.TICK, key="", arrived=-1, body=b"")])


# ---------------------------------------------------------------- a disk that fails


def test_full_disk(tmp_path: Path, disk) -> None:
    """Every write path says LogFull, reading goes on, writing resumes once space returns."""
    with SQLiteLog(tmp_path) as log:
        log.append([record(0)])

        def full(what: str, name: str) -> None:
            if what == "write":
                raise apsw.FullError("no space")

        disk.fault = full
        for write in (
            lambda: log.append([record(1)]),
            lambda: log.reject([_letter()]),
            lambda: log.seal(START + DAY),
        ):
            with pytest.raises(LogFull, match=r"log\.sqlite: no space"):
                write()

            assert contents(log.read()) == as_read([record(0)])
        disk.fault = lambda what, name: None

        assert not log.append([record(1)])[0].duplicate
        assert len(log.seal(START + DAY)) == 1
        assert contents(log.read()) == as_read([record(0), record(1)])
        assert log.check() == []


def test_full_disk_in_the_middle(tmp_path: Path, disk) -> None:
    """Space that ends half-way through a commit, wherever, leaves nothing of it."""
    with SQLiteLog(tmp_path) as log:
        for n in range(40):
            left = [n % 8]

            def nearly_full(what: str, name: str, left=left) -> None:
                left[0] -= what == "write"
                if left[0] < 0:
                    raise apsw.FullError("no space")

            disk.fault = nearly_full
            with pytest.raises(LogFull):
                log.append([record(n * 100 + i) for i in range(30)])
            disk.fault = lambda what, name: None

            assert log.append([record(n * 100)])[0].seq == n + 1
        assert log.check() == []


def test_failing_disk(tmp_path: Path, disk) -> None:
    """Writes and fsyncs that fail at random: what was acknowledged is there, what failed is not."""
    rng = derive(0, "failing disk")

    def failing(what: str, name: str) -> None:
        if rng.random() < (0.03 if what == "write" else 0.15):
            raise apsw.IOError(f"cannot {what}")

    kept, failures = [], 0
    log = SQLiteLog(tmp_path, checkpoint_pages=20)
    disk.fault = failing
    for n in range(2_000):
        one = record(n)
        try:
            kept += [one] if not log.append([one])[0].duplicate else []
        except LogError:
            failures += 1
    disk.fault = lambda what, name: None

    assert failures > 200
    assert contents(log.read()) == as_read(kept)
    assert not log.append([record(5_000)])[0].duplicate
    log.close()
    with SQLiteLog(tmp_path) as log:
        assert contents(log.read()) == as_read([*kept, record(5_000)])
        assert log.check() == []


def test_nothing_refused_comes_to_life(tmp_path: Path, disk) -> None:
    """A commit whose fsync failed stays away, although its frames stood whole in the WAL."""
    log = SQLiteLog(tmp_path)
    log.append([record(0)])

    def no_sync(what: str, name: str) -> None:
        if what == "sync":
            raise apsw.IOError("fsync failed")

    disk.fault = no_sync
    with pytest.raises(LogError, match="fsync failed"):
        log.append([record(1)])
    with pytest.raises(LogError, match="fsync failed"):
        log.append([record(1)])
    disk.fault = lambda what, name: None
    receipts = log.append([record(2), record(1)])

    assert [(r.seq, r.duplicate) for r in receipts] == [(2, False), (3, False)]
    assert contents(log.read()) == as_read([record(0), record(2), record(1)])
    log.close()


# ---------------------------------------------------------------- bytes that change


def test_flipped_bits_of_the_database(tmp_path: Path) -> None:
    """Any flipped bit is harmless or found: never a wrong answer, never another error."""
    records = mixed(200)
    with SQLiteLog(tmp_path / "log") as log:
        log.append(records)
    file = tmp_path / "log" / "log.sqlite"
    good = file.read_bytes()
    rng = derive(0, "flips")
    found = 0
    for _ in range(300):
        bad = bytearray(good)
        bad[int(rng.integers(len(bad)))] ^= 1 << int(rng.integers(8))
        file.write_bytes(bad)
        found += _notices(tmp_path / "log", as_read(records))
        file.with_name("log.sqlite-wal").unlink(missing_ok=True)

    assert found > 290


def test_truncated_database(tmp_path: Path) -> None:
    """A database that lost its end, or all but its segments, is never taken for a smaller log."""
    with SQLiteLog(tmp_path / "log") as log:
        log.append(mixed(200))
        log.seal(START + DAY)
    file = tmp_path / "log" / "log.sqlite"
    good = file.read_bytes()
    lengths = [*range(0, len(good) - 4_096, len(good) // 30), len(good) - 1]
    found = 0
    for length in lengths:
        file.write_bytes(good[:length])
        # The very last bytes may lie in a page that is free, and then nothing is lost.
        found += _notices(tmp_path / "log", as_read(mixed(200)))

    assert found >= len(lengths) - 1
    file.write_bytes(b"")
    with pytest.raises(LogCorrupt, match=r"log.sqlite: empty, but sealed segments stand beside it"):
        SQLiteLog(tmp_path / "log")


def _notices(folder: Path, records: list) -> bool:
    try:
        with SQLiteLog(folder, read_only=True) as log:
            problems = log.check()
            try:
                assert contents(log.read()) == records
            except LogCorrupt:
                assert problems
            return bool(problems)
    except LogError:
        return True


def _letter() -> Rejected:
    return Rejected(code="c", pointer="", message="m", body=b"", arrived=START)
