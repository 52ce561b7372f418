"""How sure a mean is, or a ratio of means: intervals from one value a row.

A row is whatever the estimate averages: a user's recall, a decision's ``w · r`` (IPS). Rows of one
shopper depend on one another, so the first four functions take ``clusters`` (n,), any labels: rows
of a cluster are summed first, and only clusters count as independent. With ``denominator`` (n,)
the estimate is ``Σ terms / Σ denominator`` in place of the mean: for SNIPS, terms ``w r`` and
denominator ``w``. Rows that are NaN in ``terms`` are left out; with fewer than two clusters left,
nothing can be said, and the interval is (NaN, NaN).

``hall``: the default for off-policy values. Corrected for skewness, no luck in it.
``bootstrap_t``: the same by resampling; its upper end can be infinite.
``student``: the normal interval; too low where few rows carry the sum.
``bootstrap``: percentiles; for metrics over users. As ``student``, it needs many rows alike.
``empirical_bernstein``: at least its rate, always, for independent rows of known range; wide.
``adaptive``: for logs whose policy was learning.

``python -m benchmarks exploration coverage`` measures how often each holds the truth. None of them
may be looked at again and again while a log grows: see ``off_policy/sequences.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from equipoise.errors import InvalidInput
from equipoise.randomness import RandomState, generator
from equipoise.types import Floats

BATCH = 2_000_000
"""Draws held in memory at once."""


class Interval(NamedTuple):
    """Low and high end. NaN where nothing can be said, infinite where nothing bounds it."""

    low: float
    high: float


UNKNOWN = Interval(math.nan, math.nan)


def hall(
    terms: Floats,
    clusters: NDArray[Any] | None = None,
    *,
    denominator: Floats | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Student's interval after Hall's cubic, which takes the skewness out of the t statistic.

    With γ the skewness of the clusters' residuals, G their number and g = γ / √G,
    ``y = t + g t²/3 + g² t³/27 + g/6`` is closer to normal than t, and grows with t, so that it
    can be turned back: the interval is ``estimate − t(±z) · standard error``. Importance weights
    are skewed to the right: the interval then reaches further up than down, which is where the
    truth is when the log happens to lack the heavy rows.

    Hall, "On the Removal of Skewness by Transformation", *JRSS B* 54 (1992). z is Student's
    quantile with G − 1 degrees. Closed form: cost n.
    """
    alpha = _alpha(confidence)
    sums = _sums(terms, clusters, denominator)
    if len(sums.left) < 2:
        return UNKNOWN
    z = float(stdtrit(len(sums.left) - 1, 1 - alpha / 2))
    up, down = _turned_back(z, sums.skewness), _turned_back(-z, sums.skewness)
    return Interval(sums.ratio - up * sums.error, sums.ratio - down * sums.error)


def student(
    terms: Floats,
    clusters: NDArray[Any] | None = None,
    *,
    denominator: Floats | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Estimate ± Student's quantile · standard error over clusters; for many, the normal interval.

    The standard error of a ratio is that of its residuals, ``Σ terms − ratio · Σ denominator`` a
    cluster (the delta method; Cochran, "Sampling Techniques", 1977, chapter 6). Cost n.
    """
    alpha = _alpha(confidence)
    sums = _sums(terms, clusters, denominator)
    if len(sums.left) < 2:
        return UNKNOWN
    reach = float(stdtrit(len(sums.left) - 1, 1 - alpha / 2)) * sums.error
    return Interval(sums.ratio - reach, sums.ratio + reach)


def bootstrap_t(
    terms: Floats,
    clusters: NDArray[Any] | None = None,
    *,
    denominator: Floats | None = None,
    confidence: float = 0.95,
    samples: int = 1_000,
    random_state: RandomState = None,
) -> Interval:
    """Studentised bootstrap: clusters redrawn whole, each estimate in its own standard error.

    Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, section 12.5; second-order right on
    both sides (Hall, "The Bootstrap and Edgeworth Expansion", 1992, chapter 3). Where the log has
    so few rewards that redrawn logs have none, the upper end is infinite. Cost ``samples`` ·
    clusters.
    """
    alpha = _alpha(confidence)
    sums = _sums(terms, clusters, denominator)
    if len(sums.left) < 2:
        return UNKNOWN
    if sums.error == 0:
        return Interval(sums.ratio, sums.ratio)
    shift, error = _redrawn(sums, samples, random_state)
    with np.errstate(divide="ignore"):
        t = np.divide(shift, error, out=np.zeros(len(shift)), where=shift != 0)
    # Not interpolated: between a finite t and an infinite one there is nothing.
    low, high = np.quantile(t, [alpha / 2, 1 - alpha / 2], method="inverted_cdf")
    return Interval(sums.ratio - float(high) * sums.error, sums.ratio - float(low) * sums.error)


def bootstrap(
    values: Floats,
    clusters: NDArray[Any] | None = None,
    *,
    denominator: Floats | None = None,
    confidence: float = 0.95,
    samples: int = 1_000,
    random_state: RandomState = None,
) -> Interval:
    """Percentile bootstrap: between which estimates ``confidence`` of redrawn logs lie.

    Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. To compare two
    recommenders on the same users, give it the difference of their values. Cost ``samples`` ·
    clusters.
    """
    alpha = _alpha(confidence)
    sums = _sums(values, clusters, denominator)
    if len(sums.left) < 2:
        return UNKNOWN
    shift, _ = _redrawn(sums, samples, random_state)
    low, high = np.quantile(shift, [alpha / 2, 1 - alpha / 2])
    return Interval(sums.ratio + float(low), sums.ratio + float(high))


def empirical_bernstein(
    terms: Floats, *, low: float, high: float, confidence: float = 0.95
) -> Interval:
    """Mean ± ``√(2 V ln(2/δ) / n) + 7 R ln(2/δ) / (3 (n − 1))``, δ = (1 − confidence) / 2 a side.

    ``terms`` (n,) are independent and lie in [low, high], R = high − low, V their variance (n − 1).
    For w · r, ``high`` is the largest weight that *could* occur times the largest reward, not the
    largest that did. With several rows a shopper, give one value a shopper. It holds at every n,
    for every distribution in the range. Maurer, Pontil, COLT 2009, theorem 4.

    Raises:
        InvalidInput: a term outside [low, high].
    """
    bound = math.log(4 / _alpha(confidence))
    if np.isnan(terms).any() or (len(terms) and not low <= terms.min() <= terms.max() <= high):
        raise InvalidInput(
            f"terms go from {terms.min()} to {terms.max()}; the range given is {low} to {high}",
            pointer="/terms",
        )
    n = len(terms)
    if n < 2:
        return UNKNOWN
    reach = math.sqrt(2 * terms.var(ddof=1) * bound / n) + 7 * (high - low) * bound / (3 * (n - 1))
    return Interval(float(terms.mean() - reach), float(terms.mean() + reach))


def adaptive(terms: Floats, weights: Floats, *, confidence: float = 0.95) -> tuple[float, Interval]:
    """Estimate and interval from a log whose policy was learning as it wrote: ``Σ h Γ / Σ h``.

    ``terms`` (n,) in the order of the log: Γ_t = Σ_a π(a) q̂(a) + w (r − q̂(action)), q̂ from earlier
    rows only; q̂ = 0 gives w r. They are unbiased, but their variance follows what the policy
    learnt, so that their plain mean is not normal. ``weights`` (n,): h_t, which must be known
    *before* row t, and should be in proportion to 1 / the standard deviation of Γ_t given the past.
    For the value of one arm that is ``√e_t``, e_t its propensity (constant allocation); for a
    policy π, ``(mean of Σ_a π²/e_t over earlier contexts)^−½``.

    Error: ``√(Σ h² (Γ − estimate)²) / Σ h``; normal quantiles. Hadad, Hirshberg, Zhan, Wager,
    Athey, *PNAS* 118 (2021); contextual: Zhan, Hadad, Hirshberg, Athey, KDD 2021.

    Raises:
        InvalidInput: weights of another shape, below 0, or all 0.
    """
    alpha = _alpha(confidence)
    if weights.shape != terms.shape or not (weights >= 0).all() or not weights.any():
        raise InvalidInput(
            f"adaptive weights of shape {weights.shape} for {len(terms)} terms: they must be one a"
            " term, 0 or more, and not all 0",
            pointer="/weights",
        )
    estimate = float(weights @ terms / weights.sum())
    spread = math.sqrt(float((weights**2) @ (terms - estimate) ** 2)) / float(weights.sum())
    reach = float(ndtri(1 - alpha / 2)) * spread
    return estimate, Interval(estimate - reach, estimate + reach)


@dataclass(frozen=True, slots=True)
class _Sums:
    """An estimate and what its clusters leave unexplained."""

    ratio: float
    left: Floats
    """(G,) Σ terms − ratio · Σ denominator of each cluster: they sum to 0."""
    bottom: Floats
    """(G,) Σ denominator of each cluster."""

    @property
    def error(self) -> float:
        """Standard error of the ratio."""
        n = len(self.left)
        return math.sqrt(float(self.left @ self.left) * n / (n - 1)) / float(self.bottom.sum())

    @property
    def skewness(self) -> float:
        """γ / √G of the residuals; 0 where they are all 0."""
        square = float(self.left @ self.left)
        return float((self.left**3).sum()) / square**1.5 if square > 0 else 0.0


def _sums(terms: Floats, clusters: NDArray[Any] | None, denominator: Floats | None) -> _Sums:
    top = np.asarray(terms, dtype=float)
    bottom = np.ones(len(top)) if denominator is None else np.asarray(denominator, dtype=float)
    labels = np.arange(len(top)) if clusters is None else np.asarray(clusters)
    for name, other in (("denominator", bottom), ("clusters", labels)):
        if other.shape != top.shape:
            raise InvalidInput(
                f"{name} has shape {other.shape}; the terms have {top.shape}", pointer=f"/{name}"
            )
    kept = ~np.isnan(top)
    top, bottom = top[kept], bottom[kept]
    if clusters is not None:
        _, code = np.unique(labels[kept], return_inverse=True)
        top, bottom = (np.bincount(code, part).astype(float) for part in (top, bottom))
    if not len(top):
        return _Sums(math.nan, top, bottom)
    if not (np.isfinite(top).all() and bottom.min() >= 0 and bottom.sum() > 0):
        raise InvalidInput(
            "an interval needs finite terms, and a denominator of 0 or more that is not all 0",
            pointer="/terms",
        )
    ratio = float(top.sum() / bottom.sum())
    return _Sums(ratio, top - ratio * bottom, bottom)


def _turned_back(y: float, skewness: float) -> float:
    """The t that Hall's cubic takes to ``y``."""
    # Towards no skewness the cubic is the identity, and its inverse divides nothing by nothing.
    if abs(skewness) < 1e-8:
        return y
    return float(3 / skewness * (np.cbrt(1 + skewness * (y - skewness / 6)) - 1))


def _redrawn(sums: _Sums, samples: int, random_state: RandomState) -> tuple[Floats, Floats]:
    """(samples,) each: by how much a redrawn estimate is off, and its own standard error."""
    rng = generator(random_state, "bootstrap")
    n = len(sums.left)
    rows = max(1, BATCH // n)
    sizes = [min(rows, samples - start) for start in range(0, samples, rows)]
    drawn = [_moments(rng.integers(n, size=(s, n)), sums.left, sums.bottom) for s in sizes]
    left, bottom, square, cross, weight = np.concatenate(drawn).T
    # A ratio can be redrawn without any weight: it then says nothing, and stays where it was.
    safe = np.where(bottom > 0, bottom, 1.0)
    shift = np.where(bottom > 0, left / safe, 0.0)
    spread = square - 2 * shift * cross + shift**2 * weight
    # Where every redrawn cluster is alike, what the differences leave is rounding.
    spread[spread <= 1e-12 * square] = 0.0
    return shift, np.sqrt(spread * n / (n - 1)) / safe


@njit(cache=True, nogil=True)
def _moments(
    picks: NDArray[np.int64], left: Floats, bottom: Floats
) -> Floats:  # pragma: no cover - compiled
    """(samples, 5) sums over the picked clusters: left, bottom, left², left · bottom, bottom²."""
    sums = np.zeros((len(picks), 5))
    for sample in range(len(picks)):
        for pick in picks[sample]:
            x, y = left[pick], bottom[pick]
            sums[sample, 0] += x
            sums[sample, 1] += y
            sums[sample, 2] += x * x
            sums[sample, 3] += x * y
            sums[sample, 4] += y * y
    return sums


def _alpha(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise InvalidInput(
            f"confidence is {confidence}; it lies between 0 and 1", pointer="/confidence"
        )
    return 1 - confidence
