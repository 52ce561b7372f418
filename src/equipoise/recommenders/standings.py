"""Scores of any scale made comparable: how far above or below its list an item stands."""

from __future__ import annotations

import numpy as np
from numba import njit

from equipoise.types import Floats32, Positions

ROUNDING = 1e-6
"""Scores that vary by less, relative to the largest, are all the same."""


def stand(scores: Floats32, met: Positions, out: Floats32) -> None:
    """Write to ``out`` (I,) the standings of ``scores`` (I,); NaN stays NaN.

    With z = (score − mean) / standard deviation, both over the items that have a score and are not
    in ``met``: standing = sign(z) (√(1 + 2|z|) − 1). Near the mean that is z; far out, where the
    best of a list are, it grows like √(2|z|), so that one member's few very high scores do not
    silence the others. All alike: 0. O(I).
    """
    _stand(scores, met, out)


def weighted(standings: Floats32, weights: Floats32) -> Floats32:
    """(I,) Σ_m w_m · standing of ``standings`` (M, I), a missing one adding nothing, over Σ w_m of
    the members that said anything.

    NaN where no member of positive weight has the item stand anywhere. Pure: any weights of zero or
    more will do, without a new fit.
    """
    out = np.empty(standings.shape[1], np.float32)
    _weighted(standings, np.asarray(weights, np.float32), out)
    return out


@njit(cache=True, nogil=True)
def _stand(scores, met, out):  # type: ignore[no-untyped-def]
    out[:] = scores
    for code in met:
        out[code] = np.nan
    count, total, largest = 0, 0.0, 0.0
    for score in out:
        if not np.isnan(score):
            count += 1
            total += score
            largest = max(largest, abs(score))
    mean, square = total / max(count, 1), 0.0
    for score in out:
        if not np.isnan(score):
            square += (score - mean) ** 2
    spread = np.sqrt(square / max(count, 1))
    scale = 1 / spread if spread > ROUNDING * largest else 0.0
    for j in range(len(out)):
        z = (scores[j] - mean) * scale
        out[j] = np.sign(z) * (np.sqrt(1 + 2 * abs(z)) - 1)


@njit(cache=True, nogil=True)
def _weighted(standings, weights, out):  # type: ignore[no-untyped-def]
    out[:] = np.nan
    speaking = np.float32(0)
    for m in range(len(weights)):
        if weights[m] > 0:
            said = False
            for j in range(len(out)):
                standing = standings[m, j]
                if not np.isnan(standing):
                    said = True
                    add = weights[m] * standing
                    out[j] = add if np.isnan(out[j]) else out[j] + add
            speaking += weights[m] if said else np.float32(0)
    if speaking > 0:
        for j in range(len(out)):
            out[j] /= speaking
