"""From bounds on scores to the exact k best: who may still be among them, and who is.

Items whose bound reaches the floor wait. The floor is the exact score of the worst of any k allowed
items, so raising it loses nobody; it is raised by those with the highest bounds. What still reaches
it in the end is scored.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from equipoise.recommenders.byte_dots import LANES
from equipoise.recommenders.top import code_of, offer, pack, score_of

LEAST_ROOM = 8_192


@njit(cache=True, nogil=True)
def dot(row, vector, lanes):  # type: ignore[no-untyped-def]
    """The product of two vectors of float32, always summed in the same order.

    ``lanes`` (16,) is its scratch space: sixteen sums side by side, as wide as processors are.
    """
    quads, whole = len(vector) // 64 * 64, len(vector) // 16 * 16
    for l in range(16):  # noqa: E741 - l for lane
        lanes[l] = np.float32(0)
    for f in range(0, quads, 64):
        for l in range(16):  # noqa: E741
            one = row[f + l] * vector[f + l] + row[f + l + 16] * vector[f + l + 16]
            two = row[f + l + 32] * vector[f + l + 32] + row[f + l + 48] * vector[f + l + 48]
            lanes[l] += one + two
    for f in range(quads, whole, 16):
        for l in range(16):  # noqa: E741
            lanes[l] += row[f + l] * vector[f + l]
    for f in range(whole, len(vector)):
        lanes[f - whole] += row[f] * vector[f]
    for half in (8, 4, 2):
        for l in range(half):  # noqa: E741
            lanes[l] += lanes[l + half]
    return lanes[0] + lanes[1]


@njit(cache=True, nogil=True)
def all_dots(factors, vector, out):  # type: ignore[no-untyped-def]
    """Write the product of every row with ``vector``."""
    lanes = np.empty(16, np.float32)
    for i in range(len(factors)):
        out[i] = dot(factors[i], vector, lanes)


@njit(cache=True, nogil=True)
def waiting_room(room):  # type: ignore[no-untyped-def]
    """Codes, bounds and the bounds' bits of at most ``room`` items that wait."""
    bounds = np.empty(room, np.float32)
    return np.empty(room, np.int32), bounds, bounds.view(np.uint32)


@njit(cache=True, nogil=True)
def collect(bounds, order, floor, waiting, n):  # type: ignore[no-untyped-def]
    """Let those of a block wait whose bound reaches the floor; returns how many wait now."""
    codes, kept, _ = waiting
    for j in range(LANES):
        codes[n], kept[n] = order[j], bounds[j]
        n += not bounds[j] < floor
    return n


@njit(cache=True, nogil=True)
def thin(waiting, n, floor, allowed):  # type: ignore[no-untyped-def]
    """Send away who is not allowed or below the floor; returns how many stay."""
    codes, bounds, _ = waiting
    stay = 0
    for i in range(n):
        code, bound = codes[i], bounds[i]
        codes[stay], bounds[stay] = code, bound
        stay += code >= 0 and allowed[code] and not bound < floor
    return stay


@njit(cache=True, nogil=True)
def settle(waiting, n, factors, vector, heap, size):  # type: ignore[no-untyped-def]
    """Score the n that wait and offer them to the heap; returns its size."""
    codes, scores, bits = waiting
    lanes = np.empty(16, np.float32)
    # One loop for the rows, another for the decisions: so the fetches from memory overlap.
    for i in range(n):
        scores[i] = dot(factors[codes[i]], vector, lanes)
    for i in range(n):
        if scores[i] > -np.inf:
            size = offer(heap, size, pack(bits[i], codes[i]))
    return size


@njit(cache=True, nogil=True)
def floor_of(heap, size):  # type: ignore[no-untyped-def]
    """The score of a full heap's worst, else -inf."""
    return score_of(heap[0]) if size == len(heap) else np.float32(-np.inf)


@njit(cache=True, nogil=True)
def raised(waiting, n, floor, k, factors, vector):  # type: ignore[no-untyped-def]
    """The floor after scoring the 2 k of highest bound; the same floor if fewer than k wait."""
    codes, bounds, bits = waiting
    best, size, entry = np.empty(min(2 * k, n), np.uint64), 0, np.float32(-np.inf)
    for i in range(n):
        if bounds[i] > entry or size < len(best):
            size = offer(best, size, pack(bits[i], i))
            if size == len(best):
                entry = bounds[code_of(best[0])]
    rows = waiting_room(len(best))
    for i in range(len(best)):
        rows[0][i] = codes[code_of(best[i])]
    heap = np.empty(k, np.uint64)
    held = settle(rows, len(best), factors, vector, heap, 0)
    return max(floor, floor_of(heap, held))


@njit(cache=True, nogil=True)
def sift(waiting, n, floor, allowed, k, factors, vector):  # type: ignore[no-untyped-def]
    """Raise the floor and send away who is below; returns how many stay, and the floor."""
    n = thin(waiting, n, floor, allowed)
    floor = raised(waiting, n, floor, k, factors, vector)
    return thin(waiting, n, floor, allowed), floor
