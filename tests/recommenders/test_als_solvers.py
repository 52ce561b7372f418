"""The half-steps of ALS by themselves: cg, exact and blocks against dense algebra in float64."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random

from equipoise.randomness import derive
from equipoise.recommenders.als_blocks import blocks
from equipoise.recommenders.als_cg import conjugate_gradient
from equipoise.recommenders.als_exact import exact

SOLVERS = {
    "cg": (conjugate_gradient, (60,)),
    "exact": (exact, ()),
    "one block": (blocks, (10_000,)),
}


def problem(lengths, d, columns=200):
    """(lists, fixed, diagonal, ridge): rows of these lengths, all numbers random."""
    rng = derive(0, "tests.als", f"{len(lengths)} {d}")
    fixed = rng.normal(size=(columns, d)).astype(np.float32)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    rows = [np.sort(rng.permutation(columns)[:n]) for n in lengths]
    codes = np.concatenate(rows).astype(np.int32)
    weights = rng.uniform(0.2, 3, len(codes)).astype(np.float32)
    ridge = rng.uniform(0.5, 2, len(lengths)).astype(np.float32)
    return (indptr, codes, weights), fixed, rng.uniform(1, 9, d).astype(np.float32), ridge


def dense(lists, fixed, diagonal, ridge):
    """The solutions of (D + Σ c h hᵀ) x = Σ c h, row by row."""
    indptr, codes, weights = lists
    out = np.zeros((len(ridge), fixed.shape[1]))
    for row in range(len(ridge)):
        mine = slice(indptr[row], indptr[row + 1])
        h, c = fixed[codes[mine]].astype(np.float64), weights[mine].astype(np.float64)
        left = np.diag(diagonal.astype(np.float64) + ridge[row]) + (h.T * c) @ h
        out[row] = np.linalg.solve(left, h.T @ c)
    return out


def moved(solver, given, start=None):
    """What a solver makes of ``start``, by default zero."""
    kernel, more = solver
    rows, d = len(given[3]), given[1].shape[1]
    moving = np.zeros((rows, d), np.float32) if start is None else start.copy()
    kernel(0, rows, *given, moving, *more)
    return moving


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("d", [1, 5, 16, 23, 64])
def test_the_solution_is_the_dense_one(solver, d):
    """Rows shorter and longer than d, of all lengths around the padding: float32's solution."""
    given = problem([1, 2, 7, 8, 9, 15, 16, 17, d, d + 1, 150], d)

    assert np.allclose(moved(SOLVERS[solver], given), dense(*given), atol=2e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_where_a_row_starts_does_not_decide_where_it_ends(solver):
    """From anywhere to the same solution."""
    given = problem([3, 40, 80], 12)
    start = derive(1, "tests.als").normal(size=(3, 12)).astype(np.float32)

    assert np.allclose(moved(SOLVERS[solver], given, start), dense(*given), atol=2e-4)


@pytest.mark.parametrize("size", [1, 3, 8, 13])
def test_blocks_are_exact_minima_in_turn(size):
    """Gauss–Seidel by blocks: each solved exactly, given those before it; the last may be less."""
    given, d = problem([4, 30, 90], 13), 13
    start = derive(2, "tests.als").normal(size=(3, d)).astype(np.float32)
    lists, fixed, diagonal, ridge = given
    expected = start.astype(np.float64)
    for row in range(3):
        mine = slice(lists[0][row], lists[0][row + 1])
        h, c = fixed[lists[1][mine]].astype(np.float64), lists[2][mine].astype(np.float64)
        left, right = np.diag(diagonal + ridge[row].astype(float)) + (h.T * c) @ h, h.T @ c
        for first in range(0, d, size):
            block = slice(first, min(first + size, d))
            pull = right[block] - left[block] @ expected[row]
            expected[row, block] += np.linalg.solve(left[block, block], pull)

    assert np.allclose(moved((blocks, (size,)), given, start), expected, atol=1e-4)


def test_no_step_of_conjugate_gradients_leads_away():
    """The error in the system's own norm falls with every step allowed."""
    given = problem([5, 60, 120], 20)
    best = dense(*given)
    lists, fixed, diagonal, ridge = given
    errors = []
    for steps in range(1, 8):
        off = moved((conjugate_gradient, (steps,)), given) - best
        damped = ((diagonal + ridge[:, None]) * off**2).sum()
        rows = np.repeat(np.arange(3), np.diff(lists[0]))
        met = lists[2] * (fixed[lists[1]] * off[rows]).sum(axis=1) ** 2
        errors.append(damped + met.sum())

    assert (np.diff(errors) < 1e-6).all()
    assert errors[-1] < 1e-3 * errors[0]


def test_a_row_without_entries_moves_to_nothing_or_stays():
    """Nobody met: exact gives zero; the others leave what starts at zero at zero."""
    given = problem([3, 0, 4], 6)
    start = np.zeros((3, 6), np.float32)

    for solver in SOLVERS.values():
        assert not moved(solver, given, start)[1].any()


@pytest.mark.parametrize(("kernel", "more"), [(conjugate_gradient, (40,)), (blocks, (512,))])
def test_a_row_longer_than_the_buffer(kernel, more):
    """Gathered in pieces, anew at every reading; the same solution."""
    d, n = 512, 8_500
    given = problem([n, 10], d, columns=n)

    assert np.allclose(moved((kernel, more), given), dense(*given), atol=1e-3)


def test_two_blocks_of_a_row_longer_than_the_buffer():
    """What the first block changed reaches the second although its vectors are not held."""
    d, n = 513, 8_500
    given = problem([n], d, columns=n)
    twice = moved((blocks, (512,)), given)
    for _ in range(12):
        twice = moved((blocks, (512,)), given, twice)

    assert np.allclose(twice, dense(*given), atol=1e-3)


def test_weights_of_any_size():
    """From 1e-6 to 1e6 in one row: finite, and what is weighed most is predicted best."""
    lists, fixed, diagonal, ridge = problem([9], 16)
    weights = np.logspace(-6, 6, 9).astype(np.float32)
    x = moved(SOLVERS["exact"], ((*lists[:2], weights), fixed, diagonal, ridge))[0]
    predicted = fixed[lists[1]] @ x

    assert np.isfinite(x).all()
    assert predicted[-1] == pytest.approx(1, abs=0.01)


def test_a_sparse_matrix_in_wide_indices():
    """Matrices of more than 2³¹ entries have 64-bit indices; the kernels take both."""
    matrix: csr_matrix = random(9, 30, 0.4, "csr", np.float32, 3)
    _, fixed, diagonal, _ = problem([1], 7, columns=30)
    ridge = np.ones(9, np.float32)
    answers = [
        moved(
            SOLVERS["exact"],
            (
                (matrix.indptr.astype(kind), matrix.indices.astype(kind), matrix.data),
                fixed,
                diagonal,
                ridge,
            ),
        )
        for kind in (np.int32, np.int64)
    ]

    assert np.array_equal(*answers)
