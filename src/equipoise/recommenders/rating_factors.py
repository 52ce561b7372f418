"""What methods have in common that predict a rating from biases and vectors of both sides."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.recommenders.base import ones_unless
from equipoise.recommenders.least_squares import ridge_rows
from equipoise.recommenders.rating import RatesAnyone, by_code
from equipoise.types import Floats, Floats32, Positions

Entries: TypeAlias = tuple[NDArray[np.int64], Positions, Floats32, Floats32]
"""Row by row: indptr (R + 1,), and of each entry its column, its target and its weight."""


class RatingFactors(RatesAnyone):
    """r̂ = μ + b_u + b_i + x_u·q_i; somebody from outside gets b and x from least squares, q given.

    A history without ratings is read as ``RatesAnyone`` says, and as of somebody without a bias:
    likes alone do not tell a generous person from a strict one. An empty history gets μ + b_i: the
    items that are rated best.
    """

    learned: ClassVar[tuple[str, ...]] = ("item_factors", "item_bias", "mean", "scale")

    item_factors_: Floats32
    """(I, d) q; zero for an item without a rating."""
    item_bias_: Floats32
    """(I,) b_i"""
    mean_: Floats32
    """(1,) μ"""
    user_factors_: Floats32
    """(U, d) x; not stored."""
    user_bias_: Floats32
    """(U,) b_u; not stored."""

    @abstractmethod
    def _penalty(self, weight: float) -> tuple[float, float]:
        """The ridge on somebody's vector and on the bias, by the weight of the ratings."""

    def rate_codes(
        self, codes: Positions, ratings: Floats32, weights: Floats32 | None = None
    ) -> Floats32:
        bias, vector = self.fold_in(codes, ratings, weights)
        return self._scores(vector, bias)

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        return self._scores(self.liking(codes, weights))

    def predict_codes(self, users: Positions, items: Positions) -> Floats32:
        out = np.empty(len(users), np.float32)
        user_side = (self.user_bias_, self.user_factors_)
        _predict(users, items, user_side, (self.item_bias_, self.item_factors_), self.mean_[0], out)
        return out

    def fold_in(
        self, codes: Positions, ratings: Floats32, weights: Floats32 | None = None
    ) -> tuple[float, Floats32]:
        """Bias and (d,) vector that fit ``ratings`` (h,) of ``codes`` best, the items given."""
        return self._regress(codes, ratings, ones_unless(weights, codes), biased=True)

    def liking(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        """(d,) the vector of somebody who likes ``codes``, as the class reads it."""
        ratings = np.full(len(codes), self.scale_[1], np.float32)
        return self._regress(codes, ratings, ones_unless(weights, codes), biased=False)[1]

    def _expected(self, codes: Positions, weights: Floats32) -> Floats32:
        """(d,) the vector that is shrunk to, known from what was rated and not from how."""
        return np.zeros(self.item_factors_.shape[1], np.float32)

    def _background(self, weight: float) -> tuple[Floats, Floats]:
        """(d + 1, d + 1) and (d + 1,) what a history of this weight adds to the normal equations
        for all that is not in it; the bias last.
        """
        d = self.item_factors_.shape[1] + 1
        return np.zeros((d, d)), np.zeros(d)

    def _regress(
        self, codes: Positions, ratings: Floats32, weights: Floats32, *, biased: bool
    ) -> tuple[float, Floats32]:
        """Bias, 0 unless ``biased``, and vector."""
        expected, vectors = self._expected(codes, weights), self.item_factors_[codes]
        targets = ratings - self.mean_ - self.item_bias_[codes] - vectors @ expected
        d, weight = len(expected), float(weights.sum())
        width = d + biased
        ridge, bias_ridge = self._penalty(weight)
        penalties = np.array([ridge] * d + [bias_ridge])[:width]
        gram, pull = self._background(weight)
        found = np.zeros((1, width), np.float32)
        lists = one_row(np.arange(len(codes), dtype=np.int32), targets, weights)
        features = with_ones(vectors) if biased else vectors
        background = gram[:width, :width].copy(), pull[:width]
        ridge_rows(0, 1, lists, features, np.ones(1), penalties, found, *background)
        return (float(found[0, d]) if biased else 0.0), expected + found[0, :d]

    def _scores(self, vector: Floats32, bias: float = 0.0) -> Floats32:
        scores: Floats32 = self.item_factors_ @ vector + self.item_bias_
        scores += self.mean_ + np.float32(bias)
        return scores


def sides(
    interactions: Interactions, targets: Floats32, weights: Floats32
) -> tuple[Entries, Entries]:
    """The rows by user and by item, as the kernels of ``least_squares`` read them."""
    user, item = interactions.user, interactions.item
    return (
        _entries(user, interactions.n_users, item, targets, weights),
        _entries(item, interactions.n_items, user, targets, weights),
    )


def _entries(
    rows: Positions, n: int, columns: Positions, targets: Floats32, weights: Floats32
) -> Entries:
    order, indptr = by_code(rows, n)
    return indptr, columns[order], targets[order], weights[order]


def one_row(columns: Positions, targets: Floats32, weights: Floats32) -> Entries:
    """The entries of a single row, for the kernels of ``least_squares``."""
    return np.array([0, len(columns)]), columns, targets, weights


def with_ones(factors: Floats32) -> Floats32:
    """(n, d + 1) ``factors`` with a last column of ones: what a bias is multiplied by."""
    return np.column_stack([factors, np.ones(len(factors), np.float32)])


@njit(cache=True, nogil=True)
def _predict(users, items, user_side, item_side, mean, out):  # type: ignore[no-untyped-def]
    (user_bias, user_factors), (item_bias, item_factors) = user_side, item_side
    for at in range(len(out)):
        u, i = users[at], items[at]
        total = mean
        if u >= 0:
            total += user_bias[u]
        if i >= 0:
            total += item_bias[i]
        if u >= 0 and i >= 0:
            for f in range(user_factors.shape[1]):
                total += user_factors[u, f] * item_factors[i, f]
        out[at] = total
