"""Vowpal Wabbit as a peer: in an environment of its own, fed by files.

Run as a script, by the Python of that environment, this file is the worker: it reads jobs as JSON
from standard input and writes their losses to standard output. Nothing else of it is needed there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

VERSION = "9.11.9"
RATES = (0.03, 0.1, 0.5, 1.0, 3.0)
"""Learning rates that a form may choose from."""


@dataclass(frozen=True)
class Run:
    """What came of one pass over one file."""

    loss: float
    """Progressive-validation loss: a mean over the examples, each judged before it was learnt."""
    seconds: float
    """Of one core: others may use the machine."""
    examples: int


def cache() -> Path:
    """Where the environment and its results are kept."""
    home = Path.home() / ".cache" / "equipoise"
    return Path(os.environ.get("EQUIPOISE_PEERS") or home / "peers")


def python() -> Path:
    """The Python of an environment with VW in it, made on first use (PyPI is asked once)."""
    folder = cache() / f"vowpalwabbit-{VERSION}"
    interpreter, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [interpreter, "-m", "pip", "install", "--quiet", f"vowpalwabbit=={VERSION}"]
        subprocess.run(install, check=True)
        ready.touch()
    return interpreter


def label(features: Iterable[float]) -> str:
    """VW's text of a context: named features, zeros left out. With bare integers for names cbify's
    copies of them would collide."""
    return " ".join(f"f{j}:{value:.6g}" for j, value in enumerate(features) if value)


def runs(
    key: str, lines: Sequence[str], forms: dict[str, Sequence[str]], *, fresh: bool = False
) -> dict[str, Run]:
    """One pass over ``lines`` for each form, by name of form; kept by what was asked, its seconds
    too, unless ``fresh``.

    ``key`` names the data for whoever looks into the cache; what counts is their digest.
    """
    text = "\n".join(lines) + "\n"
    asked = json.dumps(
        [VERSION, "core seconds", {name: list(options) for name, options in forms.items()}]
    )
    digest = sha256((asked + text).encode()).hexdigest()[:24]
    kept = cache() / "bakeoff" / f"{key}-{digest}.json"
    if fresh or not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        data = kept.with_suffix(f".{os.getpid()}.txt")
        try:
            data.write_text(text)
            found = _work(data, forms)
        finally:
            data.unlink(missing_ok=True)
        whole = kept.with_suffix(f".{os.getpid()}.tmp")
        whole.write_text(json.dumps({name: asdict(run) for name, run in found.items()}))
        whole.rename(kept)
    return {name: Run(**run) for name, run in json.loads(kept.read_text()).items()}


def _work(data: Path, forms: dict[str, Sequence[str]]) -> dict[str, Run]:
    jobs = [[name, [*options]] for name, options in forms.items()]
    answer = subprocess.run(
        [python(), "-I", __file__, str(data)],
        input=json.dumps(jobs), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode:
        raise RuntimeError(f"VW failed on {data.name}: {answer.stderr[-1000:]}")
    return {name: Run(**run) for name, run in json.loads(answer.stdout).items()}


def _worker(data: str) -> None:
    import vowpalwabbit  # type: ignore[import-not-found]

    found: dict[str, Any] = {}
    for name, options in json.load(sys.stdin):
        started = time.process_time()
        space = vowpalwabbit.Workspace(arg_list=["--quiet", "-d", data, *options])
        seconds = time.process_time() - started
        examples = int(space.get_weighted_examples())
        loss = space.get_sum_loss() / examples
        space.finish()
        found[name] = {"loss": loss, "seconds": seconds, "examples": examples}
    print(json.dumps(found))


if __name__ == "__main__":
    _worker(sys.argv[1])
