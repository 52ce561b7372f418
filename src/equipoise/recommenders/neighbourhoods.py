"""One small least-squares problem an item: itself from its nearest items, by their products.

A linear item model of a large catalogue, restricted for each target to the ``k`` items that are
most often met with it (fsSLIM: Ning, Karypis, ICDM 2011), needs of XᵀX only k × k numbers a target.
They are made for as many targets at a time as fit into ``ROOM``; XᵀX itself is never held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix, vstack

from equipoise.recommenders.gramian import Columns, add_row, clear_row
from equipoise.recommenders.neighbours import nearest
from equipoise.recommenders.similarity import space_of
from equipoise.recommenders.threads import over_rows
from equipoise.types import Bools, Floats32, Positions

ROOM = 2**28
"""Bytes of the problems at hand."""


class Problems(NamedTuple):
    """For each of T targets, its k nearest items and their products. Rows may be shorter."""

    counts: Positions
    """(T,) how many of the k stand."""
    sources: Positions
    """(T, k) codes of the items, rising."""
    inner: Floats32
    """(T, k, k) products of these with one another."""
    right: Floats32
    """(T, k) products with the target."""


def solve_each(
    users: csr_matrix, k: int, solve: Callable[[Problems], None], threads: int
) -> csr_matrix:
    """(I, I) in row j the weights of j's ``k`` nearest by cosine, which ``solve`` writes over
    ``right``.

    Making the problems takes I·k² steps, and for each batch of ROOM / 4k² targets the rows of XᵀX
    of all their neighbours once: at most Σ over users of (history length)². Memory: ROOM, 2·I·k,
    and I a thread.
    """
    near = nearest(space_of(users.T.tocsr(), "cosine"), k, 0.0, threads)
    near.sort_indices()
    columns = Columns.of(users)
    width = int(np.diff(near.indptr).max(initial=1))
    batch = max(1, ROOM // (4 * width**2))
    parts = []
    for first in range(0, near.shape[0], batch):
        part = near[first : first + batch]
        problems = _problems(columns, part, first, width, threads)
        solve(problems)
        found = problems.right[_standing(problems.counts, width)]
        parts.append(csr_matrix((found, part.indices, part.indptr), shape=part.shape))
    return vstack(parts, format="csr")


def _standing(counts: Positions, width: int) -> Bools:
    stands: Bools = np.arange(width) < counts[:, None]
    return stands


def _problems(columns: Columns, part: csr_matrix, first: int, width: int, threads: int) -> Problems:
    """The problems of the rows of ``part`` (T, I), targets from ``first`` on."""
    targets = part.shape[0]
    counts = np.diff(part.indptr).astype(np.int32)
    sources = np.zeros((targets, width), np.int32)
    sources[_standing(counts, width)] = part.indices
    inner = np.zeros((targets, width, width), np.float32)
    right = np.zeros((targets, width), np.float32)
    problems = Problems(counts, sources, inner, right)
    place = np.arange(part.nnz) - np.repeat(part.indptr[:-1], counts)
    asked = csr_matrix((place, part.indices, part.indptr), shape=part.shape).tocsc()
    active = np.flatnonzero(np.diff(asked.indptr)).astype(np.int32)
    by_source = (asked.indptr, asked.indices, asked.data)
    over_rows(_fill, len(active), threads, columns, active, by_source, first, problems)
    return problems


@njit(cache=True, nogil=True)
def _fill(start, stop, columns, active, by_source, first, problems):  # type: ignore[no-untyped-def]
    pointers, targets, places = by_source
    counts, sources, inner, right = problems
    row = np.zeros(len(columns.by_item[0]) - 1, np.float32)
    for source in active[start:stop]:
        add_row(columns, source, row)
        for at in range(pointers[source], pointers[source + 1]):
            target, place = targets[at], places[at]
            right[target, place] = row[first + target]
            for other in range(counts[target]):
                inner[target, place, other] = row[sources[target, other]]
        clear_row(columns, source, row)


# ---------------------------------------------------------------- ridge regression


BLOCK = 8


@njit(cache=True, nogil=True)
def ridge_rows(start, stop, problems, ridge):  # type: ignore[no-untyped-def]
    """Overwrite rows start:stop of ``right`` by (inner + diagonal of ridge (I,))⁻¹ · right.

    By Cholesky, k³/3 multiplications each; ``inner`` is lost.
    """
    counts, sources, inner, right = problems
    for target in range(start, stop):
        size = counts[target]
        left, b = inner[target, :size, :size], right[target, :size]
        for row in range(size):
            left[row, row] += ridge[sources[target, row]]
        for first in range(0, size, BLOCK):
            _factor(left, first, min(first + BLOCK, size))
        _substitute(left, b)


@njit(cache=True, nogil=True)
def _substitute(upper, b):  # type: ignore[no-untyped-def]
    size = len(b)
    for row in range(size):
        b[row] /= upper[row, row]
        for j in range(row + 1, size):
            b[j] -= b[row] * upper[row, j]
    for row in range(size - 1, -1, -1):
        rest = b[row]
        for j in range(row + 1, size):
            rest -= upper[row, j] * b[j]
        b[row] = rest / upper[row, row]


@njit(cache=True, nogil=True)
def _factor(left, first, stop):  # type: ignore[no-untyped-def]
    """Rows first:stop of the upper Cholesky factor, and what they leave of the rows below."""
    size = len(left)
    for row in range(first, stop):
        for above in range(first, row):
            x = left[above, row]
            for j in range(row, size):
                left[row, j] -= x * left[above, j]
        scale = 1 / np.sqrt(left[row, row])
        for j in range(row, size):
            left[row, j] *= scale
    if stop - first < BLOCK:
        return
    a, b, c, d = left[first], left[first + 1], left[first + 2], left[first + 3]
    e, f, g, h = left[first + 4], left[first + 5], left[first + 6], left[first + 7]
    # Eight rows at a time, so that the rest is read and written an eighth as often.
    for i in range(stop, size):
        out = left[i]
        xa, xb, xc, xd, xe, xf, xg, xh = a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]
        for j in range(i, size):
            out[j] -= ((xa * a[j] + xb * b[j]) + (xc * c[j] + xd * d[j])) + (
                (xe * e[j] + xf * f[j]) + (xg * g[j] + xh * h[j])
            )


# ---------------------------------------------------------------- what is kept


def largest_of_rows(dense: Floats32, top: int | None) -> csr_matrix:
    """CSR of the ``top`` entries of largest magnitude of each row, or of all, zeros left out."""
    rows, width = dense.shape
    if top is None or top >= width:
        return csr_matrix(dense)
    kept = np.argpartition(-np.abs(dense), top - 1, axis=1)[:, :top]
    kept.sort(axis=1)
    values = np.take_along_axis(dense, kept, axis=1).ravel()
    lists = csr_matrix((values, kept.ravel(), np.arange(rows + 1) * top), shape=dense.shape)
    lists.eliminate_zeros()
    return lists
