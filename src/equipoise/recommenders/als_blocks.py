"""The half-step of iALS by blocks of coordinates, each solved exactly in its turn: iALS++.

Rendle, Krichene, Zhang, Koren, "iALS++: Speeding up Matrix Factorization with Subspace
Optimization", 2021. The row's equations are those of ``als_cg``. A block takes a Newton step from
where the row is, given what the row predicts for its entries; one block of all coordinates is the
exact solution.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from equipoise.recommenders.als_gather import capacity, gather
from equipoise.recommenders.als_linear import add_products, add_vectors, dot, lines, solve


@njit(cache=True, nogil=True)
def blocks(start, stop, lists, fixed, diagonal, ridge, moving, size):  # type: ignore[no-untyped-def]
    """Improve rows start:stop of ``moving``, one block of ``size`` coordinates after the other."""
    indptr, d = lists[0], fixed.shape[1]
    room = workspace(indptr, start, stop, min(size, d))
    for row in range(start, stop):
        a, b, x = indptr[row], indptr[row + 1], moving[row]
        if b > a:
            predicted = _predicted(lists[1], a, b, fixed, x)
            for first in range(0, d, size):
                width = min(size, d - first)
                newton(lists, a, b, fixed, first, width, diagonal, ridge[row], x, predicted, room)


@njit(cache=True, nogil=True)
def workspace(indptr, start, stop, width):  # type: ignore[no-untyped-def]
    """(vectors, coefficients, left, right) for blocks of ``width`` coordinates."""
    m = lines(width)
    rows = capacity(indptr, start, stop, m)
    vectors, coefficients = np.empty((rows, m), np.float32), np.empty(rows, np.float32)
    return vectors, coefficients, np.empty((m, m), np.float32), np.empty(m, np.float32)


@njit(cache=True, nogil=True)
def newton(lists, a, b, fixed, first, width, diagonal, ridge, x, predicted, room):  # type: ignore[no-untyped-def]
    """Solve for ``width`` coordinates of x from ``first`` on, the entries being a:b, and keep
    ``predicted`` (b − a,) up to date unless they are the last.
    """
    _, columns, weights = lists
    vectors, c, left, right = room
    left[:] = 0
    right[:] = 0
    for at in range(a, b, len(vectors)):
        end = min(at + len(vectors), b)
        n = gather(fixed, first, width, columns, weights, at, end, vectors, c)
        add_products(left, vectors, c, n)
        for k in range(end - at):
            c[k] *= np.float32(1) - predicted[at - a + k]
        add_vectors(right, vectors, c, n)
    _damp(left, right, diagonal, ridge, first, width, x)
    solve(left, right)
    for f in range(width):
        x[first + f] += right[f]
    if first + width < len(x):
        _repredict(lists, a, b, fixed, first, width, vectors, c, right, predicted)


@njit(cache=True, nogil=True)
def _damp(left, right, diagonal, ridge, first, width, x):  # type: ignore[no-untyped-def]
    """What no entry is about: the diagonal; 1 in the padding."""
    for f in range(len(left)):
        if f < width:
            damping = diagonal[first + f] + ridge
            left[f, f] += damping
            right[f] -= damping * x[first + f]
        else:
            left[f, f] = 1


@njit(cache=True, nogil=True)
def _repredict(lists, a, b, fixed, first, width, vectors, c, change, predicted):  # type: ignore[no-untyped-def]
    room = len(vectors)
    for at in range(a, b, room):
        end = min(at + room, b)
        if b - a > room:
            gather(fixed, first, width, lists[1], lists[2], at, end, vectors, c)
        for k in range(end - at):
            predicted[at - a + k] += dot(vectors[k], change)


@njit(cache=True, nogil=True)
def _predicted(columns, a, b, fixed, x):  # type: ignore[no-untyped-def]
    """(b − a,) h·x for each entry."""
    out = np.empty(b - a, np.float32)
    for k in range(b - a):
        out[k] = dot(fixed[columns[a + k]], x)
    return out
