"""Weights: products that do not underflow, and taming that never amplifies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy import ratio, weights

WEIGHTS = np.array([0.0, 0.5, 1.0, 4.0, 400.0])
TAME = [
    (weights.clip, [0.1, 1, 10, 1e9]),
    (weights.switch, [0.1, 1, 10, 1e9]),
    (weights.shrink, [0.1, 1, 10, 1e12]),
    (weights.temper, [1, 0.5, 0.1, 0]),
]


def test_products_over_slots_stay_exact():
    """Twenty slots at 1e-20 each are 1e-400 on both sides, and their ratio is still 2^20."""
    propensity = np.full((3, 20), 1e-20)

    assert ratio(2 * propensity, propensity) == pytest.approx(np.full(3, 2.0**20), rel=1e-12)


def test_what_the_target_never_shows_weighs_nothing():
    """A zero at any slot makes the whole slate's weight 0, without a warning."""
    assert ratio(np.array([[0.0, 1.0], [0.5, 1.0]]), np.full((2, 2), 0.5)).tolist() == [0.0, 2.0]


@pytest.mark.parametrize(("tame", "parameters"), TAME)
@given(w=st.lists(st.floats(0, 1e4), min_size=1, max_size=20).map(np.array))
@settings(max_examples=30, deadline=None)
def test_taming_shrinks_towards_the_weight(tame, parameters, w):
    """ŵ ≥ 0; it only approaches w as the parameter goes to its limit, where it is w itself.

    Above 1 it never exceeds w; ``temper`` lifts weights below 1 towards 1.
    """
    steps = [tame(w, parameter) for parameter in parameters]

    for near, far in zip(steps[1:], steps, strict=False):
        assert (np.abs(w - near) <= np.abs(w - far) + 1e-9 * (1 + w)).all()
        assert (near >= 0).all()
        assert (near[w >= 1] <= w[w >= 1] * (1 + 1e-12)).all()
    assert steps[-1] == pytest.approx(w, rel=0.01 if tame is weights.shrink else 1e-12)


def test_formulas_by_hand():
    """Fractions worked out on paper."""
    assert weights.clip(WEIGHTS, 2).tolist() == [0, 0.5, 1, 2, 2]
    assert weights.switch(WEIGHTS, 4).tolist() == [0, 0.5, 1, 4, 0]
    assert weights.shrink(WEIGHTS[:4], 2) == pytest.approx([0, 4 / 9, 2 / 3, 4 / 9])
    assert weights.shrink(WEIGHTS, 0).tolist() == [0, 0, 0, 0, 0]
    assert weights.shrink(WEIGHTS, math.inf).tolist() == WEIGHTS.tolist()
    assert weights.temper(WEIGHTS[:4], 0.5) == pytest.approx([0, 2 / 3, 1, 1.6])
    assert weights.temper(WEIGHTS, 1).tolist() == [1, 1, 1, 1, 1]


def test_effective_size():
    """n equal weights are worth n rows, one alone is worth 1, none 0; scale does not matter."""
    assert weights.effective_size(np.full(50, 1e-300)) == pytest.approx(50)
    assert weights.effective_size(np.array([0.0, 3.0, 0.0])) == pytest.approx(1)
    assert weights.effective_size(np.array([1.0, 3.0])) == pytest.approx(1.6)
    assert weights.effective_size(np.zeros(4)) == 0


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: weights.clip(WEIGHTS, 0), "limit is 0; it is above 0"),
        (lambda: weights.switch(WEIGHTS, math.nan), "threshold is nan; it is above 0"),
        (lambda: weights.shrink(WEIGHTS, -1), "shrinkage is -1; it is at least 0"),
        (lambda: weights.temper(WEIGHTS, 1.5), "correction is 1.5; it lies between 0 and 1"),
    ],
)
def test_refuses(call, text):
    """A parameter outside its range is named with its range."""
    with pytest.raises(InvalidInput, match=text):
        call()
