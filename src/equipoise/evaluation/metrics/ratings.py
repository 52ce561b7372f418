"""How far foretold numbers are from those that came. ``foretold`` and ``actual`` are (n,)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInput

Numbers = NDArray[Any]


def mse(foretold: Numbers, actual: Numbers) -> float:
    """Mean of (foretold − actual)². NaN for no rows; NaN in, NaN out."""
    return _mean(_errors(foretold, actual) ** 2)


def rmse(foretold: Numbers, actual: Numbers) -> float:
    """√ of ``mse``: in the ratings' own unit, large errors weighing more."""
    return math.sqrt(mse(foretold, actual))


def mae(foretold: Numbers, actual: Numbers) -> float:
    """Mean of |foretold − actual|: each error by its size."""
    return _mean(np.abs(_errors(foretold, actual)))


def accuracy(foretold: Numbers, actual: Numbers) -> float:
    """Share of rows where both say the same: labels, or ratings as ``foretold >= 4, actual >= 4``.

    Where most of one label is right by itself, so is whoever always says it: see ``ranking.f1``.
    For lists, accuracy at k is ``ranking.precision``.
    """
    _like(foretold, actual)
    return _mean((np.asarray(foretold) == np.asarray(actual)).astype(np.float64))


def _errors(foretold: Numbers, actual: Numbers) -> NDArray[np.float64]:
    _like(foretold, actual)
    return np.asarray(foretold, np.float64) - np.asarray(actual, np.float64)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _like(foretold: Numbers, actual: Numbers) -> None:
    if np.shape(foretold) != np.shape(actual) or np.ndim(foretold) != 1:
        raise InvalidInput(
            f"foretold has shape {np.shape(foretold)}, actual {np.shape(actual)}; one (n,) is"
            " wanted of both",
            pointer="/foretold",
        )
