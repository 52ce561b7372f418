"""Who is judged, on what: the test part seen from the histories of the training part."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.types import Bools

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """Histories, and what followed them."""

    histories: list[list[Any]]
    """One a judged user, newest last; empty for a stranger."""
    code_of: dict[Hashable, int]
    """Every item id of the training and the test part."""
    pairs: Codes
    """Judged user · items + code of a relevant item."""
    relevant: Codes
    """(judged users,) how many items are relevant, 1 or more."""
    note: str
    """Who was judged and who was left out."""
    users: Sequence[Hashable] = ()
    """Ids of the judged users, where the task has them."""

    @classmethod
    def of(cls, train: Interactions, test: Interactions, *, repeats: bool, strangers: bool) -> Task:
        """``evaluate`` says how. Raises InvalidInput where nobody is left.

        Cost O(nnz) of both parts, and a list of ids a judged user.
        """
        code_of = _codes(chain(train.item_ids.tolist(), test.item_ids.tolist()))
        starts, met, _ = train.history_codes()
        matrix = test.matrix(binary=True)
        ends = matrix.indptr.astype(np.int64)
        wanted = _looked_up(code_of, test.item_ids)[matrix.indices]
        user_at = _looked_up(_codes(train.user_ids.tolist()), test.user_ids)
        rows = np.repeat(np.arange(test.n_users), np.diff(ends))
        if not repeats:
            fresh = ~_known(starts, ends, met, wanted, user_at, len(code_of))
            rows, wanted = rows[fresh], wanted[fresh]
        followed, counts = np.diff(ends) > 0, np.bincount(rows, minlength=test.n_users)
        strange = np.where(user_at >= 0, np.diff(starts, append=starts[-1])[user_at], 0) == 0
        judged = (counts > 0) & (strangers | ~strange)
        if not judged.any():
            raise InvalidInput("no test user is left to be judged: nobody has a relevant item")
        kept = judged[rows]
        numbers = (np.cumsum(judged) - 1)[rows[kept]]
        note = (
            f"{judged.sum():,} users judged; {(followed & strange).sum():,} test users without a"
            f" history {'answered from an empty one' if strangers else 'left out'};"
            f" {(followed & (counts == 0)).sum():,} left out who knew all their test items;"
            f" {_unmet(train, wanted[kept]):.1%} of the relevant items"
            f" never met in training; repeats {'allowed' if repeats else 'excluded'}"
        )
        return cls(
            histories=_histories(train.item_ids[met].tolist(), starts, user_at[judged]),
            code_of=code_of,
            pairs=np.sort(numbers * len(code_of) + wanted[kept]),
            relevant=counts[judged],
            note=note,
            users=test.user_ids[judged].tolist(),
        )

    def hits(self, lists: NDArray[np.int32]) -> Bools:
        """(U, n) True where the listed code (−1 for none) is relevant to the user of its row."""
        keys = np.arange(len(lists))[:, None] * len(self.code_of) + lists
        pairs = np.append(np.sort(self.pairs, kind="stable"), -1)
        found: Bools = (pairs[np.searchsorted(pairs[:-1], keys)] == keys) & (lists >= 0)
        return found

    def codes(self, ids: NDArray[np.object_]) -> NDArray[np.int32]:
        """(B, n) codes of listed ids, −1 for None and for ids that neither part has."""
        flat = map(self.code_of.get, ids.ravel().tolist(), repeat(-1))
        return np.fromiter(flat, np.int32, ids.size).reshape(ids.shape)


def _codes(ids: Iterable[Hashable]) -> dict[Hashable, int]:
    return {id_: code for code, id_ in enumerate(dict.fromkeys(ids))}


def _looked_up(code_of: dict[Hashable, int], ids: NDArray[np.object_]) -> Codes:
    """The code of each id, −1 for one without."""
    return np.fromiter(map(code_of.get, ids.tolist(), repeat(-1)), np.int64, len(ids))


def _histories(ids: list[Any], starts: Codes, users: Codes) -> list[list[Any]]:
    """The ids of each user's rows; none for −1."""
    spans = [(starts[at], starts[at + 1]) if at >= 0 else (0, 0) for at in users.tolist()]
    return [ids[start:end] for start, end in spans]


@njit(cache=True, nogil=True)
def _known(
    starts: Codes,
    spans: Codes,
    met: NDArray[np.int32],
    wanted: Codes,
    user_at: Codes,
    items: int,
) -> Bools:  # pragma: no cover - compiled
    """True where the test row's user, with history ``met[starts[u] : …]``, has met the item."""
    last = np.full(items, -1, np.int64)
    known = np.zeros(len(wanted), np.bool_)
    for user in range(len(user_at)):
        at = user_at[user]
        if at < 0 or spans[user] == spans[user + 1]:
            continue
        for place in range(starts[at], starts[at + 1]):
            last[met[place]] = user
        for row in range(spans[user], spans[user + 1]):
            known[row] = last[wanted[row]] == user
    return known


def _unmet(train: Interactions, wanted: Codes) -> float:
    """Share of the relevant items, by code, that nobody met in training."""
    met = np.zeros(max(train.n_items, int(wanted.max()) + 1), np.bool_)
    met[train.item] = True
    return float((~met[wanted]).mean())
