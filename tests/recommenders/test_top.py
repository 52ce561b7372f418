"""The k best, against a plain sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.randomness import derive
from equipoise.recommenders.inner_product import InnerProducts
from equipoise.recommenders.top import masked_top

SCORES = st.lists(st.sampled_from([0.0, -0.0, 1.0, -3.5, 1e30, np.inf, np.nan]), max_size=200)


def by_sorting(scores, allowed, k):
    """Reference: highest first, ties by code, NaN and -inf never."""
    open_ = np.flatnonzero(allowed & (scores > -np.inf))
    return open_[np.argsort(-scores[open_], kind="stable")][:k]


@settings(derandomize=True, max_examples=80, deadline=None)
@given(SCORES, st.integers(0, 250), st.integers(0, 9))
def test_top_is_sorting(values, k, seed):
    """Equal to a stable sort under any mask, ties, infinities and NaN included."""
    scores = np.array(values, np.float32)
    allowed = derive(seed, "test").random(len(scores)) < 0.8

    codes, best = masked_top(scores, allowed, k)

    assert codes.tolist() == by_sorting(scores, allowed, k).tolist()
    assert np.array_equal(best, scores[codes])
    assert codes.dtype == np.int32
    assert best.dtype == np.float32


def test_top_skips_blocks_and_finds_the_last():
    """A best item at the very end, behind blocks that hold none, is found."""
    scores = np.arange(1_000, dtype=np.float32)[::-1].copy()
    scores[-1] = 5_000

    codes, _ = masked_top(scores, np.ones(1_000, np.bool_), 3)

    assert codes.tolist() == [999, 0, 1]


@pytest.mark.parametrize("items", [1, 63, 64, 65, 700])
@pytest.mark.parametrize("d", [1, 7, 32, 50])
def test_inner_products_prune_without_a_trace(items, d):
    """The pruned scan answers, bit for bit, what sorting all products answers."""
    rng = derive(items, "test", str(d))
    uneven = np.exp(rng.normal(0, 1, (items, 1))) * np.linspace(2, 0.1, d)
    factors = (rng.normal(0, 1, (items, d)) * uneven).astype(np.float32)
    index = InnerProducts.of(factors)
    allowed = rng.random(items) < 0.7
    for _ in range(5):
        vector = rng.normal(0, 1, d).astype(np.float32)
        scores = index.scores(vector)

        codes, best = index.top(vector, allowed, 20)

        assert np.allclose(scores, factors @ vector, atol=1e-4 * np.abs(scores).max())
        assert codes.tolist() == by_sorting(scores, allowed, 20).tolist()
        assert np.array_equal(best, scores[codes])


def test_inner_products_of_ties_and_zero():
    """Equal vectors tie by code; the zero vector ranks by code alone; k may be 0."""
    index = InnerProducts.of(np.tile(np.float32([1, 2, 3]), (100, 1)))
    open_ = np.ones(100, np.bool_)

    assert index.top(np.float32([1, 1, 1]), open_, 4)[0].tolist() == [0, 1, 2, 3]
    assert index.top(np.zeros(3, np.float32), open_, 3)[0].tolist() == [0, 1, 2]
    assert len(index.top(np.zeros(3, np.float32), open_, 0)[0]) == 0
