"""How sure a mean over users is."""

from __future__ import annotations

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.randomness import RandomState, generator
from equipoise.types import Floats

BATCH = 2_000_000
"""Draws held in memory at once."""


def bootstrap(
    values: Floats,
    *,
    confidence: float = 0.95,
    samples: int = 1_000,
    random_state: RandomState = None,
) -> tuple[float, float]:
    """(low, high) of the mean of ``values`` (U,), one a user: percentile bootstrap, users redrawn.

    Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. NaN values are left
    out; with fewer than two left the interval is (NaN, NaN). To compare two recommenders on the
    same users, give it the difference of their values. Cost ``samples`` · U.
    """
    if not 0 < confidence < 1:
        raise InvalidInput(
            f"confidence is {confidence}; it lies between 0 and 1", pointer="/confidence"
        )
    kept = values[~np.isnan(values)]
    if len(kept) < 2:
        return float("nan"), float("nan")
    rng = generator(random_state, "bootstrap")
    rows = max(1, BATCH // len(kept))
    sizes = [min(rows, samples - start) for start in range(0, samples, rows)]
    means = [kept[rng.integers(len(kept), size=(size, len(kept)))].mean(axis=1) for size in sizes]
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)
