"""The vectors searched: random ones, and learned ones in any number.

Learned: the item factors of ``ImplicitALS`` on Gowalla (40,981 items), as queries the vectors that
it folds in for users. Fewer items are some of these, more are bred from them: a direction between
that of a factor and that of one of its eight nearest, moved by a third of its length at random,
with the factor's own norm. So norms, directions and their clusters stay those of the data.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from equipoise.data import readers
from equipoise.intake.data_sets import locate
from equipoise.randomness import derive
from equipoise.recommenders import ImplicitALS
from equipoise.types import Floats32, Positions

CACHE = Path.home() / ".cache" / "equipoise" / "latency"
QUERIES, NEAREST, MOVED = 200, 8, 0.3
CHUNK = 2_048


def kept(kind: str, items: int, d: int) -> Path:
    """The file of a set (``items``, ``queries``), made on first use."""
    path = CACHE / f"{kind}-{items}-{d}.npz"
    if not path.exists():
        vectors, queries = KINDS[kind](items, d)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(partial, items=vectors, queries=queries)
        partial.replace(path)
    return path


def isotropic(items: int, d: int) -> tuple[Floats32, Floats32]:
    """Standard normal numbers: the hardest case, since no item stands out."""
    rng = derive(0, "benchmarks.latency", f"{items} {d}")
    drawn = [rng.standard_normal((rows, d), dtype=np.float32) for rows in (items, QUERIES)]
    return drawn[0], drawn[1]


def learned(items: int, d: int) -> tuple[Floats32, Floats32]:
    """Factors from Gowalla, bred where more are wanted than it has items."""
    rows = readers.adjacency(locate("gowalla") / "lightgcn_train.txt")
    model = ImplicitALS(factors=d, epochs=8).fit(rows)
    histories = rows.histories(unique=True)
    users = derive(0, "benchmarks.latency.users").permutation(len(histories))[:QUERIES]
    queries = np.stack([model.fold_in(*model.encode(histories[user])) for user in users])
    factors = model.item_factors_
    if items > len(factors):
        return _bred(factors, items), queries
    some = derive(0, "benchmarks.latency.some").permutation(len(factors))[:items]
    return factors[some], queries


def _bred(factors: Floats32, items: int) -> Floats32:
    rng = derive(0, "benchmarks.latency.bred")
    d = factors.shape[1]
    norms = np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-9)
    directions = factors / norms
    nearest = _nearest(directions)
    bred = np.empty((items, d), np.float32)
    for start in range(0, items, CHUNK):
        n = min(CHUNK, items - start)
        one = rng.integers(0, len(factors), n)
        two = nearest[one, rng.integers(0, NEAREST, n)]
        share = rng.uniform(0.5, 1, (n, 1))
        between = share * directions[one] + (1 - share) * directions[two]
        between /= np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-9)
        moved = between + rng.normal(0, MOVED / d**0.5, (n, d))
        bred[start : start + n] = norms[one] * moved
    return bred


def _nearest(directions: Floats32) -> Positions:
    """(I, NEAREST) by cosine, itself left out."""
    nearest = np.empty((len(directions), NEAREST), np.int32)
    for start in range(0, len(directions), CHUNK):
        cosines = directions[start : start + CHUNK] @ directions.T
        cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -2
        nearest[start : start + CHUNK] = np.argpartition(-cosines, NEAREST)[:, :NEAREST]
    return nearest


KINDS = {"random": isotropic, "learned": learned}
