"""Whether one recommender is better than another, or was lucky with these users.

Both answered the same users, so what counts are the differences, user by user. ``compare`` gives
their mean with a bootstrap interval and a p-value:

``sign_flip``: if neither were better, each difference could as well have had the other sign: how
often is the mean as far from 0 with signs thrown by coin? Exact for differences symmetric about 0,
no other assumption (Fisher, "The Design of Experiments", 1935; Smucker, Allan, Carterette, CIKM
2007, find it and the next best for ranking).
``paired_bootstrap``: how often is the mean of redrawn users as far from what it was as what it was
is from 0? Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 16.
``holm``: p-values of several questions, so that the chance of *any* false alarm stays below the
level, however the questions hang together (Holm, *Scand. J. Statistics* 6, 1979).

Rows of one user (or session) depend on one another: ``clusters`` (n,), any labels, keeps them
together. A p-value says nothing of whether a difference matters: look at the interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInput
from equipoise.evaluation.intervals import Interval, bootstrap
from equipoise.randomness import RandomState, generator
from equipoise.types import Floats

Labels = NDArray[Any]
BATCH = 2_000_000
"""Draws held in memory at once."""
EXACT = 12
"""Differences, other than 0, up to which all 2^n signs are tried."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ours less theirs, over the same users."""

    difference: float
    """Mean. Above 0 ours is larger: better, but for errors."""
    interval: Interval
    """Of the mean, by bootstrap over users."""
    p_value: float
    """Two-sided, by sign flips; after ``Table.against`` it is Holm's."""
    wins: int
    losses: int
    ties: int

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.difference:+.4f} [{low:+.4f}, {high:+.4f}], p {self.p_value:.4f},"
            f" {self.wins:,} up, {self.losses:,} down, {self.ties:,} alike"
        )


def compare(
    ours: Floats,
    theirs: Floats,
    clusters: Labels | None = None,
    *,
    confidence: float = 0.95,
    samples: int = 10_000,
    random_state: RandomState = None,
) -> Comparison:
    """Two recommenders' values of one metric, (n,) each, a row the same user's in both.

    Exchanging the two turns every sign and leaves p as it is. Rows where either is NaN are left
    out. Cost ``samples`` · n.

    Raises:
        InvalidInput: unlike lengths, or fewer than two rows with both values.
    """
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise InvalidInput(
            f"ours has shape {ours.shape}, theirs {theirs.shape}; the same users are wanted",
            pointer="/theirs",
        )
    differences = ours - theirs
    known = ~np.isnan(differences)
    if known.sum() < 2:
        raise InvalidInput(f"{known.sum()} users have both values; two are wanted at least")
    kept = differences[known]
    labels = None if clusters is None else np.asarray(clusters)[known]
    rng = {"samples": samples, "random_state": random_state}
    return Comparison(
        difference=float(kept.mean()),
        interval=bootstrap(kept, labels, confidence=confidence, **rng),  # type: ignore[arg-type]
        p_value=sign_flip(kept, labels, **rng),  # type: ignore[arg-type]
        wins=int((kept > 0).sum()),
        losses=int((kept < 0).sum()),
        ties=int((kept == 0).sum()),
    )


def sign_flip(
    differences: Floats,
    clusters: Labels | None = None,
    *,
    samples: int = 10_000,
    random_state: RandomState = None,
) -> float:
    """Two-sided p-value in 1 / (samples + 1) .. 1; exact where 12 clusters or fewer differ."""
    sums, _ = _by_cluster(differences, clusters)
    sums = sums[sums != 0]
    # What rounding makes of equal sums must count as equal.
    seen = abs(float(sums.sum())) - 1e-9 * float(np.abs(sums).sum())
    if len(sums) <= EXACT:
        ways = np.arange(1 << len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float((np.abs((2.0 * ways - 1.0) @ sums) >= seen).mean())
    rng = generator(random_state, "sign_flip")
    width, as_far = (len(sums) + 7) // 8, 0
    for size in _batches(samples, len(sums)):
        bits = np.frombuffer(rng.bytes(size * width), np.uint8).reshape(size, width)
        flips = np.unpackbits(bits, axis=1, count=len(sums))
        # Σ ± d = 2 Σ over the flipped − Σ d.
        as_far += int((np.abs(2 * (flips @ sums) - sums.sum()) >= seen).sum())
    return (as_far + 1) / (samples + 1)


def paired_bootstrap(
    differences: Floats,
    clusters: Labels | None = None,
    *,
    samples: int = 10_000,
    random_state: RandomState = None,
) -> float:
    """Two-sided p-value in 1 / (samples + 1) .. 1. With few users it is somewhat too small."""
    sums, sizes = _by_cluster(differences, clusters)
    mean = float(sums.sum() / sizes.sum())
    left = sums - mean * sizes
    rng = generator(random_state, "paired_bootstrap")
    as_far = 0
    for size in _batches(samples, len(sums)):
        picks = rng.integers(0, len(sums), (size, len(sums)))
        shifts = left[picks].sum(axis=1) / sizes[picks].sum(axis=1)
        as_far += int((np.abs(shifts) >= abs(mean) - 1e-12).sum())
    return (as_far + 1) / (samples + 1)


def holm(p_values: Sequence[float] | Floats) -> Floats:
    """(m,) adjusted p-values, in the order given: the j-th smallest times (m − j + 1), never below
    a smaller one's, at most 1."""
    given = np.asarray(p_values, float)
    if not ((given >= 0) & (given <= 1)).all():
        raise InvalidInput(f"p-values are {given.tolist()}; each lies in 0..1", pointer="/p_values")
    order = np.argsort(given, kind="stable")
    stepped = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _by_cluster(differences: Floats, clusters: Labels | None) -> tuple[Floats, Floats]:
    """Sum and number of rows of each cluster."""
    rows = np.asarray(differences, float)
    if not len(rows) or not np.isfinite(rows).all():
        raise InvalidInput("differences are wanted, one at least, all of them finite")
    if clusters is None:
        return rows, np.ones(len(rows))
    if len(clusters) != len(rows):
        raise InvalidInput(f"{len(rows)} differences but {len(clusters)} clusters")
    _, code = np.unique(clusters, return_inverse=True)
    return np.bincount(code, rows).astype(float), np.bincount(code).astype(float)


def _batches(samples: int, width: int) -> list[int]:
    if samples < 1:
        raise InvalidInput(f"samples is {samples}; at least 1 is wanted", pointer="/samples")
    size = max(1, BATCH // max(1, width))
    full = math.floor(samples / size)
    return [size] * full + ([samples - full * size] if samples % size else [])
