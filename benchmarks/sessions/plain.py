"""V-SKNN as its paper tells it, in dictionaries and sets: what a reader would write first.

Shares nothing with the package, so that it can be wrong in other ways than ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray


class PlainVSKNN:
    """k 500 of the 5,000 newest, quadratic, dot, div, IDF 10."""

    k, sample, idf = 500, 5_000, 10.0

    def __init__(self, sessions: Sequence[Sequence[Hashable]]) -> None:
        """``sessions`` stand oldest first."""
        self.met = [set(session) for session in sessions]
        self.holding: dict[Hashable, list[int]] = defaultdict(list)
        for number, items in enumerate(self.met):
            for item in items:
                self.holding[item].append(number)

    def scores(self, history: Sequence[Hashable]) -> dict[Hashable, float]:
        length = len(history)
        weight = {item: (at / length) ** 2 for at, item in enumerate(history, start=1)}
        found = {number for item in weight for number in self.holding[item]}
        recent = sorted(found, reverse=True)[: self.sample]
        alike = {n: sum(w for i, w in weight.items() if i in self.met[n]) / length for n in recent}
        scores: dict[Hashable, float] = defaultdict(float)
        for number in sorted(recent, key=lambda n: -alike[n])[: self.k]:
            items = self.met[number]
            step = next(s for s, i in enumerate(reversed(history), start=1) if i in items)
            for item in items:
                rarity = log(len(self.met) / len(self.holding[item]))
                scores[item] += alike[number] / step * (1 + self.idf * rarity)
        return scores

    def recommend_batch(
        self, histories: Sequence[Sequence[Hashable]], n: int, *, repeats: bool = True
    ) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        """As ours; ``repeats`` are always allowed."""
        ids = np.full((len(histories), n), None, dtype=object)
        values = np.full((len(histories), n), np.nan, np.float32)
        for row, history in enumerate(histories):
            # Sorted by item first, so that ties go the same way as ours.
            scores = sorted(self.scores(history).items(), key=lambda pair: str(pair[0]).zfill(12))
            best = sorted(scores, key=lambda pair: -pair[1])[:n]
            for place, (item, score) in enumerate(best):
                ids[row, place], values[row, place] = item, score
        return ids, values
