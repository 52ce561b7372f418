"""Matrix factorisation of ratings by stochastic gradient descent; with ``implicit``, SVD++."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self, TypeAlias

import numpy as np
from numba import njit

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import RandomState, generator
from equipoise.recommenders.base import ones_unless
from equipoise.recommenders.rating import by_code
from equipoise.recommenders.rating_factors import RatingFactors, with_ones
from equipoise.types import Floats, Floats32, Item, Positions

REASSOCIATE = {"reassoc", "nsz", "contract"}

Rows: TypeAlias = tuple[Positions, Positions, Floats32]
"""(n,) user, item and target of each rating."""
Side: TypeAlias = tuple[Floats32, Floats32]
"""Biases and vectors."""


class BiasedMF(RatingFactors):
    """r̂ = μ + b_u + b_i + p_u·q_i, learnt one rating after another.

    Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender Systems", IEEE Computer
    2009. With e = r − r̂, all from the values before the step, γ = ``learning_rate`` and λ =
    ``regularization`` (for biases ``bias_regularization``, None: the same)::

        b_u += γ (e − λ b_u)        p_u += γ (e q_i − λ p_u)
        b_i += γ (e − λ b_i)        q_i += γ (e p_u − λ q_i)

    which descends Σ e² + λ (Σ_u n_u |p_u|² + Σ_i n_i |q_i|² + …). Each of the ``epochs`` takes the
    ratings in a new random order and multiplies γ by ``decay``. p starts at zero, q normal with a
    standard deviation of ``initial_spread`` / √``factors``. Defaults were chosen on a part of one
    training fold of MovieLens 100K.

    ``implicit`` is SVD++ (Koren, KDD 2008): p_u + |N(u)|^-½ Σ_N(u) y_j in place of p_u, N(u) being
    what u rated. Users come in random order then, each with all of their ratings; the steps of all
    y_j are added up and written once a user, which is what writing after each rating would give.

    ``negatives`` k reads values as 1 and adds k random items to each pair met, with target 0: for
    clicks instead of stars (FunkSVD with negative samples). Items are drawn from all, so the loss
    is Σ_S (1 − r̂)² + Σ_u (k n_u / I) Σ_i r̂² on average, and a history is folded in by exactly
    that. ``predict`` then answers between 0, drawn at random, and 1, met.

    Otherwise a history is read as ``RatingFactors`` says. An item without a rating scores μ.

    The same ``random_state`` gives the same bytes; steps follow one another, so there is nothing to
    share among threads. An epoch costs 4·n·d multiplications, 8·n·d with ``implicit``, (1 + k)
    times as many with ``negatives``. Memory: (U + I)·d floats, I·d more with ``implicit``, and a
    few numbers a rating. Folding in costs h·d²/2 + d³/6.
    """

    name = "biased_mf"
    learned = (*RatingFactors.learned, "implicit_factors")

    implicit_factors_: Floats32
    """(I, d) y, or (0, d)."""

    def __init__(
        self,
        *,
        factors: int = 64,
        epochs: int = 40,
        learning_rate: float = 0.02,
        decay: float = 0.95,
        regularization: float = 0.1,
        bias_regularization: float | None = 0.02,
        implicit: bool = False,
        negatives: int = 0,
        initial_spread: float = 0.5,
        random_state: RandomState = None,
    ) -> None:
        self.factors = factors
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.decay = decay
        self.regularization = regularization
        self.bias_regularization = bias_regularization
        self.implicit = implicit
        self.negatives = negatives
        self.initial_spread = initial_spread
        self.random_state = random_state

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, for no rows, and where the steps are so
        large that numbers overflow.
        """
        self._check()
        self._know(interactions)
        rng = generator(self.random_state, "biased_mf")
        rows = self._rows(interactions)
        self.mean_ = np.array([rows[2].mean(dtype=np.float64) / (1 + self.negatives)], np.float32)
        self._start(rows, rng)
        if self.implicit:
            self._descend_by_user(rows, rng)
        else:
            self._descend(rows, rng)
        if not np.isfinite(self.item_factors_).all() or not np.isfinite(self.user_factors_).all():
            raise InvalidInput(
                f"BiasedMF left the finite numbers: learning_rate={self.learning_rate} is too large"
                " for these values",
                pointer="/learning_rate",
            )
        self.prepare()
        return self

    def prepare(self) -> None:
        features = with_ones(self.item_factors_).astype(np.float64)
        self._gram = features.T @ features
        self._pull = -(self.mean_ + self.item_bias_) @ features

    def liking(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        if not self.negatives:
            return super().liking(codes, weights)
        met = np.ones(len(codes), np.float32)
        return self._regress(codes, met, ones_unless(weights, codes), biased=True)[1]

    def _background(self, weight: float) -> tuple[Floats, Floats]:
        share = self.negatives * weight / len(self.item_ids_)
        return share * self._gram, share * self._pull

    def _penalty(self, weight: float) -> tuple[float, float]:
        steps = weight * (1 + self.negatives)
        return self.regularization * steps, self._bias_ridge * steps

    @property
    def _bias_ridge(self) -> float:
        given = self.bias_regularization
        return self.regularization if given is None else given

    def _expected(self, codes: Positions, weights: Floats32) -> Floats32:
        if not self.implicit or not len(codes):
            return super()._expected(codes, weights)
        summed: Floats32 = weights @ self.implicit_factors_[codes] / np.sqrt(weights.sum())
        return summed

    # ------------------------------------------------------------ descent

    def _start(self, rows: Rows, rng: np.random.Generator) -> None:
        """Only the items' vectors break the symmetry; nobody without a rating gets one."""
        users, items = len(self.user_ids_), len(self.item_ids_)
        spread = self.initial_spread / np.sqrt(self.factors)
        drawn = rng.normal(0, spread, (items, self.factors))
        drawn[np.bincount(rows[1], minlength=items) == 0] = 0
        self.item_factors_ = drawn.astype(np.float32)
        self.user_factors_ = np.zeros((users, self.factors), np.float32)
        self.implicit_factors_ = np.zeros((items * self.implicit, self.factors), np.float32)
        self.item_bias_ = np.zeros(items, np.float32)
        self.user_bias_ = np.zeros(users, np.float32)

    def _descend(self, rows: Rows, rng: np.random.Generator) -> None:
        shape = len(rows[0]), self.negatives
        for steps in self._schedule():
            order = rng.permutation(len(rows[0]))
            drawn = rng.integers(0, len(self.item_ids_), shape, np.int32)
            _epoch(order, rows, drawn, self.mean_[0], *self._sides(), steps)

    def _descend_by_user(self, rows: Rows, rng: np.random.Generator) -> None:
        users, indptr = by_code(rows[0], len(self.user_ids_))
        items, targets = rows[1][users], rows[2][users]
        for steps in self._schedule():
            within = np.lexsort((rng.random(len(items)), rows[0][users]))
            lists = (indptr, items[within], targets[within])
            order = rng.permutation(len(self.user_ids_))
            _epoch_by_user(
                order, lists, self.mean_[0], *self._sides(), self.implicit_factors_, steps
            )
        _add_implicit((indptr, items), self.implicit_factors_, self.user_factors_)

    def _schedule(self) -> Iterator[tuple[np.float32, np.float32, np.float32]]:
        """Of each epoch: the length of a step, and of a step of both ridges."""
        for epoch in range(self.epochs):
            rate = self.learning_rate * self.decay**epoch
            ridges = rate * self.regularization, rate * self._bias_ridge
            yield np.float32(rate), np.float32(ridges[0]), np.float32(ridges[1])

    def _sides(self) -> tuple[Side, Side]:
        user_side = self.user_bias_, self.user_factors_
        return user_side, (self.item_bias_, self.item_factors_)

    def _rows(self, interactions: Interactions) -> Rows:
        if not self.negatives:
            return interactions.user, interactions.item, interactions.value
        met = interactions.matrix(binary=True).tocoo()
        if not met.nnz:
            raise InvalidInput(
                "BiasedMF with negatives: no pair has a positive value; what was met is 1 or more",
                pointer="/values",
            )
        self.scale_ = np.array([0, 1], np.float32)
        return met.row.astype(np.int32), met.col.astype(np.int32), met.data

    def _check(self) -> None:
        self.require("factors", self.factors >= 1, "at least one")
        self.require("epochs", self.epochs >= 1, "at least one")
        self.require("learning_rate", self.learning_rate > 0, "a positive number")
        self.require("decay", 0 < self.decay <= 1, "a number above 0 and at most 1")
        self.require("regularization", self.regularization > 0, "a positive number")
        ridge = self.bias_regularization
        self.require("bias_regularization", ridge is None or ridge > 0, "a positive number or None")
        self.require("negatives", self.negatives >= 0, "zero or more")
        ratings = not (self.implicit and self.negatives)
        self.require("negatives", ratings, "0 with implicit=True, which is for ratings,")
        self.require("initial_spread", self.initial_spread > 0, "a positive number")


@njit(cache=True, nogil=True, fastmath=REASSOCIATE)
def _epoch(order, rows, drawn, mean, user_side, item_side, steps):  # type: ignore[no-untyped-def]
    users, items, targets = rows
    for row in order:
        user = users[row]
        _step(user, items[row], targets[row] - mean, user_side, item_side, steps)
        for item in drawn[row]:
            _step(user, item, -mean, user_side, item_side, steps)


@njit(cache=True, nogil=True, fastmath=REASSOCIATE)
def _step(user, item, target, user_side, item_side, steps):  # type: ignore[no-untyped-def]
    (user_bias, user_factors), (item_bias, item_factors) = user_side, item_side
    rate, ridge, bias_ridge = steps
    p, q = user_factors[user], item_factors[item]
    error = target - user_bias[user] - item_bias[item]
    for f in range(len(p)):
        error -= p[f] * q[f]
    user_bias[user] += rate * error - bias_ridge * user_bias[user]
    item_bias[item] += rate * error - bias_ridge * item_bias[item]
    for f in range(len(p)):
        old_p, old_q = p[f], q[f]
        p[f] += rate * error * old_q - ridge * old_p
        q[f] += rate * error * old_p - ridge * old_q


@njit(cache=True, nogil=True, fastmath=REASSOCIATE)
def _epoch_by_user(order, lists, mean, user_side, item_side, implicit, steps):  # type: ignore[no-untyped-def]
    """SVD++. With s = n^-½ the step of every y_j is γ (e s q_i − λ y_j), so that of their sum
    z = s Σ y_j is γ (e q_i − λ z): z is kept, and y_j follow from it when the user is done.
    """
    indptr, items, targets = lists
    (user_bias, user_factors), (item_bias, item_factors) = user_side, item_side
    rate, ridge, bias_ridge = steps
    d = user_factors.shape[1]
    z, start = np.empty(d, np.float32), np.empty(d, np.float32)
    for user in order:
        entries = slice(indptr[user], indptr[user + 1])
        n = indptr[user + 1] - indptr[user]
        if n == 0:
            continue
        scale = np.float32(1 / np.sqrt(n))
        _sum_rows(implicit, items[entries], scale, z)
        start[:] = z
        p = user_factors[user]
        for at in range(indptr[user], indptr[user + 1]):
            item = items[at]
            q = item_factors[item]
            error = targets[at] - mean - user_bias[user] - item_bias[item]
            for f in range(d):
                error -= (p[f] + z[f]) * q[f]
            user_bias[user] += rate * error - bias_ridge * user_bias[user]
            item_bias[item] += rate * error - bias_ridge * item_bias[item]
            for f in range(d):
                old, old_q = p[f] + z[f], q[f]
                p[f] += rate * error * old_q - ridge * p[f]
                z[f] += rate * error * old_q - ridge * z[f]
                q[f] += rate * error * old - ridge * old_q
        kept = (1 - ridge) ** np.float32(n)
        for at in range(indptr[user], indptr[user + 1]):
            y = implicit[items[at]]
            for f in range(d):
                y[f] = kept * y[f] + scale * (z[f] - kept * start[f])


@njit(cache=True, nogil=True)
def _sum_rows(factors, codes, scale, out):  # type: ignore[no-untyped-def]
    out[:] = 0
    for code in codes:
        for f in range(len(out)):
            out[f] += scale * factors[code, f]


@njit(cache=True, nogil=True)
def _add_implicit(lists, implicit, user_factors):  # type: ignore[no-untyped-def]
    """p_u + |N(u)|^-½ Σ y_j, in place of p_u: what predictions multiply by q_i."""
    indptr, items = lists
    z = np.empty(user_factors.shape[1], np.float32)
    for user in range(len(user_factors)):
        mine = items[indptr[user] : indptr[user + 1]]
        if len(mine):
            _sum_rows(implicit, mine, np.float32(1 / np.sqrt(len(mine))), z)
            user_factors[user] += z
