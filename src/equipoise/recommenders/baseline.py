"""The line to beat in ratings: what is usual for the item, and for the person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np

from equipoise.data import Interactions
from equipoise.recommenders.rating_factors import RatingFactors
from equipoise.types import Floats32, Item, Positions


class Baseline(RatingFactors):
    """r̂ = μ + b_u + b_i, biases shrunk to zero.

    Koren, "Factor in the Neighbors", TKDD 2010, section 2.1: minimises

        Σ (r − μ − b_u − b_i)² + ``item_shrinkage`` Σ b_i² + ``user_shrinkage`` Σ b_u²

    by solving for all b_i, then all b_u, ``epochs`` times, so that b_i = Σ (r − μ − b_u) /
    (``item_shrinkage`` + n_i). Defaults are Surprise's.

    Every history gets μ + b_i, the items that are rated best: it does not look at the history. An
    epoch costs 2·n additions; memory U + I floats.
    """

    name = "baseline"

    def __init__(
        self, *, epochs: int = 10, item_shrinkage: float = 10.0, user_shrinkage: float = 15.0
    ) -> None:
        self.epochs = epochs
        self.item_shrinkage = item_shrinkage
        self.user_shrinkage = user_shrinkage

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range and for no rows."""
        self.require("epochs", self.epochs >= 1, "at least one")
        self.require("item_shrinkage", self.item_shrinkage > 0, "a positive number")
        self.require("user_shrinkage", self.user_shrinkage > 0, "a positive number")
        self._know(interactions)
        user, item = interactions.user, interactions.item
        self.mean_ = np.array([interactions.value.mean(dtype=np.float64)], np.float32)
        deviation = interactions.value - self.mean_
        self.user_bias_ = np.zeros(interactions.n_users, np.float32)
        self.item_bias_ = np.zeros(interactions.n_items, np.float32)
        for _ in range(self.epochs):
            rest = deviation - self.user_bias_[user]
            self.item_bias_ = _shrunk(rest, item, len(self.item_bias_), self.item_shrinkage)
            rest = deviation - self.item_bias_[item]
            self.user_bias_ = _shrunk(rest, user, len(self.user_bias_), self.user_shrinkage)
        self.user_factors_ = np.empty((interactions.n_users, 0), np.float32)
        self.item_factors_ = np.empty((interactions.n_items, 0), np.float32)
        return self

    def _penalty(self, weight: float) -> tuple[float, float]:
        return 0.0, self.user_shrinkage


def _shrunk(rest: Floats32, codes: Positions, n: int, shrinkage: float) -> Floats32:
    sums, counts = np.bincount(codes, rest, n), np.bincount(codes, minlength=n)
    biases: Floats32 = (sums / (shrinkage + counts)).astype(np.float32)
    return biases
