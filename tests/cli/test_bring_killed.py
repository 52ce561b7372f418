"""An import that is killed midway and run again is an import that was never killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.home import Home
from equipoise.log.sqlite import SQLiteLog
from equipoise.randomness import derive
from equipoise.types import Arrays

ROWS = 4_000
LIVES = 3

IMPORT = """
import sys
from pathlib import Path
from equipoise.cli import bring
from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.intake.files import read_table

bring.BATCH = 100
engine = Engine.open(Path(sys.argv[1]), clock=ManualClock())
print("open", flush=True)
for name in ("items", "events"):
    path = Path(sys.argv[2]) / f"{name}.csv"
    bring.bring(engine, read_table(path, kind=name), path.name)
engine.close()
"""
"""The clock stands still, so that the state of a killed import can be compared byte by byte."""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    items = "".join(f"i{k},{k}.5,Shelf {k % 9}\n" for k in range(300))
    (tmp_path / "items.csv").write_text("item_id,price,categories\n" + items)
    rows = "".join(_row(k) for k in range(ROWS))
    (tmp_path / "events.csv").write_text("event,user_id,item_id,ts\n" + rows)
    return tmp_path


def _row(number: int) -> str:
    """Every fiftieth cannot be taken; some of those are alike."""
    name = "no_such_event" if number % 50 == 0 else "view_item"
    return f"{name},u{number % 97},i{number % 301},{1_700_000_000 + number // 150}\n"


def start(home: Home, files: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", IMPORT, str(home.folder), str(files)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    return process


def finish(process: subprocess.Popen[bytes], *, log: Path | None = None, kill_at: int = 0) -> int:
    """Wait for its end; or kill it as soon as ``log`` holds ``kill_at`` records."""
    if log is not None:
        with SQLiteLog(log, read_only=True) as reader:
            while reader.last < kill_at:
                time.sleep(0.001)
        process.kill()
    code = process.wait()
    assert process.stdout is not None
    process.stdout.close()
    return code


@pytest.mark.faults
def test_killed_and_run_again(tmp_path: Path, files: Path) -> None:
    """The same records, the same dead letters, the same bytes of state as from one run."""
    whole, broken = Home(tmp_path / "whole").create(), Home(tmp_path / "broken").create()
    finish(start(whole, files))
    reached = []
    for moment in sorted(derive(3, "killed imports").integers(200, ROWS // 2, LIVES).tolist()):
        finish(start(broken, files), log=broken.log, kill_at=moment)
        with SQLiteLog(broken.log, read_only=True) as log:
            reached.append(log.last)

            assert log.check() == []
    last = finish(start(broken, files))

    assert last == 0
    assert reached == sorted(reached)
    assert 0 < reached[-1] <= records(whole)
    assert reached[0] < records(whole)
    assert records(broken) == records(whole) == 300 + ROWS - ROWS // 50
    assert letters(broken) == letters(whole)
    assert len(letters(whole)) == ROWS // 50
    assert state(broken) == state(whole)


def records(home: Home) -> int:
    with SQLiteLog(home.log, read_only=True) as log:
        return sum(1 for _ in log.read())


def letters(home: Home) -> list[tuple[str, bytes]]:
    with SQLiteLog(home.log, read_only=True) as log:
        return sorted((one.message, one.body) for one in log.rejected(limit=ROWS))


def state(home: Home) -> dict[str, tuple[str, bytes]]:
    engine = Engine.open(home.folder, read_only=True, clock=ManualClock())
    tables: dict[str, Arrays] = engine.knowledge.dump()
    engine.close()
    return {
        f"{table}.{name}": (array.dtype.str, array.tobytes())
        for table, arrays in tables.items()
        for name, array in arrays.items()
    }
