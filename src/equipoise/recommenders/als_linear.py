"""Small dense linear algebra for the solvers of ALS: Gramians of weighted vectors, and Cholesky.

Sizes are padded to whole lines of 16 floats. Of a symmetric matrix the upper triangle counts; below
it stands what the vector registers left there. Eight vectors at a time share the reading and the
writing of the matrix. Indices are unsigned where a loop does not start at 0, for a signed one is
checked against counting from the end, and the loop is then not vectorised.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from equipoise.recommenders.als_gather import FAST, GROUP, LINE

_MINUS = np.full(GROUP, -1, np.float32)


@njit(cache=True, nogil=True)
def lines(n):  # type: ignore[no-untyped-def]
    """``n`` rounded up to whole lines."""
    return (n + LINE - 1) // LINE * LINE


@njit(cache=True, nogil=True)
def add_products(left, vectors, c, n):  # type: ignore[no-untyped-def]
    """left += Σ c v vᵀ over the first ``n`` vectors, whole groups."""
    for k in range(0, n, GROUP):
        _add_group(left, vectors, k, c[k : k + GROUP], 0)


@njit(cache=True, nogil=True, fastmath=FAST)
def _add_group(left, vectors, k, c, first):  # type: ignore[no-untyped-def]
    """left += Σ c v vᵀ over eight vectors from the k-th on, coordinates from ``first`` on."""
    v0, v1, v2, v3 = vectors[k], vectors[k + 1], vectors[k + 2], vectors[k + 3]
    v4, v5, v6, v7 = vectors[k + 4], vectors[k + 5], vectors[k + 6], vectors[k + 7]
    end = np.uint64(len(left))
    for i in range(first, len(left)):
        a0, a1, a2, a3 = c[0] * v0[i], c[1] * v1[i], c[2] * v2[i], c[3] * v3[i]
        a4, a5, a6, a7 = c[4] * v4[i], c[5] * v5[i], c[6] * v6[i], c[7] * v7[i]
        row = left[i]
        for j in range(np.uint64(i // LINE * LINE), end):
            low = (a0 * v0[j] + a1 * v1[j]) + (a2 * v2[j] + a3 * v3[j])
            high = (a4 * v4[j] + a5 * v5[j]) + (a6 * v6[j] + a7 * v7[j])
            row[j] += low + high


@njit(cache=True, nogil=True, fastmath=FAST)
def add_vectors(out, vectors, c, n):  # type: ignore[no-untyped-def]
    """out += Σ c v over the first ``n`` vectors, whole groups."""
    for k in range(0, n, 4):
        v0, v1, v2, v3 = vectors[k], vectors[k + 1], vectors[k + 2], vectors[k + 3]
        c0, c1, c2, c3 = c[k], c[k + 1], c[k + 2], c[k + 3]
        for f in range(len(out)):
            out[f] += (c0 * v0[f] + c1 * v1[f]) + (c2 * v2[f] + c3 * v3[f])


@njit(cache=True, nogil=True, fastmath=FAST)
def dot(a, b):  # type: ignore[no-untyped-def]
    """The inner product of two vectors."""
    total = np.float32(0)
    for f in range(len(a)):
        total += a[f] * b[f]
    return total


@njit(cache=True, nogil=True)
def solve(left, right):  # type: ignore[no-untyped-def]
    """Overwrite ``right`` by left⁻¹ · right, and ``left`` by its Cholesky factor U, UᵀU = left."""
    for k in range(0, len(left), GROUP):
        _factor_rows(left, k)
        # In the rows below, the columns left of their line are not touched: all are factored.
        _add_group(left, left, k, _MINUS, k + GROUP)
    _substitute(left, right)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _factor_rows(left, k):  # type: ignore[no-untyped-def]
    """Rows k to k + 8 of U, those above being taken off already."""
    end = np.uint64(len(left))
    for i in range(k, k + GROUP):
        row = left[i]
        for p in range(k, i):
            above, x = left[p], left[p, i]
            for j in range(np.uint64(i), end):
                row[j] -= x * above[j]
        scale = np.float32(1) / np.sqrt(row[i])
        for j in range(np.uint64(i), end):
            row[j] *= scale


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _substitute(left, right):  # type: ignore[no-untyped-def]
    end = np.uint64(len(left))
    for i in range(len(left)):
        row, share = left[i], right[i] / left[i, i]
        right[i] = share
        for j in range(np.uint64(i + 1), end):
            right[j] -= share * row[j]
    for i in range(len(left) - 1, -1, -1):
        row, total = left[i], right[i]
        for j in range(np.uint64(i + 1), end):
            total -= row[j] * right[j]
        right[i] = total / row[i]
