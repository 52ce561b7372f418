"""The half-step of iALS by preconditioned conjugate gradients (Takács, Pilászy, Tikk, RecSys 2011).

Row r has the equations (D + Σ c h hᵀ) x = Σ c h, the sums over its entries: column codes, and
weights c; h the columns' fixed vectors; D = ``diagonal`` + ``ridge[r]``, diagonal because the fixed
side lies in its principal axes. The preconditioner is 1 / D: exact for a row without entries, and
the better the more the pairs not met weigh.

A step reads the row's vectors once; what the last step does not need of the products is left out.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from equipoise.recommenders.als_gather import FAST, capacity, gather

ENOUGH = np.float32(1e-12)
"""Float32 cannot be told from the solution below this share of the first residual, squared."""


@njit(cache=True, nogil=True, error_model="numpy")
def conjugate_gradient(start, stop, lists, fixed, diagonal, ridge, moving, steps):  # type: ignore[no-untyped-def]
    """Move rows start:stop of ``moving`` towards the solution from where they are."""
    indptr, columns, weights = lists
    d = fixed.shape[1]
    room = capacity(indptr, start, stop, d)
    vectors, c = np.empty((room, d), np.float32), np.empty(room, np.float32)
    damping, inverse = np.empty(d, np.float32), np.empty(d, np.float32)
    residual = np.empty(d, np.float32)
    direction, product = np.zeros(d, np.float32), np.empty(d, np.float32)
    for row in range(start, stop):
        a, b, x = indptr[row], indptr[row + 1], moving[row]
        for f in range(d):
            damping[f] = diagonal[f] + ridge[row]
            inverse[f] = np.float32(1) / damping[f]
        _damp(damping, x, residual)
        for at in range(a, b, room):
            end = min(at + room, b)
            gather(fixed, 0, d, columns, weights, at, end, vectors, c)
            _pull(np.float32(1), vectors, c, end - at, x, residual)
        left = first = _turn(residual, inverse, np.float32(0), direction)
        for step in range(1, steps + 1):
            # Nothing of the residual is left, or of a row without entries ever was.
            if left <= ENOUGH * first or a == b:
                break
            energy = _damp(damping, direction, product)
            for at in range(a, b, room):
                end = min(at + room, b)
                if b - a > room:
                    gather(fixed, 0, d, columns, weights, at, end, vectors, c)
                if step == steps:
                    energy += _energy(vectors, c, end - at, direction)
                else:
                    _pull(np.float32(0), vectors, c, end - at, direction, product)
            if step < steps:
                energy = -_dot(direction, product)
            _add(x, left / energy, direction)
            if step < steps:
                _add(residual, left / energy, product)
                left = _turn(residual, inverse, left, direction)


@njit(cache=True, nogil=True, fastmath=FAST)
def _damp(damping, x, out):  # type: ignore[no-untyped-def]
    """out = −D x; returns x · D x."""
    energy = np.float32(0)
    for f in range(len(x)):
        out[f] = -damping[f] * x[f]
        energy -= out[f] * x[f]
    return energy


@njit(cache=True, nogil=True, fastmath=FAST)
def _dots(vectors, k, x):  # type: ignore[no-untyped-def]
    """Inner products with x of four vectors from the k-th on."""
    v0, v1, v2, v3 = vectors[k], vectors[k + 1], vectors[k + 2], vectors[k + 3]
    p0 = p1 = p2 = p3 = np.float32(0)
    for f in range(len(x)):
        p0 += v0[f] * x[f]
        p1 += v1[f] * x[f]
        p2 += v2[f] * x[f]
        p3 += v3[f] * x[f]
    return p0, p1, p2, p3


@njit(cache=True, nogil=True, fastmath=FAST)
def _pull(target, vectors, c, n, x, out):  # type: ignore[no-untyped-def]
    """out += Σ c (target − h·x) h over the first ``n`` vectors."""
    for k in range(0, n, 4):
        p0, p1, p2, p3 = _dots(vectors, k, x)
        q0, q1 = c[k] * (target - p0), c[k + 1] * (target - p1)
        q2, q3 = c[k + 2] * (target - p2), c[k + 3] * (target - p3)
        v0, v1, v2, v3 = vectors[k], vectors[k + 1], vectors[k + 2], vectors[k + 3]
        for f in range(len(out)):
            out[f] += (q0 * v0[f] + q1 * v1[f]) + (q2 * v2[f] + q3 * v3[f])


@njit(cache=True, nogil=True, fastmath=FAST)
def _energy(vectors, c, n, x):  # type: ignore[no-untyped-def]
    """Σ c (h·x)² over the first ``n`` vectors."""
    total = np.float32(0)
    for k in range(0, n, 4):
        p0, p1, p2, p3 = _dots(vectors, k, x)
        total += (c[k] * p0 * p0 + c[k + 1] * p1 * p1) + (c[k + 2] * p2 * p2 + c[k + 3] * p3 * p3)
    return total


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _turn(residual, inverse, before, direction):  # type: ignore[no-untyped-def]
    """The next direction; returns the residual's norm in the preconditioner, squared."""
    left = np.float32(0)
    for f in range(len(residual)):
        left += residual[f] * inverse[f] * residual[f]
    share = left / before if before > 0 else np.float32(0)
    for f in range(len(residual)):
        direction[f] = residual[f] * inverse[f] + share * direction[f]
    return left


@njit(cache=True, nogil=True, fastmath=FAST)
def _dot(a, b):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    for f in range(len(a)):
        total += a[f] * b[f]
    return total


@njit(cache=True, nogil=True, fastmath=FAST)
def _add(x, step, direction):  # type: ignore[no-untyped-def]
    for f in range(len(x)):
        x[f] += step * direction[f]
