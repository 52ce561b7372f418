"""SLIM: scikit-learn's elastic net, column by column, and its conditions of optimality."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders import neighbourhoods
from equipoise.recommenders.ease import EASE
from equipoise.recommenders.slim import SLIM
from equipoise.testing.recommenders import LAWS, toy

ROWS, _ = toy()
VALUED = Interactions.from_columns(ROWS.user, ROWS.item, 1.0 + np.arange(len(ROWS)) % 4)

MAKERS = {
    "nearest": lambda: SLIM(alpha=0.05, neighbours=40, threads=2),
    "all": lambda: SLIM(alpha=0.05, neighbours=None, history_discount=1, popularity_discount=0.2),
    "any sign": lambda: SLIM(alpha=0.05, neighbours=None, positive=False, tolerance=1e-6),
    "top": lambda: SLIM(alpha=0.05, top=20),
}


def weights_of(model: SLIM) -> np.ndarray:
    """(I, I) W."""
    each = np.arange(len(model.item_ids_), dtype=np.int32)
    return np.nan_to_num([model.score_codes(each[i : i + 1]) for i in each])


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", MAKERS)
def test_law(name, law):
    """The law holds, whatever the form."""
    law(MAKERS[name])


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize(("alpha", "l1_ratio"), [(0.05, 0.5), (0.3, 1e-4), (0.01, 1.0)])
def test_columns_are_those_of_scikit_learn(alpha, l1_ratio, positive):
    """Same objective, same numbers: published settings can be taken over."""
    x = VALUED.matrix().toarray().astype(np.float64)
    theirs = ElasticNet(
        alpha=alpha, l1_ratio=l1_ratio, positive=positive, fit_intercept=False, tol=1e-9,
        max_iter=100_000,
    )  # fmt: skip
    model = SLIM(
        alpha=alpha, l1_ratio=l1_ratio, positive=positive, neighbours=None, tolerance=1e-6,
        use_values=True,
    ).fit(VALUED)  # fmt: skip
    ours = weights_of(model)

    for j in range(0, x.shape[1], 5):
        others = x * (np.arange(x.shape[1]) != j)
        expected = theirs.fit(others, x[:, j]).coef_
        assert np.abs(ours[:, j] - expected).max() < 1e-4 * max(1, np.abs(expected).max())


def test_powers_are_those_of_ease():
    """Of any sign and without l1 it is EASE, the powers included."""
    powers = {"history_discount": 0.5, "frequency_scaling": 0.75, "popularity_discount": 0.25}
    ease = EASE(regularization=4, **powers).fit(ROWS)
    slim = SLIM(
        alpha=4 / ROWS.n_users, l1_ratio=0, positive=False, neighbours=None, tolerance=1e-6,
        **powers,
    ).fit(ROWS)  # fmt: skip

    assert np.abs(weights_of(slim) - ease.weights_).max() < 1e-4


@pytest.mark.parametrize("positive", [True, False])
def test_optimality_on_a_larger_problem(positive):
    """No condition is violated by more than asked, where coordinates enter in several rounds."""
    met = derive(0, "test.slim").random((300, 150)) < np.linspace(0.02, 0.5, 150)
    rows = Interactions.from_columns(*np.nonzero(met))
    x = rows.matrix().toarray().astype(np.float64)
    settings = {"alpha": 0.01, "l1_ratio": 0.02, "positive": positive, "neighbours": None}
    w = weights_of(SLIM(tolerance=1e-4, **settings).fit(rows)).astype(np.float64)
    gram, strength = x.T @ x, len(x) * 0.01
    pull = gram - gram @ w - strength * 0.98 * w
    np.fill_diagonal(pull, 0)
    largest = (gram - np.diag(np.diag(gram))).max(axis=0)
    met_by = np.where(w == 0, 0, np.abs(pull - strength * 0.02 * np.sign(w)))
    excess = np.where(w == 0, (pull if positive else np.abs(pull)) - strength * 0.02, 0)

    assert 200 < np.count_nonzero(w) < 150 * 150
    assert (w.min() >= 0) == positive
    assert (met_by / largest).max() < 1.5e-4
    assert (excess / largest).max() < 1.5e-4


def test_all_for_neighbours_is_the_whole_without_negatives():
    """An item never met with the target cannot enter a column that knows no negative entry."""
    whole = SLIM(alpha=0.05, neighbours=None, tolerance=1e-6).fit(ROWS)
    near = SLIM(alpha=0.05, neighbours=100, tolerance=1e-6).fit(ROWS)

    assert np.allclose(weights_of(whole), weights_of(near), atol=1e-5)


def test_few_neighbours_and_top():
    """At most so many entries a column; of these the largest."""
    near = weights_of(SLIM(alpha=0.05, neighbours=5).fit(ROWS))
    cut = weights_of(SLIM(alpha=0.05, neighbours=5, top=2).fit(ROWS))
    whole = weights_of(SLIM(alpha=0.05, neighbours=None, top=2).fit(ROWS))
    second = np.maximum(np.sort(near, axis=0)[-2], 1e-30)

    assert near.min() == 0
    assert (np.count_nonzero(near, axis=0) <= 5).all()
    assert np.array_equal(cut, np.where(near >= second, near, 0))
    assert (np.count_nonzero(whole, axis=0) <= 2).all()


@pytest.mark.parametrize("neighbours", [6, None])
def test_threads_and_batches_change_nothing(neighbours, monkeypatch):
    """The same bits from one thread and all at once, and from three and one target at a time."""
    once = SLIM(neighbours=neighbours).fit(ROWS)
    monkeypatch.setattr(neighbourhoods, "ROOM", 1)
    again = SLIM(neighbours=neighbours, threads=3).fit(ROWS)

    assert len(once.weights_) > 30
    assert np.array_equal(once.weights_, again.weights_)
    assert np.array_equal(once.targets_, again.targets_)


@pytest.mark.parametrize("neighbours", [6, None])
def test_next_to_nothing_to_learn_from(neighbours):
    """One user with one item, or a purchase sent back: cannot say."""
    alone = SLIM(neighbours=neighbours).fit(Interactions.from_columns(["ann"], [10**9]))
    rows = Interactions.from_columns(["a", "a"], ["x", "y"], [-1, -1])
    sent_back = SLIM(neighbours=neighbours).fit(rows)

    assert np.isnan(alone.score([[10**9], []])).all()
    assert np.isnan(sent_back.score([["x"]])).all()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"alpha": 0}, r"alpha=0\): a positive number"),
        ({"l1_ratio": 1.5}, r"l1_ratio=1.5\): a number from 0 to 1"),
        ({"neighbours": 0}, r"neighbours=0\): at least one, or None"),
        ({"top": 0}, r"top=0\): at least one, or None"),
        ({"history_discount": 2}, r"history_discount=2\): a number from 0 to 1"),
        ({"frequency_scaling": -1}, r"frequency_scaling=-1\): a number from 0 to 1"),
        ({"popularity_discount": -1}, r"popularity_discount=-1\): a number from 0 to 1"),
        ({"tolerance": 0}, r"tolerance=0\): a positive number"),
        ({"max_items": 9, "neighbours": None}, r"would hold 30 × 30 products, 0.0 GB, and max_it"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range, or a catalogue too large, is named with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        SLIM(**keywords).fit(ROWS)
