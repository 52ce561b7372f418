"""Sparse item → item weights, and the sum of a history's rows: how kNN and truncated EASE score."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.recommenders.top import code_of, offer, pack
from equipoise.types import Floats32, Positions


@njit(cache=True, nogil=True)
def _sum_rows(indptr, targets, values, codes, weights, out):  # type: ignore[no-untyped-def]
    for h in range(len(codes)):
        for at in range(indptr[codes[h]], indptr[codes[h] + 1]):
            target, add = targets[at], weights[h] * values[at]
            out[target] = add if np.isnan(out[target]) else out[target] + add


def sum_rows(
    indptr: NDArray[np.int64],
    targets: Positions,
    values: Floats32,
    codes: Positions,
    weights: Floats32,
) -> Floats32:
    """(I,) the weighted sum of the rows ``codes`` of a CSR (I, I); NaN where none has an entry."""
    out = np.full(len(indptr) - 1, np.nan, np.float32)
    _sum_rows(indptr, targets, values, codes, weights, out)
    return out


def by_source(
    sources: Positions, values: Floats32, counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Positions, Floats32]:
    """CSR (indptr, targets, values) by source item, from lists by target item.

    ``sources`` and ``values`` are (I, k); of row j the first ``counts[j]`` stand.
    """
    items, k = sources.shape
    stands = np.arange(k) < counts[:, None]
    target = np.repeat(np.arange(items), counts)
    matrix = csr_matrix((values[stands], (sources[stands], target)), shape=(items, items))
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data


@njit(cache=True, nogil=True)
def keep_best(heap, size, values, best_sources, best_values):  # type: ignore[no-untyped-def]
    """Write the codes of a heap of keys, and ``values`` at these codes, to a row of the answer."""
    for place in range(size):
        code = code_of(heap[place])
        best_sources[place] = code
        best_values[place] = values[code]
    return size


@njit(cache=True, nogil=True)
def largest(start, stop, dense, sources, values, counts):  # type: ignore[no-untyped-def]
    """The entries of largest magnitude of the columns start:stop, zeros left out."""
    items, k = sources.shape
    heap = np.empty(k, np.uint64)
    column, magnitude = np.empty(items, np.float32), np.empty(items, np.float32)
    bits = magnitude.view(np.uint32)
    for j in range(start, stop):
        size = 0
        for i in range(items):
            column[i] = dense[i, j]
            magnitude[i] = abs(column[i])
            if magnitude[i] > 0:
                size = offer(heap, size, pack(bits[i], i))
        counts[j] = keep_best(heap, size, column, sources[j], values[j])
