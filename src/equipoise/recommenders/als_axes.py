"""The principal axes of a factor matrix: the basis in which its Gramian is diagonal.

All that iALS computes from two factor matrices stays the same if both are turned. Turned to the
axes of the fixed side, what the pairs not met add to a row's equations, the weighted Gramian, is a
diagonal: multiplying by it costs d, not d², and dividing by it makes a preconditioner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from equipoise.types import Floats, Floats32

BLOCK = 4_096
"""Rows at a time: no copy of a factor matrix is made, and threads share the blocks."""
Answer = TypeVar("Answer")


def gramian(factors: Floats32, threads: int = 1) -> Floats:
    """(d, d) Σ h hᵀ, blocks summed in float64, so that large sums do not swallow small rows."""
    total = np.zeros((factors.shape[1],) * 2)
    for part in _over_blocks(lambda block: block.T @ block, factors, threads):
        total += part
    return total


def principal_axes(factors: Floats32, threads: int = 1) -> tuple[Floats32, Floats32]:
    """(spectrum (d,), rotation (d, d)): the Gramian's eigenvalues, falling; its axes, in columns.

    An axis points where its largest coordinate is positive, so what lies in its axes stays there.
    """
    values, axes = np.linalg.eigh(gramian(factors, threads))
    values, axes = np.maximum(values[::-1], 0), axes[:, ::-1]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.where(axes[largest, np.arange(len(values))] < 0, -1, 1)
    return values.astype(np.float32), np.ascontiguousarray(axes, np.float32)


def turn(factors: Floats32, rotation: Floats32, threads: int = 1) -> None:
    """factors ← factors · rotation, in place; 2·n·d² operations at the speed of BLAS."""

    def turned(block: Floats32) -> None:
        block[:] = block @ rotation

    for _ in _over_blocks(turned, factors, threads):
        pass


def _over_blocks(
    call: Callable[[Floats32], Answer], factors: Floats32, threads: int
) -> Iterator[Answer]:
    """``call``'s answers for blocks of rows, in their order."""
    blocks = (factors[start : start + BLOCK] for start in range(0, len(factors), BLOCK))
    if threads <= 1:
        yield from map(call, blocks)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(call, blocks)
