"""What most people take, lately: the baseline that every other method has to beat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInteractions
from equipoise.recommenders.base import Recommender
from equipoise.types import Floats, Floats32, Item, Positions


class Popularity(Recommender):
    """Score = the interactions with an item, each worth half as much ``half_life_days`` later.

    The same for every history, so an empty one is answered too. Without ``half_life_days`` age does
    not matter ("TopPop"). ``use_values`` counts each interaction's value instead of 1.

    Ages are taken from the newest interaction. Fit O(nnz); a score copies I floats; memory I
    floats.
    """

    name = "popularity"
    learned = ("counts",)

    counts_: Floats32
    """(I,) decayed interactions of each item, 0 where there were none."""

    def __init__(self, *, half_life_days: float | None = None, use_values: bool = False) -> None:
        self.half_life_days = half_life_days
        self.use_values = use_values

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInteractions where decay is wanted and there are no timestamps."""
        worth = self._decay(interactions)
        if self.use_values:
            worth = worth * interactions.value
        self.item_ids_ = interactions.item_ids
        counts = np.bincount(interactions.item, worth, minlength=len(self.item_ids_))
        self.counts_ = counts.astype(np.float32)
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        return self.counts_.copy()

    def _decay(self, interactions: Interactions) -> Floats:
        if self.half_life_days is None:
            return np.ones(len(interactions))
        self.require("half_life_days", self.half_life_days > 0, "a positive number of days")
        if interactions.timestamp is None:
            raise InvalidInteractions(
                "Popularity(half_life_days=…) needs timestamps, and these interactions have none",
                pointer="/timestamp",
            )
        age = interactions.timestamp.max(initial=0) - interactions.timestamp
        decay: Floats = np.exp2(-age / (self.half_life_days * DAY))
        return decay
