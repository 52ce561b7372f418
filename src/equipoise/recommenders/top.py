"""The k best of many scores, exactly, under a mask: the last step of every list.

Score and code are packed into one integer that sorts as the pair does (higher score first, then the
smaller code), so a heap of plain integers settles ties and order alike. NaN and -inf are never
chosen.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from equipoise.types import Bools, Floats32, Positions

BLOCK = 64
_LOW = 0xFFFFFFFF


@njit(cache=True, nogil=True)
def pack(bits, code):  # type: ignore[no-untyped-def]
    """The key of a float32's ``bits`` and its code; a larger key is a better item."""
    wide = np.uint64(bits)
    if wide == np.uint64(0x80000000):
        wide = np.uint64(0)  # −0 ties with 0
    flip = np.uint64(_LOW) if wide >> np.uint64(31) else np.uint64(0x80000000)
    return ((wide ^ flip) << np.uint64(32)) | np.uint64(_LOW - code)


@njit(cache=True, nogil=True)
def code_of(key):  # type: ignore[no-untyped-def]
    """The code inside a key."""
    return np.int64(np.uint64(_LOW) - (key & np.uint64(_LOW)))


@njit(cache=True, nogil=True)
def score_of(key):  # type: ignore[no-untyped-def]
    """The score inside a key."""
    wide = np.uint32(key >> np.uint64(32))
    flip = np.uint32(0x80000000) if wide >> np.uint32(31) else np.uint32(_LOW)
    bits = np.empty(1, np.uint32)
    bits[0] = wide ^ flip
    return bits.view(np.float32)[0]


@njit(cache=True, nogil=True)
def offer(heap, size, key):  # type: ignore[no-untyped-def]
    """Put ``key`` into the heap of the best seen, its worst on top; returns the heap's new size."""
    if size < len(heap):
        at = size
        while at > 0 and heap[(at - 1) >> 1] > key:
            heap[at] = heap[(at - 1) >> 1]
            at = (at - 1) >> 1
        heap[at] = key
        return size + 1
    if key <= heap[0]:
        return size
    at, child = 0, 1
    while child < size:
        if child + 1 < size:
            child += heap[child + 1] < heap[child]
        if heap[child] >= key:
            break
        heap[at] = heap[child]
        at, child = child, 2 * child + 1
    heap[at] = key
    return size


@njit(cache=True, nogil=True)
def _scan(scores, bits, allowed, heap):  # type: ignore[no-untyped-def]
    size, floor = 0, np.float32(-np.inf)
    for start in range(0, len(scores), BLOCK):
        block = scores[start : start + BLOCK]
        hits = 0
        for j in range(len(block)):
            hits += block[j] > floor
        if hits == 0:
            continue
        for j in range(len(block)):
            if block[j] > floor and allowed[start + j]:
                size = offer(heap, size, pack(bits[start + j], start + j))
                if size == len(heap):
                    floor = scores[code_of(heap[0])]
    return size


def unpack(keys: np.ndarray) -> tuple[Positions, Floats32]:
    """Codes and scores of packed ``keys``, best first."""
    keys = np.sort(keys)[::-1]
    wide = (keys >> np.uint64(32)).astype(np.uint32)
    flip = np.where(wide >> np.uint32(31), np.uint32(0x80000000), np.uint32(_LOW))
    codes = (np.uint64(_LOW) - (keys & np.uint64(_LOW))).astype(np.int32)
    return codes, (wide ^ flip).view(np.float32)


def masked_top(scores: Floats32, allowed: Bools, k: int) -> tuple[Positions, Floats32]:
    """Codes and scores, best first, of the at most ``k`` best of ``scores`` (I,) where ``allowed``.

    One pass; blocks that hold no candidate cost no more than reading them.
    """
    heap = np.empty(max(0, min(k, len(scores))), np.uint64)
    size = _scan(scores, scores.view(np.uint32), allowed, heap) if len(heap) else 0
    return unpack(heap[:size])
