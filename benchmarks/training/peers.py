"""The libraries compared: where each lives, how its keywords are called, and how one is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Peer:
    """A library with one of its solvers."""

    package: str
    solver: str
    requirement: str
    """What pip installs; empty for this repository, in the environment that runs."""
    keywords: tuple[str, str, str]
    """Its names for the number of factors, the weight and the regularisation."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Other keywords of its constructor."""

    @property
    def key(self) -> str:
        return f"{self.package}:{self.solver}"

    @property
    def scaled(self) -> bool:
        """Its regularisation grows with a row's frequency, and the weight is of pairs not met."""
        return self.package in ("equipoise", "irspack")

    def settings(self, factors: int, chosen: tuple[float, float]) -> dict[str, Any]:
        return {**dict(zip(self.keywords, (factors, *chosen), strict=True)), **self.fixed}


_OURS = ("factors", "unobserved_weight", "regularization")
_IMPLICIT = ("factors", "alpha", "regularization")
_IRSPACK = ("n_components", "alpha0", "reg")
PEERS = (
    *(Peer("equipoise", one, "", _OURS, {"solver": one}) for one in ("cg", "cholesky", "blocks")),
    Peer("implicit", "cg", "implicit==0.7.3", _IMPLICIT),
    Peer("irspack", "cg", "irspack==0.5.2", _IRSPACK),
    Peer("irspack", "ials++", "irspack==0.5.2", _IRSPACK, {"solver_type": "IALSPP"}),
    Peer("rectools", "cg", "rectools==0.19.0", _IMPLICIT),
    Peer("lenskit", "cholesky", "lenskit", ("embedding_size", "weight", "regularization")),
)


class NotInstalled(Exception):
    """A peer that pip does not bring here; the text says why."""


def cache() -> Path:
    """Where environments, logs and results are kept."""
    return Path(os.environ.get("EQUIPOISE_PEERS") or Path.home() / ".cache" / "equipoise" / "peers")


def python(peer: Peer) -> Path:
    """The Python of the peer's environment, made on first use. Raises NotInstalled."""
    if not peer.requirement:
        return Path(sys.executable)
    folder = cache() / f"training-{peer.requirement.replace('==', '-')}"
    interpreter, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [interpreter, "-m", "pip", "install", "--quiet", peer.requirement]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotInstalled(done.stderr.strip().splitlines()[-1])
        ready.touch()
    return interpreter


def run(peer: Peer, job: Mapping[str, Any], limit: float) -> Iterator[dict[str, Any]]:
    """The worker's lines as they come; after ``limit`` seconds the last says so."""
    command = ["timeout", f"{limit:.0f}", str(python(peer)), str(WORKER), json.dumps(job)]
    environment = _environment(peer, job["threads"])
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
        complaint = process.stderr.read().strip().splitlines()
    if process.returncode == 124:
        yield {"note": f"stopped after {limit:.0f} s"}
    elif process.returncode:
        yield {"note": complaint[-1] if complaint else f"ended with {process.returncode}"}


def _environment(peer: Peer, threads: int) -> dict[str, str]:
    """So many threads everywhere, kernels of BLAS that suit the processor.

    BLAS itself gets one thread, as implicit asks for: it is called from threads of the library's
    own. LensKit, which leaves threads to others, is the exception.
    """
    chosen = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    kept = {name: value for name, value in os.environ.items() if name not in chosen}
    blas = threads if peer.package == "lenskit" else 1
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "LK_NUM_THREADS")
    return {
        **kept,
        **dict.fromkeys(names, str(threads)),
        "OPENBLAS_NUM_THREADS": str(blas),
        "PYTHONPATH": str(ROOT),
    }
