"""UserKNN against a dense brute force."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders.similarity import OF_RATINGS, SIMILARITIES
from equipoise.recommenders.user_knn import UserKNN
from equipoise.testing.recommenders import LAWS, checkerboard_is_recovered, toy
from equipoise.testing.recommenders import history_is_left_out_unless_asked_for as listed

ROWS, _ = toy()
RNG = derive(4, "test.user_knn")
VALUED = Interactions.from_columns(ROWS.user, ROWS.item, RNG.integers(1, 6, len(ROWS)))
ALL_USERS = 60

MAKERS = {
    "cosine": lambda: UserKNN(k=ALL_USERS, threads=2),
    "reverse": lambda: UserKNN(k=10, reverse=True, threads=2),
    "items as documents": lambda: UserKNN(
        k=ALL_USERS, weighting="bm25", documents="items", weighted_votes=True
    ),
    "jaccard": lambda: UserKNN(k=ALL_USERS, similarity="jaccard", use_values=True),
    "tfidf": lambda: UserKNN(k=ALL_USERS, similarity="asymmetric_cosine", weighting="tfidf"),
    **{
        name: lambda name=name: UserKNN(k=ALL_USERS, similarity=name, use_values=True)
        for name in OF_RATINGS
    },
}
NEEDS_VALUES = {"pearson", "adjusted_cosine"}
"""Where all values are 1 nobody is like anybody: no list, no checkerboard."""


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds for the recommender."""
    if name in NEEDS_VALUES and law in (listed, checkerboard_is_recovered):
        pytest.skip("a correlation learns nothing from values that are all 1")
    law(MAKERS[name])


def weights_of(x: np.ndarray, weighting: str | None, documents: str) -> np.ndarray:
    """(users, items) by the formulas, zero where nothing was met."""
    if weighting is None:
        return x
    if documents == "users":
        return weights_of(x.T, weighting, "items").T
    rarity = np.maximum(np.log(x.shape[1] / (1 + (x > 0).sum(axis=1))), 0)[:, None]
    length = x.sum(axis=0) / x.sum(axis=0).mean()
    term = x * 2.2 / (1.2 * (0.25 + 0.75 * length) + x) if weighting == "bm25" else np.sqrt(x)
    return term * rarity


def brute_force(model: UserKNN) -> np.ndarray:
    """(users, items) scores of each training user's own history, from dense matrices."""
    x = VALUED.matrix(binary=not model.use_values).toarray().astype(np.float64)
    w = weights_of(x, model.weighting, model.documents)
    asking = 1 - model.alpha if model.reverse else model.alpha
    squares = (w**2).sum(axis=1)
    if model.similarity == "cosine":
        asking = 0.5
    s = w @ w.T / (np.outer(squares**asking, squares ** (1 - asking)) + model.shrinkage)
    others = s.copy()
    np.fill_diagonal(others, -1)
    rank = np.sort(others, axis=0)[::-1][model.k - 1] if model.reverse else 0
    if model.reverse:  # v, in a column, has u, in a row, among its k nearest; u's twin v = u too
        s = np.where(s >= rank * (1 - 1e-6), s, 0)
    else:
        least = np.sort(s, axis=1)[:, ::-1][:, [model.k - 1]]
        s = np.where(s >= least, s, 0)
    return s @ (w if model.weighted_votes else x)


@pytest.mark.parametrize("documents", ["users", "items"])
@pytest.mark.parametrize("weighting", [None, "tfidf", "bm25"])
@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"reverse": True, "shrinkage": 3.0},
        {"similarity": "asymmetric_cosine", "alpha": 0.2, "weighted_votes": True},
        {"similarity": "asymmetric_cosine", "alpha": 0.2, "reverse": True},
    ],
)
def test_scores_are_brute_force(keywords, weighting, documents):
    """Σ s(u, v) x_v over the k nearest, or over those who have u among theirs."""
    model = UserKNN(k=7, weighting=weighting, documents=documents, use_values=True, **keywords).fit(
        VALUED
    )
    indptr, items, values = VALUED.history_codes(unique=True)
    expected = brute_force(model)

    for user in range(VALUED.n_users):
        own = slice(indptr[user], indptr[user + 1])
        scores = model.score_codes(items[own], values[own])

        assert np.allclose(np.nan_to_num(scores), expected[user], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_predictions_are_brute_force(similarity):
    """The neighbours' deviations from their means, weighted by similarity, whatever it is."""
    model = UserKNN(k=3, similarity=similarity, use_values=True, shrinkage=2.0).fit(VALUED)
    whole = UserKNN(k=ALL_USERS, similarity=similarity, use_values=True, shrinkage=2.0).fit(VALUED)
    held, ratings = whole._rated.by_column, VALUED.matrix().toarray()
    counts = np.bincount(VALUED.user * VALUED.n_items + VALUED.item, minlength=ratings.size)
    ratings = ratings / np.maximum(counts.reshape(ratings.shape), 1)
    means = np.bincount(VALUED.user, VALUED.value) / np.bincount(VALUED.user)
    similar = similarity_matrix(whole)

    for item in range(0, VALUED.n_items, 5):
        raters = held[1][held[0][item] : held[0][item + 1]]
        for user in range(0, VALUED.n_users, 7):
            near = [v for v in raters if v != user and similar[user, v] > 0]
            near = sorted(near, key=lambda v: (-similar[user, v], v))[:3]
            s = similar[user, near]
            moved = s @ (ratings[near, item] - means[near]) / s.sum() if near else 0
            found = model.predict_codes(np.array([user], np.int32), np.array([item], np.int32))

            assert np.allclose(found, means[user] + moved, atol=1e-4)


def similarity_matrix(model: UserKNN) -> np.ndarray:
    from equipoise.recommenders.neighbours import nearest

    return nearest(model._space, ALL_USERS, -1.0, threads=1).toarray()


def test_a_history_is_a_user():
    """Somebody from outside with a training user's items gets the same list, stored or not."""
    model = UserKNN(k=5, weighting="tfidf").fit(ROWS)
    history = ROWS.histories(unique=True)[3]
    loaded = UserKNN.from_arrays(model.arrays())

    assert list(model.recommend(history)[0]) == list(loaded.recommend(history)[0])
    assert "user-03" not in str(model.arrays())


def test_weights_are_values():
    """Among those who rated alike and those who rated the other way, the former speak."""
    users = ["up"] * 3 + ["down"] * 3
    rows = Interactions.from_columns(
        users, ["a", "b", "liked", "a", "b", "other"], [5, 1, 5, 1, 5, 5]
    )
    model = UserKNN(similarity="pearson", use_values=True).fit(rows)
    codes = np.array([0, 1], np.int32)

    scores = model.score_codes(codes, np.array([4, 2], np.float32))

    assert np.isfinite(scores[[0, 1, 2]]).all()
    assert np.isnan(scores[3])
    assert np.isnan(model.score_codes(codes)).all()


def test_bad_weights_do_no_harm():
    """Weights that are none, by contract: a finite answer or NaN, and no crash."""
    model = UserKNN().fit(ROWS)
    codes = np.arange(5, dtype=np.int32)

    for bad in (0.0, -1.0, np.nan, 1e-38):
        assert not np.isinf(model.score_codes(codes, np.full(5, bad, np.float32))).any()


def test_threads_change_nothing():
    """One thread and three learn the same floors and predict the same."""
    pairs = (VALUED.user[:50], VALUED.item[:50])
    one, three = (
        UserKNN(k=4, reverse=True, use_values=True, threads=threads).fit(VALUED)
        for threads in (1, 3)
    )

    assert np.array_equal(one.floors_, three.floors_)
    assert np.array_equal(one.predict_codes(*pairs), three.predict_codes(*pairs))


def test_odd_sizes():
    """One user, one item, an id of 10⁹, a user left without rows: answers, empty where need be."""
    one = UserKNN(weighting="bm25", reverse=True).fit(Interactions.from_columns(["a"], [10**9]))
    whole = Interactions.from_columns(["a", "b", "c"], ["x", "x", "y"])
    part = UserKNN(reverse=True).fit(whole.take(np.array([True, True, False])))

    assert len(one.recommend([10**9], 3)[0]) == 0
    assert part.recommend(["x"], 3, repeats=True)[0].tolist() == ["x"]
    assert len(part.recommend(["y"], 3)[0]) == 0


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"k": 0}, r"UserKNN\(k=0\): at least one neighbour"),
        ({"documents": "baskets"}, r"documents='baskets'\): one of \('users', 'items'\)"),
        ({"similarity": "pearson"}, r"use_values=False\): True with pearson, which compares"),
        ({"similarity": "msd", "weighting": "tfidf", "use_values": True}, "cosine with weights"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        UserKNN(**keywords).fit(ROWS)
