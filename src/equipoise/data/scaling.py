"""Values on one scale: learnt on one part, put on another, and taken off again.

::

    scaling = z_score(train.value, train.user)  # each user's own mean and spread
    model.fit(train.with_values(scaling.apply(train.value, train.user)))
    ratings = scaling.undo(predicted, users)

Scaling a whole table before it is split lets the test part leak into training: learn on the
training part alone. Codes mean the same in both parts of a split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInteractions
from equipoise.types import Floats, Floats32

Groups = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Scaling:
    """``(value − shift) / factor``, one pair for all or one a group; a group that had no row, and
    any code beyond, has the pair of all rows."""

    shift: Floats
    """(G + 1,) by group, the last of all rows."""
    factor: Floats
    """(G + 1,) above 0; 1 where the values were all the same, which therefore become 0."""

    def apply(self, values: NDArray[Any], groups: Groups | None = None) -> Floats32:
        """(n,) scaled. ``groups`` (n,) codes, as learnt with."""
        at = self._places(values, groups)
        scaled: Floats32 = ((values - self.shift[at]) / self.factor[at]).astype(np.float32)
        return scaled

    def undo(self, values: NDArray[Any], groups: Groups | None = None) -> Floats32:
        """(n,) what ``apply`` was given, but for rounding; NaN stays NaN."""
        at = self._places(values, groups)
        back: Floats32 = (values * self.factor[at] + self.shift[at]).astype(np.float32)
        return back

    def _places(self, values: NDArray[Any], groups: Groups | None) -> NDArray[np.int64]:
        end = len(self.shift) - 1
        if groups is None:
            return np.full(len(values), end)
        _one_each(values, groups)
        return np.where((groups >= 0) & (groups < end), groups, end).astype(np.int64)


def min_max(values: NDArray[Any], groups: Groups | None = None) -> Scaling:
    """To 0..1: shift the lowest value, factor the range, of all rows or of each group.

    Moves by as much as one outlier does. Variance becomes variance / range².
    """
    _wanted(values)
    return _scaling(values, groups, _range)


def z_score(values: NDArray[Any], groups: Groups | None = None) -> Scaling:
    """To mean 0 and variance 1 (population): shift the mean, factor the standard deviation.

    By user it takes out both how kind somebody is and how widely they spread their ratings
    (Herlocker, Konstan, Borchers, Riedl, SIGIR 1999, section 5.3); a user of one rating, or of
    equal ones, becomes 0.
    """
    _wanted(values)
    return _scaling(values, groups, _moments)


def centred(values: NDArray[Any], groups: Groups | None = None) -> Scaling:
    """To mean 0, the spread left as it is: factor 1."""
    scaling = z_score(values, groups)
    return Scaling(scaling.shift, np.ones_like(scaling.factor))


def _scaling(values: NDArray[Any], groups: Groups | None, measure: Any) -> Scaling:
    exact = np.asarray(values, np.float64)
    shift, factor, _ = measure(exact, np.zeros(len(exact), np.int64))
    if groups is not None:
        _one_each(values, groups)
        own_shift, own_factor, counts = measure(exact, np.asarray(groups, np.int64))
        met = counts > 0
        shift = np.append(np.where(met, own_shift, shift), shift)
        factor = np.append(np.where(met, own_factor, factor), factor)
    # Less than this is what rounding leaves of a spread of nothing.
    nothing = factor <= 1e-9 * np.maximum(1.0, np.abs(shift))
    return Scaling(shift, np.where(nothing, 1.0, factor))


def _moments(values: Floats, groups: NDArray[np.int64]) -> tuple[Floats, Floats, Any]:
    counts = np.bincount(groups)
    mean = np.bincount(groups, values) / np.maximum(counts, 1)
    squares = np.bincount(groups, (values - mean[groups]) ** 2)
    return mean, np.sqrt(squares / np.maximum(counts, 1)), counts


def _range(values: Floats, groups: NDArray[np.int64]) -> tuple[Floats, Floats, Any]:
    counts = np.bincount(groups)
    low, high = np.full(len(counts), np.inf), np.full(len(counts), -np.inf)
    np.minimum.at(low, groups, values)
    np.maximum.at(high, groups, values)
    met = counts > 0
    return np.where(met, low, 0.0), np.subtract(high, low, out=np.ones_like(low), where=met), counts


def _wanted(values: NDArray[Any]) -> None:
    if not len(values) or not np.isfinite(values).all():
        raise InvalidInteractions(
            "a scale is learnt from at least one value, all of them finite; fill or drop what is"
            " missing first",
            code="values",
        )


def _one_each(values: NDArray[Any], groups: Groups) -> None:
    if len(groups) != len(values):
        raise InvalidInteractions(
            f"{len(values)} values but {len(groups)} groups; one each is wanted", code="length"
        )
