"""Bootstrap intervals: they hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.evaluation import bootstrap
from equipoise.randomness import derive


def test_close_to_the_normal_interval():
    """For many users the interval is the mean ± 1.96 standard errors."""
    values = derive(0, "test").random(4_000)
    error = values.std() / np.sqrt(len(values))

    low, high = bootstrap(values, samples=2_000)

    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_covers_the_truth_as_often_as_said():
    """90 % intervals of 300 samples hold the true mean 270 times, give or take four deviations."""
    rng = derive(1, "test")
    held = 0
    for _ in range(300):
        low, high = bootstrap(rng.random(60), confidence=0.9, samples=200, random_state=rng)
        held += low <= 0.5 <= high

    assert abs(held - 270) < 4 * np.sqrt(300 * 0.9 * 0.1) + 5


def test_seed_decides():
    """Same seed, same interval; NaN users are left out; one user says nothing."""
    values = np.array([0.0, 1, 1, 0, np.nan])

    assert bootstrap(values, random_state=3) == bootstrap(values[:4], random_state=3)
    assert np.isnan(bootstrap(values[3:])).all()
    assert bootstrap(np.ones(5)) == (1, 1)


def test_refuses_certainty():
    """A confidence of 1 or 95 is no confidence."""
    with pytest.raises(InvalidInput, match="confidence is 95; it lies between 0 and 1"):
        bootstrap(np.ones(5), confidence=95)
