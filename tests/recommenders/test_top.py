"""The k best, against a plain sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.randomness import derive
from equipoise.recommenders.top import code_of, masked_top, pack, score_of

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


@pytest.mark.parametrize("score", [0.0, 1.5, -1.5, 3e38, -1e-45, np.inf])
def test_a_key_holds_score_and_code(score):
    """What was packed comes out again."""
    key = np.uint64(pack(np.float32([score]).view(np.uint32)[0], 77))

    assert score_of(key) == np.float32(score)
    assert code_of(key) == 77
