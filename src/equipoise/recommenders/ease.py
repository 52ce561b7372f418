"""A linear item model in closed form: shallow, and hard to beat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.recommenders.rows import by_source, largest, sum_rows
from equipoise.recommenders.threads import over_rows
from equipoise.types import Floats, Floats32, Item, Positions


class EASE(Recommender):
    """Score of item j = sum of B[i, j] over the history's items i.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019. B minimises |X − X B|² +
    ``regularization`` · |B|² under a zero diagonal, X being the 0/1 matrix of users and items (with
    ``use_values``, the summed values): B = 1 − P diag(1/P), P = (XᵀX + λ)⁻¹, by Cholesky in
    float64.

    ``top`` keeps for each item only so many entries of largest magnitude: not the optimum any more,
    but rows as short as kNN's to store and to serve. Without it B is dense, (I, I) float32.

    Catalogues above ``max_items`` are refused, since the fit holds an (I, I) matrix of float64: 3.2
    GB at 20,000. An empty history scores NaN and gets an empty list; with ``top`` so does an item
    without an entry in the history's rows.

    Fit: Σ over users of (history length)² + I³ multiplications. A score costs h·I additions,
    h·``top`` with truncation.
    """

    name = "ease"
    learned = ("indptr", "targets", "weights")

    indptr_: NDArray[np.int64]
    targets_: Positions
    weights_: Floats32
    """B, row i: what i in the history adds. CSR with ``top``, else (I, I) and no other two."""

    def __init__(
        self,
        *,
        regularization: float = 500.0,
        top: int | None = None,
        max_items: int = 20_000,
        use_values: bool = False,
        threads: int = 1,
    ) -> None:
        self.regularization = regularization
        self.top = top
        self.max_items = max_items
        self.use_values = use_values
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range or a catalogue above ``max_items``."""
        self.require("regularization", self.regularization > 0, "a positive number")
        self.require("top", self.top is None or self.top >= 1, "at least one, or None for all,")
        self._refuse_large(len(interactions.item_ids))
        dense = self._solve(seen(interactions, self.use_values))
        self.item_ids_ = interactions.item_ids
        if self.top is None:
            self.indptr_, self.targets_ = np.empty(0, np.int64), np.empty(0, np.int32)
            self.weights_ = dense
        else:
            kept = by_source(*_truncate(dense, min(self.top, len(dense)), self.threads))
            self.indptr_, self.targets_, self.weights_ = kept
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        weights = ones_unless(weights, codes)
        if self.weights_.ndim == 1:
            return sum_rows(self.indptr_, self.targets_, self.weights_, codes, weights)
        out = np.full(len(self.item_ids_), 0 if len(codes) else np.nan, np.float32)
        _add_dense_rows(self.weights_, codes, weights, out)
        return out

    def _solve(self, users: csr_matrix) -> Floats32:
        gram = _gram(users, self.threads)
        gram[np.diag_indices_from(gram)] += self.regularization
        factor, _ = lapack.dpotrf(gram, lower=1, overwrite_a=1)
        # Column-major, lower triangle: in row-major terms the upper one, made whole below.
        inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
        scale = np.diagonal(inverse).copy()
        dense = np.empty(gram.shape, np.float32)
        over_rows(_symmetric_over, len(dense), self.threads, inverse.T, scale, dense)
        return dense

    def _refuse_large(self, items: int) -> None:
        if items > self.max_items:
            raise InvalidInput(
                f"EASE would invert {items:,} × {items:,} items, {8 * items**2 / 1e9:.1f} GB, and"
                f" max_items is {self.max_items:,}: raise it if the memory allows, or use ItemKNN",
                pointer="/max_items",
            )


def _gram(users: csr_matrix, threads: int) -> Floats:
    """XᵀX in column-major order, as LAPACK overwrites it in place."""
    n = users.shape[1]
    items = users.tocsc()
    gram = np.zeros((n, n), order="F")
    lists = [(matrix.indptr, matrix.indices, matrix.data) for matrix in (items, users)]
    over_rows(_gram_columns, n, threads, *lists, gram.T)
    return gram


@njit(cache=True, nogil=True)
def _gram_columns(start, stop, by_item, by_user, gram):  # type: ignore[no-untyped-def]
    item_ptr, users, item_values = by_item
    user_ptr, items, user_values = by_user
    for j in range(start, stop):
        for at in range(item_ptr[j], item_ptr[j + 1]):
            user = users[at]
            for place in range(user_ptr[user], user_ptr[user + 1]):
                gram[j, items[place]] += item_values[at] * user_values[place]


@njit(cache=True, nogil=True)
def _symmetric_over(start, stop, upper, scale, out):  # type: ignore[no-untyped-def]
    """out[i, j] = −P[i, j] / P[j, j], zero for i = j, P given by its upper triangle."""
    for i in range(start, stop):
        for j in range(len(out)):
            entry = upper[i, j] if i < j else upper[j, i]
            out[i, j] = 0 if i == j else -entry / scale[j]


@njit(cache=True, nogil=True)
def _add_dense_rows(dense, codes, weights, out):  # type: ignore[no-untyped-def]
    for h in range(len(codes)):
        row = dense[codes[h]]
        for j in range(len(out)):
            out[j] += weights[h] * row[j]


def _truncate(
    dense: Floats32, top: int, threads: int
) -> tuple[Positions, Floats32, NDArray[np.int64]]:
    n = len(dense)
    answer = (np.zeros((n, top), np.int32), np.zeros((n, top), np.float32), np.zeros(n, np.int64))
    over_rows(largest, n, threads, dense, *answer)
    return answer
