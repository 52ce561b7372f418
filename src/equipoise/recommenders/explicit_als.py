"""Matrix factorisation of ratings by alternating least squares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import RandomState, generator
from equipoise.recommenders.least_squares import ridge_rows
from equipoise.recommenders.rating_factors import Entries, RatingFactors, sides, with_ones
from equipoise.recommenders.threads import over_rows
from equipoise.types import Floats, Floats32, Item


class ExplicitALS(RatingFactors):
    """r̂ = μ + b_u + b_i + p_u·q_i, one side solved exactly while the other stands still.

    ALS-WR of Zhou, Wilkinson, Schreiber, Pan, "Large-Scale Parallel Collaborative Filtering for the
    Netflix Prize", AAIM 2008, with biases as columns of their own (Koren, Bell, Volinsky 2009).
    Minimises over the rows S that there are, w being their weights (1 unless ``fit`` got some)::

        Σ_S w (r − r̂)² + Σ_u n_u^ν (λ |p_u|² + β b_u²) + Σ_i n_i^ν (λ |q_i|² + β b_i²)

    with λ = ``regularization``, β = ``bias_regularization`` (None: λ), n the weight of a user's or
    an item's rows, ν = ``frequency_scaling``: 1 is ALS-WR, 0 a plain ridge. So for each user, V_S
    being the (n_u, d + 1) matrix of the items rated, a column of ones last, and D = diag(λ, …, β)::

        (V_Sᵀ W V_S + n_u^ν D) (p_u, b_u) = V_Sᵀ W (r − μ − b_i)

    and for items alike; neither half-step raises the loss. ``biases=False`` leaves r̂ = μ + p_u·q_i.

    The same ``random_state`` gives the same bytes on any number of ``threads``. An epoch costs
    n·d² + (U + I)·d³/6 multiplications; memory 2·(U + I)·d floats and 3 numbers a rating for each
    side. Folding in is the half-step of one user. Histories: see ``RatingFactors``.
    """

    name = "explicit_als"

    def __init__(
        self,
        *,
        factors: int = 64,
        epochs: int = 20,
        regularization: float = 0.12,
        bias_regularization: float | None = None,
        frequency_scaling: float = 1.0,
        biases: bool = True,
        initial_spread: float = 0.5,
        random_state: RandomState = None,
        threads: int = 1,
    ) -> None:
        self.factors = factors
        self.epochs = epochs
        self.regularization = regularization
        self.bias_regularization = bias_regularization
        self.frequency_scaling = frequency_scaling
        self.biases = biases
        self.initial_spread = initial_spread
        self.random_state = random_state
        self.threads = threads

    def fit(
        self,
        interactions: Interactions,
        *,
        items: Iterable[Item] | None = None,
        weights: Floats32 | None = None,
    ) -> Self:
        """Learn from ratings, each as important as its weight.

        ``weights`` (n,) stand beside the rows of ``interactions``; the inverse of the chance that a
        rating is seen corrects for who rates what (Schnabel et al., "Recommendations as
        Treatments", ICML 2016). Raises InvalidInput for a keyword out of range, for no rows, and
        for weights of another number, not finite, or not positive.
        """
        self._check()
        self._know(interactions)
        weights = self._weights(len(interactions), weights)
        self.mean_ = np.array([np.average(interactions.value, weights=weights)], np.float32)
        by_user, by_item = sides(interactions, interactions.value - self.mean_, weights)
        users, items_ = self._initial(by_user, by_item)
        for _ in range(self.epochs):
            self.half_step(by_user, items_, users)
            self.half_step(by_item, users, items_)
        self.user_factors_, self.user_bias_ = users[:, :-1].copy(), users[:, -1].copy()
        self.item_factors_, self.item_bias_ = items_[:, :-1].copy(), items_[:, -1].copy()
        return self

    def half_step(self, rows: Entries, fixed: Floats32, moving: Floats32) -> None:
        """Solve for ``moving`` (R, d + 1) in place, given ``fixed`` (C, d + 1): vectors, bias last.

        ``rows`` holds, for each of the R, the columns it meets, r − μ, and the weights.
        """
        indptr, columns, targets, weights = rows
        vectors = fixed[:, :-1]
        features = with_ones(vectors) if self.biases else vectors.copy()
        width = features.shape[1]
        frequency = _sums(weights, indptr) ** self.frequency_scaling
        penalties = np.array([self.regularization] * self.factors + [self._bias_ridge])[:width]
        found = np.zeros((len(moving), width), np.float32)
        lists = (indptr, columns, targets - fixed[columns, -1], weights)
        nothing = np.zeros((width, width)), np.zeros(width)
        given = (lists, features, frequency, penalties, found, *nothing)
        over_rows(ridge_rows, len(moving), self.threads, *given)
        moving[:, :width] = found

    def _penalty(self, weight: float) -> tuple[float, float]:
        frequency = weight**self.frequency_scaling
        return self.regularization * frequency, self._bias_ridge * frequency

    @property
    def _bias_ridge(self) -> float:
        given = self.bias_regularization
        return self.regularization if given is None else given

    def _initial(self, by_user: Entries, by_item: Entries) -> tuple[Floats32, Floats32]:
        """Items without a rating start, and stay, at zero; users follow from a half-step."""
        rng = generator(self.random_state, "explicit_als")
        met = np.diff(by_item[0])
        spread = self.initial_spread / np.sqrt(self.factors)
        start = rng.normal(0, spread, (len(met), self.factors)) * (met > 0)[:, None]
        items = np.column_stack([start, np.zeros(len(met))]).astype(np.float32)
        return np.zeros((len(by_user[0]) - 1, self.factors + 1), np.float32), items

    def _weights(self, n: int, weights: Floats32 | None) -> Floats32:
        if weights is None:
            return np.ones(n, np.float32)
        given = np.asarray(weights, np.float32)
        if given.shape != (n,) or not (np.isfinite(given) & (given > 0)).all():
            raise InvalidInput(
                f"weights: {n} finite positive numbers are wanted, one a row", pointer="/weights"
            )
        return given

    def _check(self) -> None:
        self.require("factors", self.factors >= 1, "at least one")
        self.require("epochs", self.epochs >= 1, "at least one")
        self.require("regularization", self.regularization > 0, "a positive number")
        ridge = self.bias_regularization
        self.require("bias_regularization", ridge is None or ridge > 0, "a positive number or None")
        self.require("frequency_scaling", self.frequency_scaling >= 0, "zero or more")
        self.require("initial_spread", self.initial_spread > 0, "a positive number")


def _sums(values: Floats32, indptr: NDArray[np.int64]) -> Floats:
    """(R,) the sum of each row's values."""
    totals = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    sums: Floats = totals[indptr[1:]] - totals[indptr[:-1]]
    return sums
