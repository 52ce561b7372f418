"""Who may be among the best, and who is."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.randomness import derive
from equipoise.recommenders.finalists import all_dots, dot, settle, sift, waiting_room
from equipoise.recommenders.top import unpack


@pytest.mark.parametrize("d", [1, 15, 16, 17, 63, 64, 65, 200])
def test_a_product_is_the_same_alone_and_among_all(d):
    """Near the sum in float64, and to the bit the same wherever it is computed."""
    rng = derive(d, "test")
    factors, vector = rng.normal(size=(50, d)).astype(np.float32), rng.normal(size=d)
    vector = vector.astype(np.float32)
    out = np.empty(50, np.float32)

    all_dots(factors, vector, out)

    wide = factors.astype(float) @ vector
    assert np.allclose(out, wide, rtol=0, atol=1e-6 * np.linalg.norm(vector) * d**0.5)
    lanes = np.empty(16, np.float32)
    assert [dot(row, vector, lanes) for row in factors] == out.tolist()


@pytest.mark.parametrize("error", [0.0, 0.3, 3.0])
def test_sifting_loses_none_of_the_best(error):
    """However loose the bounds, the k best allowed of those that wait stay and come out sorted."""
    rng = derive(7, "test")
    factors, vector = rng.normal(size=(500, 20)).astype(np.float32), np.ones(20, np.float32)
    scores, allowed = np.empty(500, np.float32), rng.random(500) < 0.5
    all_dots(factors, vector, scores)
    waiting = waiting_room(500)
    waiting[0][:] = rng.permutation(500)
    waiting[1][:] = scores[waiting[0]] + np.float32(error) * rng.random(500).astype(np.float32)
    best = np.flatnonzero(allowed)[np.argsort(-scores[allowed], kind="stable")][:10]

    stay, floor = sift(waiting, 500, np.float32(-np.inf), allowed, 10, factors, vector)
    heap = np.empty(10, np.uint64)
    size = settle(waiting, stay, factors, vector, heap, 0)

    assert floor <= scores[best[-1]]
    assert stay < allowed.sum()
    assert unpack(heap[:size])[0].tolist() == best.tolist()


def test_too_few_do_not_raise_the_floor():
    """With fewer than k allowed nobody is sent away but the others."""
    waiting = waiting_room(4)
    waiting[0][:], waiting[1][:] = np.arange(4), 1.0
    allowed = np.array([True, False, True, False])
    factors = np.ones((4, 2), np.float32)

    stay, floor = sift(waiting, 4, np.float32(-np.inf), allowed, 3, factors, factors[0])

    assert floor == -np.inf
    assert waiting[0][:stay].tolist() == [0, 2]
