"""The k best, chosen without sorting, against sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_matrix

from equipoise.randomness import derive
from equipoise.recommenders.neighbours import (
    best_of_rows,
    choose,
    keep_largest,
    nearest,
    room_for,
    write,
)
from equipoise.recommenders.similarity import space_of


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 2**64 - 1), min_size=1, max_size=60), st.data())
def test_the_largest_stand_first(numbers, data):
    """Whatever the order, the k largest keys are the first k."""
    keys = np.array(data.draw(st.permutations(sorted(numbers))), np.uint64)
    k = data.draw(st.integers(1, len(keys)))
    wanted = np.sort(keys)[::-1][:k]

    keep_largest(keys, np.empty_like(keys), len(keys), k)

    assert sorted(keys[:k].tolist(), reverse=True) == wanted.tolist()


@pytest.mark.parametrize("k", [1, 7, 300, 5_000])
@pytest.mark.parametrize("order", ["rising", "falling", "random"])
def test_choosing_is_sorting(k, order):
    """By magnitude, then by code; below the threshold, zero, NaN and the row itself are out. Far
    more than the buffer holds, and many ties.
    """
    rng = derive(2, "test.choose")
    strengths = np.round(rng.normal(size=4_000), 2).astype(np.float32)
    strengths[5] = np.nan
    if order != "random":
        strengths = np.sort(strengths)[:: 1 if order == "rising" else -1].copy()
    codes = rng.permutation(4_000).astype(np.int32)
    wanted = (strengths >= np.float32(-1)) & (strengths != 0) & (codes != 17)
    expected = sorted(
        zip(-np.abs(strengths[wanted]), codes[wanted], strengths[wanted], strict=True)
    )[:k]
    found, values = np.empty(4_000, np.int32), np.empty(4_000, np.float32)

    keys, spare = room_for(k, 4_000)
    size = choose(codes, strengths, 4_000, 17, np.float32(-1), k, keys, spare)
    write(keys, size, found, values)

    pairs = dict(zip(found[:size].tolist(), values[:size].tolist(), strict=True))
    assert pairs == {code: strength for _, code, strength in expected}


@pytest.mark.parametrize("threads", [1, 3])
def test_nearest_is_the_best_of_all(threads):
    """Of all similarities of a row, the k largest; threads change nothing; no row has itself."""
    rng = derive(3, "test.nearest")
    rows = csr_matrix(random_matrix(90, 40, 0.1, random_state=rng), dtype=np.float32)
    space = space_of(rows, "cosine")
    whole = nearest(space, 10**9, 0.0, 1).toarray()

    few = nearest(space, 4, 0.0, threads)

    assert not whole.diagonal().any()
    for j in range(90):
        row, best = few[j], np.sort(whole[j])[::-1][:4]
        assert np.array_equal(np.sort(row.data)[::-1], best[best > 0])
        assert np.array_equal(whole[j, row.indices], row.data)


def test_a_threshold_cuts():
    """Below it nobody is a neighbour."""
    rows = csr_matrix(np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1]], np.float32))

    lists = nearest(space_of(rows, "cosine"), 5, 0.5, 1)

    assert lists.toarray().astype(bool).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_rows_are_trimmed():
    """The largest magnitudes of each row, signs kept."""
    rows = csr_matrix(np.array([[0, 0.1, -0.4, 0.3], [0.2, 0, 0, 0], [0, 0, 0, 0], [1, 2, 3, 4]]))

    kept = best_of_rows(rows.astype(np.float32), 2).toarray()

    wanted = np.array([[0, 0, -0.4, 0.3], [0.2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 3, 4]], np.float32)
    assert np.array_equal(kept, wanted)


def test_nothing_has_no_neighbours():
    """One row, or rows without entries."""
    one = csr_matrix(np.ones((1, 3), np.float32))

    assert nearest(space_of(one, "cosine"), 3, 0.0, 1).nnz == 0
    assert nearest(space_of(csr_matrix((4, 3), dtype=np.float32), "jaccard"), 3, 0.0, 2).nnz == 0
