"""The protocol on a shop of five customers, worked out by hand."""

from __future__ import annotations

import json
from math import log2

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation import PersonalFrequency, evaluate
from equipoise.recommenders import ItemKNN, Popularity
from equipoise.testing.recommenders import toy
from equipoise.types import Item

# a sold 3 times, b twice, c and d once. "new" comes without a history, "z" was never sold.
TRAIN = Interactions.from_columns(
    ["u", "u", "u", "v", "v", "w", "w", "w"], ["a", "b", "a", "b", "c", "a", "d", "d"]
)
TEST = Interactions.from_columns(["u", "u", "v", "v", "w", "new"], ["a", "c", "a", "b", "d", "z"])


class Listed:
    """Answers everybody with the same list, whatever stands in the history."""

    name = "listed"

    def __init__(self, *ids):
        self.ids = ids

    def fit(self, interactions, *, items=None):
        self.items = items
        return self

    def recommend_batch(self, histories, n, *, repeats):
        ids = np.full((len(histories), n), None, dtype=object)
        ids[:, : len(self.ids)] = self.ids[:n]
        return ids, np.zeros(ids.shape, np.float32)


def only(table):
    """The one row of a table."""
    (row,) = table.to_dicts()
    return row


def test_what_is_new_by_hand():
    """Without repeats: u wants c, v wants a, new wants z; w knew d. The list is c, a, b."""
    row = only(evaluate(TRAIN, TEST, [Listed("c", "a", "b")], n=(1, 2), baselines=[]))

    assert row["recall@1"] == pytest.approx((1 + 0 + 0) / 3)
    assert row["recall@2"] == pytest.approx((1 + 1 + 0) / 3)
    assert row["ndcg@2"] == pytest.approx((1 + 1 / log2(3) + 0) / 3)
    assert row["mrr"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert row["hit_rate@2"] == pytest.approx(2 / 3)
    assert row["coverage"] == 2 / 5


def test_what_comes_next_by_hand():
    """With repeats: u wants a c, v wants a b, w wants d, new wants z."""
    table = evaluate(TRAIN, TEST, [Listed("a", "d")], n=(2,), baselines=[], repeats=True)

    assert only(table)["recall@2"] == pytest.approx((1 / 2 + 1 / 2 + 1 + 0) / 4)
    assert table.per_user["listed"]["recall@2"].tolist() == [0, 1 / 2, 1 / 2, 1]


def test_strangers_are_counted():
    """Left out they change the mean and not the others; the note says what was done with them."""
    answered = evaluate(TRAIN, TEST, [Listed("c")], n=(1,), baselines=[])
    left_out = evaluate(TRAIN, TEST, [Listed("c")], n=(1,), baselines=[], strangers=False)

    assert only(answered)["recall@1"] == pytest.approx(1 / 3)
    assert only(left_out)["recall@1"] == pytest.approx(1 / 2)
    assert answered.note == (
        "3 users judged; 1 test users without a history answered from an empty one; 1 left out who"
        " knew all their test items; 33.3% of the relevant items never met in training; repeats"
        " excluded"
    )
    assert left_out.note.startswith("2 users judged; 1 test users without a history left out;")


def test_personal_frequency():
    """Own most bought, the newer among equals, then popular; without repeats popular alone."""
    baseline = PersonalFrequency().fit(TRAIN)

    ids, scores = baseline.recommend_batch([["a", "b", "a", "c"], [], ["d"] * 9], 4, repeats=True)
    fresh, _ = baseline.recommend_batch([["a", "b"], []], 3)

    assert ids.tolist() == [["a", "c", "b", "d"], ["a", "b", "d", "c"], ["d", "a", "b", "c"]]
    assert scores[0].tolist() == [4, 3, 2, 1]
    assert fresh.tolist() == [["d", "c", None], ["a", "b", "d"]]


def test_baseline_stands_above():
    """By default personal frequency comes first, marked, and others follow in their order."""
    table = evaluate(TRAIN, TEST, [Popularity(), ItemKNN()], repeats=True)

    assert [(row["recommender"], row["baseline"]) for row in table.rows] == [
        ("personal_frequency", True),
        ("popularity", False),
        ("item_knn", False),
    ]


def test_users_meet_by_id():
    """The two parts may number users and items in their own ways."""
    train, test = TRAIN.compact(), TEST.take(TEST.user == TEST.user.max()).compact()

    assert only(evaluate(train, test, [Listed("d")], n=(1,), baselines=[], repeats=True))[
        "recall@1"
    ]


def test_items_reach_the_recommenders():
    """What ``items`` holds is handed to each fit, as a list."""
    judged = Listed("a")
    evaluate(TRAIN, TEST, [judged], items=iter([Item(item_id="a")]))

    assert judged.items == [Item(item_id="a")]


def test_table_prints_and_serialises():
    """As text with the note, and as JSON with intervals; names come from a mapping."""
    rows, _ = toy()
    parts = rows.split_temporal(last_days=20)
    table = evaluate(*parts, {"near": ItemKNN()}, n=(5,), confidence=0.9, random_state=1)
    near = json.loads(json.dumps(table.to_dicts()))[1]
    low, high = near["ndcg@5_interval"]

    assert low < near["ndcg@5"] < high
    assert near["fit_seconds"] > 0
    assert near["list_microseconds"] > 0
    for text in ("near", "personal_frequency", "ndcg@5", "±", "users judged"):
        assert text in str(table)


def test_refusals():
    """No length, twins, or nobody to judge: each is said."""
    known = TRAIN.take(TRAIN.item == 0)

    with pytest.raises(InvalidInput, match=r"n is \(\); at least one list length"):
        evaluate(TRAIN, TEST, [], n=())
    with pytest.raises(InvalidInput, match="named item_knn; give a mapping of names"):
        evaluate(TRAIN, TEST, [ItemKNN(), ItemKNN(k=5)])
    with pytest.raises(InvalidInput, match="nobody has a relevant item"):
        evaluate(TRAIN, known, [ItemKNN()])
