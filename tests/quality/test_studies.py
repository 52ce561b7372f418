"""The parts of studies that do arithmetic of their own, on tables small enough to see through."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.evaluation.task import Task
from equipoise.quality import behaviours, social
from equipoise.quality.behaviours import Counts, Weighted
from equipoise.recommenders import Popularity, Social, UserKNN

VIEW, CART, BUY = behaviours.CODES.values()


def met(*rows):
    """Rows of user, item, behaviour."""
    users, items, values = zip(*rows, strict=True)
    return Interactions.from_columns(list(users), list(items), list(values))


def test_a_pair_counts_as_its_strongest_behaviour():
    """However often, and in whatever order, it was met; what counts nothing is not there."""
    rows = met(("a", "x", VIEW), ("a", "x", BUY), ("a", "x", VIEW), ("a", "y", CART))

    three = behaviours.weighed(rows, Counts(1, 2, 3))
    views = behaviours.weighed(rows, Counts(view=1))

    assert three.matrix().toarray().tolist() == [[3, 2]]
    assert views.matrix().toarray().tolist() == [[1, 0]]
    assert three.item_ids.tolist() == views.item_ids.tolist() == ["x", "y"]


def test_what_was_met_in_any_way_is_not_listed():
    """``a`` viewed x: even where views count nothing, x is no answer, and y, bought by b, is."""
    rows = met(("a", "x", VIEW), ("a", "z", BUY), ("b", "z", BUY), ("b", "x", BUY), ("b", "y", BUY))
    y = rows.item_ids.tolist().index("y")
    parts = behaviours.Parts(rows, np.array([y, -1]), np.array([0]))

    found = behaviours.measure(parts, Weighted(Popularity(), Counts(buy=1)))

    assert found == {"hr@10": 1.0, "ndcg@10": 1.0}


def test_a_purchase_of_an_unknown_item_is_a_miss():
    """And counts among the questions."""
    rows = met(("a", "z", BUY), ("b", "z", BUY), ("b", "y", BUY))
    y = rows.item_ids.tolist().index("y")
    parts = behaviours.Parts(rows, np.array([y, -1]), np.array([0, 1]))

    found = behaviours.measure(parts, Weighted(Popularity(), Counts(1, 1, 1)))

    assert found["hr@10"] == 0.5


def test_friends_are_told_to_those_who_ask_for_them():
    """Nobody is like ``a``; the friend b met y, and that is all there is to say."""
    train = Interactions.from_columns(["a", "b", "b"], ["x", "y", "w"])
    test = Interactions.from_columns(["a"], ["y"])
    task = Task.of(train, test, repeats=False, strangers=False)

    def measured(model, links):
        return social.measure(social.Parts(train, task, links), model)["recall@10"]

    assert measured(Social(), [("a", "b")]) == 1.0
    assert measured(Social(), []) == 0.0
    assert measured(UserKNN(), [("a", "b")]) == 0.0


@pytest.mark.parametrize("study", [behaviours.STUDY, social.STUDY])
def test_each_row_makes_a_new_recommender(study):
    """So that a row run twice starts anew."""
    for row in study.rows:
        assert row.make() is not row.make()
