"""A compiled kernel over ranges of rows, on several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

CHUNKS = 16
"""A thread's share is cut into so many pieces, since rows differ in length."""


def over_rows(kernel: Callable[..., None], n: int, threads: int, *arguments: Any) -> None:
    """Call ``kernel(start, stop, *arguments)`` for ranges that cover ``0..n``.

    The kernel must release the interpreter's lock and write to its own rows only; then the result
    does not depend on ``threads``.
    """
    if threads <= 1:
        kernel(0, n, *arguments)
        return
    bounds = np.linspace(0, n, threads * CHUNKS + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda a, b: kernel(a, b, *arguments), bounds[:-1], bounds[1:]))
