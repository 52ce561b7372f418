"""Truncated singular value decomposition: the best matrix of a given rank, all zeros meant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np

from equipoise.data import Interactions
from equipoise.randomness import RandomState, generator
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.recommenders.gramian import shorter_histories_first
from equipoise.recommenders.inner_product import RECALL_WANTED, InnerProducts
from equipoise.recommenders.svd import leading
from equipoise.types import Bools, Floats32, Item, Positions


class PureSVD(Recommender):
    """Score of item j = x V · v_j, the history x projected on the ``factors`` leading right
    singular vectors V of the matrix of users and items.

    Cremonesi, Koren, Turrin, "Performance of Recommender Algorithms on Top-N Recommendation Tasks",
    RecSys 2010. The matrix is 0/1, or with ``use_values`` of summed values; what was not met is a
    zero like any other. ``history_discount`` weighs users as in ``EASE``; 0 is the paper's.

    The same ``random_state`` gives the same factors on any number of ``threads``. An empty history
    scores NaN throughout, and so gets an empty list; items never met score 0.

    Fit: ``svd.leading``, with M some three to five times ``factors``: 4·nnz·M + 4·I·M² operations
    and I·M numbers; kept are I·d floats and I·(d/2 + 8) bytes. A score costs h·d to project and
    I·d; the search for the best is exact and skips most items, and with a ``recall`` such as .99
    skips more and finds that share (``InnerProducts``).
    """

    name = "pure_svd"
    learned = ("item_factors",)

    item_factors_: Floats32
    """(I, d) orthonormal columns, d the smaller of ``factors`` and the rank."""

    def __init__(
        self,
        *,
        factors: int = 64,
        history_discount: float = 0.0,
        use_values: bool = False,
        recall: float | None = None,
        random_state: RandomState = None,
        threads: int = 1,
    ) -> None:
        self.factors = factors
        self.history_discount = history_discount
        self.use_values = use_values
        self.recall = recall
        self.random_state = random_state
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self.require("factors", self.factors >= 1, "at least one")
        self.require("history_discount", 0 <= self.history_discount <= 1, "a number from 0 to 1")
        self.require("recall", InnerProducts.can_find(self.recall), RECALL_WANTED)
        users = shorter_histories_first(seen(interactions, self.use_values), self.history_discount)
        rng = generator(self.random_state, "pure_svd")
        self.item_ids_ = interactions.item_ids
        _, vectors = leading(users, self.factors, rng, threads=self.threads)
        # Where nothing was met there is no direction; the search wants one.
        self.item_factors_ = (
            vectors if vectors.shape[1] else np.zeros((len(vectors), 1), np.float32)
        )
        self.prepare()
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        if not len(codes):
            return np.full(len(self.item_ids_), np.nan, np.float32)
        return self._search.scores(self._project(codes, weights))

    def top_codes(
        self, codes: Positions, weights: Floats32 | None, allowed: Bools, k: int
    ) -> tuple[Positions, Floats32]:
        return self._search.top(self._project(codes, weights), allowed, k if len(codes) else 0)

    def prepare(self) -> None:
        self._search = InnerProducts.of(self.item_factors_, recall=self.recall)

    def _project(self, codes: Positions, weights: Floats32 | None) -> Floats32:
        vector: Floats32 = ones_unless(weights, codes) @ self.item_factors_[codes]
        return vector
