"""How much a mean of dependent rows varies: rows of one shopper move together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.types import Floats


def standard_error(terms: Floats, cluster: NDArray[np.int64] | None) -> float:
    """Standard error of the mean of ``terms`` (n,); infinite for a single cluster.

    Sums of deviations by cluster, √(G/(G−1) Σ_g d_g²) / n for G clusters (Liang, Zeger, Biometrika
    1986); without clusters every row is its own, and this is s/√n. ``cluster`` (n,) codes from 0.
    """
    off = terms - terms.mean()
    sums = off if cluster is None else np.bincount(cluster, weights=off)
    groups = len(sums)
    if groups < 2:
        return float("inf")
    return float(np.sqrt(groups / (groups - 1) * (sums @ sums)) / len(terms))
