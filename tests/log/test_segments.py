"""Sealed days: readable by others, whole or not there, and never trusted unchecked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from equipoise.clock import DAY
from equipoise.errors import LogCorrupt, LogError, LogFull
from equipoise.log import segments
from equipoise.log.sqlite import SQLiteLog
from equipoise.randomness import derive
from equipoise.testing.logs import START, as_read, contents, mixed, record
from equipoise.types import Kind, Stored


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SQLiteLog]:
    with SQLiteLog(tmp_path) as log:
        yield log


def test_anyone_reads_them(log: SQLiteLog) -> None:
    """A segment is a plain Parquet file of one UTC day: JSON as text, what is no text beside it."""
    records = mixed()
    log.append(records)
    paths = log.seal(START + 2 * DAY)
    table = pl.concat(map(pl.read_parquet, paths)).sort("seq")
    sealed = [one for one in records if one.arrived < START + 2 * DAY]

    assert [path.name for path in paths] == [
        "2024-10-04.000000000001.parquet",
        "2024-10-05.000000000003.parquet",
    ]
    assert table["key"].to_list() == [one.key for one in sealed]
    assert table["arrived"].to_list() == [one.arrived for one in sealed]
    for one, body, raw in zip(sealed, table["body"], table["raw"], strict=True):
        assert one.body == (raw if body is None else body.encode())


def test_parts_are_bounded(log: SQLiteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large day becomes several files, by records or by bytes, and is read back in order."""
    monkeypatch.setattr(segments, "PART_RECORDS", 10)
    monkeypatch.setattr(segments, "PART_BYTES", 140_000)
    records = [record(n) for n in range(95)]
    log.append(records)
    paths = log.seal(START + DAY)
    sizes = [pl.read_parquet(path).height for path in paths]

    assert max(sizes) <= 10
    assert sum(sizes) == 95
    assert contents(log.read()) == as_read(records)


def test_memory_is_bounded_by_one_segment() -> None:
    """Merging starts a source only when its first seq is due."""
    started: list[int] = []

    def source(first: int) -> Iterator[Stored]:
        started.append(first)
        for seq in range(first, first + 3):
            yield Stored(seq=seq, record=record(seq))

    merged = segments.in_order([(n, source(n)) for n in (7, 1, 4)])
    order = [(next(merged).seq, len(started)) for _ in range(9)]

    assert order == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2), (7, 3), (8, 3), (9, 3)]


# ---------------------------------------------------------------- damage


def test_flipped_bits_are_found(log: SQLiteLog) -> None:
    """A flipped bit anywhere, a cut, a lost file: every reader says which file, and so does
    ``check``.
    """
    log.append([record(n) for n in range(50)])
    (path,) = log.seal(START + DAY)
    good = path.read_bytes()
    rng = derive(0, "segment flips")
    damage = [_flipped(good, rng) for _ in range(300)] + [good[:-1], good + b"\0", b""]
    for bad in damage:
        path.write_bytes(bad)
        with pytest.raises(LogCorrupt, match=rf"{path.name}: SHA-256 differs"):
            next(log.read())
    for read in (
        lambda: list(log.of_shopper("shopper-1")),
        lambda: log.find(Kind.EVENT, record(7).key),
        lambda: list(log.read(20, kinds=[Kind.EVENT])),
    ):
        with pytest.raises(LogCorrupt, match=rf"{path.name}: SHA-256 differs"):
            read()

    assert log.check() == [f"{path}: SHA-256 differs from the manifest: not what was sealed"]
    path.unlink()
    with pytest.raises(LogCorrupt, match=rf"{path.name}: this sealed segment is missing"):
        list(log.read())

    assert log.check() == [f"{path}: this sealed segment is missing"]
    path.write_bytes(good)

    assert log.check() == []
    assert log.append([record(3)])[0].duplicate


def _flipped(good: bytes, rng) -> bytes:
    bad = bytearray(good)
    bad[int(rng.integers(len(bad)))] ^= 1 << int(rng.integers(8))
    return bytes(bad)


def test_strays_are_named(log: SQLiteLog) -> None:
    """A file that the manifest does not list is reported, and not read."""
    log.append([record(0)])
    (path,) = log.seal(START + DAY)
    stray = path.with_name("2020-01-01.000000000001.parquet")
    stray.write_bytes(path.read_bytes())

    assert log.check() == [f"{stray}: not in the manifest, so not of the log"]
    assert contents(log.read()) == as_read([record(0)])


def test_only_leftovers_are_swept(tmp_path: Path) -> None:
    """Opening removes a file whose records all still stand, never one that may be the only copy."""
    folder = tmp_path / "segments"
    with SQLiteLog(tmp_path) as log:
        log.append([record(0), record(1)])
        stored = list(log.read())
    leftover = segments.write(folder, START // DAY, stored)
    more = [*stored, Stored(seq=3, record=record(2))]
    only_copy = segments.write(folder, START // DAY + 1, more)
    damaged = folder / "2020-01-01.000000000001.parquet"
    damaged.write_bytes(b"PAR1")
    with SQLiteLog(tmp_path) as log:
        problems = log.check()

    assert not (folder / leftover.name).exists()
    assert [problem.split(":")[0] for problem in problems] == [
        str(damaged),
        str(folder / only_copy.name),
    ]


# ---------------------------------------------------------------- whole or not there


class Killed(BaseException):
    """Nothing in the code under test may catch this, as nothing catches SIGKILL."""


STEPS = ("fsync", "replace", "sync_folder", "register", "after_register")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("late", [False, True])
def test_stopped_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, late: bool
) -> None:
    """Sealing cut off before any of its steps leaves each record exactly once; the next try ends
    it.
    """
    records = mixed()
    log = SQLiteLog(tmp_path)
    log.append(records)
    with monkeypatch.context() as patch:
        _kill_at(patch, step, skip=late)
        with pytest.raises(Killed):
            log.seal(START + 9 * DAY)
    log.close()
    with SQLiteLog(tmp_path) as log:
        assert contents(log.read()) == as_read(records)
        log.seal(START + 9 * DAY)

        assert contents(log.read()) == as_read(records)
        assert log.check() == []
        assert not list(tmp_path.glob("segments/*.tmp"))


def _kill_at(patch: pytest.MonkeyPatch, step: str, skip: bool) -> None:
    calls = [skip]

    def kill(real):
        def killing(*arguments, **keywords):
            if calls and calls.pop():
                return real(*arguments, **keywords)
            raise Killed

        return killing

    if step == "fsync":
        patch.setattr(segments.os, "fsync", kill(os.fsync))
    elif step == "replace":
        patch.setattr(Path, "replace", kill(Path.replace))
    elif step == "after_register":
        real = segments.register

        def registered_then_killed(*arguments):
            real(*arguments)
            raise Killed

        patch.setattr(segments, "register", registered_then_killed)
    else:
        patch.setattr(segments, step, kill(getattr(segments, step)))


def test_durable_before_it_is_listed(log: SQLiteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes, then the name, then the folder are on disk before the rows are given up."""
    order: list[str] = []

    def noted(name: str, real):
        return lambda *arguments: (order.append(name), real(*arguments))[1]

    log.append([record(0)])
    monkeypatch.setattr(segments.os, "fsync", noted("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", noted("replace", Path.replace))
    monkeypatch.setattr(segments, "sync_folder", noted("folder", segments.sync_folder))
    monkeypatch.setattr(segments, "register", noted("register", segments.register))
    log.seal(START + DAY)

    assert order == ["fsync", "replace", "folder", "fsync", "register"]


def test_not_removed_unless_it_reads_back(log: SQLiteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows leave the database only once the file was read back equal and they were counted."""
    log.append([record(0), record(1)])
    with monkeypatch.context() as patch:
        patch.setattr(segments.pl, "read_parquet", lambda source: pl.DataFrame())
        with pytest.raises(LogCorrupt, match="does not read back as written; no record was"):
            log.seal(START + DAY)
    with monkeypatch.context() as patch:
        real = segments.write
        patch.setattr(segments, "write", lambda folder, day, piece: real(folder, day, piece[:1]))
        patch.setattr(segments, "register", _with_wrong_count(segments.register))
        with pytest.raises(LogCorrupt, match="5 records were sealed but 1 stand in the database"):
            log.seal(START + DAY)

    assert contents(log.read()) == as_read([record(0), record(1)])


def _with_wrong_count(real):
    return lambda connection, segment, day: real(connection, replace(segment, records=5), day)


def test_disk_errors_are_said(log: SQLiteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """No space, no permission for the Parquet file: LogErrors that leave the log as it was."""
    log.append([record(0)])
    for number, kind in ((28, LogFull), (13, LogError)):

        def failing(*_, number=number):
            raise OSError(number, os.strerror(number), "the file")

        with monkeypatch.context() as patch:
            patch.setattr(segments.os, "fsync", failing)
            with pytest.raises(kind, match=rf"the file: {os.strerror(number)}"):
                log.seal(START + DAY)

        assert contents(log.read()) == as_read([record(0)])
