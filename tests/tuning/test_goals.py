"""Goals: a metric by its name, read from the one table there is."""

from __future__ import annotations

import pytest

from equipoise.errors import InvalidInput
from equipoise.evaluation import evaluate
from equipoise.recommenders import Content, Popularity
from equipoise.testing.recommenders import toy
from equipoise.tuning import Goal


@pytest.mark.parametrize(
    "metric", ["ndcg@5", "recall@3", "hit_rate@5", "precision@4", "map@5", "mrr@5"]
)
def test_it_is_what_evaluate_says(metric):
    """The figure of the table, of that length."""
    train, test = toy()[0].split_last(2)
    name, _, n = metric.partition("@")
    table = evaluate(train, test, [Popularity()], n=(int(n),), strangers=False, baselines=[],
                     beyond_accuracy=True)  # fmt: skip
    row = table.to_dicts()[0]

    assert Goal(metric).measure(Popularity(), train, test) == row[name if name == "mrr" else metric]


def test_repeats_are_another_question():
    """What is known counts, too."""
    train, test = toy()[0].split_last(2)
    new, any_ = (Goal("ndcg@5", repeats).measure(Popularity(), train, test) for repeats in (0, 1))

    assert any_ != new


def test_items_reach_the_method():
    """Content learns from them."""
    rows, items = toy()

    assert Goal("recall@5").measure(Content(), *rows.split_last(2), items) > 0


def test_which_is_better():
    """More of a list metric, less of an error."""

    assert Goal("mrr@3").better(0.3, 0.2)
    assert Goal("rmse").better(0.2, 0.3)
    assert not Goal("rmse").better(0.3, 0.3)


@pytest.mark.parametrize("metric", ["ndcg", "ndcg@0", "ndcg@ten", "rmse@5", "accuracy@3", ""])
def test_refusals(metric):
    """With what would be right."""
    with pytest.raises(InvalidInput, match="with a length, as in ndcg@10, or rmse or mae"):
        Goal(metric)


def test_lists_have_no_error():
    """A method without ratings is not judged by them."""
    with pytest.raises(InvalidInput, match="Popularity predicts no ratings, which rmse is about"):
        Goal("rmse").measure(Popularity(), *toy()[0].split_last(1))
