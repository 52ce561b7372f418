"""EASE: the closed form is the constrained optimum; what is cut from it is what was said."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders import neighbourhoods
from equipoise.recommenders.ease import EASE
from equipoise.testing.recommenders import LAWS, toy

ROWS, _ = toy()
VALUED = Interactions.from_columns(ROWS.user, ROWS.item, 1.0 + np.arange(len(ROWS)) % 4)
POWERS = {"history_discount": 0.5, "frequency_scaling": 0.75, "popularity_discount": 0.25}

MAKERS = {
    "whole": lambda: EASE(regularization=5),
    "float32, powers": lambda: EASE(regularization=5, precision="float32", **POWERS),
    "top": lambda: EASE(regularization=5, top=20, threads=2),
    "neighbours": lambda: EASE(regularization=5, neighbours=40, threads=2),
    "neighbours, powers": lambda: EASE(regularization=5, neighbours=40, **POWERS),
}


def mingled(users: int = 60, items: int = 12) -> Interactions:
    """Every two items share a user."""
    met = derive(0, "test.ease").random((users, items)) < 0.4
    return Interactions.from_columns(*np.nonzero(met))


def weights_of(model: EASE) -> np.ndarray:
    """(I, I) B."""
    each = np.arange(len(model.item_ids_), dtype=np.int32)
    return np.nan_to_num([model.score_codes(each[i : i + 1]) for i in each])


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds, whatever the form."""
    law(MAKERS[name])


@pytest.mark.parametrize("threads", [1, 3])
def test_optimum_under_a_zero_diagonal(threads):
    """Off the diagonal the gradient XᵀX(B − 1) + λB vanishes; on it B is zero."""
    x = VALUED.matrix().toarray().astype(np.float64)
    b = EASE(regularization=3, use_values=True, threads=threads).fit(VALUED).weights_
    gradient = x.T @ x @ (b - np.eye(len(b))) + 3 * b
    np.fill_diagonal(gradient, 0)

    assert np.abs(np.diag(b)).max() == 0
    assert np.abs(gradient).max() < 1e-3


def test_optimum_of_weighed_users_and_items():
    """With the powers the gradient of the weighed loss vanishes, the divisor undone."""
    x = mingled().matrix().toarray().astype(np.float64)
    model = EASE(regularization=3, **POWERS).fit(mingled())
    weight = x.sum(axis=1) ** -0.5
    weight *= x.sum() / (weight @ x.sum(axis=1))
    gram = x.T @ (weight[:, None] * x)
    frequency = np.diag(gram) / np.diag(gram).mean()
    b = model.weights_ * frequency**0.25
    gradient = gram @ (b - np.eye(len(b))) + 3 * frequency[:, None] ** 0.75 * b
    np.fill_diagonal(gradient, 0)

    assert np.trace(gram) == pytest.approx(x.sum())
    assert np.abs(gradient).max() < 1e-4


def test_scores_are_a_matrix_product():
    """History times B, weights included."""
    model = EASE(regularization=3).fit(ROWS)
    codes, weights = np.array([4, 0, 7], np.int32), np.array([1, 2, 0.5], np.float32)

    assert np.allclose(model.score_codes(codes, weights), weights @ model.weights_[codes])


def test_float32_is_float64_but_for_rounding():
    """The ridge being no smaller than sensible."""
    wide = EASE(regularization=3, use_values=True).fit(VALUED).weights_
    narrow = EASE(regularization=3, use_values=True, precision="float32").fit(VALUED).weights_

    assert narrow.dtype == wide.dtype == np.float32
    assert np.abs(wide - narrow).max() < 1e-4 * np.abs(wide).max()


def test_truncation_keeps_the_largest():
    """``top`` keeps each column's entries of largest magnitude; as many as items change nothing."""
    whole = EASE(regularization=3).fit(ROWS)
    short = weights_of(EASE(regularization=3, top=4).fit(ROWS))
    smallest = np.sort(np.abs(whole.weights_), axis=0)[-4]

    kept = np.abs(whole.weights_) >= np.maximum(smallest, 1e-30)
    assert np.allclose(short, np.where(kept, whole.weights_, 0), atol=1e-7)
    complete = weights_of(EASE(regularization=3, top=1_000).fit(ROWS))
    assert np.allclose(complete, whole.weights_, atol=1e-6)


@pytest.mark.parametrize("powers", [{}, POWERS], ids=["plain", "powers"])
def test_all_for_neighbours_is_the_whole(powers):
    """Where every item is a neighbour of every other, restricting changes nothing."""
    whole = EASE(regularization=3, **powers).fit(mingled()).weights_
    near = weights_of(EASE(regularization=3, neighbours=100, **powers).fit(mingled()))

    assert np.allclose(near, whole, atol=1e-5)


def test_neighbours_are_fitted_exactly():
    """On its neighbours alone each item's gradient vanishes; elsewhere nothing is said."""
    x = ROWS.matrix(binary=True).toarray().astype(np.float64)
    b = weights_of(EASE(regularization=3, neighbours=5).fit(ROWS))
    gradient = x.T @ x @ (b - np.eye(len(b))) + 3 * b

    assert (np.count_nonzero(b, axis=0) <= 5).all()
    assert np.count_nonzero(b) > 4 * len(b)
    assert np.abs(gradient[b != 0]).max() < 1e-4


def test_neighbours_then_top():
    """Of what was fitted on the neighbours the largest stand."""
    fitted = weights_of(EASE(regularization=3, neighbours=8).fit(ROWS))
    cut = weights_of(EASE(regularization=3, neighbours=8, top=3).fit(ROWS))
    smallest = np.sort(np.abs(fitted), axis=0)[-3]

    assert np.allclose(cut, np.where(np.abs(fitted) >= np.maximum(smallest, 1e-30), fitted, 0))


@pytest.mark.parametrize("form", [{"neighbours": 6}, {"top": 4}, {}], ids=str)
def test_threads_and_batches_change_nothing(form, monkeypatch):
    """The same bits from one thread and all at once, and from three and one target at a time."""
    once = EASE(regularization=3, **form).fit(ROWS)
    monkeypatch.setattr(neighbourhoods, "ROOM", 1)
    again = EASE(regularization=3, threads=3, **form).fit(ROWS)

    assert np.array_equal(once.weights_, again.weights_)
    assert np.array_equal(once.targets_, again.targets_)


@pytest.mark.parametrize("form", [{"neighbours": 2}, {"top": 1}, {}], ids=str)
def test_next_to_nothing_to_learn_from(form):
    """One user with one item; a purchase sent back; an item without a row: 0, or cannot say."""
    alone = EASE(**form).fit(Interactions.from_columns(["ann"], [10**9]))
    sent_back = EASE(**form).fit(Interactions.from_columns(["a", "a"], ["x", "y"], [-1, -1]))
    rows = Interactions.from_columns(["a", "a", "b"], ["x", "y", "z"])
    unmet = EASE(frequency_scaling=1, **form).fit(rows.take(np.array([True, True, False])))

    assert not np.nan_to_num(alone.score([[10**9]])).any()
    assert not np.nan_to_num(sent_back.score([["x"]])).any()
    assert unmet.recommend(["x"], 1)[0].tolist() == ["y"]
    assert not np.nan_to_num(unmet.score([["x"]])[0, 2])


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"regularization": 0}, r"regularization=0\): a positive number"),
        ({"history_discount": -0.1}, r"history_discount=-0.1\): a number from 0 to 1"),
        ({"frequency_scaling": 2}, r"frequency_scaling=2\): a number from 0 to 1"),
        ({"popularity_discount": np.nan}, r"popularity_discount=nan\): a number from 0 to 1"),
        ({"top": 0}, r"top=0\): at least one, or None"),
        ({"neighbours": 0}, r"neighbours=0\): at least one, or None"),
        ({"precision": "half"}, r"precision='half'\): one of \('float32', 'float64'\)"),
        ({"max_items": 20}, r"would invert 30 × 30 items, 0.0 GB, and max_items is 20"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range, or a catalogue too large, is named with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        EASE(**keywords).fit(ROWS)


def test_a_ridge_lost_in_rounding_is_refused():
    """Two items that the same people met, and a ridge that float32 cannot add to their counts."""
    twins = Interactions.from_columns([1, 1, 2, 2], ["a", "b", "a", "b"])

    with pytest.raises(
        InvalidInput, match=r"regularization=1e-09\) leaves nothing to invert: a piv"
    ):
        EASE(regularization=1e-9, precision="float32").fit(twins)
    assert EASE(regularization=1e-9).fit(twins).weights_[0, 1] == pytest.approx(1, abs=1e-3)
