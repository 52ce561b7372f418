"""Estimates: values, differences and intervals that hold what they say."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy import Estimate, difference, dr, snips
from equipoise.randomness import derive


def _estimate(terms, name="one", cluster=None):
    return Estimate(name, np.asarray(terms, float), True, cluster)


def test_student_by_hand():
    """Four terms 1, 2, 3, 4: mean 2.5, error √(5/3)/2, quantile 3.182446 with 3 degrees."""
    low, high = _estimate([1, 2, 3, 4]).interval(0.95)

    assert low == pytest.approx(2.5 - 3.182446 * np.sqrt(5 / 3) / 2, abs=1e-6)
    assert high == pytest.approx(5 - low)
    assert str(_estimate([1, 2, 3, 4])) == "one 2.5 (0.44574 … 4.55426)"


def test_one_cluster_has_no_interval():
    """Rows of a single shopper allow no statement about shoppers."""
    low, high = _estimate([1, 2, 3], cluster=np.zeros(3, dtype=np.int64)).interval()

    assert np.isnan([low, high]).all()


def test_what_is_shared_cancels(world):
    """The error of a difference of two estimates on the same rows is less than either's."""
    logged = world.log(3_000, 0, q=np.full((3, 6), 0.3))
    gap = difference(dr(logged), snips(logged))

    assert gap.value == pytest.approx(dr(logged).value - snips(logged).value)
    assert gap.error < 0.5 * min(dr(logged).error, snips(logged).error)
    assert not gap.exact


def test_covers_with_dependent_rows():
    """Of 400 logs of 150 shoppers with five like rows each, 380 ± 20 intervals hold the truth."""
    held = 0
    shopper = np.repeat(np.arange(150), 5)
    for seed in range(400):
        rng = derive(seed, "test")
        terms = rng.normal(1.0, 1.0, 150)[shopper] + rng.normal(0.0, 0.2, 750)
        low, high = _estimate(terms, cluster=shopper).interval(0.95)
        held += low <= 1.0 <= high

    assert 360 <= held <= 400


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: _estimate([1, 2]).interval(95), "confidence is 95; it lies between 0 and 1"),
        (
            lambda: difference(_estimate([1, 2]), _estimate([1], "other")),
            "one stands on 2 rows and other on 1; a difference needs the same rows",
        ),
    ],
)
def test_refuses(call, text):
    """What was wrong, and what would be right."""
    with pytest.raises(InvalidInput, match=text):
        call()
