"""SIGKILL at any moment, clients that retry: nothing acknowledged is lost, nothing counts twice.

A child appends through ``GroupCommit``, eight submitters at a time, and writes down each id once
it is acknowledged; meanwhile it seals the days behind it. It is killed at a random moment, and the
next first sends again what was not acknowledged, as a client would. The children are forked from a
nursery that has imported everything, which is what makes fifty of them quick.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from equipoise.log.sqlite import SQLiteLog
from equipoise.randomness import derive

CYCLES = 50

NURSERY = """
import asyncio, json, os, sys, threading
from pathlib import Path
from equipoise.clock import DAY
from equipoise.log.group import GroupCommit
from equipoise.log.sqlite import SQLiteLog
from equipoise.types import Kind, Record

START = 20_000 * DAY

def record(name):
    number = int(name[1:])
    return Record(kind=Kind.EVENT, key=name, arrived=START + number // 300 * DAY + number,
                  body=b'{"filling":"' + b"x" * (number % 500) + b'"}', shopper=f"s{number % 7}",
                  ids=(f"event:{name}",))

def seal(log):
    while True:
        log.seal(max((s.record.arrived for s in log.read(log.last - 1)), default=START))

async def submitter(group, names, said):
    for name in names:
        await group.submit([record(name)])
        os.write(said, name.encode() + b"\\n")

async def live(folder, said, again, start):
    log = SQLiteLog(folder, checkpoint_pages=50)
    threading.Thread(target=seal, args=(log,), daemon=True).start()
    group = GroupCommit(log, lambda stored: None)
    os.write(said, b"open\\n")
    await submitter(group, again, said)
    fresh = [(f"e{n}" for n in range(start + k, start + 10**6, 8)) for k in range(8)]
    await asyncio.gather(*(submitter(group, names, said) for names in fresh))

for line in sys.stdin:
    folder, path, again, start = json.loads(line)
    child = os.fork()
    if child == 0:
        said = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        asyncio.run(live(Path(folder), said, again, start))
    print(child, flush=True)
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


class Nursery:
    """Bears one appending process at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def live(self, number: int, again: list[str], start: int, seconds: float) -> list[str]:
        """One life of so many seconds, from the fork on if negative, else from the open log on.

        What it had acknowledged when it was killed.
        """
        said = self._folder / f"said-{number}"
        said.touch()
        order = [str(self._folder / "log"), str(said), again, start]
        self._process.stdin.write(json.dumps(order) + "\n")
        child = int(self._process.stdout.readline())
        while seconds >= 0 and not said.read_bytes():
            time.sleep(0.001)
        time.sleep(abs(seconds))
        os.kill(child, signal.SIGKILL)

        assert self._process.stdout.readline() == "dead\n"
        return said.read_text().splitlines()[1:]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.mark.faults
def test_killed_fifty_times(tmp_path: Path) -> None:
    """0 acknowledged lost, 0 doubled, each in its place, integrity ok."""
    rng = derive(0, "sigkill")
    nursery = Nursery(tmp_path)
    acknowledged: set[str] = set()
    start = 0
    for cycle in range(CYCLES):
        again = [f"e{n}" for n in range(start) if f"e{n}" not in acknowledged]
        seconds = -0.03 * rng.random() if cycle % 5 == 4 else 0.3 * rng.random() ** 2
        acknowledged.update(nursery.live(cycle, again, start, seconds))
        with SQLiteLog(tmp_path / "log") as log:
            keys = [stored.record.key for stored in log.read()]
            problems = log.check()

        assert problems == []
        assert len(keys) == len(set(keys))
        assert acknowledged <= set(keys)
        start = 1 + max((int(key[1:]) for key in keys), default=-1)
    nursery.close()
    _report(tmp_path, acknowledged, keys)


def _report(folder: Path, acknowledged: set[str], keys: list[str]) -> None:
    sealed = list((folder / "log" / "segments").glob("*.parquet"))
    sys.stdout.write(
        f"{CYCLES} kills: {len(acknowledged)} acknowledged, {len(keys)} kept, {len(sealed)} days\n"
    )

    assert len(acknowledged) > 1_000
    assert len(sealed) > 2
