"""The half-step of iALS solved exactly, in the smaller of two spaces.

The row's equations are those of ``als_cg``. With n entries against d coordinates, H the (n, d)
entries' vectors and C their weights, the solution is

    (D + Hᵀ C H)⁻¹ Hᵀ C 1 = D⁻¹ Hᵀ (C⁻¹ + H D⁻¹ Hᵀ)⁻¹ 1        (Woodbury)

and the right side is the cheaper if n < d: n²·d + n³/3 operations instead of n·d² + d³/3.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from equipoise.recommenders.als_blocks import newton, workspace
from equipoise.recommenders.als_linear import add_products, dot, lines, solve

LEAST = np.float32(1e-30)
"""A weight of nothing counts as this much; its inverse is still a number."""


@njit(cache=True, nogil=True)
def exact(start, stop, lists, fixed, diagonal, ridge, moving):  # type: ignore[no-untyped-def]
    """Set rows start:stop of ``moving`` to the solution."""
    indptr, d = lists[0], fixed.shape[1]
    room = workspace(indptr, start, stop, d)
    turned, ones = np.empty((lines(d), lines(d)), np.float32), np.ones(lines(d), np.float32)
    for row in range(start, stop):
        a, b, x = indptr[row], indptr[row + 1], moving[row]
        x[:] = 0
        if b - a >= d:
            nothing = np.zeros(b - a, np.float32)
            newton(lists, a, b, fixed, 0, d, diagonal, ridge[row], x, nothing, room)
        elif b > a:
            _dual(lists, a, b, fixed, diagonal, ridge[row], x, turned, ones)


@njit(cache=True, nogil=True, error_model="numpy")
def _dual(lists, a, b, fixed, diagonal, ridge, x, turned, ones):  # type: ignore[no-untyped-def]
    _, columns, weights = lists
    n, m = b - a, lines(b - a)
    # The same memory in rows of the length needed.
    vectors = turned.ravel()[: len(turned) * m].reshape((len(turned), m))
    _scaled(columns, a, n, fixed, diagonal, ridge, vectors)
    left, right = np.zeros((m, m), np.float32), np.zeros(m, np.float32)
    add_products(left, vectors, ones, len(vectors))
    for k in range(m):
        left[k, k] += 1 / max(weights[a + k], LEAST) if k < n else np.float32(1)
        right[k] = k < n
    solve(left, right)
    for f in range(len(x)):
        x[f] = dot(vectors[f], right) / np.sqrt(diagonal[f] + ridge)


@njit(cache=True, nogil=True, error_model="numpy")
def _scaled(columns, a, n, fixed, diagonal, ridge, out):  # type: ignore[no-untyped-def]
    """out[f, k] = h_k[f] / √D[f] for entries k from ``a`` on; zero in the padding."""
    d, rows = len(diagonal), len(out)
    for f in range(rows):
        scale = 1 / np.sqrt(diagonal[f] + ridge) if f < d else np.float32(0)
        for k in range(out.shape[1]):
            out[f, k] = scale * fixed[columns[a + k], f] if k < n and f < d else np.float32(0)
