"""The protocol on a shop of five customers, worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from math import log2

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation import PersonalFrequency, Task, evaluate, metrics
from equipoise.randomness import derive
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


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("strangers", [False, True])
def test_the_task_is_what_sets_say(repeats, strangers):
    """Against Python's own sets, on random tables whose ids only partly meet: histories, relevant
    items, hits, and who is judged, in the order of the test part's users."""
    rng = derive(3, "task")
    train, test = (
        Interactions.from_columns(
            [f"u{n}" for n in rng.integers(low, low + 12, 60)],
            [f"i{n}" for n in rng.integers(low, low + 15, 60)],
            rng.choice([1.0, -1.0], 60, p=[0.8, 0.2]),
        )
        for low in (0, 4)
    )
    task = Task.of(train, test, repeats=repeats, strangers=strangers)
    known = dict(zip(train.user_ids, train.histories(), strict=True))
    kept = test.matrix(binary=True)
    wanted = {
        user: set(test.item_ids[kept[row].indices])
        - (set() if repeats else set(known.get(user, ())))
        for row, user in enumerate(test.user_ids)
    }
    judged = [u for u, ids in wanted.items() if ids and (strangers or known.get(u))]
    ids = {code: id_ for id_, code in task.code_of.items()}
    lists = rng.integers(-1, len(ids), (len(judged), 9)).astype(np.int32)

    assert task.users == judged
    assert task.histories == [known.get(user, []) for user in judged]
    assert task.relevant.tolist() == [len(wanted[user]) for user in judged]
    assert task.hits(lists).tolist() == [
        [ids.get(code) in wanted[user] for code in row]
        for user, row in zip(judged, lists.tolist(), strict=True)
    ]


def test_codes_of_lists():
    """Ids of either part have their codes; None and strangers −1."""
    task = Task.of(TRAIN, TEST, repeats=True, strangers=True)
    ids = np.array([["a", None], ["z", "never heard of"]], dtype=object)

    assert task.codes(ids).tolist() == [[0, -1], [task.code_of["z"], -1]]


def test_a_short_answer_leaves_the_rest_empty():
    """Fewer columns than asked for are no items; too short a list cannot hit."""

    class Short(Listed):
        def recommend_batch(self, histories, n, *, repeats):
            ids, scores = super().recommend_batch(histories, n, repeats=repeats)
            return ids[:, :1], scores[:, :1]

    row = only(evaluate(TRAIN, TEST, [Short("c", "a")], n=(2,), baselines=[]))

    assert row["recall@2"] == pytest.approx((1 + 0 + 0) / 3)


def test_beyond_accuracy():
    """Precision, MAP, and what lists are made of; the same as the metrics say by hand."""
    table = evaluate(
        TRAIN, TEST, [Listed("c", "a")], n=(2,), baselines=[], beyond_accuracy=True, confidence=0.9
    )
    row = only(table)
    # Met by users: a 2, b 2, c 1, d 1, of three; z is of the test alone.
    lists = np.array([[2, 0]] * 3, np.int32)

    assert row["precision@2"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert row["map@2"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert row["gini"] == pytest.approx(metrics.gini(lists, 5))
    assert row["novelty"] == pytest.approx(metrics.novelty(lists, np.array([2, 2, 1, 1, 0]) / 3))
    assert row["popularity"] == pytest.approx(3 / 2)
    assert row["popularity_lift"] == pytest.approx((3 / 2) / ((2 + 3 / 2) / 2) - 1)
    assert "map@2_interval" in row
    assert "…" not in str(table)


def test_nobody_listed_has_no_popularity():
    """Empty lists: nothing can be said, and nothing breaks."""
    row = only(evaluate(TRAIN, TEST, [Listed()], n=(2,), baselines=[], beyond_accuracy=True))

    assert np.isnan(row["popularity"])
    assert np.isnan(row["popularity_lift"])
    assert row["recall@2"] == 0


def compared():
    """A table of three on the toy shop."""
    rows, _ = toy()
    train, test = rows.split_last()
    judged = {"near": ItemKNN(), "popular": Popularity(), "same": Popularity()}
    return evaluate(train, test, judged, n=(5,), baselines=[])


def test_rows_are_compared_on_the_same_users():
    """The difference of two rows; exchanging them flips it; one with its like is no evidence."""
    table = compared()
    found = table.compare("near", "popular", "ndcg@5", samples=500)
    back = table.compare("popular", "near", "ndcg@5", samples=500)
    means = {row["recommender"]: row["ndcg@5"] for row in table.rows}

    assert found.difference == pytest.approx(means["near"] - means["popular"])
    assert back.difference == -found.difference
    assert found.p_value == back.p_value
    assert table.compare("popular", "same", "ndcg@5").p_value == 1


def test_all_rows_against_one():
    """Every other row, p-values by Holm: never smaller than alone."""
    table = compared()
    all_ = table.against("popular", "recall@5", samples=500)

    assert list(all_) == ["near", "same"]
    for name, one in all_.items():
        alone = table.compare(name, "popular", "recall@5", samples=500)
        assert one.difference == alone.difference
        assert one.p_value == min(1, 2 * alone.p_value) or one.p_value == 1


def test_rows_by_group():
    """Every user has a label; means of groups weigh up to the whole."""
    table = compared()
    groups = {user: int(user[-1]) % 2 for user in table.users}
    near = table.by_group("recall@5", groups)["near"]
    whole = sum(group.mean * group.users for group in near.values()) / len(table.users)

    assert set(near) == {0, 1}
    assert whole == pytest.approx(table.rows[0]["recall@5"])
    with pytest.raises(InvalidInput, match="user 'user-00' has no group"):
        table.by_group("recall@5", {})
    with pytest.raises(InvalidInput, match="this table knows no users"):
        replace(table, users=()).by_group("recall@5", {})


def test_unknown_rows_and_metrics_are_named():
    """With those there are."""
    table = compared()
    with pytest.raises(InvalidInput, match="'nearer' is none of near, popular, same"):
        table.compare("nearer", "popular", "recall@5")
    with pytest.raises(InvalidInput, match="'coverage' is none of recall@5, ndcg@5, hit_rate@5"):
        table.compare("near", "popular", "coverage")
