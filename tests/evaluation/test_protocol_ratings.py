"""The protocol for stars, by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation import MeanRating, evaluate_ratings, metrics
from equipoise.randomness import derive

TRAIN = Interactions.from_columns("uuv", "aba", [5.0, 3.0, 1.0])
TEST = Interactions.from_columns("vvw", "bca", [4.0, 2.0, 1.0])


class Says:
    """The same rating for all, or one by item."""

    def __init__(self, rating, name="says"):
        self.rating, self.name = rating, name

    def fit(self, interactions, *, items=None):
        self.items = items
        return self

    def predict_pairs(self, users, items):
        if isinstance(self.rating, dict):
            return np.array([self.rating[item] for item in items], np.float32)
        return np.full(len(users), self.rating, np.float32)


def test_by_hand():
    """All are told 3: off by 1, 1 and 2; so says the mean of training, which stands above."""
    table = evaluate_ratings(TRAIN, TEST, [Says({"a": 1, "b": 4, "c": 4})])
    mean, says = table.to_dicts()

    assert mean["recommender"] == "mean_rating"
    assert mean["baseline"]
    assert mean["rmse"] == pytest.approx((6 / 3) ** 0.5)
    assert mean["mae"] == pytest.approx(4 / 3)
    assert says["rmse"] == pytest.approx((4 / 3) ** 0.5)
    assert table.note == (
        "3 ratings of 2 users judged, each counting alike; 33.3% of users without a training row,"
        " 33.3% of items"
    )


def test_rows_are_means_of_what_can_be_compared():
    """The squares and sizes of ``per_user`` mean to the row's figures; a user's rows stay together
    in comparisons."""
    rng = derive(0, "stars")
    users, items = rng.integers(0, 30, 600), rng.integers(0, 20, 600)
    data = Interactions.from_columns(users, items, rng.integers(1, 6, 600).astype(float))
    train, test = data.split_random(0.4)
    table = evaluate_ratings(train, test, [Says(2.0)], confidence=0.9)
    row = table.rows[1]
    found = table.compare("says", "mean_rating", "mse")

    assert table.per_user["says"]["mse"].mean() == pytest.approx(row["rmse"] ** 2)
    assert table.per_user["says"]["mae"].mean() == pytest.approx(row["mae"])
    assert row["rmse"] == pytest.approx(metrics.rmse(np.full(len(test), 2.0), test.value))
    assert row["rmse_interval"][0] < row["rmse"] < row["rmse_interval"][1]
    assert row["mae_interval"][0] < row["mae"] < row["mae_interval"][1]
    assert found.difference > 0
    assert found.p_value < 0.01
    assert len(np.unique(table.clusters)) <= 30
    assert json.loads(json.dumps(table.to_dicts())) == table.to_dicts()
    for text in ("rmse", "±", "pair microseconds", "ratings of"):
        assert text in str(table)


def test_mean_rating_of_nothing_is_nought():
    """A training part without rows has no mean; 0 is said."""
    nothing = TRAIN.take(np.zeros(3, bool))

    assert MeanRating().fit(nothing).predict_pairs(["u"], ["a"]).tolist() == [0]
    assert MeanRating().fit(TRAIN).predict_pairs("uv", "ab").tolist() == [3, 3]


def test_items_reach_the_recommenders():
    """But not the baselines, which know of none."""
    judged = Says(3.0)
    evaluate_ratings(TRAIN, TEST, {"it": judged}, items=iter([]))

    assert judged.items == []


def test_refusals():
    """No rows, predictions that are none, or as many as nobody asked for; twins."""
    with pytest.raises(InvalidInput, match="the test part has no ratings"):
        evaluate_ratings(TRAIN, TEST.take(np.zeros(3, bool)), [Says(1.0)])
    with pytest.raises(InvalidInput, match="says foretold nan for user 'v' and item 'c'; every"):
        evaluate_ratings(TRAIN, TEST, [Says({"a": 1, "b": 1, "c": np.nan})])
    with pytest.raises(InvalidInput, match="more than one recommender is named mean_rating"):
        evaluate_ratings(TRAIN, TEST, [MeanRating()])

    class Short(Says):
        def predict_pairs(self, users, items):
            return np.ones(1)

    with pytest.raises(InvalidInput, match=r"says foretold shape \(1,\); \(3,\) is wanted"):
        evaluate_ratings(TRAIN, TEST, [Short(1.0)])
