"""Item-based nearest neighbours: an item is like those that the same people met."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.recommenders.rows import by_source, keep_best, sum_rows
from equipoise.recommenders.threads import over_rows
from equipoise.recommenders.top import offer, pack
from equipoise.types import Floats32, Item, Positions

SIMILARITIES = ("cosine", "jaccard")
WEIGHTINGS = (None, "tfidf", "bm25")


class ItemKNN(Recommender):
    """Score of item j = sum, over the items i of the history that are among j's ``k`` nearest, of
    s(i, j).

    Sarwar, Karypis, Konstan, Riedl, WWW 2001; Deshpande, Karypis, TOIS 2004. With x_i the column of
    an item over users, ``shrinkage`` h damping similarities that few people support::

        cosine   s(i, j) = x_i·x_j / (|x_i| |x_j| + h)
        jaccard  s(i, j) = |i ∩ j| / (|i ∪ j| + h)

    ``weighting`` first weighs down each user who met much (log of items / (1 + history length), the
    users being the terms and the items the documents); ``"bm25"`` also saturates by the item's
    length, k1 = 1.2, b = 0.75 (both as in Ferrari Dacrema et al., TOIS 2021). ``use_values`` starts
    from summed values instead of 1; jaccard knows sets only. A neighbour whose similarity is 0 is
    none.

    The history's own similarity to itself does not count. An item with no neighbour in the history
    scores NaN, so an empty history gets an empty list.

    Fit: Σ over users of (history length)² multiplications, on ``threads`` threads with equal
    results; memory 2·nnz + I·k entries, and I floats a thread. A score costs h·k additions and I
    floats to clear.
    """

    name = "item_knn"
    learned = ("indptr", "targets", "strengths")

    indptr_: NDArray[np.int64]
    targets_: Positions
    strengths_: Floats32
    """CSR (I, I), row i: the items that have i among their neighbours, and s(i, j)."""

    def __init__(
        self,
        *,
        k: int = 100,
        similarity: str = "cosine",
        shrinkage: float = 10.0,
        weighting: str | None = None,
        use_values: bool = False,
        threads: int = 1,
    ) -> None:
        self.k = k
        self.similarity = similarity
        self.shrinkage = shrinkage
        self.weighting = weighting
        self.use_values = use_values
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self._check()
        nearest = neighbours(
            _weigh(seen(interactions, self.use_values), self.weighting),
            k=self.k,
            jaccard=self.similarity == "jaccard",
            shrinkage=self.shrinkage,
            threads=self.threads,
        )
        self.item_ids_ = interactions.item_ids
        self.indptr_, self.targets_, self.strengths_ = by_source(*nearest)
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        rows = (self.indptr_, self.targets_, self.strengths_)
        return sum_rows(*rows, codes, ones_unless(weights, codes))

    def _check(self) -> None:
        self.require("k", self.k >= 1, "at least one neighbour")
        self.require("similarity", self.similarity in SIMILARITIES, f"one of {SIMILARITIES}")
        self.require("weighting", self.weighting in WEIGHTINGS, f"one of {WEIGHTINGS}")
        self.require("shrinkage", self.shrinkage >= 0, "zero or more")
        plain = self.weighting is None and not self.use_values
        self.require("similarity", self.similarity != "jaccard" or plain, "cosine with weights")


def neighbours(
    users: csr_matrix, *, k: int, jaccard: bool, shrinkage: float, threads: int
) -> tuple[Positions, Floats32, NDArray[np.int64]]:
    """Of each item of ``users`` (U, I) the at most ``k`` nearest: sources (I, k), similarity, how
    many stand.
    """
    items = users.tocsc()
    n = users.shape[1]
    squares = np.asarray(users.multiply(users).sum(axis=0), np.float32).ravel()
    sizes = squares if jaccard else np.sqrt(squares)
    answer = (np.zeros((n, k), np.int32), np.zeros((n, k), np.float32), np.zeros(n, np.int64))
    lists = [(matrix.indptr, matrix.indices, matrix.data) for matrix in (items, users)]
    over_rows(_nearest, n, threads, *lists, sizes, jaccard, np.float32(shrinkage), answer)
    return answer


@njit(cache=True, nogil=True)
def _nearest(start, stop, by_item, by_user, sizes, jaccard, shrinkage, answer):  # type: ignore[no-untyped-def]
    sources, values, counts = answer
    n, k = sources.shape
    heap = np.empty(k, np.uint64)
    shared, touched = np.zeros(n, np.float32), np.empty(n, np.int32)
    met = np.full(n, -1, np.int32)
    bits = shared.view(np.uint32)
    for j in range(start, stop):
        size = 0
        for i in touched[: _co_occur(j, by_item, by_user, shared, touched, met)]:
            both = sizes[i] + sizes[j] - shared[i] if jaccard else sizes[i] * sizes[j]
            shared[i] /= both + shrinkage
            if shared[i] > 0:
                size = offer(heap, size, pack(bits[i], i))
        counts[j] = keep_best(heap, size, shared, sources[j], values[j])


@njit(cache=True, nogil=True)
def _co_occur(j, by_item, by_user, shared, touched, met):  # type: ignore[no-untyped-def]
    """Fill ``shared`` with the products of column j and every other that meets it; how many do."""
    item_ptr, users, item_values = by_item
    user_ptr, items, user_values = by_user
    count = 0
    for at in range(item_ptr[j], item_ptr[j + 1]):
        user, weight = users[at], item_values[at]
        for place in range(user_ptr[user], user_ptr[user + 1]):
            i = items[place]
            if i == j:
                continue
            if met[i] != j:
                met[i], shared[i] = j, 0
                touched[count] = i
                count += 1
            shared[i] += weight * user_values[place]
    return count


def _weigh(matrix: csr_matrix, weighting: str | None) -> csr_matrix:
    if weighting is None:
        return matrix
    lengths = np.diff(matrix.indptr)
    # A user who met nearly everything tells nothing; never a negative weight.
    rarity = np.maximum(np.log(matrix.shape[1] / (1 + lengths)), 0)
    weighted = matrix.copy()
    weighted.data = _saturated(matrix) if weighting == "bm25" else np.sqrt(matrix.data)
    weighted.data = (weighted.data * np.repeat(rarity, lengths)).astype(np.float32)
    return weighted


def _saturated(matrix: csr_matrix, k1: float = 1.2, b: float = 0.75) -> Floats32:
    """BM25's term frequency of each entry, the items as documents."""
    totals = np.asarray(matrix.sum(axis=0)).ravel()
    length = k1 * (1 - b + b * totals / max(totals.mean(), 1e-12))
    entries: Floats32 = matrix.data * (k1 + 1) / (length[matrix.indices] + matrix.data)
    return entries
