"""A recommender in one file. Copy it to ``src/equipoise/recommenders/``, rename, change, and add
the class to ``ALL`` in ``recommenders/__init__.py``. The rest follows: ``docs/recommenders.md``.

It runs as it stands: ``python docs/skeletons/recommender.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np

from equipoise.data import Interactions
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.types import Floats32, Item, Positions


class Together(Recommender):
    """Score of item j = Σ over the history of P(j | i), the share of those who met i that met j.

    Conditional probability: Deshpande and Karypis, "Item-based top-N recommendation algorithms",
    TOIS 2004, with ``shrinkage`` added to the count of those who met i.

    An empty history scores NaN, and so gets an empty list. Fit Σ over users of (history length)²; a
    score costs h·I; memory (I, I) float32, so for some thousand items at most.
    """

    name = "together"
    learned = ("shares",)  # what arrays() stores: the attribute shares_

    shares_: Floats32
    """(I, I), row i: P(j | i), 0 on the diagonal."""

    def __init__(self, *, shrinkage: float = 10.0, use_values: bool = False) -> None:
        self.shrinkage = shrinkage  # keywords are kept as given, and checked in fit
        self.use_values = use_values

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a negative shrinkage."""
        self.require("shrinkage", self.shrinkage >= 0, "zero or more")
        users = seen(interactions, self.use_values)
        both = (users.T @ users).toarray()
        self.shares_ = both / np.maximum(np.diag(both)[:, None] + np.float32(self.shrinkage), 1e-9)
        np.fill_diagonal(self.shares_, 0)
        self.item_ids_ = interactions.item_ids
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        if not len(codes):
            return np.full(len(self.item_ids_), np.nan, np.float32)
        return ones_unless(weights, codes) @ self.shares_[codes]


if __name__ == "__main__":
    from equipoise.testing.recommenders import check_recommender

    check_recommender(lambda: Together(shrinkage=1.0))

    basket = Interactions.from_columns(
        users=["ann", "ann", "bob", "bob", "cy", "cy"],
        items=["tea", "milk", "tea", "milk", "milk", "bread"],
    )
    ids, scores = Together(shrinkage=0.0).fit(basket).recommend(["tea"], n=2)
    print(dict(zip(ids.tolist(), scores.tolist(), strict=True)))
