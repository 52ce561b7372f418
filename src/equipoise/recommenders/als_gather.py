"""How a half-step of ALS reads the fixed vectors: gathered once a row into a buffer that fits a
cache, and then multiplied from there.

The fixed vectors lie all over a matrix larger than the caches, so the gathering is what costs most;
the vectors to come are asked for ahead. Buffers are padded with zero vectors to whole groups, since
several vectors at a time share the reading of what they are multiplied with.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

FAST = {"reassoc", "nsz", "contract"}
"""Sums may be taken in any order, as vector registers do; NaN and infinity stay what they are."""
AHEAD = 12
"""So many vectors ahead are asked for: about what memory can have under way."""
LINE = 16
"""Floats in a line of cache, and in the widest register."""
GROUP = 8
"""A buffer's vectors come in whole groups of so many."""
CHUNKS = 16
"""Pieces of work a thread; rows of very different cost are then shared well."""
ROW = 8
"""What a row costs besides its entries, in entries."""
FLOATS = 1 << 22
"""Most floats in a buffer, 16 MiB. A longer row is gathered anew each time it is read."""


@intrinsic
def _prefetch(context, array, row, column):  # type: ignore[no-untyped-def]
    """Ask for the cache line of ``array[row, column]``; no such element does no harm."""

    def build(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        kind = signature.args[0]
        view = context.make_array(kind)(context, builder, arguments[0])
        byte, integer = ir.IntType(8).as_pointer(), ir.IntType(32)
        place = cgutils.get_item_pointer(context, builder, kind, view, list(arguments[1:]))  # type: ignore[no-untyped-call]
        name, taken = "llvm.prefetch.p0", [byte, integer, integer, integer]
        wanted = ir.FunctionType(ir.VoidType(), taken)
        function = cgutils.get_or_insert_function(builder.module, wanted, name)  # type: ignore[no-untyped-call]
        read, keep, data = integer(0), integer(3), integer(1)
        builder.call(function, [builder.bitcast(place, byte), read, keep, data])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), build


@njit(cache=True, nogil=True)
def padded(n):  # type: ignore[no-untyped-def]
    """``n`` rounded up to whole groups."""
    return (n + GROUP - 1) // GROUP * GROUP


@njit(cache=True, nogil=True)
def gather(fixed, first, width, columns, weights, start, stop, vectors, coefficients):  # type: ignore[no-untyped-def]
    """Copy ``width`` coordinates from ``first`` on of the vectors of the entries start:stop, and
    their weights, to a buffer, which may be wider; returns the rows filled, padding included.
    """
    n, last = stop - start, len(columns) - 1
    for k in range(n):
        ahead = columns[min(start + k + AHEAD, last)]
        for f in range(0, width, LINE):
            _prefetch(fixed, ahead, first + f)  # type: ignore[call-arg]
        into, vector = vectors[k], fixed[columns[start + k], first : first + width]
        for f in range(width):
            into[f] = vector[f]
        coefficients[k] = weights[start + k]
    for k in range(n, padded(n)):
        coefficients[k] = 0
        for f in range(width):
            vectors[k, f] = 0
    for k in range(padded(n)):
        for f in range(width, vectors.shape[1]):
            vectors[k, f] = 0
    return padded(n)


@njit(cache=True, nogil=True)
def capacity(indptr, start, stop, width):  # type: ignore[no-untyped-def]
    """Rows of a buffer for the entries of the longest of rows start:stop, within FLOATS."""
    longest = 0
    for row in range(start, stop):
        longest = max(longest, indptr[row + 1] - indptr[row])
    return max(GROUP, min(padded(longest), FLOATS // width // GROUP * GROUP))


def over_entries(
    kernel: Callable[..., None], indptr: NDArray[Any], threads: int, *arguments: Any
) -> None:
    """``kernel(start, stop, *arguments)`` for ranges of rows with about equally many entries.

    The kernel must release the interpreter's lock and write to its own rows only; then the result
    does not depend on ``threads``.
    """
    rows = len(indptr) - 1
    if threads <= 1:
        kernel(0, rows, *arguments)
        return
    cost = indptr + ROW * np.arange(rows + 1)
    bounds = np.searchsorted(cost, np.linspace(0, cost[-1], threads * CHUNKS + 1))
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda a, b: kernel(a, b, *arguments), bounds[:-1], bounds[1:]))
