"""The fits that are compared, and the process and environment that each runs in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).parents[2]
REQUIRED = ("irspack==0.5.2", "scikit-learn==1.9.1")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Fit:
    """One way to fit one model."""

    label: str
    way: str
    """A function of the worker."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    ours: bool = False
    """In the running environment, else in that of the peers."""


RIDGE = {"regularization": 500.0}
NET = {"alpha": 0.02, "l1_ratio": 0.01}
EASE_BY = (
    Fit("equipoise float64", "ours_ease", {**RIDGE, "max_items": 10**6}, ours=True),
    Fit(
        "equipoise float32", "ours_ease", {**RIDGE, "max_items": 10**6, "precision": "float32"},
        ours=True,
    ),
    Fit("equipoise, 200 neighbours", "ours_ease", {**RIDGE, "neighbours": 200}, ours=True),
    Fit("numpy.linalg.inv", "numpy_ease", RIDGE),
    Fit("irspack DenseSLIMRecommender", "irspack_ease", RIDGE),
)  # fmt: skip
SLIM_BY = (
    Fit("equipoise", "ours_slim", {**NET, "neighbours": None}, ours=True),
    Fit("irspack SLIMRecommender", "irspack_slim", NET),
    Fit("scikit-learn ElasticNet", "sklearn_slim", NET),
)


def run(fit: Fit, log: Path, threads: int) -> tuple[dict[str, float], np.ndarray]:
    """What was measured, and the scores (50, n) of the first histories."""
    python = sys.executable if fit.ours else environment()
    surroundings = {**os.environ, **dict.fromkeys(THREADS, str(threads)), "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as folder:
        scores = Path(folder) / "scores.npy"
        job = {"log": str(log), "scores": str(scores), "threads": threads, "way": fit.way}
        job["settings"] = dict(fit.settings)
        done = subprocess.run(
            [python, str(WORKER)], input=json.dumps(job), env=surroundings, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{fit.label} failed: {done.stderr[-1_000:]}")
        outcome: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return outcome, np.load(scores)


def environment() -> str:
    """The peers' Python, made on first use (PyPI is asked once)."""
    home = Path.home() / ".cache" / "equipoise"
    folder = Path(os.environ.get("EQUIPOISE_PEERS") or home / "peers") / "linear-1"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        print(f"installing {', '.join(REQUIRED)} in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIRED], check=True)
        ready.touch()
    return str(python)
