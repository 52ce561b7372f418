"""Ratings from how much better or worse items are rated than others by the same people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders.base import ones_unless
from equipoise.recommenders.rating import UNKNOWN, RatesAnyone, by_code, mean_of_ratings
from equipoise.recommenders.threads import over_rows
from equipoise.types import Floats32, Item, Positions


class SlopeOne(RatesAnyone):
    """r̂_ui = Σ c_ij (d_ij + r_uj) / Σ c_ij, over the items j that u rated.

    Weighted Slope One of Lemire, Maclachlan, SDM 2005, equation 5: c_ij people rated both i and j,
    and d_ij is by how much i pleased them more, on average. Where nobody rated i with any of u's
    items, u's mean; for a user without ratings, and an empty history, the item's mean; the mean of
    all where neither is known. Histories: see ``RatesAnyone``.

    Catalogues above ``max_items`` are refused, since two (I, I) matrices are held: 8·I² bytes, 3.2
    GB at 20,000. Fit: Σ over users of (ratings)² additions, on ``threads`` threads with equal
    results. A prediction costs n_u multiplications, a score h·I.
    """

    name = "slope_one"
    learned = ("differences", "support", "item_mean", "scale")

    differences_: Floats32
    """(I, I) Σ over who rated both of r_i − r_j."""
    support_: Positions
    """(I, I) c, zero on the diagonal."""
    item_mean_: Floats32
    """(I,) the mean rating; that of all where there is none."""

    def __init__(self, *, max_items: int = 20_000, threads: int = 1) -> None:
        self.max_items = max_items
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for no rows, and for a catalogue above ``max_items``."""
        self._know(interactions)
        n = interactions.n_items
        if n > self.max_items:
            raise InvalidInput(
                f"SlopeOne would hold two matrices of {n:,} × {n:,} items, {8 * n**2 / 1e9:.1f} GB,"
                f" and max_items is {self.max_items:,}: raise it if the memory allows, or use"
                " BiasedMF",
                pointer="/max_items",
            )
        by_user, by_item = _lists(interactions), _lists(interactions, by_item=True)
        self.differences_ = np.zeros((n, n), np.float32)
        self.support_ = np.zeros((n, n), np.int32)
        over_rows(_compare, n, self.threads, by_item, by_user, self.differences_, self.support_)
        overall, known = mean_of_ratings(interactions.value, interactions.item, n)
        self.item_mean_ = known["mean"]
        self._ratings, self._overall = by_user, np.float32(overall)
        return self

    def predict_codes(self, users: Positions, items: Positions) -> Floats32:
        out = np.where(items != UNKNOWN, self.item_mean_[items], self._overall)
        _predict(users, items, self._ratings, self.differences_, self.support_, out)
        return out

    def rate_codes(
        self, codes: Positions, ratings: Floats32, weights: Floats32 | None = None
    ) -> Floats32:
        if not len(codes):
            return self.item_mean_.copy()
        weights = ones_unless(weights, codes)
        mean = np.float32(np.average(ratings, weights=weights))
        out = np.empty(len(self.item_ids_), np.float32)
        _rate(codes, ratings, weights, mean, self.differences_, self.support_, out)
        return out


def _lists(
    rows: Interactions, *, by_item: bool = False
) -> tuple[NDArray[np.int64], Positions, Floats32]:
    """CSR of the ratings as they are: pairs that come twice stay two."""
    users, items = (rows.user, rows.n_users), (rows.item, rows.n_items)
    (codes, n), (others, _) = (items, users) if by_item else (users, items)
    order, indptr = by_code(codes, n)
    return indptr, others[order], rows.value[order]


@njit(cache=True, nogil=True)
def _compare(start, stop, by_item, by_user, differences, support):  # type: ignore[no-untyped-def]
    item_ptr, users, item_values = by_item
    user_ptr, items, user_values = by_user
    for i in range(start, stop):
        for at in range(item_ptr[i], item_ptr[i + 1]):
            user = users[at]
            for place in range(user_ptr[user], user_ptr[user + 1]):
                j = items[place]
                if j != i:
                    differences[i, j] += item_values[at] - user_values[place]
                    support[i, j] += 1


@njit(cache=True, nogil=True)
def _expected(codes, ratings, weights, differences, support, otherwise):  # type: ignore[no-untyped-def]
    """Of one item, given its rows of both matrices."""
    total = weight = 0.0
    for h in range(len(codes)):
        count = support[codes[h]]
        total += weights[h] * (differences[codes[h]] + count * ratings[h])
        weight += weights[h] * count
    return total / weight if weight > 0 else otherwise


@njit(cache=True, nogil=True)
def _rate(codes, ratings, weights, mean, differences, support, out):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        out[i] = _expected(codes, ratings, weights, differences[i], support[i], mean)


@njit(cache=True, nogil=True)
def _predict(users, items, by_user, differences, support, out):  # type: ignore[no-untyped-def]
    """Leaves ``out`` as it is where a user has no ratings."""
    indptr, rated, values = by_user
    for at in range(len(out)):
        if users[at] < 0:
            continue
        entries = slice(indptr[users[at]], indptr[users[at] + 1])
        codes, ratings = rated[entries], values[entries]
        if len(codes) == 0:
            continue
        out[at] = ratings.mean()
        i = items[at]
        if i >= 0:
            ones = np.ones(len(codes), np.float32)
            row = (differences[i], support[i])
            out[at] = _expected(codes, ratings, ones, *row, out[at])
