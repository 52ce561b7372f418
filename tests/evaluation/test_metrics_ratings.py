"""Errors of foretold numbers, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    mean_squared_error,
    root_mean_squared_error,
)

from equipoise.errors import InvalidInput
from equipoise.evaluation import metrics
from equipoise.randomness import derive


def test_by_hand():
    """Off by 0, 1 and −3: mean square 10/3, mean size 4/3; at four stars two of three agree."""
    foretold, actual = np.array([4.0, 3, 2]), np.array([4, 2, 5])

    assert metrics.mse(foretold, actual) == pytest.approx(10 / 3)
    assert metrics.rmse(foretold, actual) == pytest.approx((10 / 3) ** 0.5)
    assert metrics.mae(foretold, actual) == pytest.approx(4 / 3)
    assert metrics.accuracy(foretold >= 4, actual >= 4) == pytest.approx(2 / 3)


def test_sklearn_agrees():
    """All four, on float32 as recommenders give them."""
    rng = derive(0, "ratings")
    actual = rng.integers(1, 6, 300)
    foretold = (actual + rng.normal(size=300)).astype(np.float32)

    assert metrics.rmse(foretold, actual) == pytest.approx(
        root_mean_squared_error(actual, foretold)
    )
    assert metrics.mse(foretold, actual) == pytest.approx(mean_squared_error(actual, foretold))
    assert metrics.mae(foretold, actual) == pytest.approx(mean_absolute_error(actual, foretold))
    rounded = np.round(foretold)
    assert metrics.accuracy(rounded, actual) == accuracy_score(actual, rounded.astype(int))


def test_large_errors_weigh_more_in_rmse():
    """RMSE ≥ MAE, equal only where all errors have one size; exchanging the two changes nothing."""
    even, uneven = np.array([1.0, -1, 1, -1]), np.array([4.0, 0, 0, 0])
    nought = np.zeros(4)

    assert metrics.rmse(even, nought) == metrics.mae(even, nought) == 1
    assert metrics.rmse(uneven, nought) == 2 * metrics.mae(uneven, nought)
    assert metrics.rmse(nought, uneven) == metrics.rmse(uneven, nought)


def test_of_nothing():
    """No rows have no error; NaN is passed on."""
    none = np.empty(0)

    for metric in (metrics.mse, metrics.rmse, metrics.mae, metrics.accuracy):
        assert np.isnan(metric(none, none))
    assert np.isnan(metrics.rmse(np.array([np.nan, 1]), np.ones(2)))
    with pytest.raises(InvalidInput, match=r"foretold has shape \(2,\), actual \(1,\)"):
        metrics.mae(np.ones(2), np.ones(1))
