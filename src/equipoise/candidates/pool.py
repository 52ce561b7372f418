"""Several sources' candidates → one pool, each item once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.types import Candidates, Floats32, Positions


@dataclass(frozen=True, slots=True)
class Pool:
    """What will be scored, in the order in which the sources brought it."""

    items: Positions
    """(n,) each once."""
    scores: Floats32
    """(n, len(sources)): what each source says of each item, 0 where it says nothing."""
    sources: tuple[str, ...]
    best: NDArray[np.int64]
    """(n,) index of the source that ranked the item highest; the first named among equals."""

    def __len__(self) -> int:
        return len(self.items)

    def source(self, index: int) -> str:
        """The name of the source that ranked the item at ``index`` highest."""
        return self.sources[int(self.best[index])]


def merge(
    candidates: Sequence[Candidates], limit: int, shares: Sequence[float] | None = None
) -> Pool:
    """Take the sources' firsts, then their seconds, and so on, until ``limit`` items are in.

    So no source can crowd out another: up to the rank where the pool is full, all are in with all
    they have. With ``shares``, above 0 and one a source, a source of share 2 has two turns where
    one of share 1 has one. An item proposed by several keeps a score from each, those beyond the
    cut included. O(m log m) for m proposals.
    """
    sources = tuple(one.source for one in candidates)
    if not candidates or not any(len(one.items) for one in candidates):
        empty = np.empty(0, np.int32)
        return Pool(empty, np.empty((0, len(sources)), np.float32), sources, np.empty(0, np.int64))
    lengths = [len(one.items) for one in candidates]
    rank = np.concatenate([np.arange(length) for length in lengths])
    source = np.repeat(np.arange(len(sources)), lengths)
    # Equal turns go by the order of the sources.
    turn = np.lexsort((source, (rank + 0.5) / np.array(shares or [1.0] * len(sources))[source]))
    proposed = np.concatenate([one.items for one in candidates])[turn]
    known, first, which = np.unique(proposed, return_index=True, return_inverse=True)
    taken = np.argsort(first)[:limit]
    row = np.full(len(known), -1)
    row[taken] = np.arange(len(taken))
    scores = np.zeros((len(taken) + 1, len(sources)), np.float32)
    # What did not fit falls into a last row, which is cut off.
    scores[row[which], source[turn]] = np.concatenate([one.score for one in candidates])[turn]
    return Pool(known[taken], scores[:-1], sources, source[turn][first[taken]])
