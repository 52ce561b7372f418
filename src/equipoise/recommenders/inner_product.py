"""Exact search for the largest inner products with a vector, most of it skipped on learned factors.

Items lie in blocks by falling norm, so by Cauchy–Schwarz the scan may stop at the first block whose
norm cannot reach the k-th best so far (length-based pruning of LEMP: Teflioudi, Gemulla, Mykytiuk,
SIGMOD 2015). Inside a block the leading principal directions are multiplied first, and the rest
only if the same inequality leaves it a chance (Li, Chan, Yiu, Mamoulis, FEXIPRO, SIGMOD 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from equipoise.recommenders.top import BLOCK, offer, pack, unpack
from equipoise.types import Bools, Floats32, Positions

# Float32 sums of some hundred products are off by far less than this share of the two norms.
SLACK = np.float32(1e-5)


@njit(cache=True, nogil=True)
def _dots(block, vector, start, stop, out):  # type: ignore[no-untyped-def]
    """Add to ``out`` the products of features ``start:stop`` for all items of a block."""
    whole = start + (stop - start) // 8 * 8
    for f in range(start, whole, 8):
        x0, x1, x2, x3 = vector[f], vector[f + 1], vector[f + 2], vector[f + 3]
        x4, x5, x6, x7 = vector[f + 4], vector[f + 5], vector[f + 6], vector[f + 7]
        for j in range(BLOCK):
            low = (x0 * block[f, j] + x1 * block[f + 1, j]) + (
                x2 * block[f + 2, j] + x3 * block[f + 3, j]
            )
            high = (x4 * block[f + 4, j] + x5 * block[f + 5, j]) + (
                x6 * block[f + 6, j] + x7 * block[f + 7, j]
            )
            out[j] += low + high
    for f in range(whole, stop):
        for j in range(BLOCK):
            out[j] += vector[f] * block[f, j]


@njit(cache=True, nogil=True)
def _all(blocks, order, head, vector, scores):  # type: ignore[no-untyped-def]
    products = np.empty(BLOCK, np.float32)
    for b in range(len(blocks)):
        products[:] = 0
        _dots(blocks[b], vector, 0, head, products)
        _dots(blocks[b], vector, head, len(vector), products)
        for j in range(min(BLOCK, len(order) - b * BLOCK)):
            scores[order[b * BLOCK + j]] = products[j]


@njit(cache=True, nogil=True)
def _best(blocks, order, head, norms, tails, vector, allowed, heap):  # type: ignore[no-untyped-def]
    length = np.sqrt(np.sum(vector * vector))
    rest = np.sqrt(np.sum(vector[head:] * vector[head:]))
    products = np.empty(BLOCK, np.float32)
    bits = products.view(np.uint32)
    size, floor, floor_bits = 0, np.float32(-np.inf), np.empty(1, np.uint32)
    for b in range(len(blocks)):
        doubt = SLACK * norms[b] * length
        if norms[b] * length + doubt < floor:
            break
        products[:] = 0
        _dots(blocks[b], vector, 0, head, products)
        hits = 0
        for j in range(BLOCK):
            hits += products[j] >= floor - tails[b] * rest - doubt
        if hits == 0:
            continue
        _dots(blocks[b], vector, head, len(vector), products)
        for j in range(min(BLOCK, len(order) - b * BLOCK)):
            code = order[b * BLOCK + j]
            if products[j] >= floor and allowed[code]:
                size = offer(heap, size, pack(bits[j], code))
                if size == len(heap):
                    floor = _score_of(heap[0], floor_bits)
    return size


@njit(cache=True, nogil=True)
def _score_of(key, bits):  # type: ignore[no-untyped-def]
    wide = np.uint32(key >> np.uint64(32))
    flip = np.uint32(0x80000000) if wide >> np.uint32(31) else np.uint32(0xFFFFFFFF)
    bits[0] = wide ^ flip
    return bits.view(np.float32)[0]


@dataclass(frozen=True)
class InnerProducts:
    """Item vectors laid out for the search; memory I · d floats, built in O(I·d² + I·log I)."""

    blocks: Floats32
    """(ceil(I / BLOCK), d, BLOCK): items by falling norm, features by falling energy."""
    order: Positions
    """(I,) the code of each place."""
    head: int
    """How many features are multiplied before the rest is considered; a multiple of eight."""
    norms: Floats32
    """Largest norm inside each block."""
    tails: Floats32
    """Largest norm, inside each block, of the features after ``head``."""
    rotation: Floats32
    """(d, d) orthogonal, to principal directions."""

    @classmethod
    def of(cls, factors: Floats32) -> InnerProducts:
        """Lay out ``factors`` (I, d)."""
        items, d = factors.shape
        wide = factors.astype(np.float64)
        rotation = np.linalg.eigh(wide.T @ wide)[1][:, ::-1].astype(np.float32)
        turned = factors @ rotation
        order = np.argsort(-np.linalg.norm(turned, axis=1), kind="stable").astype(np.int32)
        padded = np.zeros((-(-items // BLOCK) * BLOCK, d), np.float32)
        padded[:items] = turned[order]
        blocks = padded.reshape(-1, BLOCK, d).transpose(0, 2, 1).copy()
        head = d // 32 * 8
        tails = np.linalg.norm(blocks[:, head:], axis=1).max(axis=1)
        norms = np.linalg.norm(blocks, axis=1).max(axis=1)
        return cls(blocks, order, head, norms, tails, rotation)

    def scores(self, vector: Floats32) -> Floats32:
        """(I,) the inner product of ``vector`` (d,) with every item, by code."""
        out = np.empty(len(self.order), np.float32)
        _all(self.blocks, self.order, self.head, vector @ self.rotation, out)
        return out

    def top(self, vector: Floats32, allowed: Bools, k: int) -> tuple[Positions, Floats32]:
        """``masked_top(self.scores(vector), allowed, k)``, bit for bit, without computing most of
        it.
        """
        heap = np.empty(max(0, min(k, len(self.order))), np.uint64)
        if not len(heap):
            return unpack(heap)
        laid = (self.blocks, self.order, self.head, self.norms, self.tails)
        return unpack(heap[: _best(*laid, vector @ self.rotation, allowed, heap)])
