"""The weight and the regularisation of each kind of loss, by rows held out of the training part.

A tenth of the training rows of the users judged is held out, each library of ``KINDS`` fits the
rest with every pair of its grid, both grids of one size, and the pair with the best nDCG@20 there
wins. The test part is not read.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training import logs
from benchmarks.training.compare import EPOCHS
from benchmarks.training.peers import PEERS, Peer, cache, run
from equipoise.randomness import derive

Pair = tuple[float, float]
HELD = 0.1
GRIDS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "equipoise": ((0.003, 0.01, 0.03, 0.1, 0.3), (0.001, 0.003, 0.01, 0.03)),
    "implicit": ((2.5, 5.0, 10.0, 20.0, 40.0), (0.3, 1.0, 5.0, 20.0)),
}
"""Weights and regularisations; implicit's are of the other kind (``compare.CHOSEN``)."""
KINDS = tuple(next(one for one in PEERS if one.package == name) for name in GRIDS)


def show(data: list[str], millions: float, factors: int, threads: int) -> None:
    """A line a trial, and the best of each kind."""
    for name in data:
        path = without(logs.kept(name, millions, cache() / "training"))
        for peer in KINDS:
            marks: dict[Pair, float] = {}
            for pair in product(*GRIDS[peer.package]):
                marks[pair] = _mark(peer, path, pair, factors, EPOCHS[name], threads)
                print(f"{name} {peer.key} {pair}: nDCG@20 {marks[pair]:.4f}", flush=True)
            best = max(marks, key=lambda pair: marks[pair])
            print(f"{name} {peer.key}: {best} is best, {marks[best]:.4f}", flush=True)


def without(path: Path) -> Path:
    """The same log, its test part now rows of the training part, which lacks them."""
    held_path = path.with_stem(f"{path.stem}-held-out")
    if not held_path.exists():
        whole = logs.Log.load(path)
        judged = np.diff(whole.test.indptr) > 0
        user = np.repeat(np.arange(whole.train.shape[0]), np.diff(whole.train.indptr))
        luck = derive(0, "benchmarks.training.choose").random(len(user))
        out = judged[user] & (luck < HELD)
        logs.Log(logs.part_of(whole.train, user, ~out), logs.part_of(whole.train, user, out)).save(
            held_path
        )
    return held_path


def _mark(peer: Peer, path: Path, pair: Pair, factors: int, epochs: int, threads: int) -> float:
    job: dict[str, Any] = {
        "library": peer.package,
        "log": str(path),
        "epochs": epochs,
        "threads": threads,
        "settings": peer.settings(factors, pair),
    }
    *_, last = run(peer, job, 600)
    return float(last["ndcg"])
