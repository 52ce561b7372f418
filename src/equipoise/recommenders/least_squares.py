"""Least squares for a range of rows, the other side fixed: with a ridge, or with x ≥ 0.

Row r has entries: column codes, targets t and weights c; h are the columns' fixed vectors (C, d).
Sums are kept in float64, so that an optimum is one to the last digits of float32.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def ridge_rows(start, stop, lists, fixed, ridge, penalties, moving, gram, pull):  # type: ignore[no-untyped-def]
    """Set rows start:stop of ``moving`` to the x that minimises Σ c (t − x·h)² + ridge_r Σ_f
    penalty_f x_f² + x·gram·x − 2 pull·x, exactly; a row without entries to zero.
    """
    indptr, columns, targets, weights = lists
    d = fixed.shape[1]
    left, right = np.empty((d, d)), np.empty(d)
    for row in range(start, stop):
        entries = slice(indptr[row], indptr[row + 1])
        moving[row] = 0
        if indptr[row] == indptr[row + 1]:
            continue
        left[:], right[:] = gram, pull
        _add_products(left, right, fixed, columns[entries], targets[entries], weights[entries])
        for f in range(d):
            left[f, f] += ridge[row] * penalties[f]
        solve(left, right)
        moving[row] = right


@njit(cache=True, nogil=True)
def nonnegative_rows(start, stop, lists, fixed, gram, ridge, moving, sweeps):  # type: ignore[no-untyped-def]
    """Lower, in rows start:stop of ``moving`` and with x ≥ 0, Σ over all columns (t − x·h)² +
    ridge_r |x|², targets without an entry being 0 and ``gram`` (d, d) being Σ h hᵀ.
    """
    indptr, columns, targets, _ = lists
    d = fixed.shape[1]
    left, right = np.empty((d, d)), np.empty(d)
    for row in range(start, stop):
        left[:], right[:] = gram, 0
        for at in range(indptr[row], indptr[row + 1]):
            vector = fixed[columns[at]]
            for f in range(d):
                right[f] += targets[at] * vector[f]
        for f in range(d):
            left[f, f] += ridge[row]
        _descend(left, right, moving[row], sweeps)


@njit(cache=True, nogil=True)
def nonnegative_rated_rows(start, stop, lists, fixed, gram, ridge, moving, sweeps):  # type: ignore[no-untyped-def]
    """The same over the entries only: Σ c (t − x·h)² + ridge_r |x|²; ``gram`` is not read."""
    indptr, columns, targets, weights = lists
    d = fixed.shape[1]
    left, right = np.empty((d, d)), np.empty(d)
    for row in range(start, stop):
        entries = slice(indptr[row], indptr[row + 1])
        left[:], right[:] = 0, 0
        _add_products(left, right, fixed, columns[entries], targets[entries], weights[entries])
        for f in range(d):
            left[f, f] += ridge[row]
            for g in range(f):
                left[f, g] = left[g, f]
        _descend(left, right, moving[row], sweeps)


@njit(cache=True, nogil=True)
def _add_products(left, right, fixed, columns, targets, weights):  # type: ignore[no-untyped-def]
    """Add Σ c h hᵀ to the upper triangle of ``left`` and Σ c t h to ``right``.

    Four vectors at a time, so that ``left`` is read and written a quarter as often.
    """
    d = len(right)
    wide, scaled = np.zeros((4, d)), np.zeros((4, d))
    for start in range(0, len(columns), 4):
        for k in range(4):
            at = start + k
            wide[k] = 0
            if at < len(columns):
                wide[k] = fixed[columns[at]]
                scaled[k] = weights[at] * wide[k]
                right += targets[at] * scaled[k]
        a, b, c, e = wide[0], wide[1], wide[2], wide[3]
        for i in range(d):
            xa, xb, xc, xe = scaled[0, i], scaled[1, i], scaled[2, i], scaled[3, i]
            row = left[i]
            for j in range(i, d):
                row[j] += (xa * a[j] + xb * b[j]) + (xc * c[j] + xe * e[j])


@njit(cache=True, nogil=True)
def solve(left, right):  # type: ignore[no-untyped-def]
    """Overwrite ``right`` by the solution of a positive definite system, by Cholesky.

    Only the upper triangle of ``left`` is read; it is overwritten.
    """
    d = len(left)
    for k in range(d):
        scale = 1 / np.sqrt(left[k, k])
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
def _descend(left, right, x, sweeps):  # type: ignore[no-untyped-def]
    """Coordinate descent on x·left·x / 2 − right·x under x ≥ 0, each coordinate to its optimum.

    Ends early when no coordinate moves by more than a millionth of the largest.
    """
    for _ in range(sweeps):
        moved, largest = 0.0, 0.0
        for f in range(len(x)):
            slope = right[f]
            for g in range(len(x)):
                slope -= left[f, g] * x[g]
            before = x[f]
            # A direction that no column has: nothing to fit, so nothing is claimed.
            x[f] = max(0.0, before + slope / left[f, f]) if left[f, f] > 0 else 0.0
            moved = max(moved, abs(x[f] - before))
            largest = max(largest, x[f])
        if moved <= 1e-6 * largest:
            break
