"""What the solvers of ALS share: axes, gathering, small linear algebra, the division of work."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.randomness import derive
from equipoise.recommenders.als_axes import BLOCK, gramian, principal_axes, turn
from equipoise.recommenders.als_gather import GROUP, gather, over_entries, padded
from equipoise.recommenders.als_linear import add_products, lines, solve


def drawn(*shape):
    return derive(0, "tests.als.parts", str(shape)).normal(size=shape).astype(np.float32)


# ---------------------------------------------------------------- axes


def test_in_its_axes_the_gramian_is_diagonal():
    """Falling, equal to the spectrum, and nothing beside it; inner products stay."""
    left, right = drawn(300, 9), drawn(40, 9)
    products, (spectrum, rotation) = left @ right.T, principal_axes(left)
    turn(left, rotation)
    turn(right, rotation)

    assert np.allclose(gramian(left), np.diag(spectrum), atol=1e-3)
    assert (np.diff(spectrum) <= 0).all()
    assert np.allclose(left @ right.T, products, atol=1e-4)


def test_what_lies_in_its_axes_stays():
    """Turned twice is turned once: no axis changes its sign."""
    factors = drawn(500, 6) * np.arange(6, 0, -1, dtype=np.float32)
    turn(factors, principal_axes(factors)[1])
    once = factors.copy()
    turn(factors, principal_axes(factors)[1])

    assert np.allclose(factors, once, atol=1e-4)


def test_blocks_and_threads_make_no_difference():
    """More rows than a block: the Gramian of the whole, the same bytes on one thread and three."""
    factors = drawn(2 * BLOCK + 5, 4)

    assert np.allclose(gramian(factors), factors.T.astype(np.float64) @ factors, atol=0.05)
    assert np.array_equal(gramian(factors), gramian(factors, threads=3))


def test_small_rows_beside_large_ones_count():
    """A million times smaller, and still in the Gramian."""
    factors = np.full((3 * BLOCK, 1), 1e-3, np.float32)
    factors[0] = 1e2

    assert gramian(factors)[0, 0] - 1e4 == pytest.approx(1e-6 * (3 * BLOCK - 1), rel=0.2)


# ---------------------------------------------------------------- gathering


@pytest.mark.parametrize("n", [1, GROUP - 1, GROUP, GROUP + 1])
def test_gathering_copies_and_pads_with_zeros(n):
    """The coordinates asked for, whole groups of rows, the wider buffer's rest at zero."""
    fixed, columns = drawn(50, 10), np.arange(49, 29, -2, dtype=np.int32)
    weights = drawn(len(columns))
    vectors, coefficients = np.full((24, 8), 9, np.float32), np.full(24, 9, np.float32)
    filled = gather(fixed, 3, 5, columns, weights, 1, min(1 + n, 10), vectors, coefficients)
    n = min(n, 9)

    assert filled == padded(n)
    assert np.array_equal(vectors[:n, :5], fixed[columns[1 : 1 + n], 3:8])
    assert np.array_equal(coefficients[:n], weights[1 : 1 + n])
    assert not vectors[n:filled].any()
    assert not coefficients[n:filled].any()
    assert not vectors[:filled, 5:].any()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 1_000), max_size=60), st.integers(1, 5))
def test_every_row_is_worked_on_once(lengths, threads):
    """Ranges cover all rows, none twice, however long they are."""
    indptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    times = np.zeros(len(lengths), int)

    def kernel(start, stop):
        times[start:stop] += 1

    over_entries(kernel, indptr, threads)

    assert (times == 1).all()


# ---------------------------------------------------------------- linear algebra


@pytest.mark.parametrize("n", [1, 8, 15, 16, 17, 48, 130])
def test_products_and_solution_are_numpys(n):
    """Σ c v vᵀ and its inverse applied, for sizes around lines and groups."""
    m, vectors = lines(n), np.zeros((padded(n + 3), lines(n)), np.float32)
    vectors[: n + 3, :n] = drawn(n + 3, n)
    c = np.abs(drawn(len(vectors))) + 0.1
    left, right = np.diag(np.full(m, 5, np.float32)), drawn(m)
    add_products(left, vectors, c, len(vectors))
    whole = 5 * np.eye(m) + (vectors.T.astype(np.float64) * c) @ vectors
    expected = np.linalg.solve(whole, right)

    assert np.allclose(np.triu(left), np.triu(whole), rtol=1e-4, atol=1e-4)
    solve(left, right)
    assert np.allclose(right, expected, atol=1e-4)
