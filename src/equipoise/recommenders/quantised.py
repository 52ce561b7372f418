"""Vectors in four bits a number, and what their product with another can be at most.

Every vector is turned by one random rotation, which spreads it evenly over its numbers, and rounded
to sixteen levels of a step of its own. How far rounding moved it is kept beside it; by
Cauchy–Schwarz that bounds the error of every product. Sixteen levels move a vector of 64 numbers by
a tenth of its length. (The rotation is that of Gao, Long, RaBitQ, SIGMOD 2024; the bound here is
certain, not likely.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.randomness import derive
from equipoise.recommenders.byte_dots import LANES, byte_dots
from equipoise.types import Floats, Floats32, Positions

CLIP = 0.85
"""Levels end at this share of a vector's largest number: the rest is rounded the finer for it."""
CHUNK = 128
_UPPER = 0xFFFF0000
_NEVER = 0x0000FF80
"""Step 0 and error −inf, for places that hold no item."""
TINY = np.float32(1e-37)
"""Above what products of numbers near the smallest lose."""


@dataclass(frozen=True)
class Quantised:
    """Blocks of 64 vectors; 4 (d / 8 + 1) bytes a vector, d rounded up to a multiple of 8."""

    words: NDArray[np.uint32]
    """(blocks, d / 8, 64) as ``byte_dots`` wants them."""
    marks: NDArray[np.uint32]
    """(blocks, 64) two numbers, each the upper half of a float32: a vector's step, its error."""
    rotation: Floats
    """(d, d) orthogonal."""

    @classmethod
    def of(cls, factors: Floats32, order: Positions) -> Quantised:
        """Lay out the rows of ``factors`` (I, d), all finite, that ``order`` names; -1 is none."""
        d = factors.shape[1]
        blocks = len(order) // LANES
        words = np.zeros((blocks, -(-d // 8), LANES), np.uint32)
        marks = np.empty((blocks, LANES), np.uint32)
        rotation = _rotation(d)
        for start in range(0, blocks, CHUNK):
            rows = order[start * LANES : (start + CHUNK) * LANES]
            turned = factors[rows].astype(np.float64) @ rotation
            _encode(turned, rows, words[start : start + CHUNK], marks[start : start + CHUNK])
        return cls(words, marks, rotation)


def _rotation(d: int) -> Floats:
    drawn = derive(0, "recommenders.quantised", str(d)).normal(size=(d, d))
    rotation: Floats = np.linalg.qr(drawn)[0]
    return rotation


@njit(cache=True, nogil=True)
def _encode(turned, rows, words, marks):  # type: ignore[no-untyped-def]
    codes = np.zeros(8 * words.shape[1], np.uint32)
    pair = np.empty(2, np.float32)
    bits = pair.view(np.uint32)
    for at in range(len(rows)):
        b, j = at // LANES, at % LANES
        if rows[at] < 0:
            marks[b, j] = _NEVER
            continue
        x = turned[at]
        pair[0] = np.max(np.abs(x)) * CLIP / 7.5
        bits[0] = (bits[0] + 0xFFFF) & _UPPER
        pair[1] = _round(x, np.float64(pair[0]), codes)
        marks[b, j] = bits[0] | ((bits[1] + 0xFFFF) >> 16)
        for f in range(len(codes)):
            words[b, f // 8, j] |= codes[f] << (8 * (f % 4) + f % 8 // 4 * 4)


@njit(cache=True, nogil=True)
def _round(x, step, codes):  # type: ignore[no-untyped-def]
    """Write the levels of ``x`` and return the length of what they leave out."""
    left = 0.0
    for f in range(len(x)):
        level = np.floor(x[f] / step + 8) if step > 0 else 8.0
        level = min(max(level, 0.0), 15.0)
        codes[f] = np.uint32(level)
        left += (x[f] - step * (level - 7.5)) ** 2
    return np.sqrt(left) * (1 + 1e-6)


@njit(cache=True, nogil=True)
def quantise(vector, rotation, codes):  # type: ignore[no-untyped-def]
    """Write the signed bytes of a turned query; returns their step, 7.5 times their sum, and the
    length of what they leave out.
    """
    turned = np.zeros(len(vector))
    for g in range(len(vector)):
        for f in range(len(vector)):
            turned[f] += vector[g] * rotation[g, f]
    step = np.float32(np.max(np.abs(turned)) / 127)
    left, total = 0.0, 0.0
    for f in range(len(turned)):
        level = np.rint(turned[f] / step) if step > 0 else 0.0
        codes[f] = np.int8(level)
        left += (turned[f] - step * level) ** 2
        total += level
    return step, np.float32(7.5 * total), np.sqrt(left)


@njit(cache=True, nogil=True, inline="always")
def upper_bounds(words, marks, codes, query, margin, floor, work, out):  # type: ignore[no-untyped-def]
    """Write to ``out`` (64,) what a block's products are at most, and return how many of these are
    not below ``floor``; ``work`` is scratch space.

    ``query`` is (step, 7.5 times the sum, reach): reach times a vector's error is what its rounding
    may hide, ``margin`` what else may.
    """
    step, centre, reach = query
    sums, bits, parts = work
    byte_dots(words, codes, sums)
    for j in range(LANES):
        bits[0, j] = marks[j] & _UPPER
        bits[1, j] = marks[j] << 16
    for j in range(LANES):
        product = parts[0, j] * (step * (np.float32(sums[j]) - centre))
        out[j] = product + (parts[1, j] * reach + margin)
    hits = 0
    for j in range(LANES):
        hits += not out[j] < floor
    return hits


@njit(cache=True, nogil=True)
def work_space():  # type: ignore[no-untyped-def]
    """Scratch space of ``upper_bounds``."""
    bits = np.empty((2, LANES), np.uint32)
    return np.empty(LANES, np.int32), bits, bits.view(np.float32)
