"""The inverse of a symmetric positive definite matrix in half its room, at the speed of BLAS.

The matrix stands in row panels of its upper triangle (``gramian.panels``), n²/2 numbers, and its
inverse takes their place. LAPACK's own ``potrf`` and ``potri`` want n² numbers in one piece, which
a LAPACK of 32-bit integers cannot address beyond n = 46,340; here no piece has more than
``PANEL``·n.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

TRUSTED = 8
"""Pivots of so many units in the last place of their diagonal entry are rounding."""

Panels = list[NDArray[Any]]


def invert(panels: Panels) -> None:
    """Overwrite a positive definite matrix by its inverse, in float32 or float64.

    The sweep operator (Beaton 1964; Goodnight, "A Tutorial on the SWEEP Operator", The American
    Statistician 1979), a block of rows at a time: n³ operations, as Cholesky's way takes, all of
    them but a share of panel width / n in matrix products. Diagonal blocks are inverted in float64.
    Beside the panels, memory is 2·n·(panel width). Raises LinAlgError where of a diagonal entry no
    more is left than rounding: the matrix is not positive definite, or not to this precision.
    """
    least = TRUSTED * np.finfo(panels[0].dtype).eps * diagonal(panels)
    for k, (start, stop) in enumerate(_bounds(panels)):
        columns = column_block(panels, k)
        pivot = _inverse(columns[start:stop], least[start:stop])
        swept = columns @ pivot
        _subtract(panels, k, columns, swept)
        for i, (first, last) in enumerate(_bounds(panels[:k])):
            panels[i][:, start - first : stop - first] = swept[first:last]
        panels[k][:] = swept[start:].T
        panels[k][:, : stop - start] = -pivot
    for panel in panels:
        np.negative(panel, out=panel)


def column_block(panels: Panels, k: int) -> NDArray[Any]:
    """(n, m) the columns of block ``k``, whole, in row-major order."""
    bounds = list(_bounds(panels))
    start, stop = bounds[k]
    columns = np.empty((panels[0].shape[1], stop - start), panels[0].dtype)
    for i, (first, last) in enumerate(bounds[:k]):
        columns[first:last] = panels[i][:, start - first : stop - first]
    columns[start:] = panels[k].T
    return columns


def diagonal(panels: Panels) -> NDArray[Any]:
    """(n,) a copy."""
    return np.concatenate([np.diagonal(panel) for panel in panels])


def add_to_diagonal(panels: Panels, ridge: NDArray[Any]) -> None:
    """Add ``ridge`` (n,) in place."""
    for panel, (start, stop) in zip(panels, _bounds(panels), strict=True):
        place = np.arange(stop - start)
        panel[place, place] += ridge[start:stop].astype(panel.dtype)


def _bounds(panels: Panels) -> Iterator[tuple[int, int]]:
    start = 0
    for panel in panels:
        yield start, start + len(panel)
        start += len(panel)


def _inverse(block: NDArray[Any], least: NDArray[Any]) -> NDArray[Any]:
    factor, failed = lapack.dpotrf(block.astype(np.float64), lower=1)
    if failed or (np.diagonal(factor) ** 2 <= least).any():
        raise np.linalg.LinAlgError(f"a pivot is lost in the rounding of {block.dtype}")
    lower = np.tril(lapack.dpotri(factor, lower=1)[0])
    whole: NDArray[Any] = (lower + np.tril(lower, -1).T).astype(block.dtype)
    return whole


def _subtract(panels: Panels, k: int, columns: NDArray[Any], swept: NDArray[Any]) -> None:
    """Subtract columns · sweptᵀ from all panels but ``k``, in place, without a temporary."""
    (gemm,) = blas.get_blas_funcs(("gemm",), (columns,))
    for i, (start, stop) in enumerate(_bounds(panels)):
        if i != k:
            # Row-major seen as BLAS sees it is the transpose, which is as good: c is overwritten.
            left, right, out = columns[start:].T, swept[start:stop].T, panels[i].T
            gemm(-1.0, left, right, beta=1.0, c=out, trans_a=1, overwrite_c=1)
