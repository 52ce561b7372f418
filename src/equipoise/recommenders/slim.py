"""A sparse linear item model: EASE's question under an elastic net."""

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
from equipoise.recommenders.elastic_net import elastic_net
from equipoise.recommenders.gramian import (
    PANEL,
    Columns,
    frequencies,
    shorter_histories_first,
    whole,
)
from equipoise.recommenders.neighbourhoods import Problems, largest_of_rows, solve_each
from equipoise.recommenders.neighbours import best_of_rows, csr_arrays
from equipoise.recommenders.rows import sum_rows
from equipoise.recommenders.threads import over_rows
from equipoise.types import Floats, Floats32, Item, Positions

Settings = tuple[np.float32, Floats32, bool, np.float32]
"""l1, l2 by item, whether positive, tolerance."""


class SLIM(Recommender):
    """Score of item j = sum of W[i, j] over the history's items i.

    Ning, Karypis, "SLIM: Sparse Linear Methods for Top-N Recommender Systems", ICDM 2011. Column j
    of W minimises, with a zero at j and, with ``positive``, no entry below zero::

        |x_j − X w|² / 2U + alpha · l1_ratio · |w|₁ + alpha · (1 − l1_ratio) / 2 · |w|²

    X being the 0/1 matrix of U users and the items (with ``use_values``, the summed values):
    ``alpha`` and ``l1_ratio`` mean what they mean in scikit-learn's ElasticNet, so that published
    settings can be taken over. ``history_discount``, ``frequency_scaling`` (of the squares' penalty
    alone) and ``popularity_discount`` as in ``EASE``.

    ``neighbours`` lets only the so many items nearest by cosine have an entry (the paper's fsSLIM):
    the form for large catalogues, and with ``positive`` and several hundred hardly another model.
    None takes all, from XᵀX in one piece: catalogues above ``max_items`` are refused. ``top`` keeps
    of each column the entries of largest magnitude after the fit.

    A column ends where no optimality condition is violated by more than ``tolerance`` times the
    largest product of x_j with another item.

    Fit, with a the entries that a column ends with and some tens of sweeps: I·(sweeps·a² + a·m)
    operations, m the candidates, on ``threads`` threads with equal results. Memory I² float32 for
    all items; with ``neighbours`` what ``solve_each`` says. A score costs h rows of W; an item
    without an entry in them scores NaN, so an empty history gets an empty list.
    """

    name = "slim"
    learned = ("indptr", "targets", "weights")

    indptr_: NDArray[np.int64]
    targets_: Positions
    weights_: Floats32
    """CSR (I, I), row i: what i in the history adds."""

    def __init__(
        self,
        *,
        alpha: float = 0.02,
        l1_ratio: float = 0.01,
        positive: bool = True,
        neighbours: int | None = 300,
        top: int | None = None,
        history_discount: float = 0.0,
        frequency_scaling: float = 0.0,
        popularity_discount: float = 0.0,
        tolerance: float = 1e-4,
        max_items: int = 20_000,
        use_values: bool = False,
        threads: int = 1,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.positive = positive
        self.neighbours = neighbours
        self.top = top
        self.history_discount = history_discount
        self.frequency_scaling = frequency_scaling
        self.popularity_discount = popularity_discount
        self.tolerance = tolerance
        self.max_items = max_items
        self.use_values = use_values
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, or a catalogue above ``max_items``."""
        self._check()
        if self.neighbours is None:
            self._refuse_large(len(interactions.item_ids))
        users = shorter_histories_first(seen(interactions, self.use_values), self.history_discount)
        frequency = frequencies(users)
        settings = self._settings(users.shape[0], frequency)
        if self.neighbours is None:
            lists = self._from_all(users, settings)
        else:
            lists = self._from_nearest(users, self.neighbours, settings)
        divisor = frequency**self.popularity_discount
        lists.data /= np.repeat(divisor, np.diff(lists.indptr)).astype(np.float32)
        self.item_ids_ = interactions.item_ids
        self.indptr_, self.targets_, self.weights_ = csr_arrays(lists.T.tocsr())
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        rows = (self.indptr_, self.targets_, self.weights_)
        return sum_rows(*rows, codes, ones_unless(weights, codes))

    def _from_all(self, users: csr_matrix, settings: Settings) -> csr_matrix:
        """(I, I) by target, ``PANEL`` targets at a time."""
        gram = whole(Columns.of(users), self.threads)
        parts = []
        for first in range(0, len(gram), PANEL):
            found = np.empty((min(PANEL, len(gram) - first), len(gram)), np.float32)
            over_rows(_columns, len(found), self.threads, gram, first, settings, found)
            parts.append(largest_of_rows(found, self.top))
        return vstack(parts, format="csr")

    def _from_nearest(self, users: csr_matrix, k: int, settings: Settings) -> csr_matrix:
        def solve(problems: Problems) -> None:
            over_rows(_restricted, len(problems.counts), self.threads, problems, settings)

        lists = solve_each(users, k, solve, self.threads)
        lists.eliminate_zeros()
        return lists if self.top is None else best_of_rows(lists, self.top)

    def _settings(self, users: int, frequency: Floats) -> Settings:
        """scikit-learn divides the squares by 2U; products are not divided."""
        strength = users * self.alpha
        ridge = strength * (1 - self.l1_ratio) * frequency**self.frequency_scaling
        l1, tolerance = np.float32(strength * self.l1_ratio), np.float32(self.tolerance)
        return l1, ridge.astype(np.float32), self.positive, tolerance

    def _check(self) -> None:
        self.require("alpha", self.alpha > 0, "a positive number")
        self.require("l1_ratio", 0 <= self.l1_ratio <= 1, "a number from 0 to 1")
        few = self.neighbours is None or self.neighbours >= 1
        self.require("neighbours", few, "at least one, or None for all items,")
        self.require("top", self.top is None or self.top >= 1, "at least one, or None for all,")
        for power in ("history_discount", "frequency_scaling", "popularity_discount"):
            self.require(power, 0 <= getattr(self, power) <= 1, "a number from 0 to 1")
        self.require("tolerance", self.tolerance > 0, "a positive number")

    def _refuse_large(self, items: int) -> None:
        if items > self.max_items:
            raise InvalidInput(
                f"SLIM(neighbours=None) would hold {items:,} × {items:,} products,"
                f" {4 * items**2 / 1e9:.1f} GB, and max_items is {self.max_items:,}: raise it if"
                " the memory allows, or name how many neighbours each item is to be fitted from",
                pointer="/max_items",
            )


@njit(cache=True, nogil=True)
def _columns(start, stop, gram, first, settings, found):  # type: ignore[no-untyped-def]
    l1, ridge, positive, tolerance = settings
    for row in range(start, stop):
        j = first + row
        elastic_net(gram, gram[j], j, (l1, ridge), positive, tolerance, found[row])


@njit(cache=True, nogil=True)
def _restricted(start, stop, problems, settings):  # type: ignore[no-untyped-def]
    l1, ridge, positive, tolerance = settings
    counts, sources, inner, right = problems
    for row in range(start, stop):
        size = counts[row]
        penalties = (l1, ridge[sources[row, :size]])
        own, found = inner[row, :size, :size], np.empty(size, np.float32)
        elastic_net(own, right[row, :size], -1, penalties, positive, tolerance, found)
        right[row, :size] = found
