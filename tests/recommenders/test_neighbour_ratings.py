"""What neighbours gave: worked examples, what is said without them, and Surprise's figures."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput, NotFitted
from equipoise.intake.data_sets import locate
from equipoise.recommenders import ItemKNN
from equipoise.recommenders.baseline import Baseline
from equipoise.recommenders.user_knn import UserKNN

STARS = [
    ("A", {"X": 4, "Y": 3, "Z": 5}),
    ("B", {"X": 5, "Y": 4, "Z": 3, "W": 4}),
    ("C", {"X": 4, "Y": 2, "Z": 5, "W": 2}),
]
ROWS = Interactions.from_columns(
    [user for user, given in STARS for _ in given],
    [item for _, given in STARS for item in given],
    [value for _, given in STARS for value in given.values()],
)
PEARSON = {"similarity": "pearson", "use_values": True, "shrinkage": 0}
A_AND_C = 3 / np.sqrt(2 * 14 / 3)
"""Deviations (0, −1, 1) and (1/3, −5/3, 4/3): 3 over the root of 2 · 14/3."""


def test_the_worked_example_with_opposites():
    """A (mean 4) and B (mean 4) correlate −1/2, A and C (mean 13/4) almost 1. B's W is its mean,
    C's lies 5/4 below: 4 + (−½·0 + s·(−5/4)) / (½ + s).
    """
    model = UserKNN(threshold=-1, **PEARSON).fit(ROWS)

    assert np.isclose(model.predict("A", "W"), 4 + A_AND_C * -1.25 / (0.5 + A_AND_C))


def test_the_worked_example_with_the_like():
    """Without opposites only C speaks, and the weights cancel; the nearest is C too."""
    for model in (UserKNN(**PEARSON), UserKNN(k=1, threshold=-1, **PEARSON)):
        assert np.isclose(model.fit(ROWS).predict("A", "W"), 4 - 1.25)


def test_without_offset_it_is_a_mean():
    """Plain k-NN: the similarity-weighted mean of what neighbours gave."""
    model = UserKNN(offset=None, similarity="msd", use_values=True, shrinkage=0).fit(ROWS)
    s = np.array([1 / (1 + 6 / 3), 1 / (1 + 1 / 3)])

    assert np.isclose(model.predict("A", "W"), s @ [4, 2] / s.sum())


def test_items_turn_the_table():
    """Item-based on the table is user-based on the table turned, where both mean the same."""
    turned = Interactions.from_columns(
        ROWS.item_ids[ROWS.item], ROWS.user_ids[ROWS.user], ROWS.value
    )
    items = ItemKNN(threshold=-1, **PEARSON).fit(ROWS)
    users = UserKNN(threshold=-1, **PEARSON).fit(turned)

    assert np.isclose(items.predict("A", "W"), users.predict("W", "A"))
    assert items.predict("A", "W") != UserKNN(threshold=-1, **PEARSON).fit(ROWS).predict("A", "W")


def test_a_pair_in_training_does_not_see_itself():
    """The row itself is no neighbour of its own: what is left is what C gave."""
    model = UserKNN(offset=None, **PEARSON).fit(ROWS)

    assert model.predict("A", "Y") == 2


@pytest.mark.parametrize("method", [UserKNN, ItemKNN])
@pytest.mark.parametrize("offset", [None, "mean", "baseline"])
def test_alone(method, offset):
    """Without neighbours: the baseline, or the row's mean, the column's, that of all."""
    apart = Interactions.from_columns(["a", "a", "b"], ["x", "y", "z"], [5.0, 1.0, 4.0])
    model = method(use_values=True, offset=offset).fit(apart)
    baseline = Baseline().fit(apart)

    for user, item in (("a", "z"), ("b", "x"), ("?", "x"), ("a", "?"), ("?", "?")):
        means = {"a": 3.0, "b": 4.0}, {"x": 5.0, "y": 1.0, "z": 4.0}
        row, column = (user, item) if method is UserKNN else (item, user)
        rows, columns = means if method is UserKNN else means[::-1]
        expected = rows.get(row, columns.get(column, 10 / 3))
        if offset == "baseline":
            expected = baseline.predict(user, item)

        assert np.isclose(model.predict(user, item), expected)


def test_batch_is_single():
    """Pairs in any order, twice, unknown ones between them."""
    model = ItemKNN(use_values=True, shrinkage=0, threads=2).fit(ROWS)
    pairs = [("C", "W"), ("A", "W"), ("?", "W"), ("C", "W"), ("A", "X"), ("B", "?")]

    found = model.predict_pairs(*zip(*pairs, strict=True))

    assert np.array_equal(found, [np.float32(model.predict(*pair)) for pair in pairs])
    assert len(model.predict_pairs([], [])) == 0


def test_no_ratings_no_predictions():
    """Who was met only, and a model that was loaded, say so."""
    loaded = ItemKNN.from_arrays(ItemKNN(use_values=True).fit(ROWS).arrays())

    with pytest.raises(InvalidInput, match="ItemKNN learnt whom an item is met by, and no ratings"):
        ItemKNN().fit(ROWS).predict("A", "W")
    with pytest.raises(InvalidInput, match=r"fit with use_values=True to predict"):
        UserKNN().fit(ROWS).predict("A", "W")
    with pytest.raises(NotFitted, match="this ItemKNN was loaded"):
        loaded.predict("A", "W")


def movielens() -> tuple[Interactions, Interactions]:
    """The first of the five splits that come with MovieLens 100K, items of training only."""
    try:
        folder = locate("ml-100k")
    except InvalidInput as why:
        pytest.skip(str(why))
    parts = [np.loadtxt(path, dtype=int) for path in sorted(folder.rglob("u1.*"))]
    train, test = parts
    test = test[np.isin(test[:, 1], train[:, 1])]
    return tuple(Interactions.from_columns(*part.T[:3]) for part in (train, test))


def test_surprise_says_the_same():
    """RMSE and MAE of Surprise 1.1.5, run on the same split with its defaults (k 40, msd); they
    may settle ties otherwise. Ours of items, baseline and cosine, is better than all three.
    """
    train, test = movielens()
    surprise = {
        None: (0.98671, 0.78199),
        "mean": (0.96266, 0.75796),
        "baseline": (0.94127, 0.74101),
    }
    asked = test.user_ids[test.user], test.item_ids[test.item]
    for offset, figures in surprise.items():
        model = UserKNN(k=40, similarity="msd", use_values=True, offset=offset)

        error = model.fit(train).predict_pairs(*asked) - test.value

        found = np.sqrt(np.mean(error**2)), np.abs(error).mean()
        assert np.allclose(found, figures, atol=4e-4)
    ours = ItemKNN(k=20, shrinkage=0, use_values=True, offset="baseline").fit(train)
    error = ours.predict_pairs(*asked) - test.value
    assert np.sqrt(np.mean(error**2)) < 0.93
