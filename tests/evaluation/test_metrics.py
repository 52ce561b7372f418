"""Ranking metrics against fractions worked out by hand, and against scikit-learn."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, ndcg_score, roc_auc_score

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
    "f1@4": (metrics.f1(HITS, RELEVANT), [2 * 2 / (4 + 3), 2 * 1 / (4 + 1), 0]),
    "f1@1": (metrics.f1(HITS, RELEVANT, 1), [2 * 1 / (1 + 3), 0, 0]),
    "accuracy@4": (metrics.accuracy_at_k(HITS), [2 / 4, 1 / 4, 0]),
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

    for metric in (metrics.recall, metrics.truncated_recall, metrics.ndcg, metrics.f1):
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


@pytest.mark.parametrize("k", [0, 5])
def test_refuses_k_beyond_the_lists(k):
    """A cut that the lists do not have is named."""
    with pytest.raises(InvalidInput, match=f"k is {k}; the lists hold 1..4 places"):
        metrics.recall(HITS, RELEVANT, k)


def test_f1_is_the_harmonic_mean():
    """Of precision and recall, and scikit-learn's of the items of the catalogue."""
    rng = derive(3, "test")
    relevance, listed = rng.random((20, 15)) < 0.4, np.arange(15) < 6
    relevance[:, 0] = True
    hits, relevant = relevance[:, :6], relevance.sum(axis=1)
    p, r = metrics.precision(hits), metrics.recall(hits, relevant)

    assert metrics.f1(hits, relevant) == pytest.approx(2 * p * r / (p + r))
    assert metrics.f1(hits, relevant) == pytest.approx([f1_score(row, listed) for row in relevance])


def test_graded_by_hand():
    """Gains 3 0 2 of 3 2 1: DCG 3 + 2/2, ideal 3 + 2/log2 3 + 1/2; exponential 7, 3, 1 for them."""
    gains, ideal = np.array([[3.0, 0, 2]]), np.array([[1.0, 3, 2, 0]])

    best = 3 + 2 / log2(3) + 1 / 2
    assert metrics.graded_ndcg(gains, ideal) == pytest.approx([(3 + 2 / 2) / best])
    assert metrics.graded_ndcg(gains, ideal, 1) == pytest.approx([1])
    steep = (7 + 3 / 2) / (7 + 3 / log2(3) + 1 / 2)
    assert metrics.graded_ndcg(gains, ideal, exponential=True) == pytest.approx([steep])
    assert np.isnan(metrics.graded_ndcg(gains * 0, ideal * 0)).all()


def test_graded_agrees():
    """With scikit-learn for any gains, and with the binary form where gains are 0 and 1."""
    rng = derive(4, "test")
    relevance = rng.integers(0, 4, (25, 10)).astype(float)
    relevance[:, 0] = 1
    scores = rng.random((25, 10))
    gains = np.take_along_axis(relevance, np.argsort(-scores, axis=1), axis=1)

    for k in (1, 4, 10):
        expected = [ndcg_score(relevance[u : u + 1], scores[u : u + 1], k=k) for u in range(25)]
        assert metrics.graded_ndcg(gains, relevance, k) == pytest.approx(expected)
    binary = metrics.ndcg(gains > 1, (relevance > 1).sum(axis=1), 5)
    assert metrics.graded_ndcg(gains > 1, relevance > 1, 5) == pytest.approx(binary, nan_ok=True)


def test_auc_agrees():
    """With scikit-learn, ties included; of the candidates alone; NaN scores stand last."""
    rng = derive(5, "test")
    scores = rng.integers(0, 6, (30, 20)).astype(np.float32)
    relevant, candidates = rng.random((30, 20)) < 0.3, rng.random((30, 20)) < 0.8
    relevant[:, 0], relevant[:, 1], candidates[:, :2] = True, False, True

    whole = [roc_auc_score(*row) for row in zip(relevant, scores, strict=True)]
    assert metrics.auc(scores, relevant) == pytest.approx(whole)
    part = [roc_auc_score(r[c], s[c]) for r, s, c in zip(relevant, scores, candidates, strict=True)]
    assert metrics.auc(scores, relevant, candidates) == pytest.approx(part)
    unsaid = np.where(scores == 0, np.nan, scores)
    assert metrics.auc(unsaid, relevant) == pytest.approx(whole)


def test_auc_by_hand():
    """One of two relevant above both others, one between: 3 of 4 pairs; turned round 1 of 4."""
    relevant = np.array([[True, False, True, False]])
    scores = np.array([[9.0, 5, 3, 1]])

    assert metrics.auc(scores, relevant).tolist() == [3 / 4]
    assert metrics.auc(-scores, relevant).tolist() == [1 / 4]
    assert metrics.auc(scores * 0, relevant).tolist() == [1 / 2]
    assert np.isnan(metrics.auc(scores, relevant | True)).all()
    assert np.isnan(metrics.auc(scores, relevant & False)).all()


def test_refuses_what_does_not_fit():
    """Gains below nothing; relevance of another shape."""
    with pytest.raises(InvalidInput, match="a gain is below 0"):
        metrics.graded_ndcg(np.array([[-1.0]]), np.array([[1.0]]))
    with pytest.raises(InvalidInput, match=r"scores have shape \(1, 2\), relevant \(1, 3\)"):
        metrics.auc(np.zeros((1, 2)), np.zeros((1, 3), bool))
