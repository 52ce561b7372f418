"""A graph filter in closed form: neighbours of neighbours, and the smooth part of the signal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from equipoise.data import Interactions
from equipoise.randomness import RandomState, generator
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.recommenders.neighbours import best_of_rows, csr_arrays
from equipoise.recommenders.rows import sum_rows
from equipoise.recommenders.svd import leading
from equipoise.types import Floats32, Item, Positions


class GFCF(Recommender):
    """Score of the history x = x (R̃ᵀR̃ + ``low_pass`` · D^−½ V Vᵀ D^½).

    Shen, Wu, Zhang, Shan, Zhang, Letaief, Li, "How Powerful is Graph Convolution for
    Recommendation?", CIKM 2021. R̃ is the 0/1 matrix of users and items (with ``use_values``, the
    summed values), each entry divided by the roots of its row's and of its column's sum; D are the
    columns' sums, V the ``factors`` leading right singular vectors of R̃. The first term is linear
    in the graph's frequencies, the second lets the lowest pass and no other (α = .3 in the paper).

    ``factors=0`` leaves the linear term alone, and ``low_pass=0`` too. ``neighbours`` keeps of each
    item's row of R̃ᵀR̃ only so many largest entries; all are kept by default, some hundreds to
    thousands an item.

    The same ``random_state`` gives the same model on any number of ``threads``. An empty history
    scores NaN and gets an empty list, and so does an item never met.

    Fit: Σ over users of (history length)² multiplications and as many entries at most for R̃ᵀR̃; and
    ``svd.leading``: with M some three to five times ``factors``, 4·nnz·M + 4·I·M² operations and
    I·M numbers. Kept are R̃ᵀR̃, sparse, and I·``factors`` numbers. A score costs the history's rows
    and I·``factors``.
    """

    name = "gf_cf"
    learned = ("indptr", "targets", "strengths", "item_factors", "roots")

    indptr_: NDArray[np.int64]
    targets_: Positions
    strengths_: Floats32
    """CSR (I, I) of R̃ᵀR̃, or of what was kept of it."""
    item_factors_: Floats32
    """(I, d) V, orthonormal columns."""
    roots_: Floats32
    """(I,) the roots of the columns' sums; 0 for an item never met."""

    def __init__(
        self,
        *,
        factors: int = 256,
        low_pass: float = 0.3,
        neighbours: int | None = None,
        use_values: bool = False,
        random_state: RandomState = None,
        threads: int = 1,
    ) -> None:
        self.factors = factors
        self.low_pass = low_pass
        self.neighbours = neighbours
        self.use_values = use_values
        self.random_state = random_state
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self._check()
        users = seen(interactions, self.use_values)
        self.roots_ = _roots(users, axis=0)
        normalised = _scaled(_inverse(_roots(users, axis=1)), users, _inverse(self.roots_))
        near = (normalised.T @ normalised).tocsr()
        if self.neighbours is not None:
            near = best_of_rows(near, self.neighbours)
        self.item_ids_ = interactions.item_ids
        self.indptr_, self.targets_, self.strengths_ = csr_arrays(near)
        self.item_factors_ = self._factors(normalised)
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        weights = ones_unless(weights, codes)
        rows = (self.indptr_, self.targets_, self.strengths_)
        scores = sum_rows(*rows, codes, weights)
        if len(codes) and self.item_factors_.shape[1]:
            vector = (weights * _inverse(self.roots_[codes])) @ self.item_factors_[codes]
            smooth = self.item_factors_ @ (np.float32(self.low_pass) * vector)
            scores = np.nan_to_num(scores, copy=False)
            scores += smooth * self.roots_
            scores[self.roots_ == 0] = np.nan
        return scores

    def _factors(self, normalised: csr_matrix) -> Floats32:
        if self.factors == 0 or self.low_pass == 0:
            return np.empty((normalised.shape[1], 0), np.float32)
        rng = generator(self.random_state, "gf_cf")
        return leading(normalised, self.factors, rng, threads=self.threads)[1]

    def _check(self) -> None:
        self.require("factors", self.factors >= 0, "zero or more")
        self.require("low_pass", self.low_pass >= 0, "zero or more")
        few = self.neighbours is None or self.neighbours >= 1
        self.require("neighbours", few, "at least one, or None for all,")


def _roots(users: csr_matrix, axis: int) -> Floats32:
    sums = np.asarray(users.sum(axis=axis), np.float64).ravel()
    roots: Floats32 = np.sqrt(sums).astype(np.float32)
    return roots


def _inverse(roots: Floats32) -> Floats32:
    """1 / roots, 0 where there is nothing to divide."""
    return np.divide(1, roots, out=np.zeros_like(roots), where=roots > 0)


def _scaled(rows: Floats32, matrix: csr_matrix, columns: Floats32) -> csr_matrix:
    return (diags(rows) @ matrix @ diags(columns)).tocsr().astype(np.float32)
