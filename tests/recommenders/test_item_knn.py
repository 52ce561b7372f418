"""ItemKNN against a dense brute force."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders import ItemKNN
from equipoise.recommenders.similarity import OF_RATINGS
from equipoise.testing.recommenders import LAWS, checkerboard_is_recovered, toy
from equipoise.testing.recommenders import history_is_left_out_unless_asked_for as listed

ROWS, _ = toy()
VALUED = Interactions.from_columns(ROWS.user, ROWS.item, 1.0 + np.arange(len(ROWS)) % 4)


MAKERS = {
    "asymmetric": lambda: ItemKNN(k=40, similarity="asymmetric_cosine", alpha=0.2, threads=2),
    **{
        name: lambda name=name: ItemKNN(k=40, similarity=name, use_values=True)
        for name in OF_RATINGS
    },
}
NEEDS_VALUES = {"pearson", "adjusted_cosine"}
"""Where all values are 1 nothing is like anything: no list, no checkerboard."""


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds with each similarity (cosine and jaccard: ``test_base.py``)."""
    if name in NEEDS_VALUES and law in (listed, checkerboard_is_recovered):
        pytest.skip("a correlation learns nothing from values that are all 1")
    law(MAKERS[name])


def dense(model: ItemKNN) -> np.ndarray:
    """(I, I): what item i in the history adds to item j."""
    eye = np.arange(len(model.item_ids_), dtype=np.int32)
    return np.nan_to_num(np.array([model.score_codes(eye[i : i + 1]) for i in eye]))


def nearest_only(similarity: np.ndarray, k: int) -> np.ndarray:
    """Reference: in each column the k largest, ties by the smaller row, no diagonal, no zeros."""
    similarity = similarity.copy()
    np.fill_diagonal(similarity, 0)
    rank = np.argsort(np.argsort(-similarity, axis=0, kind="stable"), axis=0, kind="stable")
    return np.where(rank < k, similarity, 0)


@pytest.mark.parametrize("k", [3, 100])
@pytest.mark.parametrize("shrinkage", [0.0, 7.0])
def test_cosine_is_brute_force(k, shrinkage):
    """x_i·x_j / (|x_i||x_j| + h), the k largest of each item."""
    x = VALUED.matrix().toarray().astype(np.float64)
    norms = np.linalg.norm(x, axis=0)
    similarity = x.T @ x / (np.outer(norms, norms) + shrinkage)

    model = ItemKNN(k=k, shrinkage=shrinkage, use_values=True).fit(VALUED)

    assert np.allclose(dense(model), nearest_only(similarity, k), atol=1e-6)


def test_cosine_is_sklearns():
    """The plain cosine equals scikit-learn's."""
    x = ROWS.matrix(binary=True)
    expected = cosine_similarity(x.T, dense_output=True)

    model = ItemKNN(k=100, shrinkage=0).fit(ROWS)

    assert np.allclose(dense(model), nearest_only(expected, 100), atol=1e-6)


def test_jaccard_is_brute_force():
    """|i ∩ j| / (|i ∪ j| + h)."""
    x = ROWS.matrix(binary=True).toarray()
    both = x.T @ x
    either = x.sum(axis=0)[:, None] + x.sum(axis=0) - both

    model = ItemKNN(k=100, similarity="jaccard", shrinkage=2).fit(ROWS)

    assert np.allclose(dense(model), nearest_only(both / (either + 2), 100), atol=1e-6)


@pytest.mark.parametrize("weighting", ["tfidf", "bm25"])
def test_weighting_is_brute_force(weighting):
    """Users weigh ln(I / (1 + their items)); bm25 saturates by the item's length too."""
    x = VALUED.matrix().toarray().astype(np.float64)
    rarity = np.log(x.shape[1] / (1 + (x > 0).sum(axis=1)))
    length = x.sum(axis=0) / x.sum(axis=0).mean()
    term = x * 2.2 / (1.2 * (0.25 + 0.75 * length) + x) if weighting == "bm25" else np.sqrt(x)
    w = term * rarity[:, None]
    norms = np.linalg.norm(w, axis=0)
    expected = w.T @ w / (np.outer(norms, norms) + 5)

    model = ItemKNN(k=100, shrinkage=5, weighting=weighting, use_values=True).fit(VALUED)

    assert np.allclose(dense(model), nearest_only(expected, 100), atol=1e-6)


def test_asymmetric_is_brute_force():
    """Item j asks: x_i·x_j over |x_j|^2α |x_i|^2(1−α)."""
    x = ROWS.matrix(binary=True).toarray().astype(np.float64)
    met = x.sum(axis=0)
    similarity = x.T @ x / np.outer(met**0.8, met**0.2)

    keywords = {"similarity": "asymmetric_cosine", "alpha": 0.2, "shrinkage": 0}
    model = ItemKNN(k=100, **keywords).fit(ROWS)

    assert np.allclose(dense(model), nearest_only(similarity, 100), atol=1e-6)


def test_adjusted_cosine_takes_off_what_the_user_gives():
    """Two items that a generous and a strict user rank alike are alike, one they do not is not."""
    stars = [("kind", 5, 5, 4, 3), ("harsh", 3, 3, 2, 1), ("mild", 4, 4, 3, 1)]
    rows = Interactions.from_columns(
        [user for user, *_ in stars for _ in "abcd"],
        list("abcd") * 3,
        [value for _, *values in stars for value in values],
    )
    model = ItemKNN(similarity="adjusted_cosine", shrinkage=0, use_values=True, threshold=-1)
    s = dense(model.fit(rows))
    x = np.array([values for _, *values in stars], np.float64)
    x -= x.mean(axis=1, keepdims=True)

    assert np.isclose(s[0, 1], 1)
    assert np.isclose(
        s[0, 3], x[:, 0] @ x[:, 3] / np.linalg.norm(x[:, 0]) / np.linalg.norm(x[:, 3])
    )
    assert s[0, 3] < 0


def test_a_threshold_cuts():
    """Similarities below it are no neighbours."""
    strict, loose = (ItemKNN(shrinkage=0, threshold=t).fit(ROWS) for t in (0.4, 0.0))

    assert strict.strengths_.min() >= 0.4 > loose.strengths_.min()
    assert np.array_equal(np.where(dense(loose) >= np.float32(0.4), dense(loose), 0), dense(strict))


def test_duplicate_rows_count_as_one():
    """Met twice is met; with values they add up."""
    twice = Interactions.from_columns([1, 1, 1, 2, 2], ["a", "a", "b", "b", "c"])
    once = Interactions.from_columns([1, 1, 2, 2], ["a", "b", "b", "c"])

    assert np.array_equal(dense(ItemKNN().fit(twice)), dense(ItemKNN().fit(once)))
    assert not np.array_equal(
        dense(ItemKNN(use_values=True).fit(twice)), dense(ItemKNN(use_values=True).fit(once))
    )


def test_odd_sizes():
    """One user and one item, an id of 10⁹, more neighbours asked for than can be: an answer."""
    one = ItemKNN(weighting="bm25").fit(Interactions.from_columns(["a"], [10**9]))
    many = ItemKNN(k=10**9, shrinkage=0).fit(Interactions.from_columns([1, 1], [7, 10**9]))

    assert len(one.recommend([10**9], 3)[0]) == 0
    assert many.recommend([7], 3)[0].tolist() == [10**9]


def test_threads_change_nothing():
    """One thread and three learn the same bytes."""
    one, three = ItemKNN(threads=1).fit(ROWS), ItemKNN(threads=3).fit(ROWS)

    assert np.array_equal(one.strengths_, three.strengths_)
    assert np.array_equal(one.targets_, three.targets_)


def test_no_neighbour_is_no_score():
    """An item without a neighbour in the history is not listed; nor is anything at first."""
    apart = Interactions.from_columns([1, 1, 2, 2], ["a", "b", "c", "d"])
    model = ItemKNN(shrinkage=0).fit(apart)

    assert model.recommend(["a"], 4)[0].tolist() == ["b"]
    assert len(model.recommend([], 4)[0]) == 0


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"k": 0}, r"k=0\): at least one neighbour"),
        ({"similarity": "cosinus"}, r"similarity='cosinus'\): one of \('cosine', 'asymm"),
        ({"similarity": "euclidean"}, r"use_values=False\): True with euclidean, which compares"),
        ({"offset": "median"}, r"offset='median'\): one of \(None, 'mean', 'baseline'\)"),
        ({"alpha": 1.5}, r"alpha=1.5\): a number from 0 to 1"),
        ({"threshold": 2}, r"threshold=2\): a number from -1 to 1"),
        ({"threshold": float("nan")}, r"threshold=nan\): a number from -1 to 1"),
        ({"weighting": "idf"}, r"weighting='idf'\): one of"),
        ({"shrinkage": -1}, r"shrinkage=-1\): zero or more"),
        ({"similarity": "jaccard", "weighting": "bm25"}, "cosine with weights is wanted"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        ItemKNN(**keywords).fit(ROWS)
