"""EASE: the closed form is the constrained optimum."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders import EASE
from equipoise.testing.recommenders import toy

ROWS, _ = toy()
VALUED = Interactions.from_columns(ROWS.user, ROWS.item, 1.0 + np.arange(len(ROWS)) % 4)


@pytest.mark.parametrize("threads", [1, 3])
def test_optimum_under_a_zero_diagonal(threads):
    """Off the diagonal the gradient XᵀX(B − 1) + λB vanishes; on it B is zero."""
    x = VALUED.matrix().toarray().astype(np.float64)
    b = EASE(regularization=3, use_values=True, threads=threads).fit(VALUED).weights_
    gradient = x.T @ x @ (b - np.eye(len(b))) + 3 * b
    np.fill_diagonal(gradient, 0)

    assert np.abs(np.diag(b)).max() == 0
    assert np.abs(gradient).max() < 1e-3


def test_scores_are_a_matrix_product():
    """History times B, weights included."""
    model = EASE(regularization=3).fit(ROWS)
    codes, weights = np.array([4, 0, 7], np.int32), np.array([1, 2, 0.5], np.float32)

    assert np.allclose(model.score_codes(codes, weights), weights @ model.weights_[codes])


def test_truncation_keeps_the_largest():
    """``top`` keeps each column's entries of largest magnitude; as many as items change nothing."""
    whole = EASE(regularization=3).fit(ROWS)
    eye = np.arange(len(whole.item_ids_), dtype=np.int32)
    short = EASE(regularization=3, top=4).fit(ROWS)
    rows = np.nan_to_num([short.score_codes(eye[i : i + 1]) for i in eye])
    smallest = np.sort(np.abs(whole.weights_), axis=0)[-4]

    kept = np.abs(whole.weights_) >= np.maximum(smallest, 1e-30)
    assert np.allclose(rows, np.where(kept, whole.weights_, 0), atol=1e-7)
    complete = EASE(regularization=3, top=1_000).fit(ROWS).score([["item-01", "item-02"]])
    everywhere = whole.score([["item-01", "item-02"]])
    assert np.allclose(np.nan_to_num(complete), everywhere, atol=1e-6)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"regularization": 0}, r"regularization=0\): a positive number"),
        ({"top": 0}, r"top=0\): at least one, or None"),
        ({"max_items": 20}, r"would invert 30 × 30 items, 0.0 GB, and max_items is 20"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range, or a catalogue too large, is named with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        EASE(**keywords).fit(ROWS)
