"""What a blend learns from: held-out items among the best of every member."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.recommenders.base import Recommender
from equipoise.recommenders.blend_members import Member, together
from equipoise.recommenders.top import masked_top
from equipoise.types import Bools, Floats32, Positions

DEPTH = 5
"""So many times the length of the judged list is taken from the top of each member: what stands
lower in all of them is hardly in a blend's list."""

Fit = Callable[[Interactions], Sequence[Recommender]]


@dataclass(frozen=True)
class Lessons:
    """Candidates of judged users, one after another; of each user the held-out items first."""

    standings: Floats32
    """(T, M) of each candidate with each member; NaN: it cannot say."""
    indptr: NDArray[np.int64]
    """(users + 1,) where each user's candidates begin."""
    wanted: NDArray[np.int64]
    """(users,) how many of them are held-out items."""

    def __len__(self) -> int:
        return len(self.wanted)


def lessons(
    interactions: Interactions,
    fit: Fit,
    *,
    members: int,
    n: int,
    folds: int,
    latest: bool,
    users: int,
    rng: np.random.Generator,
) -> Lessons:
    """Of ``users`` users at most, from as few parts as give so many.

    ``fit`` fits the ``members`` members on what one part leaves. A pair is held out whole, however
    many rows it has.
    """
    part = latest_of(interactions, folds) if latest else parts_of(interactions, folds, rng)
    standings: list[Floats32] = []
    wanted: list[int] = []
    for number in range(1 if latest else folds):
        if len(wanted) >= users:
            break
        kept, held = interactions.take(part != number), interactions.take(part == number)
        judged = _judged(kept, held, rng)[: users - len(wanted)]
        if len(judged):
            _, fitted = together(interactions.item_ids, fit(kept))
            for candidates, hits in _lists(kept, held, judged, fitted, n):
                standings.append(candidates)
                wanted.append(hits)
    lengths = [len(candidates) for candidates in standings]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = np.concatenate([np.empty((0, members), np.float32), *standings])
    return Lessons(rows, indptr, np.array(wanted, np.int64))


def parts_of(interactions: Interactions, folds: int, rng: np.random.Generator) -> Positions:
    """(n,) the part of each row, 0..folds − 1: a user's pairs dealt out evenly, in random order."""
    user, first, of_row = _pairs(interactions)
    # Luck goes by the time of a pair's first row, since the codes of items mean nothing.
    luck = np.empty(len(first))
    luck[np.argsort(first)] = rng.random(len(first))
    turn, _ = _turns(user, luck)
    offset = rng.integers(0, folds, interactions.n_users)
    return ((turn + offset[user]) % folds).astype(np.int32)[of_row]


def latest_of(interactions: Interactions, folds: int) -> Positions:
    """(n,) 0 for the newest ``1 / folds`` of a user's pairs, one at least, and 1 for the others; a
    pair is as old as its first row. Of a user's only pair it is 1."""
    user, first, of_row = _pairs(interactions)
    turn, count = _turns(user, first)
    newest = np.where(count > 1, np.maximum(1, count // folds), 0)
    return (turn < count - newest).astype(np.int32)[of_row]


def _pairs(
    interactions: Interactions,
) -> tuple[Positions, NDArray[np.int64], NDArray[np.int64]]:
    """Of each pair of user and item the user and the first row; of each row the pair."""
    pair = interactions.user.astype(np.int64) * interactions.n_items + interactions.item
    _, first, of_row = np.unique(pair, return_index=True, return_inverse=True)
    return interactions.user[first], first, of_row


def _turns(user: Positions, key: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each pair its place among the user's by rising ``key``, and how many these are."""
    order = np.lexsort((key, user))
    count = np.bincount(user, minlength=1)
    begins = np.concatenate([[0], np.cumsum(count)[:-1]])
    turn = np.empty(len(user), np.int64)
    turn[order] = np.arange(len(user)) - begins[user[order]]
    return turn, count[user]


def _judged(kept: Interactions, held: Interactions, rng: np.random.Generator) -> Positions:
    """Users with rows on both sides, in random order."""
    counts = [np.bincount(rows.user, minlength=rows.n_users) > 0 for rows in (kept, held)]
    users: Positions = rng.permutation(np.flatnonzero(counts[0] & counts[1])).astype(np.int32)
    return users


def _lists(
    kept: Interactions, held: Interactions, users: Positions, members: Sequence[Member], n: int
) -> Iterator[tuple[Floats32, int]]:
    """For each user standings (candidates, M), and how many of the first are held out."""
    histories, missing = (rows.history_codes(unique=True) for rows in (kept, held))
    items = max(len(m.recommender.item_ids_) if m.own is None else len(m.own) for m in members)
    table = np.empty((len(members), items), np.float32)
    for user in users:
        codes, wanted = (_of(user, *rows[:2]) for rows in (histories, missing))
        for row, member in zip(table, members, strict=True):
            member.stand(codes, None, row)
        others = np.ones(items, np.bool_)
        others[codes] = others[wanted] = False
        rivals = _rivals(table, others, DEPTH * n)
        yield table[:, np.concatenate([wanted, rivals])].T.copy(), len(wanted)


def _of(user: int, indptr: NDArray[np.int64], items: Positions, *_: Floats32) -> Positions:
    return items[indptr[user] : indptr[user + 1]]


def _rivals(table: Floats32, others: Bools, depth: int) -> Positions:
    """The ``depth`` best of each member among ``others``, each once."""
    best = [masked_top(row, others, depth)[0] for row in table]
    rivals: Positions = np.unique(np.concatenate(best))
    return rivals
