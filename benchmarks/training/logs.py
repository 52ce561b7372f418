"""The logs to train on: public splits, and a generated one of any size whose truth is known."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from equipoise.data import Interactions, readers
from equipoise.intake.data_sets import locate
from equipoise.randomness import derive
from equipoise.types import Bools, Floats, Positions

PUBLIC = {"gowalla": "lightgcn_train.txt", "kgat-amazon-book": "train.txt"}
USERS_A_MILLION, ITEMS_A_MILLION = 6_900, 1_350
"""A log of n million interactions has so many times n users and items: 138,000 and 27,000 at 20."""
JUDGED = 10_000
"""So many users of a generated log, evenly spread, keep a fifth of their rows for the test."""
OWN_TASTES, SHELVES = 6, 8
"""Tastes of one user; on how many tastes' shelves an item stands."""
CHUNK = 8_192


@dataclass(frozen=True)
class Log:
    """Rows to train on and rows to find again, as 0/1 matrices (users, items) of float32."""

    train: csr_matrix
    test: csr_matrix

    def save(self, path: Path) -> None:
        parts = {"train": self.train, "test": self.test}
        arrays = {
            f"{name}_{field}": getattr(matrix, field)
            for name, matrix in parts.items()
            for field in ("indptr", "indices")
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.npz")
        np.savez(partial, shape=np.array(self.train.shape), **arrays)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Log:
        with np.load(path, allow_pickle=False) as stored:
            shape = tuple(stored["shape"])
            lists = [(stored[f"{name}_indices"], stored[f"{name}_indptr"]) for name in _PARTS]
        return cls(*(_zero_one(indices, indptr, shape) for indices, indptr in lists))


_PARTS = ("train", "test")


def _zero_one(indices: Positions, indptr: Positions, shape: tuple[int, ...]) -> csr_matrix:
    return csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=shape)


def kept(name: str, millions: float, folder: Path) -> Path:
    """The file of a log, made on first use."""
    label = name if name in PUBLIC else f"{name}-{millions:g}M"
    path = folder / f"{label}.npz"
    if not path.exists():
        (public(name) if name in PUBLIC else generated(millions)).save(path)
    return path


def public(name: str) -> Log:
    """A published split, users and items by their published numbers."""
    folder = locate(name)
    parts = [readers.adjacency(folder / file) for file in (PUBLIC[name], "test.txt")]
    shape = tuple(max(int(max(ids)) for ids in column) + 1 for column in _ids(parts))
    return Log(*(_by_number(part, shape) for part in parts))


def _ids(parts: list[Interactions]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return [part.user_ids for part in parts], [part.item_ids for part in parts]


def _by_number(part: Interactions, shape: tuple[int, ...]) -> csr_matrix:
    user, item = (
        ids.astype(np.int64)[codes]
        for ids, codes in ((part.user_ids, part.user), (part.item_ids, part.item))
    )
    matrix = csr_matrix((np.ones(len(user), np.float32), (user, item)), shape=shape)
    matrix.data[:] = 1
    return matrix


def generated(millions: float) -> Log:
    """Some ``millions`` of interactions of users with a few of many tastes each.

    A user's history has a log-normal length, its items come from six tastes of his own in falling
    shares; inside a taste items are drawn by a power law of their rank. Each item stands on several
    tastes' shelves at ranks of its own, so popularity follows a power law over all, too. Depends on
    ``millions`` only.
    """
    rng = derive(0, "benchmarks.training", f"{millions:g}")
    users, items = round(USERS_A_MILLION * millions), round(ITEMS_A_MILLION * millions)
    shelves = _shelves(rng, items)
    rows = [
        _histories(rng, min(CHUNK, users - start), shelves, items)
        for start in range(0, users, CHUNK)
    ]
    lengths = np.concatenate([lengths for lengths, _ in rows])
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    whole = _zero_one(np.concatenate([codes for _, codes in rows]), indptr, (users, items))
    return _held_out(rng, whole)


def _shelves(rng: np.random.Generator, items: int) -> Positions:
    """(tastes, shelf length) item codes by rank; both grow as the root of the items."""
    tastes = round(1.8 * items**0.5)
    length = -(-items * SHELVES // tastes)
    weight = rng.pareto(1.0, items) + 1
    shelves = np.empty((tastes, length), np.int32)
    for shelf in shelves:
        # The better known come to the front, with luck: ranks agree between tastes in part only.
        order = np.argsort(rng.exponential(size=items) / weight, kind="stable")
        chosen = rng.permutation(items)[:length]
        rank = np.empty(items, np.int64)
        rank[order] = np.arange(items)
        shelf[:] = chosen[np.argsort(rank[chosen], kind="stable")]
    return shelves


def _histories(
    rng: np.random.Generator, users: int, shelves: Positions, items: int
) -> tuple[np.ndarray, Positions]:
    """(lengths, item codes) of so many users, each item once a user, codes rising."""
    drawn = np.minimum(rng.lognormal(4.95, 0.9, users) + 8, items // 4).astype(np.int64)
    tastes = rng.integers(0, len(shelves), (users, OWN_TASTES))
    shares = np.cumsum(rng.dirichlet(np.full(OWN_TASTES, 0.8), users), axis=1)
    user = np.repeat(np.arange(users), drawn)
    place = (rng.random(len(user))[:, None] > shares[user, :-1]).sum(axis=1)
    item = shelves[tastes[user, place], _ranks(rng.random(len(user)), shelves.shape[1])]
    pairs = np.unique(user * items + item)
    return np.bincount(pairs // items, minlength=users), (pairs % items).astype(np.int32)


def _ranks(uniform: Floats, n: int, power: float = 0.9) -> np.ndarray:
    """Ranks 0..n-1 by a power law, from uniform numbers."""
    rest = 1 - power
    return np.minimum((1 + uniform * ((n + 1) ** rest - 1)) ** (1 / rest) - 1, n - 1).astype(int)


def _held_out(rng: np.random.Generator, whole: csr_matrix) -> Log:
    """The test part: a fifth of the rows of the users judged."""
    users = whole.shape[0]
    judged = np.zeros(users, np.bool_)
    judged[:: max(1, users // JUDGED)] = True
    user = np.repeat(np.arange(users), np.diff(whole.indptr))
    out = judged[user] & (rng.random(len(user)) < 0.2)
    return Log(part_of(whole, user, ~out), part_of(whole, user, out))


def part_of(whole: csr_matrix, user: np.ndarray, mask: Bools) -> csr_matrix:
    lengths = np.bincount(user[mask], minlength=whole.shape[0])
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return _zero_one(whole.indices[mask], indptr, whole.shape)
