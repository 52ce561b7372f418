"""The leading singular vectors of a large sparse matrix."""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from equipoise.recommenders.threads import over_rows
from equipoise.types import Floats, Floats32

BLOCK = 64
"""Vectors multiplied at a time: four cache lines of each row, and the rest is left to BLAS."""
DENSE = 1_500
"""So many columns are a dense eigenvalue problem: sooner solved, and exactly."""
RANK = 1e-6
"""An eigenvalue of XᵀX below so much of the largest is the rounding of none."""


def leading(
    users: csr_matrix,
    k: int,
    rng: np.random.Generator,
    *,
    tolerance: float = 1e-3,
    threads: int = 1,
) -> tuple[Floats32, Floats32]:
    """(singular values (k,), right singular vectors (I, k)) of ``users`` (U, I), largest first.

    Block Lanczos on XᵀX from a random start, with full orthogonalisation (Golub, Underwood 1977; as
    randomised block Krylov iteration: Musco, Musco, NeurIPS 2015). The space of products grows
    until each of the k eigenvectors leaves a residual below ``tolerance`` times the largest
    eigenvalue, or to 8·k + 256. The entry of largest magnitude of each vector is positive. Fewer
    than k come where the rank of the matrix is smaller.

    With M the size of that space: 4·nnz·M + 4·I·M² operations, memory I·M numbers. Up to ``DENSE``
    columns, I³ operations and an exact answer.
    """
    k = min(k, *users.shape)
    if users.shape[1] <= DENSE:
        values, vectors = _dense(users, k)
    else:
        values, vectors = _lanczos(users, k, rng, tolerance, threads)
    stands = values > RANK * max(float(values[0]), 1e-30)
    values, vectors = values[stands], vectors[:, stands]
    peak = np.abs(vectors).argmax(axis=0)
    vectors *= np.sign(vectors[peak, np.arange(len(peak))])
    return np.sqrt(values).astype(np.float32), np.ascontiguousarray(vectors)


def _dense(users: csr_matrix, k: int) -> tuple[Floats, Floats32]:
    wide = users.astype(np.float64)
    values, vectors = np.linalg.eigh((wide.T @ wide).toarray())
    return values[::-1][:k], vectors[:, ::-1][:, :k].astype(np.float32)


def _lanczos(
    users: csr_matrix, k: int, rng: np.random.Generator, tolerance: float, threads: int
) -> tuple[Floats, Floats32]:
    n, items = users.shape[1], users.T.tocsr()
    most = min(n, 8 * k + 4 * BLOCK)
    # Column-major: what is not reached takes no memory.
    space = np.empty((n, most), np.float32, order="F")
    products = np.zeros((most, most))
    block = np.linalg.qr(rng.standard_normal((n, BLOCK), np.float32))[0]
    size = 0
    while True:
        first, size = size, size + BLOCK
        space[:, first:size] = block
        image = times(items, times(users, block, threads), threads)
        block, rest, products[:size, first:size] = _split(image, space[:, :size])
        last = size + BLOCK > most
        if last or size >= 2 * k:
            values, mixed = _largest(products[:size, :size], k)
            residuals = np.linalg.norm(rest @ mixed[first:], axis=0)
            if last or residuals.max() <= tolerance * values[0]:
                return values, space[:, :size] @ mixed.astype(np.float32)


def _split(image: Floats32, space: Floats32) -> tuple[Floats32, Floats32, Floats32]:
    """(Q, R, C) with image = space · C + Q · R, Q orthonormal and orthogonal to ``space``."""
    inside = space.T @ image
    outside = image - space @ inside
    outside -= space @ (space.T @ outside)
    block, rest = np.linalg.qr(outside)
    # Where next to nothing was left, what was made orthonormal is rounding, and not orthogonal.
    block = np.linalg.qr(block - space @ (space.T @ block))[0]
    return block, rest, inside


def _largest(upper: Floats, k: int) -> tuple[Floats, Floats]:
    """The ``k`` largest eigenvalues, and their vectors, of a matrix known by its upper triangle."""
    values, vectors = np.linalg.eigh(upper, UPLO="U")
    return values[::-1][:k], vectors[:, ::-1][:, :k]


def times(matrix: csr_matrix, dense: Floats32, threads: int) -> Floats32:
    """matrix (R, C) · dense (C, d), summed row by row in one order."""
    out = np.zeros((matrix.shape[0], dense.shape[1]), np.float32)
    lists = (matrix.indptr, matrix.indices, matrix.data)
    over_rows(_add_rows, len(out), threads, lists, np.ascontiguousarray(dense), out)
    return out


@njit(cache=True, nogil=True)
def _add_rows(start, stop, lists, dense, out):  # type: ignore[no-untyped-def]
    pointers, columns, values = lists
    for row in range(start, stop):
        for at in range(pointers[row], pointers[row + 1]):
            value, vector = values[at], dense[columns[at]]
            for f in range(len(vector)):
                out[row, f] += value * vector[f]
