"""Factors without negative numbers: falling loss, Karush–Kuhn–Tucker, and a foreign solver."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders.nmf import NMF, RatingNMF, nndsvd
from equipoise.recommenders.rating_factors import sides
from equipoise.testing.recommenders import LAWS, PERSONAL, toy

ROWS, _ = toy()
RNG = derive(0, "test.nmf")
PAIRS = np.nonzero(RNG.random((30, 20)) < 0.5)
RATINGS = Interactions.from_columns(*PAIRS, RNG.integers(1, 6, len(PAIRS[0])))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("regularization", [0.0, 0.1])
def test_law(law, regularization):
    """The law holds for what was met."""
    law(lambda: NMF(factors=3, epochs=40, regularization=regularization, threads=2))


# Ratings all alike (the laws' toy) hold no taste, so the checkerboard is left out.
@pytest.mark.parametrize(
    "law", [law for law in LAWS if law not in PERSONAL], ids=lambda law: law.__name__
)
def test_law_of_ratings(law):
    """The law holds for ratings."""
    law(lambda: RatingNMF(factors=3, epochs=60, threads=2))


def loss(x, w, h, ridge):
    w, h = w.astype(np.float64), h.astype(np.float64)
    return ((x - w @ h.T) ** 2).sum() + ridge * ((w**2).sum() + (h**2).sum())


@pytest.mark.parametrize("ridge", [0.0, 0.5])
@pytest.mark.parametrize("sweeps", [1, 4])
def test_no_half_step_raises_the_loss(ridge, sweeps):
    """Users, items, users, …: all cells count, nothing is negative, the loss falls."""
    model = NMF(factors=6, regularization=ridge, sweeps=sweeps)
    matrix = ROWS.matrix(binary=True)
    x, (w, h) = matrix.toarray(), nndsvd(matrix, 6)
    losses = [loss(x, w, h, ridge)]
    for _ in range(10):
        model.half_step(matrix, h, w)
        losses.append(loss(x, w, h, ridge))
        model.half_step(matrix.T.tocsr(), w, h)
        losses.append(loss(x, w, h, ridge))

    assert (np.diff(losses) < 1e-4).all()
    assert losses[-1] < 0.9 * losses[0]
    assert min(w.min(), h.min()) >= 0


def test_no_half_step_on_ratings_raises_the_loss():
    """The same over the ratings there are, the ridge growing with their number."""
    model = RatingNMF(factors=4)
    rows = sides(RATINGS, RATINGS.value, np.ones(len(RATINGS), np.float32))
    model._average(RATINGS)
    model._start()
    p, q = model.user_factors_, model.item_factors_
    u, i = RATINGS.user, RATINGS.item

    def rated_loss():
        ridges = (p[u] ** 2).sum() + (q[i] ** 2).sum()
        return ((RATINGS.value - (p[u] * q[i]).sum(axis=1)) ** 2).sum() + 0.12 * ridges

    losses = [rated_loss()]
    for _ in range(10):
        model.half_step(rows[0], q, p)
        losses.append(rated_loss())
        model.half_step(rows[1], p, q)
        losses.append(rated_loss())

    assert (np.diff(losses) < 1e-3).all()
    assert losses[-1] < 0.7 * losses[0]
    assert min(p.min(), q.min()) >= 0


def test_as_good_as_scikit_learn():
    """Where both ended, our loss is no larger than its coordinate descent's from the same start."""
    from sklearn.decomposition import NMF as Theirs

    x = ROWS.matrix(binary=True).toarray().astype(np.float64)
    theirs = Theirs(4, init="nndsvd", max_iter=1_000, tol=1e-8).fit(x)
    model = NMF(factors=4, epochs=2_000).fit(ROWS)
    w = np.array([model.fold_in(row.indices) for row in ROWS.matrix(binary=True)])

    assert loss(x, w, model.item_factors_, 0) <= theirs.reconstruction_err_**2 * 1.001


def test_fold_in_is_non_negative_least_squares():
    """scipy's active-set solver finds the same, for histories of any weights."""
    model = NMF(factors=6).fit(ROWS)
    codes, weights = np.array([2, 9, 4], np.int32), np.array([1, 3, 0.5], np.float32)
    row = np.zeros(len(model.item_ids_))
    row[codes] = weights

    assert np.allclose(model.fold_in(codes, weights), nnls(model.item_factors_, row)[0], atol=1e-4)


def test_fold_in_of_ratings_is_non_negative_least_squares():
    """The same over what was rated, the ridge as further rows."""
    model = RatingNMF(factors=4, regularization=0.2).fit(RATINGS)
    codes, ratings = np.array([2, 9, 4], np.int32), np.array([5, 1, 2], np.float32)
    rows = np.vstack([model.item_factors_[codes], np.sqrt(0.2 * 3) * np.eye(4)])

    expected = nnls(rows.astype(np.float64), np.append(ratings, np.zeros(4)))[0]
    assert np.allclose(model.fold_in(codes, ratings), expected, atol=1e-4)


def test_start_is_non_negative_and_exact_at_rank_one():
    """NNDSVD of an outer product is that product; it never turns negative."""
    a, b = np.abs(RNG.normal(size=12)), np.abs(RNG.normal(size=9))
    w, h = nndsvd(csr_matrix(np.outer(a, b)), 2)
    sparse, dense = (nndsvd(ROWS.matrix(binary=True), factors) for factors in (6, 25))

    assert np.allclose(w[:, :1] @ h[:, :1].T, np.outer(a, b), atol=1e-5)
    assert min(part.min() for part in (*sparse, *dense)) >= 0
    assert np.allclose(sparse[1], dense[1][:, :6], atol=1e-5)


def test_more_factors_than_the_matrix_has():
    """Those beyond its smaller side stay at zero; one user and one item are enough."""
    one = NMF(factors=5).fit(Interactions.from_columns([10**9], ["a"]))

    assert one.item_factors_.astype(bool).sum() == 1
    assert one.score([["a"]])[0, 0] == pytest.approx(1)
    assert np.isnan(one.score([[]])).all()


def test_values_count_where_asked_for():
    """Summed values are the cells; without, 1 for each pair met."""
    rows = Interactions.from_columns([1, 1, 2, 2], ["a", "b", "a", "b"], [4.0, 4, 2, 2])

    valued, met = (NMF(factors=1, use_values=use).fit(rows) for use in (True, False))

    # At rank one both sides get the root of the matrix' norm.
    assert valued.gram_[0, 0] == pytest.approx(np.sqrt(40))
    assert met.gram_[0, 0] == pytest.approx(2)


def test_threads_do_not_decide():
    """Same bytes on one thread or two; the seed decides where there is luck."""
    one, two = (NMF(factors=5, threads=threads).fit(ROWS) for threads in (1, 2))
    first, threaded, other = (
        RatingNMF(factors=4, epochs=3, random_state=seed, threads=threads).fit(RATINGS)
        for seed, threads in ((1, 1), (1, 2), (2, 1))
    )

    assert np.array_equal(one.item_factors_, two.item_factors_)
    assert np.array_equal(first.item_factors_, threaded.item_factors_)
    assert not np.allclose(first.item_factors_, other.item_factors_)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (NMF(factors=0), r"NMF\(factors=0\): at least one"),
        (NMF(epochs=0), r"epochs=0\): at least one"),
        (NMF(sweeps=0), r"sweeps=0\): at least one"),
        (NMF(regularization=-1), r"regularization=-1\): zero or more"),
        (RatingNMF(sweeps=0), r"RatingNMF\(sweeps=0\): at least one"),
        (RatingNMF(regularization=0), r"regularization=0\): a positive number"),
    ],
)
def test_refusals(model, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        model.fit(RATINGS)


def test_negative_ratings_are_refused():
    """No product of what is not negative is negative."""
    with pytest.raises(InvalidInput, match="RatingNMF: a rating is -2; zero or more is wanted"):
        RatingNMF().fit(Interactions.from_columns([1, 2], [1, 1], [-2.0, 3.0]))
