"""Metrics of what lists are made of, by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.distance import pdist
from scipy.stats import entropy

from equipoise.errors import InvalidInput
from equipoise.evaluation import metrics
from equipoise.randomness import derive

LISTS = np.array([[0, 1, 2], [2, 3, -1], [3, -1, -1], [-1, -1, -1]], np.int32)


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


# Items 0 and 1 alike, 2 half like them, 3 like nothing.
VECTORS = np.array([[2.0, 0], [5, 0], [1, 1], [0, 0]])


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_diversity_by_hand(form):
    """Cosines 1, 1/√2, 1/√2: mean distance (0 + 2 (1 − 1/√2)) / 3; with nothing alike 1."""
    values = metrics.intra_list_diversity(LISTS, form(VECTORS))

    assert values[0] == pytest.approx(2 * (1 - 0.5**0.5) / 3)
    assert values[1] == pytest.approx(1)
    assert np.isnan(values[2:]).all()


def test_diversity_is_the_mean_cosine_distance():
    """scipy's over all pairs; the order of the list means nothing."""
    rng = derive(1, "lists")
    vectors = rng.normal(size=(30, 5))
    lists = np.array([rng.permutation(30)[:8] for _ in range(6)], np.int32)
    expected = [pdist(vectors[row], "cosine").mean() for row in lists]

    assert metrics.intra_list_diversity(lists, vectors) == pytest.approx(expected)
    assert metrics.intra_list_diversity(lists[:, ::-1], vectors) == pytest.approx(expected)


def test_serendipity_by_hand():
    """Relevant 0 and 2, of which popularity lists 0: one of three places; who hits the expected
    only has none."""
    hits = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 0], [0, 0, 0]], bool)
    popular = np.array([[0, 4]] * 2 + [[3, 4]] * 2, np.int32)

    assert metrics.serendipity(LISTS, hits, popular).tolist() == pytest.approx([1 / 3, 0, 0, 0])
    assert metrics.serendipity(LISTS, hits, LISTS).tolist() == [0] * 4
    nobody = np.full((4, 1), -1, np.int32)
    assert metrics.serendipity(LISTS, hits, nobody) == pytest.approx(metrics.precision(hits))
    with pytest.raises(InvalidInput, match=r"hits \(4, 3\), expected \(2, 2\)"):
        metrics.serendipity(LISTS, hits, popular[:2])


CATEGORIES = np.array([[1.0, 0], [1, 0], [0.5, 0.5], [0, 0]])


def test_calibration_by_hand():
    """Who wants 70 : 30 and gets 2.5 : 0.5 of 3; mixed with a hundredth of the wanted."""
    wanted = np.array([[0.7, 0.3]] * 4)
    values = metrics.calibration(LISTS, wanted, CATEGORIES)
    q = 0.99 * np.array([2.5, 0.5]) / 3 + 0.01 * wanted[0]

    assert values[0] == pytest.approx(0.7 * log(0.7 / q[0]) + 0.3 * log(0.3 / q[1]))
    assert values[0] == pytest.approx(entropy(wanted[0], q))
    assert np.isnan(values[2:]).all()


def test_a_calibrated_list_has_no_distance():
    """The list's own mixture is at distance 0, and nothing is nearer; a missing category costs
    the more, the more it was wanted, and always a finite amount."""
    lists = np.array([[0, 2]] * 3, np.int32)
    wanted = np.array([[0.75, 0.25], [0.5, 0.5], [0, 1]])
    same, some, other = metrics.calibration(lists, wanted, CATEGORIES)
    never = metrics.calibration(lists[1:, :1], wanted[1:], CATEGORIES)

    assert same == pytest.approx(0)
    assert 0 < some < other
    assert some < never[0] < never[1] < np.inf
    with pytest.raises(InvalidInput, match=r"wanted has shape \(2, 2\); \(3, 2\) is needed"):
        metrics.calibration(lists, wanted[1:], CATEGORIES)


def test_category_shares():
    """A history of 0 and 2 is 75 : 25; of nothing, or of what has no category, nothing."""
    met = csr_matrix(np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 5]]))

    shares = metrics.category_shares(met, CATEGORIES)
    assert shares.tolist() == [[0.75, 0.25], [0, 0], [0, 0]]
    assert np.isnan(metrics.calibration(LISTS[:3, :1], shares, CATEGORIES)[1:]).all()


def test_popularity_by_hand():
    """Lists of counts 8 4 2, and 2 1: means 14/3 and 3/2; histories 4 and 2: lifts 1/6 and −1/4."""
    counts = np.array([8, 4, 2, 1])
    met = csr_matrix(np.array([[0, 1, 0, 0], [0, 0, 3, 0], [0, 0, 0, 0], [1, 0, 0, 0]]))

    arp = metrics.average_popularity(LISTS, counts)
    assert arp[:3] == pytest.approx([14 / 3, 3 / 2, 1])
    assert np.isnan(arp[3])
    lift = metrics.popularity_lift(LISTS, met, counts)
    assert lift[:2] == pytest.approx([14 / 12 - 1, 3 / 4 - 1])
    assert np.isnan(lift[2:]).all()


def test_groups():
    """Means and numbers as they come; NaN counts nowhere, and a group of NaN has no mean."""
    values = np.array([1.0, 2, np.nan, 4, np.nan])
    groups = metrics.by_group(values, ["new", "old", "new", "old", 7])

    assert list(groups) == ["new", "old", 7]
    assert groups["new"] == (1, 1)
    assert groups["old"] == (3, 2)
    assert groups[7].users == 0
    assert np.isnan(groups[7].mean)
    with pytest.raises(InvalidInput, match="5 users but 1 groups; one each"):
        metrics.by_group(values, ["new"])
