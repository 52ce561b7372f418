"""Ranking among given negatives, by hand; and its label."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from equipoise.data import Interactions, readers, sample_negatives
from equipoise.errors import InvalidInput
from equipoise.evaluation import evaluate_sampled
from equipoise.intake.data_sets import locate
from equipoise.recommenders import ItemKNN, Popularity
from equipoise.testing.recommenders import toy

TRAIN = Interactions.from_columns(["u", "v", "w"], ["a", "b", "c"])
TEST = Interactions.from_columns(["u", "v", "new"], ["d", "e", "f"])


class Fixed:
    """Scores items as told, whatever the history; NaN where told nothing."""

    name = "fixed"

    def __init__(self, **scores):
        self.scores = scores

    def fit(self, interactions, *, items=None):
        self.item_ids_ = np.array(list(self.scores), dtype=object)
        self.items = items
        return self

    def score(self, histories):
        row = np.array(list(self.scores.values()), np.float32)
        return np.tile(row, (len(histories), 1))


def only(table):
    """The one row of a table."""
    (row,) = table.to_dicts()
    return row


def test_by_hand():
    """d stands second of three, e first of three, f (unknown to the method) behind both others."""
    negatives = {"u": ["x", "y"], "v": ["x", "y"], "new": ["x", "y"]}
    row = only(evaluate_sampled(TRAIN, TEST, [Fixed(x=3, d=2, y=1, e=9)], negatives, n=(1, 2, 3)))

    assert row["hit_rate@1"] == pytest.approx(1 / 3)
    assert row["hit_rate@2"] == pytest.approx(2 / 3)
    assert row["hit_rate@3"] == 1
    assert row["ndcg@3"] == pytest.approx((1 / log2(3) + 1 + 1 / 2) / 3)
    assert row["mrr"] == pytest.approx((1 / 2 + 1 + 1 / 3) / 3)
    assert row["auc"] == pytest.approx((1 / 2 + 1 + 0) / 3)


def test_ties_lose_half_a_place():
    """Among four that tie, two come before; among three, one; nothing known of anyone likewise."""
    test = Interactions.from_columns(["u"], ["d"])
    for others, rank in ((4, 3), (3, 2), (1, 1)):
        negatives = {"u": [f"x{n}" for n in range(others)]}
        alike = Fixed(d=1, **dict.fromkeys(negatives["u"], 1))
        assert only(evaluate_sampled(TRAIN, test, [alike], negatives))["mrr"] == 1 / rank
        assert only(evaluate_sampled(TRAIN, test, [Fixed(z=1)], negatives))["mrr"] == 1 / rank


def test_several_items_are_asked_for():
    """d and e wanted: behind x, and after both; recall and ideal count two; padding is no place."""
    test = Interactions.from_columns(["u", "u", "v"], ["d", "e", "d"])
    negatives = {"u": ["x", "y"], "v": ["x"]}
    table = evaluate_sampled(TRAIN, test, [Fixed(e=5, x=4, d=3, y=1)], negatives, n=(2, 9))
    values = table.per_user["fixed"]

    assert table.users == ["u", "v"]
    assert values["recall@2"].tolist() == [1 / 2, 1]
    assert values["ndcg@9"] == pytest.approx([(1 + 1 / 2) / (1 + 1 / log2(3)), 1 / log2(3)])
    assert values["auc"].tolist() == [3 / 4, 0]


def test_candidates_are_a_set():
    """A negative that is the item asked for, or stands twice, changes nothing."""
    scores, clean = Fixed(x=3, d=2, y=1), {"u": ["x", "y"]}
    doubled = {"u": ["x", "d", "y", "x", "d"]}
    rows = [only(evaluate_sampled(TRAIN, TEST, [scores], n)) for n in (clean, doubled)]

    for metric in ("hit_rate@10", "ndcg@10", "mrr", "auc"):
        assert rows[0][metric] == rows[1][metric]


def test_the_label():
    """It says that figures were sampled, from how many, and who was left out."""
    table = evaluate_sampled(TRAIN, TEST, [Fixed(d=1)], {"u": ["a", "b"], "v": ["a"]})

    assert table.note == (
        "SAMPLED: 2 users judged, each test item ranked among 1 to 2 given negatives instead of all"
        " 3 items, so that no figure here may be compared with one of the full catalogue; 1 test"
        " users without negatives left out"
    )
    assert "SAMPLED" in str(table)


def test_batches_change_nothing(monkeypatch):
    """Users scored three at a time give the same; a method's own scores are what is ranked."""
    rows, _ = toy()
    train, test = rows.split_last()
    negatives = sample_negatives(train, test, 5)
    judged = [ItemKNN(), Popularity()]
    whole = evaluate_sampled(train, test, judged, negatives, n=(1, 3), confidence=0.9)
    monkeypatch.setattr("equipoise.evaluation.sampled.BATCH", 3)
    parts = evaluate_sampled(train, test, judged, negatives, n=(1, 3))

    for name, values in whole.per_user.items():
        for metric, each in values.items():
            assert np.array_equal(each, parts.per_user[name][metric])
    assert whole.rows[0]["ndcg@3_interval"][0] <= whole.rows[0]["ndcg@3"]


def test_items_reach_the_recommenders():
    """Handed to each fit, as a list."""
    judged = Fixed(d=1)
    evaluate_sampled(TRAIN, TEST, [judged], {"u": ["a"]}, items=iter([]))

    assert judged.items == []


def test_refusals():
    """Nobody with negatives; no length."""
    with pytest.raises(InvalidInput, match="nobody has negatives"):
        evaluate_sampled(TRAIN, TEST, [Fixed(d=1)], {"w": ["a"]})
    with pytest.raises(InvalidInput, match=r"n is \(0,\); at least one list length"):
        evaluate_sampled(TRAIN, TEST, [Fixed(d=1)], {"u": ["a"]}, n=(0,))


def test_published_popularity():
    """NCF's protocol on MovieLens 1M: .4533 / .2542 is published for most popular (TOIS 2021)."""
    try:
        folder = locate("ml-1m")
    except InvalidInput as error:
        pytest.skip(str(error))
    test, negatives = readers.ncf_negatives(folder / "ml-1m.test.negative")
    train = readers.pairs(folder / "ncf_train_pairs.tsv")
    row = only(evaluate_sampled(train, test, [Popularity()], negatives))

    assert row["hit_rate@10"] == pytest.approx(0.4533, rel=0.01)
    assert row["ndcg@10"] == pytest.approx(0.2542, rel=0.01)
