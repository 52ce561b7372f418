"""XᵀX of a sparse matrix of users and items: who was met together, and how often.

Whole, in panels of its upper triangle, or row by row for whoever wants no more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.recommenders.threads import over_rows
from equipoise.types import Floats, Floats32, Positions

PANEL = 256
"""Rows of a panel: wide enough for BLAS to run at speed, narrow enough to stay in its caches."""

Lists = tuple[NDArray[np.integer], Positions, Floats32]


class Columns(NamedTuple):
    """A matrix (U, I) laid out for products of its columns; memory 4·nnz numbers."""

    by_item: Lists
    """CSC: pointers (I + 1,), users, values."""
    by_user: Lists
    """CSR: pointers (U + 1,), items rising, values."""
    places: NDArray[np.int64]
    """(nnz,) of each entry by item, where it stands by user."""

    @classmethod
    def of(cls, users: csr_matrix) -> Columns:
        """The columns of ``users`` (U, I), whose indices are sorted."""
        lists = (users.indices, users.indptr)
        places = csr_matrix((np.arange(users.nnz), *lists), shape=users.shape).tocsc()
        values = users.data[places.data]
        by_item = (places.indptr, places.indices, values)
        return cls(by_item, (users.indptr, users.indices, users.data), places.data)

    def __len__(self) -> int:
        return len(self.by_item[0]) - 1


def panels(columns: Columns, dtype: Any, threads: int) -> list[NDArray[Any]]:
    """XᵀX in panels of ``PANEL`` rows, each from its own diagonal block (which is whole) to the
    right: half of I² numbers. Σ over users of (history length)² / 2 multiplications.
    """
    return [
        panel(columns, start, min(start + PANEL, len(columns)), dtype, threads)
        for start in range(0, len(columns), PANEL)
    ]


def panel(columns: Columns, start: int, stop: int, dtype: Any, threads: int) -> NDArray[Any]:
    """(stop − start, I − start) of XᵀX: rows from ``start``, columns from ``start`` on."""
    out = np.zeros((stop - start, len(columns) - start), dtype)
    over_rows(_add_products, len(out), threads, columns, start, out)
    block = out[:, : len(out)]
    block += np.triu(block, 1).T
    return out


def whole(columns: Columns, threads: int) -> Floats32:
    """(I, I) XᵀX."""
    n = len(columns)
    out = np.empty((n, n), np.float32)
    for start in range(0, n, PANEL):
        stop = min(start + PANEL, n)
        rows = panel(columns, start, stop, np.float32, threads)
        out[start:stop, start:] = rows
        out[start:, start:stop] = rows.T
    return out


@njit(cache=True, nogil=True)
def _add_products(start, stop, columns, first, out):  # type: ignore[no-untyped-def]
    item_ptr, users, item_values = columns.by_item
    user_ptr, items, user_values = columns.by_user
    for row in range(start, stop):
        for at in range(item_ptr[first + row], item_ptr[first + row + 1]):
            value = item_values[at]
            # The user's items from this one on: the others have their entry in an earlier row.
            for place in range(columns.places[at], user_ptr[users[at] + 1]):
                out[row, items[place] - first] += value * user_values[place]


@njit(cache=True, nogil=True)
def add_row(columns, item, out):  # type: ignore[no-untyped-def]
    """Add row ``item`` of XᵀX to ``out`` (I,)."""
    item_ptr, users, item_values = columns.by_item
    user_ptr, items, user_values = columns.by_user
    for at in range(item_ptr[item], item_ptr[item + 1]):
        value = item_values[at]
        for place in range(user_ptr[users[at]], user_ptr[users[at] + 1]):
            out[items[place]] += value * user_values[place]


@njit(cache=True, nogil=True)
def clear_row(columns, item, out):  # type: ignore[no-untyped-def]
    """Set to zero what ``add_row`` touched: cheaper than all I where few are met together."""
    item_ptr, users, _ = columns.by_item
    user_ptr, items, _ = columns.by_user
    for at in range(item_ptr[item], item_ptr[item + 1]):
        for place in range(user_ptr[users[at]], user_ptr[users[at] + 1]):
            out[items[place]] = 0


def shorter_histories_first(users: csr_matrix, discount: float) -> csr_matrix:
    """``users`` (U, I), each row's squares weighed by its length to the power −``discount``.

    Their sum over all entries of a 0/1 matrix stays what it was, so that a ridge keeps its meaning.
    """
    if discount == 0:
        return users
    lengths = np.diff(users.indptr)
    weights = np.maximum(lengths, 1).astype(np.float64) ** -discount
    weights *= users.nnz / max(float(weights @ lengths), 1e-12)
    weighed = users.copy()
    weighed.data = (users.data * np.repeat(np.sqrt(weights), lengths)).astype(np.float32)
    return weighed


def frequencies(users: csr_matrix) -> Floats:
    """(I,) the squared length of each column over the mean of them; of a column without an entry,
    that of the shortest.
    """
    entries = users.data.astype(np.float64) ** 2
    squares = np.bincount(users.indices, entries, users.shape[1]).astype(np.float64)
    least = squares.min(initial=np.inf, where=squares > 0)
    known = np.maximum(squares, least if np.isfinite(least) else 1.0)
    relative: Floats = known / known.mean()
    return relative
