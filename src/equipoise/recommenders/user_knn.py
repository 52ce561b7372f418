"""User-based nearest neighbours: what those met who are like this history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.recommenders.base import ones_unless, seen
from equipoise.recommenders.neighbour_ratings import NeighbourRecommender
from equipoise.recommenders.neighbours import choose, csr_arrays, nearest, room_for, write
from equipoise.recommenders.similarity import (
    OF_RATINGS,
    PEARSON,
    TINY,
    less_column_means,
    rarity,
    ratings_of,
    relative,
    similar,
    sizes,
    space_of,
    weigh,
    weighed,
    workspace,
)
from equipoise.types import Floats32, Item, Positions

DOCUMENTS = ("users", "items")
ROUNDING = np.float32(1 - 1e-5)
"""A history's similarity is summed in another order than a training row's."""


class UserKNN(NeighbourRecommender):
    """Score of item i = Σ s(history, v) x_vi over the ``k`` training users v nearest to the
    history.

    Resnick, Iacovou, Suchak, Bergstrom, Riedl, CSCW 1994; Herlocker, Konstan, Borchers, Riedl,
    SIGIR 1999. The history is a user of its own, whether or not it was one in training; weights
    given with it are its values. ``similarity`` (with ``alpha`` and ``shrinkage``) is defined in
    ``similarity.py``, x there being the history; the adjusted cosine takes off the items' means. A
    neighbour has a similarity of at least ``threshold``, and one of 0 is none.

    ``reverse`` takes instead the users who would have the history among *their* ``k`` nearest
    (ties and rounding let in), v asking in the asymmetric cosine: those with peculiar tastes then
    speak, and those whom everybody resembles do not.

    ``weighting`` is of entries before they are compared. ``documents="users"`` weighs down items
    that many met (users are the documents, items the terms), ``"items"`` users who met many, as in
    Ferrari Dacrema et al., TOIS 2021, whose published figures are with ``reverse`` too. x_vi is 1,
    with ``use_values`` the value; ``weighted_votes`` takes the entry as weighted.

    An item that no neighbour met scores NaN, so an empty history gets an empty list. So does, with
    Pearson, one without values that differ.

    With ``use_values`` the values are also taken for ratings, and ``predict`` averages over the
    ``k`` nearest users who rated the item (``RatedNeighbours``, which says what ``offset`` is).

    The training rows are stored, without ids of users. Fit copies them; only ``reverse`` compares
    all users, Σ over items of (users who met it)² multiplications. A score costs the users of the
    history's items, summed, k mean histories, and 3·U floats. Memory 4·nnz + 2·U entries.
    """

    name = "user_knn"
    learned = ("indptr", "items", "values", "floors")

    indptr_: NDArray[np.int64]
    items_: Positions
    values_: Floats32
    """CSR (U, I), the training rows."""
    floors_: Floats32
    """(U,) with ``reverse`` how near a user's k-th nearest is, 0 with fewer; else none."""

    def __init__(
        self,
        *,
        k: int = 100,
        similarity: str = "cosine",
        shrinkage: float = 0.0,
        weighting: str | None = None,
        documents: str = "users",
        reverse: bool = False,
        weighted_votes: bool = False,
        use_values: bool = False,
        threads: int = 1,
        alpha: float = 0.5,
        threshold: float = 0.0,
        offset: str | None = "mean",
    ) -> None:
        self.k = k
        self.similarity = similarity
        self.shrinkage = shrinkage
        self.weighting = weighting
        self.documents = documents
        self.reverse = reverse
        self.weighted_votes = weighted_votes
        self.use_values = use_values
        self.threads = threads
        self.alpha = alpha
        self.threshold = threshold
        self.offset = offset

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self._check()
        self.require("documents", self.documents in DOCUMENTS, f"one of {DOCUMENTS}")
        self._know(interactions)
        rated = self.similarity in OF_RATINGS
        rows = ratings_of(interactions) if rated else seen(interactions, self.use_values)
        self.indptr_, self.items_, self.values_ = csr_arrays(rows)
        self.prepare()
        self.floors_ = self._floors()
        self._hear(interactions, self._space, rows_are_users=True)
        return self

    def prepare(self) -> None:
        shape = (len(self.indptr_) - 1, len(self.item_ids_))
        rows = csr_matrix((self.values_, self.items_, self.indptr_), shape=shape)
        compared = self._compared(rows)
        self._space = space_of(
            compared, self.similarity, shrinkage=self.shrinkage, alpha=self._asking_alpha
        )
        self._votes = csr_arrays(compared if self.weighted_votes else rows)

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        scores = np.full(len(self.item_ids_), np.nan, np.float32)
        entries = self._entries(codes, ones_unless(weights, codes))
        squares = np.square(entries, dtype=np.float64).sum(keepdims=True)
        size = sizes(squares, self.similarity, self._asking_alpha)[0]
        limits = (self.k, np.float32(self.threshold), self.floors_ * ROUNDING)
        _vote(self._space, codes, entries, size, limits, self._votes, scores)
        return scores

    def predict_codes(self, users: Positions, items: Positions) -> Floats32:
        """Raises InvalidInput where ``use_values`` is False: then no ratings were learnt."""
        return self._ratings.predict(users, items)

    @property
    def _asking_alpha(self) -> float:
        """The history's; with ``reverse`` it is the training user who asks."""
        return 1 - self.alpha if self.reverse else self.alpha

    def _floors(self) -> Floats32:
        users = len(self.indptr_) - 1
        if not self.reverse:
            return np.empty(0, np.float32)
        asking, answering = self._space.answering, self._space.asking
        seen_from = self._space._replace(asking=asking, answering=answering)
        lists = nearest(seen_from, self.k, self.threshold, self.threads)
        lengths, floors = np.diff(lists.indptr), np.zeros(users, np.float32)
        if lists.nnz:
            least = np.minimum.reduceat(np.abs(lists.data), lists.indptr[:-1][lengths > 0])
            floors[lengths == self.k] = least[lengths[lengths > 0] == self.k]
        return floors

    def _compared(self, rows: csr_matrix) -> csr_matrix:
        """The training rows as they are compared, and what a history needs to be like them."""
        if self.similarity == "adjusted_cosine":
            centred, self._item_means = less_column_means(rows)
            return centred
        if self.similarity == "jaccard":
            return csr_matrix((np.ones_like(rows.data), rows.indices, rows.indptr), rows.shape)
        if self.weighting is None:
            return rows
        if self.documents == "items":
            self._lengths = relative(np.asarray(rows.sum(axis=0)).ravel())
            return weighed(rows, self.weighting)
        self._mean_length = max(float(rows.sum()) / max(rows.shape[0], 1), 1e-12)
        self._rarity = rarity(np.bincount(rows.indices, minlength=rows.shape[1]), rows.shape[0])
        return weighed(rows.T.tocsr(), self.weighting).T.tocsr()

    def _entries(self, codes: Positions, weights: Floats32) -> Floats32:
        """A history's entries, as those of training rows are compared."""
        if self.similarity in OF_RATINGS:
            means = self._item_means[codes] if self.similarity == "adjusted_cosine" else 0
            return weights - np.float32(means)
        if self.similarity == "jaccard":
            return np.ones(len(codes), np.float32)
        if self.weighting is None:
            return np.maximum(weights, TINY)
        if self.documents == "items":
            rare = rarity(np.array(len(codes)), len(self.item_ids_))
            entries = weigh(weights, rare, self._lengths[codes], self.weighting)
        else:
            length = weights.sum() / self._mean_length
            entries = weigh(weights, self._rarity[codes], length, self.weighting)
        return np.maximum(entries, TINY)


@njit(cache=True, nogil=True, error_model="numpy")
def _vote(space, codes, entries, size, limits, votes, scores):  # type: ignore[no-untyped-def]
    k, threshold, floors = limits
    users = len(space.asking)
    work = workspace(users, space.similarity >= PEARSON)
    met, strengths = work[2], work[3]
    count = similar(space, codes, entries, size, work)
    if len(floors):
        count = _let_in(met, strengths, count, threshold, floors)
    elif count:
        keys, spare = room_for(k, count)
        count = choose(met, strengths, count, -1, threshold, k, keys, spare)
        write(keys, count, met, strengths)
    pointers, items, values = votes
    for at in range(count):
        for place in range(pointers[met[at]], pointers[met[at] + 1]):
            item, add = items[place], strengths[at] * values[place]
            scores[item] = add if np.isnan(scores[item]) else scores[item] + add


@njit(cache=True, nogil=True)
def _let_in(met, strengths, count, threshold, floors):  # type: ignore[no-untyped-def]
    """Move to the front those who have the history among their own nearest; how many."""
    size = 0
    for at in range(count):
        user, strength = met[at], strengths[at]
        if strength != 0 and strength >= threshold and abs(strength) >= floors[user]:
            met[size], strengths[size] = user, strength
            size += 1
    return size
