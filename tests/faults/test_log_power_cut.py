"""A power cut at any moment: what was not synced is lost, reordered, or torn at 512 bytes.

A VFS between SQLite and the system records every write, truncation and sync of a run. For each
moment at which the power might have gone, the files are rebuilt from what was synced by then and an
arbitrary part of what was not: whole writes, or each of their sectors of 512 bytes, are there or
are not, by lot. Then the log is opened, as after a reboot.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.log import database
from equipoise.log.sqlite import SQLiteLog
from equipoise.randomness import derive
from equipoise.types import Kind, Record

SECTOR = 512
COMMITS = 120


@dataclass
class Tape:
    """What reached the disk, in order: (what, file, offset or size, bytes) and acknowledgements."""

    steps: list[tuple[str, str, int, bytes]] = field(default_factory=list)
    running: bool = True

    def note(self, what: str, file: str, at: int = 0, data: bytes = b"") -> None:
        if self.running:
            self.steps.append((what, file, at, data))


class Recorder(apsw.VFS):
    def __init__(self, tape: Tape) -> None:
        super().__init__("recorder", "cksmvfs", makedefault=True)
        self.tape = tape

    def xOpen(self, name, flags):
        return RecordedFile(self.tape, name, flags)

    def xDelete(self, name, sync_folder):
        super().xDelete(name, sync_folder)
        self.tape.note("delete", os.path.basename(name))


class RecordedFile(apsw.VFSFile):
    def __init__(self, tape: Tape, name, flags) -> None:
        self._tape = tape
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        self._name = os.path.basename(self._path)
        super().__init__("cksmvfs", name, flags)

    def xWrite(self, data, offset):
        super().xWrite(data, offset)
        if self._tape.running:
            # From the file: the checksum VFS below puts its eight bytes into each page.
            with open(self._path, "rb") as file:
                written = os.pread(file.fileno(), len(data), offset)
            self._tape.note("write", self._name, offset, written)

    def xTruncate(self, size):
        super().xTruncate(size)
        self._tape.note("truncate", self._name, size)

    def xSync(self, flags):
        # Only noted: the test decides what a sync is worth.
        self._tape.note("sync", self._name)


@dataclass
class Platter:
    """One file: what is safe, and what was written since."""

    safe: bytes = b""
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)

    def sync(self) -> None:
        self.safe = self._with(self.pending)
        self.pending = []

    def after_cut(self, rng: np.random.Generator) -> bytes:
        survived = []
        for what, at, data in self.pending:
            if what == "truncate":
                survived += [(what, at, data)] if rng.random() < 0.5 else []
                continue
            sectors = range(0, len(data), SECTOR)
            whole = rng.random() < 0.5
            kept = [whole] * len(sectors) if rng.random() < 0.7 else rng.random(len(sectors)) < 0.5
            survived += [
                (what, at + start, data[start : start + SECTOR])
                for start, keep in zip(sectors, kept, strict=True)
                if keep
            ]
        return self._with(survived)

    def _with(self, steps: list[tuple[str, int, bytes]]) -> bytes:
        content = bytearray(self.safe)
        for what, at, data in steps:
            if what == "truncate":
                del content[at:]
            else:
                content.extend(bytes(max(0, at + len(data) - len(content))))
                content[at : at + len(data)] = data
        return bytes(content)


@pytest.fixture
def tape(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tape]:
    database.load_checksums()
    monkeypatch.setattr(database, "sync_folder", lambda folder: None)
    tape = Tape()
    recorder = Recorder(tape)
    yield tape
    recorder.unregister()


def run(folder: Path, tape: Tape, durability: str) -> list[str]:
    """Append by turns one and many records, small and large; the keys, in the order sent."""
    rng = derive(0, "power cut run")
    sent: list[str] = []
    with SQLiteLog(folder, durability=durability, checkpoint_pages=25) as log:
        for _ in range(COMMITS):
            keys = [f"e{len(sent) + n}" for n in range(int(rng.integers(1, 15)))]
            log.append([_record(key, int(rng.integers(0, 600))) for key in keys])
            sent += keys
            tape.note("acknowledged", "", len(sent))
        tape.running = False
    return sent


def _record(key: str, size: int) -> Record:
    return Record(
        kind=Kind.EVENT, key=key, arrived=20_000 * DAY, body=b"x" * size, ids=(f"event:{key}",)
    )


def cut_everywhere(folder: Path, tape: Tape, sent: list[str], cuts: int) -> int:
    """Cut the power at so many moments; how often something acknowledged was lost.

    Whatever the durability, what is found must be sound, and a beginning of what was sent.
    """
    rng = derive(0, "power cut moments")
    moments = set(rng.choice(len(tape.steps), min(cuts, len(tape.steps)), replace=False).tolist())
    platters: dict[str, Platter] = {}
    acknowledged = losses = 0
    for moment, (what, file, at, data) in enumerate(tape.steps):
        if moment in moments:
            kept = _reboot(folder / f"{moment}", platters, rng)

            assert kept == sent[: len(kept)]
            losses += len(kept) < acknowledged
        if what == "acknowledged":
            acknowledged = at
        elif what == "sync":
            platters[file].sync()
        elif what == "delete":
            platters.pop(file, None)
        else:
            platters.setdefault(file, Platter()).pending.append((what, at, data))
    return losses


def _reboot(folder: Path, platters: dict[str, Platter], rng: np.random.Generator) -> list[str]:
    folder.mkdir(parents=True)
    for name, platter in platters.items():
        (folder / name).write_bytes(platter.after_cut(rng))
    with SQLiteLog(folder) as log:
        assert log.check() == []
        return [stored.record.key for stored in log.read()]


@pytest.mark.faults
def test_full_loses_nothing(tmp_path: Path, tape: Tape) -> None:
    """``power-loss``: at 500 moments, 0 acknowledged lost, 0 doubled, integrity ok."""
    sent = run(tmp_path / "run", tape, "power-loss")

    assert cut_everywhere(tmp_path, tape, sent, cuts=500) == 0


@pytest.mark.faults
def test_the_test_can_fail(tmp_path: Path, tape: Tape) -> None:
    """``process`` promises less, and loses some: so the test above would see it."""
    sent = run(tmp_path / "run", tape, "process")

    assert cut_everywhere(tmp_path, tape, sent, cuts=60) > 30
