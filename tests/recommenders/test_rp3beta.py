"""RP3Beta against a dense brute force."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders.rp3beta import RP3Beta
from equipoise.testing.recommenders import LAWS, toy

ROWS, _ = toy()
VALUED = Interactions.from_columns(ROWS.user, ROWS.item, 1.0 + np.arange(len(ROWS)) % 4)

MAKERS = {
    "rp3beta": lambda: RP3Beta(k=40),
    "values, threads": lambda: RP3Beta(
        k=40, alpha=0.5, normalize=False, use_values=True, threads=2
    ),
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds for the recommender."""
    law(MAKERS[name])


def dense(model: RP3Beta) -> np.ndarray:
    """(I, I): what item i in the history adds to item j."""
    eye = np.arange(len(model.item_ids_), dtype=np.int32)
    return np.nan_to_num(np.array([model.score_codes(eye[i : i + 1]) for i in eye]))


def largest(w: np.ndarray, k: int) -> np.ndarray:
    """The k largest of each row, ties by the smaller column."""
    rank = np.argsort(np.argsort(-w, axis=1, kind="stable"), axis=1, kind="stable")
    return np.where(rank < k, w, 0)


def brute_force(x: np.ndarray, model: RP3Beta) -> np.ndarray:
    """The walk, as products of matrices of chances."""
    met = (x > 0).sum(axis=0)
    from_item = (x > 0).T / np.maximum(met, 1)[:, None]
    from_user = x / x.sum(axis=1, keepdims=True)
    w = from_item**model.alpha @ from_user**model.alpha / np.maximum(met, 1) ** model.beta
    np.fill_diagonal(w, 0)
    w = largest(w, model.k)
    if model.normalize:
        w /= np.maximum(w.sum(axis=1, keepdims=True), 1e-12)
    return largest(w.T, model.k).T


@pytest.mark.parametrize("k", [4, 100])
@pytest.mark.parametrize("use_values", [False, True])
@pytest.mark.parametrize("normalize", [False, True])
def test_is_the_walk(k, use_values, normalize):
    """Three steps of chances to the power α over popularity to the power β, cut by source, scaled,
    cut by target.
    """
    keywords = {"k": k, "use_values": use_values, "normalize": normalize}
    model = RP3Beta(alpha=1.3, beta=0.4, **keywords).fit(VALUED)
    x = VALUED.matrix(binary=not use_values).toarray().astype(np.float64)
    expected = brute_force(x, model)
    found = dense(model)

    if k == 100:
        assert np.allclose(found, expected, rtol=1e-4, atol=1e-7)
    else:  # a tie at an edge may be cut in another order after rounding
        assert ((found > 0).sum(axis=0) <= k).all()
        assert np.allclose(np.sort(found, axis=0), np.sort(expected, axis=0), rtol=1e-3, atol=1e-6)


def test_chances_sum_to_one():
    """With α = 1 and β = 0 all ways out of an item are chances, once normalised."""
    model = RP3Beta(k=100, alpha=1, beta=0).fit(ROWS)

    sums = dense(model).sum(axis=1)

    assert np.allclose(sums[sums > 0], 1)


def test_beta_holds_popular_items_back():
    """Of two items met by the same user, the one that others met too comes second with β > 0."""
    rows = Interactions.from_columns(
        [1, 1, 1, 2, 3, 4], ["seed", "popular", "rare", "popular", "popular", "popular"]
    )

    assert RP3Beta(beta=0.5).fit(rows).recommend(["seed"], 2)[0].tolist() == ["rare", "popular"]


def test_odd_sizes():
    """One row, an id of 10⁹: nothing to walk to, so an empty list; a user left without rows."""
    one = RP3Beta().fit(Interactions.from_columns(["a"], [10**9]))
    whole = Interactions.from_columns([1, 1, 2, 3], ["a", "b", "b", "c"])
    part = RP3Beta().fit(whole.take(np.array([True, True, True, False])))

    assert len(one.recommend([10**9], 3)[0]) == 0
    assert part.recommend(["a"], 3)[0].tolist() == ["b"]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"k": 0}, r"RP3Beta\(k=0\): at least one item"),
        ({"alpha": 0}, r"alpha=0\): a number above 0 and up to 3"),
        ({"beta": -0.1}, r"beta=-0.1\): a number from 0 to 2"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        RP3Beta(**keywords).fit(ROWS)
