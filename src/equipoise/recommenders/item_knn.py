"""Item-based nearest neighbours: an item is like those that the same people met."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.recommenders.base import ones_unless, seen
from equipoise.recommenders.neighbour_ratings import NeighbourRecommender
from equipoise.recommenders.neighbours import csr_arrays, nearest
from equipoise.recommenders.rows import sum_rows
from equipoise.recommenders.similarity import (
    OF_RATINGS,
    less_column_means,
    ratings_of,
    space_of,
    weighed,
)
from equipoise.types import Floats32, Item, Positions


class ItemKNN(NeighbourRecommender):
    """Score of item j = sum, over the items i of the history that are among j's ``k`` nearest, of
    s(i, j).

    Sarwar, Karypis, Konstan, Riedl, WWW 2001; Deshpande, Karypis, TOIS 2004. With x_i the column of
    an item over users, ``shrinkage`` h damping similarities that few people support::

        cosine   s(i, j) = x_i·x_j / (|x_i| |x_j| + h)
        jaccard  s(i, j) = |i ∩ j| / (|i ∪ j| + h)

    and asymmetric_cosine (``alpha``), pearson, adjusted_cosine (less the user's mean), euclidean
    and msd, which ``similarity.py`` defines. A neighbour has a similarity of at least
    ``threshold``, and one of 0 is none.

    ``weighting`` first weighs down each user who met much (log of items / (1 + history length), the
    users being the terms and the items the documents); ``"bm25"`` also saturates by the item's
    length, k1 = 1.2, b = 0.75 (both as in Ferrari Dacrema et al., TOIS 2021). ``use_values`` starts
    from summed values instead of 1, or from mean values with a similarity of ratings (pearson and
    those after it), which needs it; jaccard knows sets only.

    The history's own similarity to itself does not count. An item with no neighbour in the history
    scores NaN, so an empty history gets an empty list.

    With ``use_values`` the values are also taken for ratings, and ``predict`` averages over the
    ``k`` nearest items that the user rated (``RatedNeighbours``, which says what ``offset`` is).

    Fit: Σ over users of (history length)² multiplications, on ``threads`` threads with equal
    results; memory 4·nnz + 2·I·k entries at most, and 3·I a thread (13·I with a similarity of
    ratings). A score costs h·k additions and I floats to clear.
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
        alpha: float = 0.5,
        threshold: float = 0.0,
        offset: str | None = "mean",
    ) -> None:
        self.k = k
        self.similarity = similarity
        self.shrinkage = shrinkage
        self.weighting = weighting
        self.use_values = use_values
        self.threads = threads
        self.alpha = alpha
        self.threshold = threshold
        self.offset = offset

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self._check()
        self._know(interactions)
        space = space_of(
            self._compared(interactions).T.tocsr(),
            self.similarity,
            shrinkage=self.shrinkage,
            alpha=self.alpha,
        )
        lists = nearest(space, self.k, self.threshold, self.threads)
        self.indptr_, self.targets_, self.strengths_ = csr_arrays(lists.T.tocsr())
        self._hear(interactions, space, rows_are_users=False)
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        rows = (self.indptr_, self.targets_, self.strengths_)
        return sum_rows(*rows, codes, ones_unless(weights, codes))

    def predict_codes(self, users: Positions, items: Positions) -> Floats32:
        """Raises InvalidInput where ``use_values`` is False: then no ratings were learnt."""
        return self._ratings.predict(items, users)

    def _compared(self, interactions: Interactions) -> csr_matrix:
        """(users, items)"""
        if self.similarity not in OF_RATINGS:
            values = self.use_values and self.similarity != "jaccard"
            return weighed(seen(interactions, values), self.weighting)
        ratings = ratings_of(interactions)
        if self.similarity != "adjusted_cosine":
            return ratings
        return less_column_means(ratings.T.tocsr())[0].T.tocsr()
