"""PureSVD: a projection on the leading singular vectors; and how these are found."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders import svd
from equipoise.recommenders.pure_svd import PureSVD
from equipoise.testing.recommenders import LAWS, toy

ROWS, _ = toy()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law):
    """The law holds."""
    law(lambda: PureSVD(factors=2, threads=2))


@pytest.mark.parametrize("use_values", [False, True])
def test_scores_are_the_best_matrix_of_the_rank(use_values):
    """For training users: the rows of numpy's truncated decomposition."""
    rows = Interactions.from_columns(ROWS.user, ROWS.item, 1.0 + np.arange(len(ROWS)) % 4)
    x = rows.matrix(binary=not use_values).toarray()
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    model = PureSVD(factors=7, use_values=use_values).fit(rows)

    for row, expected in zip(x[:10], (u[:, :7] * s[:7]) @ vt[:7], strict=False):
        codes = np.flatnonzero(row).astype(np.int32)
        assert np.allclose(model.score_codes(codes, row[codes]), expected, atol=1e-4)


def test_discounted_histories_count_alike():
    """With a discount of 1 the squares of each user sum to the same."""
    x = ROWS.matrix(binary=True).toarray()
    x /= np.sqrt(x.sum(axis=1, keepdims=True))
    vt = np.linalg.svd(x, full_matrices=False)[2][:3]
    model = PureSVD(factors=3, history_discount=1).fit(ROWS)

    assert np.allclose(model.item_factors_ @ model.item_factors_.T, vt.T @ vt, atol=1e-4)


@pytest.mark.parametrize("threads", [1, 3])
def test_lanczos_finds_what_a_dense_solver_finds(threads, monkeypatch):
    """Values to rounding, vectors to the tolerance; orthonormal; signs fixed by the largest."""
    monkeypatch.setattr(svd, "DENSE", 0)
    rng = derive(0, "test.svd")
    sparse = random_array((500, 900), density=0.02, random_state=rng, dtype=np.float32)
    matrix = csr_matrix(sparse)
    values, vectors = svd.leading(matrix, 20, rng, tolerance=1e-6, threads=threads)
    _, s, vt = np.linalg.svd(matrix.toarray())
    peaks = vectors[np.abs(vectors).argmax(axis=0), np.arange(20)]

    assert np.allclose(values, s[:20], rtol=1e-4)
    assert np.allclose(np.abs((vt[:20] * vectors.T).sum(axis=1)), 1, atol=1e-3)
    assert np.allclose(vectors.T @ vectors, np.eye(20), atol=1e-5)
    assert (peaks > 0).all()


def test_lanczos_does_not_depend_on_threads(monkeypatch):
    """The same bits, and other ones only from another seed."""
    monkeypatch.setattr(svd, "DENSE", 0)
    one, three, other = (
        PureSVD(factors=4, threads=threads, random_state=seed).fit(_many_items()).item_factors_
        for threads, seed in ((1, None), (3, 0), (1, 7))
    )

    assert np.array_equal(one, three)
    assert not np.array_equal(one, other)
    assert np.allclose(one, other, atol=1e-2)


def _many_items() -> Interactions:
    """Four groups of users of different sizes, each with items of its own: four clear values."""
    rng = derive(0, "test.pure_svd")
    user = rng.choice(100, 6_000, p=np.arange(1, 101) / 5_050)
    return Interactions.from_columns(user, 100 * (user % 4) + rng.integers(0, 100, 6_000))


def test_a_rank_below_the_factors_gives_fewer(monkeypatch):
    """No vector is made up for a value of zero, by either way."""
    rows = Interactions.from_columns([1, 1, 2, 2, 3], ["a", "b", "a", "b", "c"])
    wide = csr_matrix(
        np.outer(np.arange(1, 81) % 3 == 0, np.arange(400) % 5 == 0), dtype=np.float32
    )

    assert PureSVD(factors=9).fit(rows).item_factors_.shape == (3, 2)
    assert svd.leading(wide, 8, derive(0, "test"))[1].shape == (400, 1)
    monkeypatch.setattr(svd, "DENSE", 0)
    assert svd.leading(wide, 8, derive(0, "test"))[1].shape == (400, 1)


def test_next_to_nothing_to_learn_from():
    """One user with one item; a purchase sent back; no history."""
    alone = PureSVD().fit(Interactions.from_columns(["ann"], [10**9]))
    sent_back = PureSVD().fit(Interactions.from_columns(["a", "a"], ["x", "y"], [-1, -1]))

    assert alone.score([[10**9]]).tolist() == [[1]]
    assert sent_back.score([["x"]]).tolist() == [[0, 0]]
    assert np.isnan(alone.score([[]])).all()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"factors": 0}, r"factors=0\): at least one"),
        ({"history_discount": 1.5}, r"history_discount=1.5\): a number from 0 to 1"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        PureSVD(**keywords).fit(ROWS)
