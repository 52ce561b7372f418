"""ItemKNN against a dense brute force."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders import ItemKNN
from equipoise.testing.recommenders import toy

ROWS, _ = toy()
VALUED = Interactions.from_columns(ROWS.user, ROWS.item, 1.0 + np.arange(len(ROWS)) % 4)


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
        ({"similarity": "cosinus"}, r"similarity='cosinus'\): one of \('cosine', 'jaccard'\)"),
        ({"weighting": "idf"}, r"weighting='idf'\): one of"),
        ({"shrinkage": -1}, r"shrinkage=-1\): zero or more"),
        ({"similarity": "jaccard", "weighting": "bm25"}, "cosine with weights is wanted"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        ItemKNN(**keywords).fit(ROWS)
