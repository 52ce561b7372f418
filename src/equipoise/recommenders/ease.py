"""A linear item model in closed form: shallow, and hard to beat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.recommenders.gramian import (
    Columns,
    frequencies,
    panels,
    shorter_histories_first,
)
from equipoise.recommenders.neighbourhoods import (
    Problems,
    largest_of_rows,
    ridge_rows,
    solve_each,
)
from equipoise.recommenders.neighbours import best_of_rows, csr_arrays
from equipoise.recommenders.rows import sum_rows
from equipoise.recommenders.symmetric import Panels, add_to_diagonal, column_block, diagonal, invert
from equipoise.recommenders.threads import over_rows
from equipoise.types import Floats, Floats32, Item, Positions

PRECISIONS = ("float32", "float64")


class EASE(Recommender):
    """Score of item j = sum of B[i, j] over the history's items i.

    Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019. B minimises |X − X B|² +
    ``regularization`` · |B|² under a zero diagonal, X being the 0/1 matrix of users and items (with
    ``use_values``, the summed values): B = 1 − P diag(1/P), P = (XᵀX + λ)⁻¹.

    Three powers, all 0 in the paper, bend it to data whose users or items differ much. A user's
    loss counts by the length of the history to the power −``history_discount``, scaled so that λ
    means the same (1: every user alike, as in GF-CF). With f_i the squared length of item i's
    column over the mean of these, λ becomes λ · f_i^``frequency_scaling`` (½ to 1 in Steck, "Markov
    Random Fields for Collaborative Filtering", NeurIPS 2019; 1 is dropout) and column j of B is
    divided by f_j^``popularity_discount``.

    ``top`` keeps for each item only so many entries of largest magnitude: not the optimum any more,
    but rows as short as kNN's to store and to serve. ``neighbours`` fits for each item only the
    entries of so many items, those nearest by cosine, and these exactly: the form for catalogues
    whose square does not fit. Without either B is dense, (I, I) float32.

    ``precision`` is that of the inverse. Float32 takes half of time and memory and leaves an error
    of some 1e-7 · (largest eigenvalue of XᵀX + λ) / λ: none to be seen in lists with the λ that are
    good for them.

    Fit, whole: Σ over users of (history length)² / 2 + I³ operations, these on BLAS's own threads;
    memory I²/2 numbers of ``precision`` and I² float32 of B, which take their place bit by bit, or
    I·``top``. Catalogues above ``max_items`` are refused: 1.6 GB at 20,000, 6.7 GB at 41,000 in
    float32. With ``neighbours`` k: I·k³/3 + I·k² and what ``solve_each`` says; memory 2·I·k
    numbers and 256 MB, whatever I. Results do not depend on ``threads``.

    An empty history scores NaN and gets an empty list; with ``top`` or ``neighbours`` so does an
    item without an entry in the history's rows. A score costs h·I additions, or h·``top``.
    """

    name = "ease"
    learned = ("indptr", "targets", "weights")

    indptr_: NDArray[np.int64]
    targets_: Positions
    weights_: Floats32
    """B, row i: what i in the history adds. CSR, or else (I, I) and no other two."""

    def __init__(
        self,
        *,
        regularization: float = 500.0,
        history_discount: float = 0.0,
        frequency_scaling: float = 0.0,
        popularity_discount: float = 0.0,
        top: int | None = None,
        neighbours: int | None = None,
        max_items: int = 20_000,
        precision: str = "float64",
        use_values: bool = False,
        threads: int = 1,
    ) -> None:
        self.regularization = regularization
        self.history_discount = history_discount
        self.frequency_scaling = frequency_scaling
        self.popularity_discount = popularity_discount
        self.top = top
        self.neighbours = neighbours
        self.max_items = max_items
        self.precision = precision
        self.use_values = use_values
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, a catalogue above ``max_items``, or a
        ridge too small for the precision.
        """
        self._check()
        if self.neighbours is None:
            self._refuse_large(len(interactions.item_ids))
        users = shorter_histories_first(seen(interactions, self.use_values), self.history_discount)
        frequency = frequencies(users)
        ridge = self.regularization * frequency**self.frequency_scaling
        divisor = (frequency**self.popularity_discount).astype(np.float32)
        self.item_ids_ = interactions.item_ids
        self.indptr_, self.targets_ = np.empty(0, np.int64), np.empty(0, np.int32)
        if self.neighbours is not None:
            self._keep(self._near(users, ridge, self.neighbours), divisor)
        elif self.top is not None:
            self._keep(_truncated(self._inverse(users, ridge), self.top), divisor)
        else:
            self.weights_ = _dense(self._inverse(users, ridge), divisor)
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        weights = ones_unless(weights, codes)
        if self.weights_.ndim == 1:
            return sum_rows(self.indptr_, self.targets_, self.weights_, codes, weights)
        out = np.full(len(self.item_ids_), 0 if len(codes) else np.nan, np.float32)
        _add_dense_rows(self.weights_, codes, weights, out)
        return out

    def _inverse(self, users: csr_matrix, ridge: Floats) -> Panels:
        gram = panels(Columns.of(users), self.precision, self.threads)
        add_to_diagonal(gram, ridge)
        try:
            invert(gram)
        except np.linalg.LinAlgError as reason:
            raise InvalidInput(
                f"EASE(regularization={self.regularization:g}) leaves nothing to invert: {reason};"
                " raise it, or take precision='float64'",
                pointer="/regularization",
            ) from reason
        return gram

    def _near(self, users: csr_matrix, ridge: Floats, k: int) -> csr_matrix:
        """(I, I) by target: the exact ridge regression on the target's ``k`` nearest."""
        narrow = ridge.astype(np.float32)

        def solve(problems: Problems) -> None:
            over_rows(ridge_rows, len(problems.counts), self.threads, problems, narrow)

        lists = solve_each(users, k, solve, self.threads)
        return lists if self.top is None else best_of_rows(lists, self.top)

    def _keep(self, by_target: csr_matrix, divisor: Floats32) -> None:
        by_target.data /= np.repeat(divisor, np.diff(by_target.indptr))
        self.indptr_, self.targets_, self.weights_ = csr_arrays(by_target.T.tocsr())

    def _check(self) -> None:
        self.require("regularization", self.regularization > 0, "a positive number")
        for power in ("history_discount", "frequency_scaling", "popularity_discount"):
            self.require(power, 0 <= getattr(self, power) <= 1, "a number from 0 to 1")
        self.require("top", self.top is None or self.top >= 1, "at least one, or None for all,")
        few = self.neighbours is None or self.neighbours >= 1
        self.require("neighbours", few, "at least one, or None for all items,")
        self.require("precision", self.precision in PRECISIONS, f"one of {PRECISIONS}")

    def _refuse_large(self, items: int) -> None:
        if items > self.max_items:
            raise InvalidInput(
                f"EASE would invert {items:,} × {items:,} items, {4 * items**2 / 1e9:.1f} GB, and"
                f" max_items is {self.max_items:,}: raise it if the memory allows, or name how many"
                " neighbours=… each item is to be fitted from",
                pointer="/max_items",
            )


def _dense(inverse: Panels, divisor: Floats32) -> Floats32:
    """(I, I) B from the panels of P, each freed as soon as it has been copied."""
    scale = -diagonal(inverse) * divisor
    dense = np.empty((len(scale), len(scale)), np.float32)
    start = 0
    while inverse:
        panel = inverse.pop(0)
        stop = start + len(panel)
        dense[start:stop, start:] = panel / scale[start:]
        dense[start:, start:stop] = (panel / scale[start:stop, None]).T
        start = stop
    np.fill_diagonal(dense, 0)
    return dense


def _truncated(inverse: Panels, top: int) -> csr_matrix:
    """(I, I) by target: the largest of each column of B; never more than a panel of it is held."""
    scale = -diagonal(inverse)
    parts, start = [], 0
    for k, panel in enumerate(inverse):
        stop = start + len(panel)
        rows = (column_block(inverse, k) / scale[start:stop]).T
        rows[np.arange(len(panel)), np.arange(start, stop)] = 0
        parts.append(largest_of_rows(rows.astype(np.float32), top))
        start = stop
    return vstack(parts, format="csr")


@njit(cache=True, nogil=True)
def _add_dense_rows(dense, codes, weights, out):  # type: ignore[no-untyped-def]
    for h in range(len(codes)):
        row = dense[codes[h]]
        for j in range(len(out)):
            out[j] += weights[h] * row[j]
