"""Metrics against fractions worked out by hand, and against scikit-learn."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score

from equipoise.errors import InvalidInput
from equipoise.evaluation import metrics
from equipoise.randomness import derive

# Three users: hits at ranks 1 and 3 of 3 relevant; at rank 4 of 1; none of 6.
HITS = np.array([[1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], np.bool_)
RELEVANT = np.array([3, 1, 6])
BY_HAND = {
    "recall@4": (metrics.recall(HITS, RELEVANT), [2 / 3, 1, 0]),
    "recall@2": (metrics.recall(HITS, RELEVANT, 2), [1 / 3, 0, 0]),
    "truncated_recall@2": (metrics.truncated_recall(HITS, RELEVANT, 2), [1 / 2, 0, 0]),
    "precision@4": (metrics.precision(HITS), [2 / 4, 1 / 4, 0]),
    "precision@3": (metrics.precision(HITS, 3), [2 / 3, 0, 0]),
    "ndcg@4": (
        metrics.ndcg(HITS, RELEVANT),
        [(1 + 1 / 2) / (1 + 1 / log2(3) + 1 / 2), 1 / log2(5), 0],
    ),
    "ndcg@2": (metrics.ndcg(HITS, RELEVANT, 2), [1 / (1 + 1 / log2(3)), 0, 0]),
    "rr": (metrics.reciprocal_rank(HITS), [1, 1 / 4, 0]),
    "rr@3": (metrics.reciprocal_rank(HITS, 3), [1, 0, 0]),
    "ap@4": (metrics.average_precision(HITS, RELEVANT), [(1 + 2 / 3) / 3, 1 / 4, 0]),
    "ap@2": (metrics.average_precision(HITS, RELEVANT, 2), [1 / 2, 0, 0]),
    "hit_rate@3": (metrics.hit_rate(HITS, 3), [1, 0, 0]),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name):
    """The fraction worked out with pencil and paper."""
    computed, expected = BY_HAND[name]

    assert computed.tolist() == pytest.approx(expected, abs=1e-12)


def test_sklearn_agrees():
    """nDCG and average precision of whole rankings equal scikit-learn's."""
    rng = derive(0, "test")
    relevance = rng.random((30, 12)) < 0.3
    relevance[:, 0] |= ~relevance.any(axis=1)
    scores = rng.random((30, 12))
    hits = np.take_along_axis(relevance, np.argsort(-scores, axis=1), axis=1)
    relevant = relevance.sum(axis=1)
    precision = [average_precision_score(*pair) for pair in zip(relevance, scores, strict=True)]

    for k in (1, 5, 12):
        expected = [ndcg_score(relevance[u : u + 1], scores[u : u + 1], k=k) for u in range(30)]
        assert np.allclose(metrics.ndcg(hits, relevant, k), expected)
    assert np.allclose(metrics.average_precision(hits, relevant), precision)


def test_nothing_relevant_is_nan():
    """Who wants nothing has no recall, but an honest precision of 0."""
    hits, none = np.zeros((1, 3), np.bool_), np.array([0])

    for metric in (metrics.recall, metrics.truncated_recall, metrics.ndcg):
        assert np.isnan(metric(hits, none)).all()
    assert np.isnan(metrics.average_precision(hits, none)).all()
    assert metrics.precision(hits).tolist() == [0]


def test_moving_a_hit_up_never_lowers_a_metric():
    """For every rank but the first: the hit moved up one place scores at least as much."""
    relevant = np.array([2])
    for rank in range(1, 6):
        late, early = np.zeros((1, 6), np.bool_), np.zeros((1, 6), np.bool_)
        late[0, rank] = early[0, rank - 1] = True

        assert metrics.ndcg(early, relevant) > metrics.ndcg(late, relevant)
        assert metrics.reciprocal_rank(early) > metrics.reciprocal_rank(late)
        assert metrics.average_precision(early, relevant) > metrics.average_precision(
            late, relevant
        )
        assert metrics.recall(early, relevant) == metrics.recall(late, relevant)


def test_of_lists():
    """Lists 0 1 and 0: coverage 2 / 4; Gini of 0 0 1 2 = 7 / 12; novelty of ½ and ¼."""
    lists = np.array([[0, 1], [0, -1]], np.int32)

    assert metrics.coverage(lists, 4) == 2 / 4
    assert metrics.gini(lists, 4) == pytest.approx((-3 * 0 - 1 * 0 + 1 * 1 + 3 * 2) / (4 * 3))
    assert metrics.novelty(lists, np.array([0.5, 0.25, 0, 0])) == pytest.approx((1 + 2 + 1) / 3)


def test_of_no_lists():
    """Nothing listed covers nothing; evenness and novelty cannot be said."""
    none = np.full((2, 3), -1, np.int32)

    assert metrics.coverage(none, 5) == 0
    assert metrics.coverage(none, 0) == 0
    assert np.isnan(metrics.gini(none, 5))
    assert np.isnan(metrics.novelty(none, np.ones(5)))


@pytest.mark.parametrize("k", [0, 5])
def test_refuses_k_beyond_the_lists(k):
    """A cut that the lists do not have is named."""
    with pytest.raises(InvalidInput, match=f"k is {k}; the lists hold 1..4 places"):
        metrics.recall(HITS, RELEVANT, k)
