"""The search for the largest products, against a plain sort of all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders.inner_product import InnerProducts
from equipoise.recommenders.top import masked_top

D = 24


def uneven(items, d, key=""):
    """Vectors of uneven norms and features, as learned ones have, and a few equal to others."""
    rng = derive(items, "test", f"{d}{key}")
    shape = np.exp(rng.normal(0, 0.5, (items, 1))) * np.linspace(2, 0.1, d)
    factors = (rng.normal(0, 1, (items, d)) * shape).astype(np.float32)
    factors[rng.integers(0, items, items // 5)] = factors[rng.integers(0, items, items // 5)]
    return factors, rng


def agrees(index, vector, allowed, k):
    """Codes and scores are, bit for bit, what sorting all products gives."""
    expected, best = masked_top(index.scores(vector), allowed, k)
    codes, scores = index.top(vector, allowed, k)
    assert codes.tolist() == expected.tolist()
    assert np.array_equal(scores.view(np.uint32), best.view(np.uint32))
    return codes


@pytest.mark.parametrize("items", [1, 63, 64, 65, 700, 6_000])
@pytest.mark.parametrize("d", [1, 7, 32, 50, 130])
def test_nothing_is_lost_by_not_looking(items, d):
    """The search answers what sorting all products answers, under any mask, for any length."""
    factors, rng = uneven(items, d)
    index = InnerProducts.of(factors)
    for share in (1.0, 0.5, 0.02):
        allowed = rng.random(items) < share
        vector = rng.normal(0, 1, d).astype(np.float32)

        assert np.allclose(index.scores(vector), factors.astype(float) @ vector, atol=1e-3)
        for k in (1, 20, 100, items + 3):
            agrees(index, vector, allowed, k)


def test_isotropic_vectors_are_searched_exactly():
    """Where no norm helps, the bounds alone decide, and still to the last bit."""
    rng = derive(1, "test")
    index = InnerProducts.of(rng.normal(size=(30_000, 64)).astype(np.float32))
    everything = np.ones(30_000, np.bool_)
    for _ in range(10):
        agrees(index, rng.normal(size=64).astype(np.float32), everything, 100)


def test_a_shorter_list_is_the_beginning_of_a_longer():
    """So lists of one and of many histories, or of another length, agree in order."""
    factors, rng = uneven(5_000, D)
    index, everything = InnerProducts.of(factors), np.ones(5_000, np.bool_)
    vector = rng.normal(size=D).astype(np.float32)
    long = index.top(vector, everything, 200)[0].tolist()

    for k in (1, 7, 50, 199):
        assert index.top(vector, everything, k)[0].tolist() == long[:k]


@pytest.mark.parametrize("recall", [None, 0.9])
def test_ties_go_to_the_smaller_code(recall):
    """Equal vectors tie by code, more of them than there is room to wait; so do zeros of either
    sign and products too small to be told from zero.
    """
    same = np.tile(np.float32([1, 2, 3]), (20_000, 1))
    index, open_ = InnerProducts.of(same, recall=recall), np.arange(20_000) % 2 == 1
    tiny = InnerProducts.of(same * np.float32(1e-30), recall=recall)

    for vector in ([1, 1, 1], [0, 0, 0], [-0.0, 0, -0.0], [-1, -1, 1]):
        assert agrees(index, np.float32(vector), open_, 4).tolist() == [1, 3, 5, 7]
    assert agrees(tiny, np.float32([1e-30] * 3), open_, 3).tolist() == [1, 3, 5]


def test_what_has_no_score_is_not_listed():
    """NaN in a row hides the item, NaN in the query all; infinities sort where they belong."""
    factors, rng = uneven(3_000, D)
    factors[5], factors[6], factors[7] = np.nan, 0, -factors[8]
    vector, everything = rng.normal(size=D).astype(np.float32), np.ones(3_000, np.bool_)
    index = InnerProducts.of(factors)
    infinite = factors.copy()
    infinite[9, 3] = np.copysign(np.inf, vector[3])

    assert 5 not in agrees(index, vector, everything, 2_999)
    assert not len(index.top(np.full(D, np.nan, np.float32), everything, 5)[0])
    assert agrees(InnerProducts.of(infinite), vector, everything, 20)[0] == 9
    assert not len(InnerProducts.of(np.full((500, D), np.nan)).top(vector, everything[:500], 5)[0])


@pytest.mark.parametrize("scale", [1e-38, 1e-22, 1e18, 1e37])
def test_any_size_of_numbers(scale):
    """Where bounds would leave what float32 holds, all is computed; below, nothing is lost."""
    factors, rng = uneven(2_000, D)
    index = InnerProducts.of(factors * np.float32(scale))
    for size in (1e-20, 1.0, 1e19):
        vector = (rng.normal(size=D) * size).astype(np.float32)
        agrees(index, vector, np.ones(2_000, np.bool_), 30)


def test_no_list_without_items_or_length():
    """Nothing allowed, nothing asked for or nothing there gives an empty list."""
    factors, _ = uneven(500, D)
    index, nobody = InnerProducts.of(factors), np.zeros(500, np.bool_)
    empty = InnerProducts.of(np.empty((0, D), np.float32), recall=0.9)

    assert len(index.top(factors[0], nobody, 5)[0]) == 0
    assert len(index.top(factors[0], ~nobody, 0)[0]) == 0
    assert len(index.top(factors[0], ~nobody, -3)[0]) == 0
    assert len(empty.top(factors[0], nobody[:0], 5)[0]) == 0


def test_threads_share_an_index():
    """Searches at the same time do not disturb one another."""
    factors, rng = uneven(5_000, D)
    index, everything = InnerProducts.of(factors), np.ones(5_000, np.bool_)
    vectors = rng.normal(size=(40, D)).astype(np.float32)
    alone = [index.top(vector, everything, 20)[0].tolist() for vector in vectors]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda v: index.top(v, everything, 20)[0].tolist(), vectors))

    assert together == alone


def test_factors_are_not_copied():
    """What is kept beside them is half a byte a number and eight bytes an item."""
    factors, _ = uneven(6_400, 64)
    index = InnerProducts.of(factors)
    codes = index.codes

    assert index.factors is factors
    assert codes.words.nbytes + codes.marks.nbytes + index.order.nbytes == 6_400 * (64 // 2 + 8)


# ---------------------------------------------------------------- approximate


def test_the_recall_asked_for_is_reached():
    """On sums of some items' vectors, as histories make them, for lists of ten and of a hundred."""
    factors, rng = uneven(20_000, D)
    exact, near = InnerProducts.of(factors), InnerProducts.of(factors, recall=0.99)
    everything = np.ones(20_000, np.bool_)
    found = {10: 0, 100: 0}
    for _ in range(50):
        vector = factors[rng.integers(0, 20_000, 5)].sum(axis=0)
        for k in found:
            best = exact.top(vector, everything, k)[0]
            found[k] += len(np.intersect1d(best, near.top(vector, everything, k)[0]))

    assert found[10] >= 0.99 * 50 * 10
    assert found[100] >= 0.99 * 50 * 100


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_the_mask_is_inside_the_approximate_search(share):
    """A narrow mask leaves no list short, and what is listed has its very score, in order."""
    factors, rng = uneven(20_000, D)
    index = InnerProducts.of(factors, recall=0.9)
    allowed = rng.random(20_000) < share
    vector = factors[:3].sum(axis=0)

    codes, scores = index.top(vector, allowed, 100)

    assert len(codes) == 100
    assert allowed[codes].all()
    assert np.array_equal(scores, index.scores(vector)[codes])
    assert (np.diff(scores) <= 0).all()
    again = InnerProducts.of(factors, recall=0.9).top(vector, allowed, 100)[0]
    assert codes.tolist() == again.tolist()


def test_odd_rows_do_not_break_the_approximate_search():
    """Zeros, NaN and numbers beyond float32's squares are laid out, too."""
    factors, rng = uneven(2_000, D)
    factors[3], factors[4], factors[5] = 0, np.nan, 1e38
    index = InnerProducts.of(factors, recall=0.9)

    codes = agrees(index, rng.normal(size=D).astype(np.float32), np.ones(2_000, np.bool_), 50)

    assert 4 not in codes


# ---------------------------------------------------------------- refused


def test_shapes_are_checked():
    """Each message says which shape is wanted."""
    factors, _ = uneven(100, D)
    index, everything = InnerProducts.of(factors), np.ones(100, np.bool_)

    with pytest.raises(InvalidInput, match=r"factors have shape \(3, 0\); \(items, at least 1\)"):
        InnerProducts.of(np.empty((3, 0), np.float32))
    with pytest.raises(InvalidInput, match=r"factors have shape \(3,\)"):
        InnerProducts.of(np.empty(3, np.float32))
    with pytest.raises(InvalidInput, match=r"the vector has shape \(5,\); \(24,\) is wanted"):
        index.top(np.empty(5, np.float32), everything, 3)
    with pytest.raises(InvalidInput, match=r"the vector has shape"):
        index.scores(np.empty((1, D), np.float32))
    with pytest.raises(InvalidInput, match=r"the mask has shape \(99,\); \(100,\) is wanted"):
        index.top(factors[0], everything[1:], 3)
    with pytest.raises(InvalidInput, match=r"recall is 1\.5"):
        InnerProducts.of(factors, recall=1.5)
