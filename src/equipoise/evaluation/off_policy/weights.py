"""Importance weights, and the ways to tame them: each trades variance for bias.

All take and give (n,) weights w ≥ 0. A tamed ŵ is w in the limit named, and never more than a w
above 1.
"""

from __future__ import annotations

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.types import Floats


def ratio(target: Floats, propensity: Floats) -> Floats:
    """target / propensity, both (n,) or, slot by slot, (n, L): then the product over slots.

    Sums of logarithms in float64, so that twenty slots at 1e-20 each neither underflow nor lose
    digits. 0 where the target could not show it.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(target, float)) - np.log(np.asarray(propensity, float))
    weight: Floats = np.exp(logs if logs.ndim == 1 else logs.sum(axis=1))
    return weight


def clip(weight: Floats, limit: float) -> Floats:
    """min(w, limit); w as limit → ∞. Ionides, JCGS 2008."""
    _positive(limit, "limit")
    return np.minimum(weight, limit)


def switch(weight: Floats, threshold: float) -> Floats:
    """w where w ≤ threshold, else 0; w as threshold → ∞. Wang, Agarwal, Dudík, ICML 2017."""
    _positive(threshold, "threshold")
    return np.where(weight <= threshold, weight, 0.0)


def shrink(weight: Floats, shrinkage: float) -> Floats:
    """λw / (w² + λ), λ the shrinkage; 0 at λ = 0 and w as λ → ∞.

    Su, Dimakopoulou, Krishnamurthy, Dudík, ICML 2020: the weight that minimises a bound on the
    mean squared error ("optimistic" shrinkage).
    """
    if not shrinkage >= 0:
        raise InvalidInput(f"shrinkage is {shrinkage}; it is at least 0", pointer="/shrinkage")
    if np.isinf(shrinkage):
        return weight
    shrunk: Floats = np.zeros_like(weight)
    np.divide(shrinkage * weight, weight**2 + shrinkage, out=shrunk, where=weight > 0)
    return shrunk


def temper(weight: Floats, correction: float) -> Floats:
    """w / (1 − λ + λw), λ the correction; w at λ = 0, 1 at λ = 1.

    Metelli, Russo, Restelli, NeurIPS 2021: sub-Gaussian importance weights (their s = −1).
    """
    if not 0 <= correction <= 1:
        raise InvalidInput(
            f"correction is {correction}; it lies between 0 and 1", pointer="/correction"
        )
    if correction == 1:
        return np.ones_like(weight)
    tempered: Floats = weight / (1 - correction + correction * weight)
    return tempered


def effective_size(weight: Floats) -> float:
    """(Σw)² / Σw², the number of equally weighted rows that would say as much; 0 for no weight.

    Kong, Liu, Wong, JASA 1994.
    """
    largest = weight.max(initial=0.0)
    if not largest:
        return 0.0
    scaled = weight / largest
    return float(scaled.sum() ** 2 / (scaled**2).sum())


def _positive(value: float, name: str) -> None:
    if not value > 0:
        raise InvalidInput(f"{name} is {value}; it is above 0", pointer=f"/{name}")
