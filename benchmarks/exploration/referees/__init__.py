"""Outside referees: other people's worlds, each in a virtual environment and a process of its own.

A referee's script (``*_world.py`` in this folder) is run by the Python of that environment, knows
nothing of this package and talks over its standard input and output, a JSON line at a time: it puts
a question, we answer, until it states the outcome. So a world that needs a NumPy of 2019 can judge
an engine that needs today's, and neither sees more of the other than the questions hold.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

FOLDER = Path(__file__).parent
CACHE = Path.home() / ".cache" / "equipoise" / "referees"
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Referee:
    """A world and what it needs."""

    name: str
    requires: tuple[str, ...]
    """For pip, dependencies and all."""
    alone: tuple[str, ...]
    """For pip, without dependencies: they ask for what is not used, or cannot be had any more."""

    def judge(self, *options: Any, answer: Callable[[dict[str, Any]], Any] | None = None) -> Any:
        """Run the world to its end; the outcome that it states.

        Args:
            options: of its script.
            answer: gives the reply to each question; None where the world asks nobody.

        Raises:
            RuntimeError: the environment cannot be made, or the world broke off.
        """
        command = [self.python(), str(FOLDER / f"{self.name}_world.py"), *map(str, options)]
        surroundings = {**os.environ, **dict.fromkeys(THREADS, "1")}
        # Complaints go to a file: a pipe that nobody reads would fill, and stop the world.
        with (
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints,
                env=surroundings,
            ) as world,
        ):  # fmt: skip
            outcome = _talk(world, answer)
            world.wait()
            if outcome is None:
                complaints.seek(0)
                said = complaints.read().decode().strip().splitlines()
                raise RuntimeError(f"{self.name} broke off: {said[-1] if said else 'no reason'}")
            return outcome

    def python(self) -> str:
        """The environment's Python; the environment is made where it is not there yet."""
        key = hashlib.sha256(repr((self, sys.version_info[:2])).encode()).hexdigest()[:12]
        home = CACHE / f"{self.name}-{key}"
        python = home / "bin" / "python"
        if not (home / "ready").exists():
            shutil.rmtree(home, ignore_errors=True)
            print(f"installing {self.name} in {home}", file=sys.stderr)
            venv.create(home, with_pip=True)
            _install(python, self.requires)
            _install(python, ("--no-deps", *self.alone))
            (home / "ready").touch()
        return str(python)


def _install(python: Path, packages: Sequence[str]) -> None:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *packages], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip could not install {' '.join(packages)}: {done.stderr.strip()}")


def _talk(
    world: subprocess.Popen[bytes], answer: Callable[[dict[str, Any]], Any] | None
) -> Any | None:
    """Answer until there is an outcome; None where the world ends without one."""
    asked, replies = cast(Any, world.stdout), cast(Any, world.stdin)
    for line in asked:
        said: dict[str, Any] = msgspec.json.decode(line)
        if "outcome" in said:
            return said["outcome"]
        if answer is None:
            raise RuntimeError(f"the world asks, and nobody was named to answer: {said}")
        try:
            replies.write(msgspec.json.encode(answer(said)) + b"\n")
            replies.flush()
        except BrokenPipeError:
            return None
    return None
