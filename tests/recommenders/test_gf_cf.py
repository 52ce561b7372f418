"""GF-CF: the filter of the paper, term by term."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders.gf_cf import GFCF
from equipoise.testing.recommenders import LAWS, toy

ROWS, _ = toy()
X = ROWS.matrix(binary=True).toarray().astype(np.float64)
D = X.sum(axis=0)
R = X / np.sqrt(X.sum(axis=1, keepdims=True) * D)
HISTORY = np.array([5, 0, 8], np.int32)

MAKERS = {
    "both": lambda: GFCF(factors=2, threads=2),
    "linear": lambda: GFCF(factors=0),
    "smooth": lambda: GFCF(factors=2, low_pass=100, neighbours=1),
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds, whatever the terms."""
    law(MAKERS[name])


def test_the_filter_is_that_of_the_paper():
    """x (R̃ᵀR̃ + α D^−½ V Vᵀ D^½), computed whole with numpy; weights scale the signal."""
    v = np.linalg.svd(R)[2][:4].T
    whole = R.T @ R + 0.7 * (v @ v.T) * np.sqrt(D) / np.sqrt(D)[:, None]
    model = GFCF(factors=4, low_pass=0.7).fit(ROWS)
    weights = np.array([1, 2, 0.5], np.float32)

    assert np.allclose(model.score_codes(HISTORY), whole[HISTORY].sum(axis=0), atol=1e-4)
    assert np.allclose(model.score_codes(HISTORY, weights), weights @ whole[HISTORY], atol=1e-4)


@pytest.mark.parametrize("keywords", [{"factors": 0}, {"low_pass": 0}], ids=str)
def test_the_linear_part_alone(keywords):
    """Without vectors, or without their weight, R̃ᵀR̃; an item with no way from the history: NaN."""
    model = GFCF(**keywords).fit(ROWS)
    expected = (R.T @ R)[HISTORY].sum(axis=0)

    assert model.item_factors_.shape == (len(D), 0)
    assert np.allclose(np.nan_to_num(model.score_codes(HISTORY)), expected, atol=1e-5)
    assert np.array_equal(np.isnan(model.score_codes(HISTORY)), expected == 0)


def test_neighbours_keep_the_largest():
    """Of each item's row the so many largest entries; nothing else is stored."""
    model = GFCF(factors=0, neighbours=3).fit(ROWS)
    smallest = np.sort(R.T @ R, axis=1)[:, -3]
    row = np.nan_to_num(model.score_codes(HISTORY[:1]))

    assert (np.diff(model.indptr_) <= 3).all()
    assert row[row > 0].min() == pytest.approx(smallest[5], rel=1e-5)


def test_values_count_where_asked_for():
    """Summed values take the place of 1."""
    rows = Interactions.from_columns(["a", "a", "b", "b"], ["x", "y", "y", "z"], [4, 4, 1, 3])
    x = rows.matrix().toarray()
    r = x / np.sqrt(x.sum(axis=1, keepdims=True) * x.sum(axis=0))
    scores = GFCF(factors=0, use_values=True).fit(rows).score([["y"]])

    assert np.allclose(np.nan_to_num(scores[0]), (r.T @ r)[1], atol=1e-6)


def test_next_to_nothing_to_learn_from():
    """One user with one item; a purchase sent back; an item without a row: none can be said."""
    alone = GFCF().fit(Interactions.from_columns(["ann"], [10**9]))
    sent_back = GFCF().fit(Interactions.from_columns(["a", "a"], ["x", "y"], [-1, -1]))
    rows = Interactions.from_columns(["a", "a", "b"], ["x", "y", "z"])
    unmet = GFCF().fit(rows.take(np.array([True, True, False])))

    assert alone.score([[10**9]])[0, 0] == pytest.approx(1.3)
    assert np.isnan(sent_back.score([["x"]])).all()
    assert np.isnan(unmet.score([["x"]])).tolist() == [[False, False, True]]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"factors": -1}, r"factors=-1\): zero or more"),
        ({"low_pass": -0.1}, r"low_pass=-0.1\): zero or more"),
        ({"neighbours": 0}, r"neighbours=0\): at least one, or None"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        GFCF(**keywords).fit(ROWS)
