"""What any recommender must beat: where people buy the same again, and where they rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.types import Floats32


class PersonalFrequency:
    """Each customer's own most frequent items, the newer first among equals, then the most popular.

    GP-TopFreq of Li, Jullien, Ariannezhad, de Rijke, "A Next Basket Recommendation Reality Check",
    TOIS 2023. Without ``repeats`` only popularity is left of it. Scores say the order and no more:
    from n down to 1. Fit O(nnz), a list O(history + n).
    """

    name = "personal_frequency"

    popular_: list[Any]
    """Item ids, the most frequent first."""

    def fit(self, interactions: Interactions) -> Self:
        counts = np.bincount(interactions.item, minlength=interactions.n_items)
        order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
        self.popular_ = interactions.item_ids[order].tolist()
        return self

    def recommend_batch(
        self, histories: Sequence[Sequence[Hashable]], n: int = 20, *, repeats: bool = False
    ) -> tuple[NDArray[np.object_], Floats32]:
        """Two arrays (B, n), as ``Recommender.recommend_batch`` gives; unknown ids count too."""
        ids = np.full((len(histories), n), None, dtype=object)
        scores = np.full((len(histories), n), np.nan, np.float32)
        for row, history in enumerate(histories):
            chosen = self._list(history, n, repeats)
            ids[row, : len(chosen)] = chosen
            scores[row, : len(chosen)] = np.arange(n, n - len(chosen), -1)
        return ids, scores

    def _list(self, history: Sequence[Hashable], n: int, repeats: bool) -> list[Any]:
        # Counted from the newest, so that a stable sort leaves the newer first.
        counts = Counter(reversed(history))
        own = [id_ for id_, _ in counts.most_common(n)] if repeats else []
        return own + _first(self.popular_, n - len(own), counts)


class MeanRating:
    """The mean of all training ratings, for every pair: the error that knowing nothing leaves."""

    name = "mean_rating"

    mean_: float

    def fit(self, interactions: Interactions) -> Self:
        self.mean_ = float(interactions.value.mean(dtype=np.float64)) if len(interactions) else 0.0
        return self

    def predict_pairs(self, users: Sequence[Hashable], items: Sequence[Hashable]) -> Floats32:
        """(n,) the mean."""
        return np.full(len(users), self.mean_, np.float32)


def _first(ids: Iterable[Any], n: int, but: Counter[Hashable]) -> list[Any]:
    chosen: list[Any] = []
    for id_ in ids:
        if len(chosen) >= n:
            break
        if id_ not in but:
            chosen.append(id_)
    return chosen
