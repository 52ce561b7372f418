"""Bounds from four bits, against the products themselves."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.randomness import derive
from equipoise.recommenders.byte_dots import LANES
from equipoise.recommenders.quantised import TINY, Quantised, quantise, upper_bounds, work_space

KINDS = {
    "even": lambda rng, shape: rng.normal(size=shape),
    "heavy": lambda rng, shape: rng.standard_t(1.5, shape),
    "one number": lambda rng, shape: np.eye(*shape) * 5,
    "tiny": lambda rng, shape: rng.normal(size=shape) * 1e-30,
    "zero": lambda rng, shape: np.zeros(shape),
}


def bounds_of(codes, vector, norm):
    """What the first block's products with ``vector`` are at most, by the exact search's terms."""
    signed = np.zeros(8 * codes.words.shape[1], np.int8)
    step, centre, lost = quantise(vector, codes.rotation, signed)
    length = np.linalg.norm(vector.astype(float))
    query = step, centre, np.float32(length + lost)
    margin = np.float32(norm * lost * (1 + 1e-4)) + TINY
    out = np.empty(LANES, np.float32)
    args = (codes.words[0], codes.marks[0], signed, query, margin, np.float32(0), work_space())
    return upper_bounds(*args, out), out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 5, 8, 64, 100])
def test_no_product_is_above_its_bound(kind, d):
    """The bound is certain, for vectors and queries of any shape; the count is of those above 0."""
    rng = derive(d, "test", kind)
    factors = KINDS[kind](rng, (LANES, d)).astype(np.float32)
    codes = Quantised.of(factors, np.arange(LANES, dtype=np.int32))
    norm = np.linalg.norm(factors.astype(float), axis=1).max()
    for other in KINDS.values():
        vector = other(rng, (3, d))[0].astype(np.float32)

        hits, bounds = bounds_of(codes, vector, norm)

        size = norm * np.linalg.norm(vector.astype(float))
        assert (bounds >= factors.astype(float) @ vector - 1e-5 * size).all()
        assert hits == (bounds >= 0).sum()


def test_the_bound_is_narrow():
    """Sixteen levels move a vector of 64 numbers by a tenth of its length, and the query's bytes
    by less than a hundredth.
    """
    rng = derive(1, "test")
    factors = rng.normal(size=(LANES, 64)).astype(np.float32)
    vector = rng.normal(size=64).astype(np.float32)
    lengths = np.linalg.norm(factors, axis=1)
    codes = Quantised.of(factors, np.arange(LANES, dtype=np.int32))

    _, bounds = bounds_of(codes, vector, lengths.max())

    room = (bounds - factors @ vector) / (lengths * np.linalg.norm(vector))
    assert 0.09 < room.mean() < 0.13
    assert room.max() < 0.22


def test_a_place_without_an_item_never_reaches_a_floor():
    """The bound of an empty place is -inf, whatever the query."""
    order = np.full(LANES, -1, np.int32)
    order[3] = 0
    codes = Quantised.of(np.float32([[1, 2, 3]]), order)

    hits, bounds = bounds_of(codes, np.float32([1, -1, 1]), 4.0)

    assert hits == 1
    assert np.flatnonzero(bounds > -np.inf).tolist() == [3]
