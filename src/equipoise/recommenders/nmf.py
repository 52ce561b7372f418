"""Factors without negative numbers: of what was met (``NMF``) and of ratings (``RatingNMF``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import RandomState, derive, generator
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.recommenders.least_squares import nonnegative_rated_rows, nonnegative_rows
from equipoise.recommenders.rating import UNKNOWN, RatesAnyone, mean_of_ratings
from equipoise.recommenders.rating_factors import Entries, one_row, sides
from equipoise.recommenders.svd import leading
from equipoise.recommenders.threads import over_rows
from equipoise.types import Bools, Floats, Floats32, Item, Positions

FOLD_IN_SWEEPS = 500
"""Coordinate descent ends long before, when nothing moves any more."""


class NMF(Recommender):
    """Score of item i = w·h_i, both without negative numbers; w fitted to the history, h given.

    Lee, Seung, "Algorithms for Non-negative Matrix Factorization", NIPS 2000: minimises over W (U,
    d) ≥ 0 and H (I, d) ≥ 0, X being the 0/1 matrix of users and items (with ``use_values``, the
    summed values), unmet pairs counting as 0::

        |X − W Hᵀ|² + λ (|W|² + |H|²)          λ = ``regularization``, may be 0

    by hierarchical alternating least squares (Cichocki, Phan, IEICE 2009): each number in turn set
    to its best value, ``sweeps`` times a half-step since X H is at hand (Gillis, Glineur, Neural
    Computation 2012). No step raises the loss. The start is NNDSVD (Boutsidis, Gallopoulos,
    Pattern Recognition 2008), so there is no luck in it; factors beyond the smaller side of X stay
    at zero.

    A history is folded in by non-negative least squares. An empty one scores NaN throughout, and so
    gets an empty list. Items never met score 0.

    An epoch costs 2·nnz·d + ``sweeps``·(U + I)·d² multiplications, after a truncated SVD; results
    do not depend on ``threads``. Memory 2·(U + I)·d floats for fitting, I·d + d² kept.
    """

    name = "nmf"
    learned = ("item_factors", "gram")

    item_factors_: Floats32
    """(I, d) H"""
    gram_: Floats
    """(d, d) HᵀH"""

    def __init__(
        self,
        *,
        factors: int = 64,
        epochs: int = 30,
        sweeps: int = 3,
        regularization: float = 0.0,
        use_values: bool = False,
        threads: int = 1,
    ) -> None:
        self.factors = factors
        self.epochs = epochs
        self.sweeps = sweeps
        self.regularization = regularization
        self.use_values = use_values
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        _check(self)
        self.require("regularization", self.regularization >= 0, "zero or more")
        users = seen(interactions, self.use_values)
        by_item = users.T.tocsr()
        self.item_ids_ = interactions.item_ids
        user_factors, self.item_factors_ = nndsvd(users, self.factors, self.threads)
        for _ in range(self.epochs):
            self.half_step(users, self.item_factors_, user_factors)
            self.half_step(by_item, user_factors, self.item_factors_)
        self.gram_ = _gram(self.item_factors_)
        return self

    def half_step(self, matrix: csr_matrix, fixed: Floats32, moving: Floats32) -> None:
        """Improve ``moving`` (R, d) in place, given ``fixed`` (C, d) and ``matrix`` (R, C)."""
        lists = (matrix.indptr, matrix.indices, matrix.data, matrix.data)
        ridge = np.full(len(moving), self.regularization)
        given = (lists, fixed, _gram(fixed), ridge, moving, self.sweeps)
        over_rows(nonnegative_rows, len(moving), self.threads, *given)

    def fold_in(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        """(d,) the w ≥ 0 of this history, the weights being its row of X."""
        lists = one_row(codes, *[ones_unless(weights, codes)] * 2)
        found = np.zeros((1, self.item_factors_.shape[1]), np.float32)
        ridge = np.full(1, self.regularization)
        given = (lists, self.item_factors_, self.gram_, ridge, found, FOLD_IN_SWEEPS)
        nonnegative_rows(0, 1, *given)
        vector: Floats32 = found[0]
        return vector

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        if not len(codes):
            return np.full(len(self.item_ids_), np.nan, np.float32)
        scores: Floats32 = self.item_factors_ @ self.fold_in(codes, weights)
        return scores


def nndsvd(matrix: csr_matrix, factors: int, threads: int = 1) -> tuple[Floats32, Floats32]:
    """(R, d) and (C, d) ≥ 0 to start from: of each singular pair, its larger one-signed part."""
    left = np.zeros((matrix.shape[0], factors), np.float32)
    right = np.zeros((matrix.shape[1], factors), np.float32)
    values, vectors = leading(matrix, factors, derive(0, "nmf.start"), threads=threads)
    for f, (s, v) in enumerate(zip(values, vectors.T, strict=True)):
        u = matrix @ v / s
        parts = [(np.maximum(sign * u, 0), np.maximum(sign * v, 0)) for sign in (1, -1)]
        a, b = max(parts, key=_size)
        share = np.sqrt(s * _size((a, b)))
        left[:, f] = share * a / np.linalg.norm(a)
        right[:, f] = share * b / np.linalg.norm(b)
    return left, right


def _size(part: tuple[Floats32, Floats32]) -> float:
    return float(np.linalg.norm(part[0]) * np.linalg.norm(part[1]))


def _gram(factors: Floats32) -> Floats:
    wide = factors.astype(np.float64)
    gram: Floats = wide.T @ wide
    return gram


class RatingNMF(RatesAnyone):
    """r̂ = p_u·q_i, both without negative numbers: Σ over the ratings there are.

    The model of Luo, Zhou, Xia, Zhu, "An Efficient Non-Negative Matrix-Factorization-Based Approach
    to Collaborative Filtering for Recommender Systems", IEEE Transactions on Industrial Informatics
    2014, which Surprise calls NMF; solved not by their multiplicative steps but by coordinate
    descent on each row's own least squares, so that no half-step raises::

        Σ_S (r − p_u·q_i)² + λ (Σ_u n_u |p_u|² + Σ_i n_i |q_i|²)       λ = ``regularization``

    Ratings must not be negative. An item without a rating is predicted the user's mean, a user
    without one the item's mean, with neither the mean of all. A history is folded in by
    non-negative least squares, as ``RatesAnyone`` reads it; an empty one gets the items' means, and
    an item without a rating the mean of all.

    The same ``random_state`` gives the same bytes on any number of ``threads``. An epoch costs
    n·d² + 2·``sweeps``·(U + I)·d² multiplications; memory 2·(U + I)·d floats and 3 numbers a rating
    for each side.
    """

    name = "rating_nmf"
    learned = ("item_factors", "item_mean", "rated", "scale")

    item_factors_: Floats32
    """(I, d) q"""
    item_mean_: Floats32
    """(I,) the mean rating; that of all where there is none."""
    rated_: Bools
    """(I,) whether anybody rated the item."""
    user_factors_: Floats32
    """(U, d) p; not stored."""
    user_mean_: Floats32
    """(U,) not stored."""

    def __init__(
        self,
        *,
        factors: int = 30,
        epochs: int = 40,
        sweeps: int = 3,
        regularization: float = 0.12,
        random_state: RandomState = None,
        threads: int = 1,
    ) -> None:
        self.factors = factors
        self.epochs = epochs
        self.sweeps = sweeps
        self.regularization = regularization
        self.random_state = random_state
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, for no rows, and for a negative one."""
        _check(self)
        self.require("regularization", self.regularization > 0, "a positive number")
        self._know(interactions)
        if self.scale_[0] < 0:
            raise InvalidInput(
                f"RatingNMF: a rating is {self.scale_[0]:g}; zero or more is wanted",
                pointer="/values",
            )
        ones = np.ones(len(interactions), np.float32)
        by_user, by_item = sides(interactions, interactions.value, ones)
        self._average(interactions)
        self._start()
        for _ in range(self.epochs):
            self.half_step(by_user, self.item_factors_, self.user_factors_)
            self.half_step(by_item, self.user_factors_, self.item_factors_)
        return self

    def half_step(self, rows: Entries, fixed: Floats32, moving: Floats32) -> None:
        """Improve ``moving`` (R, d) in place, given ``fixed`` (C, d) and the ratings ``rows``."""
        ridge = self.regularization * np.diff(rows[0])
        nothing = np.zeros((fixed.shape[1],) * 2)
        given = (rows, fixed, nothing, ridge, moving, self.sweeps)
        over_rows(nonnegative_rated_rows, len(moving), self.threads, *given)

    def predict_codes(self, users: Positions, items: Positions) -> Floats32:
        user_known = (users != UNKNOWN) & self._rating[users]
        item_known = (items != UNKNOWN) & self.rated_[items]
        user_side = np.where(user_known, self.user_mean_[users], self._overall)
        out = np.where(item_known, self.item_mean_[items], user_side)
        both = user_known & item_known
        vectors = self.user_factors_[users[both]], self.item_factors_[items[both]]
        out[both] = np.einsum("nf,nf->n", *vectors)
        return out.astype(np.float32)

    def rate_codes(
        self, codes: Positions, ratings: Floats32, weights: Floats32 | None = None
    ) -> Floats32:
        if not len(codes):
            return self.item_mean_.copy()
        vector = self.fold_in(codes, ratings, weights)
        rates: Floats32 = np.where(self.rated_, self.item_factors_ @ vector, self.item_mean_)
        return rates

    def fold_in(
        self, codes: Positions, ratings: Floats32, weights: Floats32 | None = None
    ) -> Floats32:
        """(d,) the p ≥ 0 that fits ``ratings`` (h,) of ``codes`` best, the items given."""
        weights = ones_unless(weights, codes)
        found = np.zeros((1, self.item_factors_.shape[1]), np.float32)
        nothing = np.zeros((found.shape[1],) * 2)
        ridge = self.regularization * np.full(1, weights.sum())
        lists = one_row(codes, ratings, weights)
        given = (lists, self.item_factors_, nothing, ridge, found, FOLD_IN_SWEEPS)
        nonnegative_rated_rows(0, 1, *given)
        vector: Floats32 = found[0]
        return vector

    def _average(self, rows: Interactions) -> None:
        self._overall, users = mean_of_ratings(rows.value, rows.user, rows.n_users)
        _, items = mean_of_ratings(rows.value, rows.item, rows.n_items)
        self.user_mean_, self._rating = users["mean"], users["count"] > 0
        self.item_mean_, self.rated_ = items["mean"], items["count"] > 0

    def _start(self) -> None:
        """Products near the mean of all; rows without a rating start, and stay, at zero."""
        rng = generator(self.random_state, "rating_nmf")
        size = np.sqrt(self._overall / self.factors)
        for name, met in (("user", self._rating), ("item", self.rated_)):
            drawn = size * rng.uniform(0.5, 1.5, (len(met), self.factors)) * met[:, None]
            setattr(self, f"{name}_factors_", drawn.astype(np.float32))


def _check(model: NMF | RatingNMF) -> None:
    model.require("factors", model.factors >= 1, "at least one")
    model.require("epochs", model.epochs >= 1, "at least one")
    model.require("sweeps", model.sweeps >= 1, "at least one")
