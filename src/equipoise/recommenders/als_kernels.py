"""The half-step of iALS for a range of rows: exact, or a few steps of conjugate gradients.

Row r has the normal equations (G + ridge_r·1 + Σ c h hᵀ) x = Σ c h, the sums over its entries:
column codes, and weights c; h the columns' fixed vectors; G their weighted Gramian (d, d).
"""

from __future__ import annotations

import numpy as np
from numba import njit

REASSOCIATE = {"reassoc", "nsz", "contract"}


@njit(cache=True, nogil=True)
def exact(start, stop, lists, fixed, gram, ridge, moving):  # type: ignore[no-untyped-def]
    """Set rows start:stop of ``moving`` to the solution, by Cholesky."""
    indptr, columns, weights = lists
    d = fixed.shape[1]
    left = np.empty((d, d), np.float32)
    for row in range(start, stop):
        entries = slice(indptr[row], indptr[row + 1])
        left[:] = gram
        for f in range(d):
            left[f, f] += ridge[row]
        moving[row] = 0
        _add_outer_products(left, fixed, columns[entries], weights[entries])
        _add_rows(moving[row], fixed, columns[entries], weights[entries])
        _solve(left, moving[row])


@njit(cache=True, nogil=True)
def _add_rows(out, fixed, columns, weights):  # type: ignore[no-untyped-def]
    for at in range(len(columns)):
        vector = fixed[columns[at]]
        for f in range(len(out)):
            out[f] += weights[at] * vector[f]


@njit(cache=True, nogil=True)
def _add_outer_products(left, fixed, columns, weights):  # type: ignore[no-untyped-def]
    """Add Σ c h hᵀ to the upper triangle, four vectors at a time to touch it a quarter as often."""
    d = len(left)
    whole = len(columns) // 4 * 4
    for at in range(0, whole, 4):
        a, b = fixed[columns[at]], fixed[columns[at + 1]]
        c, e = fixed[columns[at + 2]], fixed[columns[at + 3]]
        for i in range(d):
            xa, xb = weights[at] * a[i], weights[at + 1] * b[i]
            xc, xe = weights[at + 2] * c[i], weights[at + 3] * e[i]
            for j in range(i, d):
                left[i, j] += (xa * a[j] + xb * b[j]) + (xc * c[j] + xe * e[j])
    for at in range(whole, len(columns)):
        a = fixed[columns[at]]
        for i in range(d):
            xa = weights[at] * a[i]
            for j in range(i, d):
                left[i, j] += xa * a[j]


@njit(cache=True, nogil=True)
def _solve(left, right):  # type: ignore[no-untyped-def]
    """Overwrite ``right`` by the solution; only the upper triangle of ``left`` is read."""
    d = len(left)
    for k in range(d):
        scale = np.float32(1) / np.sqrt(left[k, k])
        for j in range(k, d):
            left[k, j] *= scale
        for i in range(k + 1, d):
            x = left[k, i]
            for j in range(i, d):
                left[i, j] -= x * left[k, j]
        right[k] *= scale
        for j in range(k + 1, d):
            right[j] -= right[k] * left[k, j]
    for k in range(d - 1, -1, -1):
        for j in range(k + 1, d):
            right[k] -= left[k, j] * right[j]
        right[k] /= left[k, k]


@njit(cache=True, nogil=True)
def conjugate_gradient(start, stop, lists, fixed, gram, ridge, moving, steps):  # type: ignore[no-untyped-def]
    """Move rows start:stop of ``moving`` towards the solution from where they are."""
    indptr, columns, weights = lists
    d = fixed.shape[1]
    product = np.empty(d, np.float32)
    residual, direction = np.empty(d, np.float32), np.empty(d, np.float32)
    for row in range(start, stop):
        entries = slice(indptr[row], indptr[row + 1])
        mine, weight = columns[entries], weights[entries]
        x = moving[row]
        residual[:] = 0
        _add_rows(residual, fixed, mine, weight)
        _apply(gram, ridge[row], fixed, mine, weight, x, product)
        residual -= product
        direction[:] = residual
        left = first = _dot(residual, residual)
        for _ in range(steps):
            # Float32 cannot be told from the solution below this.
            if left <= np.float32(1e-12) * first or left == 0:
                break
            _apply(gram, ridge[row], fixed, mine, weight, direction, product)
            step = left / _dot(direction, product)
            for f in range(d):
                x[f] += step * direction[f]
                residual[f] -= step * product[f]
            before, left = left, _dot(residual, residual)
            for f in range(d):
                direction[f] = residual[f] + left / before * direction[f]


@njit(cache=True, nogil=True)
def _apply(gram, ridge, fixed, columns, weights, x, out):  # type: ignore[no-untyped-def]
    """out = (G + ridge·1 + Σ c h hᵀ) x."""
    d = len(x)
    for f in range(d):
        out[f] = ridge * x[f]
    for i in range(d):
        for f in range(d):
            out[f] += x[i] * gram[i, f]
    for at in range(len(columns)):
        vector = fixed[columns[at]]
        share = weights[at] * _dot(vector, x)
        for f in range(d):
            out[f] += share * vector[f]


@njit(cache=True, nogil=True, fastmath=REASSOCIATE)
def _dot(a, b):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for f in range(len(a)):
        total += a[f] * b[f]
    return total
