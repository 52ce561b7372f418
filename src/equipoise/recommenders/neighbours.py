"""The k nearest of every row: chosen without sorting, stored without gaps."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.recommenders.similarity import PEARSON, Csr, Space, similar, workspace
from equipoise.recommenders.threads import over_rows

_LOW = np.uint64(0xFFFFFFFF)
_MAGNITUDE = np.uint32(0x7FFFFFFF)
_SIGN = np.uint32(31)


def nearest(space: Space, k: int, threshold: float, threads: int) -> csr_matrix:
    """(R, R) in row j its at most ``k`` nearest and their similarities, itself left out.

    Nearest are those of largest magnitude, ties going to the smaller code. A neighbour has a
    similarity of at least ``threshold`` and other than 0.

    Σ over columns of (rows that hold it)² multiplications. Each pair is compared from both sides:
    to choose takes longer than to compare, and keeping half the pairs for later would take more.
    Memory 8 bytes for each neighbour that there can be, and a thread 12 for each row (56 with a
    similarity of ratings).
    """
    n = len(space.asking)
    k = max(1, min(k, n))
    starts = _rooms(space, k)
    others, strengths = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    counts = np.zeros(n, np.int64)
    limit = np.float32(threshold)
    over_rows(_nearest, n, threads, space, k, limit, starts, others, strengths, counts)
    return _squeezed(starts, counts, others, strengths)


def best_of_rows(lists: csr_matrix, k: int) -> csr_matrix:
    """The ``k`` entries of largest magnitude of each row, ties going to the smaller column."""
    counts = np.zeros(lists.shape[0], np.int64)
    _trim(lists.indptr, lists.indices, lists.data, k, counts)
    return _squeezed(lists.indptr.astype(np.int64), counts, lists.indices, lists.data)


def csr_arrays(lists: csr_matrix) -> Csr:
    """The three arrays of a CSR, in the types in which models keep them."""
    return lists.indptr.astype(np.int64), lists.indices.astype(np.int32), lists.data


def _rooms(space: Space, k: int) -> NDArray[np.int64]:
    """Where each row's neighbours start, no more than ``k`` and than it can have."""
    pointers, columns, _ = space.by_row
    others = np.concatenate([[0], np.cumsum(np.diff(space.by_column[0])[columns] - 1)])
    reach = others[pointers[1:]] - others[pointers[:-1]]
    return np.concatenate([[0], np.cumsum(np.minimum(reach, k))]).astype(np.int64)


def _squeezed(
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    others: NDArray[np.int32],
    strengths: NDArray[np.float32],
) -> csr_matrix:
    """CSR (R, R) of the first ``counts`` entries of each row; its arrays are written over."""
    n = len(counts)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    _squeeze(starts, counts, others, strengths)
    kept = slice(0, int(indptr[-1]))
    return csr_matrix((strengths[kept], others[kept], indptr), shape=(n, n))


@njit(cache=True, nogil=True)
def _squeeze(starts, counts, others, strengths):  # type: ignore[no-untyped-def]
    to = 0
    for row in range(len(counts)):
        for at in range(starts[row], starts[row] + counts[row]):
            others[to], strengths[to] = others[at], strengths[at]
            to += 1


# ---------------------------------------------------------------- choosing


@njit(cache=True, nogil=True, error_model="numpy")
def _nearest(start, stop, space, k, threshold, starts, others, strengths, counts):  # type: ignore[no-untyped-def]
    n = len(space.asking)
    work = workspace(n, space.similarity >= PEARSON)
    keys, spare = room_for(k, n)
    pointers, columns, values = space.by_row
    for row in range(start, stop):
        own = slice(pointers[row], pointers[row + 1])
        count = similar(space, columns[own], values[own], space.asking[row], work)
        size = choose(work[2], work[3], count, row, threshold, k, keys, spare)
        counts[row] = write(keys, size, others[starts[row] :], strengths[starts[row] :])


@njit(cache=True, nogil=True)
def _trim(pointers, columns, values, k, counts):  # type: ignore[no-untyped-def]
    keys, spare = room_for(k, len(columns))
    anything = np.float32(-np.inf)
    for row in range(len(counts)):
        own = slice(pointers[row], pointers[row + 1])
        codes, entries = columns[own], values[own]
        size = choose(codes, entries, len(codes), -1, anything, k, keys, spare)
        counts[row] = write(keys, size, codes, entries)


@njit(cache=True, nogil=True)
def room_for(k, n):  # type: ignore[no-untyped-def]
    """Keys, and as many spare ones, for choosing ``k`` of at most ``n``."""
    size = max(1, min(n, 4 * min(k, n) + 256))
    return np.empty(size, np.uint64), np.empty(size, np.uint64)


@njit(cache=True, nogil=True)
def choose(codes, strengths, count, itself, threshold, k, keys, spare):  # type: ignore[no-untyped-def]
    """Put the keys of the ``k`` best of the first ``count`` first in ``keys``; returns how many.

    A key sorts by magnitude, then by smaller code, and holds code and sign. A full buffer is cut
    to its best, and what is below these is not let in any more: linear, however many there are.
    """
    bits = strengths.view(np.uint32)
    size, floor = 0, np.uint64(0)
    for at in range(count):
        if size == len(keys):
            keep_largest(keys, spare, size, k)
            size, floor = k, keys[:k].min()
        signed = (np.uint64(codes[at]) << np.uint64(1)) | np.uint64(bits[at] >> _SIGN)
        key = (np.uint64(bits[at] & _MAGNITUDE) << np.uint64(32)) | (_LOW - signed)
        keys[size] = key
        wanted = (strengths[at] >= threshold) & (strengths[at] != 0) & (codes[at] != itself)
        size += wanted & (key > floor)
    if size > k:
        keep_largest(keys, spare, size, k)
        size = k
    return size


@njit(cache=True, nogil=True)
def keep_largest(keys, spare, size, k):  # type: ignore[no-untyped-def]
    """Write over ``keys[:size]``, all different, so that the ``k`` largest stand first; of the
    others some are lost.

    Quickselect (Hoare 1961), without a branch on the comparison.
    """
    low, high = 0, size
    while low < k < high:
        middle, last = (low + high) >> 1, high - 1
        for at in (middle, last):  # the median of three to the front, as the pivot
            if keys[at] > keys[low]:
                keys[at], keys[low] = keys[low], keys[at]
        if keys[last] > keys[middle]:
            middle = last
        keys[middle], keys[low] = keys[low], keys[middle]
        pivot, above, below = keys[low], low, 0
        for at in range(low + 1, high):
            key = keys[at]
            keys[above] = spare[below] = key
            above += key > pivot
            below += key < pivot
        if above >= k:
            high = above
            continue
        keys[above] = pivot
        low = above + 1
        keys[low : low + below] = spare[:below]


@njit(cache=True, nogil=True)
def write(keys, size, codes, strengths):  # type: ignore[no-untyped-def]
    """Unpack ``keys[:size]`` into ``codes`` and ``strengths``; returns ``size``."""
    bits = strengths.view(np.uint32)
    for at in range(size):
        signed = _LOW - (keys[at] & _LOW)
        codes[at] = np.int32(signed >> np.uint64(1))
        sign = np.uint32(signed & np.uint64(1)) << _SIGN
        bits[at] = np.uint32(keys[at] >> np.uint64(32)) | sign
    return size
