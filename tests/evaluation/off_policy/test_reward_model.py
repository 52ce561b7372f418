"""q̂ that has not seen the row it speaks of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge

from equipoise.errors import InvalidInput
from equipoise.evaluation import off_policy as ope
from equipoise.randomness import derive


def _data(n=400, d=5, seed=0):
    rng = derive(seed, "test")
    x = rng.normal(size=(n, d))
    chance = 1 / (1 + np.exp(-(x @ rng.normal(size=d)) - 0.5))
    return x, (rng.random(n) < chance).astype(float)


@given(st.integers(2, 6), st.integers(10, 40))
@settings(max_examples=20, deadline=None)
def test_no_shopper_is_predicted_by_a_model_that_met_them(folds, shoppers):
    """A model that remembers whose rows it saw is never asked about one of them."""
    cluster = derive(folds, "test").integers(shoppers, size=200)

    def fit(x, reward):
        met = set(x[:, 0])
        return lambda new: np.array([float(one in met) for one in new[:, 0]])

    fitted = ope.cross_fit(
        fit, cluster[:, None].astype(float), np.ones(200), cluster=cluster, folds=folds
    )

    assert not fitted.predict(cluster[:, None].astype(float)).any()
    assert len(fitted.models) == folds


def test_folds_are_even_and_the_seed_decides():
    """Clusters are dealt evenly; the same seed deals the same."""
    x, reward = _data(300)
    one, same, other = (
        ope.cross_fit(ope.ridge(), x, reward, random_state=seed).fold for seed in (1, 1, 2)
    )

    assert np.bincount(one).tolist() == [100, 100, 100]
    assert (one == same).all()
    assert (one != other).any()


def test_every_call_form_agrees():
    """A table of actions, rows in order and rows by number say the same."""
    x, reward = _data(60)
    fitted = ope.cross_fit(ope.ridge(), x, reward)
    table = fitted.table(lambda action: x + action, 3)
    rows = np.array([5, 5, 40])

    assert table.shape == (60, 3)
    assert table[:, 0] == pytest.approx(fitted.predict(x))
    assert fitted.predict(x[rows] + 2, rows) == pytest.approx(table[rows, 2])


@pytest.mark.parametrize("penalty", [0.1, 1.0, 30.0])
def test_as_scikit_learn(penalty):
    """Ridge and logistic regression agree with another's, intercept free."""
    x, reward = _data()
    far = 3 * x + 1
    linear = Ridge(alpha=penalty).fit(x, reward)
    steep = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=1_000).fit(x, reward)

    assert ope.ridge(penalty)(x, reward)(far) == pytest.approx(linear.predict(far), abs=1e-9)
    assert ope.logistic(penalty)(x, reward)(far) == pytest.approx(
        steep.predict_proba(far)[:, 1], abs=1e-6
    )


def test_separable_data_do_not_run_away():
    """Where one feature decides everything, the penalty holds it finite and the fit right."""
    x = np.r_[np.full(50, -1.0), np.full(50, 1.0)][:, None] * 1e3
    predicted = ope.logistic(1e-3)(x, (x[:, 0] > 0).astype(float))(x)

    assert np.isfinite(predicted).all()
    assert ((predicted > 0.5) == (x[:, 0] > 0)).all()


def test_the_optimum_is_reached():
    """Moving any coefficient away from the fit raises the penalised loss: read off predictions."""
    x, reward = _data(200, 3)
    model = ope.logistic(2.0)(x, reward)
    z = np.log(model(np.vstack([np.zeros(3), np.eye(3)])) / (
        1 - model(np.vstack([np.zeros(3), np.eye(3)]))
    ))  # fmt: skip
    b = np.r_[z[0], z[1:] - z[0]]
    wide = np.column_stack([np.ones(200), x])

    def loss(b):
        return (np.logaddexp(0, wide @ b) - reward * (wide @ b)).sum() + (b[1:] ** 2).sum()

    for step in np.vstack([np.eye(4), -np.eye(4)]) * 1e-3:
        assert loss(b + step) > loss(b)


def test_nothing_was_ever_bought():
    """A fold without a single reward predicts 0, and one of nothing else 1."""
    x, _ = _data(20)

    assert ope.logistic()(x, np.zeros(20))(x).tolist() == [0.0] * 20
    assert ope.logistic()(x, np.ones(20))(x[:2]).tolist() == [1.0, 1.0]


def test_own_rows_would_deceive(world):
    """A flexible model fitted on its own rows makes DR far too sure of itself; a cross-fitted one
    does not: the reason for all this."""
    n = 240
    held = {"own": 0, "crossed": 0}
    for seed in range(120):
        rows = world.rows(n, seed)
        context = rows.pop("context")
        noise = derive(seed, "features").normal(size=(n, 90))
        kinds = np.eye(18)
        x = np.column_stack([kinds[context * 6 + rows["action"]], noise])
        crossed = ope.cross_fit(ope.ridge(0.1), x, rows["reward"], folds=4)
        own = ope.ridge(0.1)(x, rows["reward"])
        for name, predict in (("own", own), ("crossed", crossed.predict)):
            q = np.column_stack(
                [predict(np.column_stack([kinds[context * 6 + a], noise])) for a in range(6)]
            )
            logged = ope.Logged.from_distributions(**rows, q=q)
            low, high = ope.dr(logged, refuse=False).interval(0.95)
            held[name] += low <= world.truth <= high

    assert held["own"] < 108
    assert held["crossed"] >= 108


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ope.ridge(0), "penalty is 0; it is above 0"),
        (lambda: ope.logistic(-1), "penalty is -1; it is above 0"),
        (
            lambda: ope.logistic()(np.ones((2, 1)), np.array([0.5, 3.0])),
            r"rewards lie between 0.5 and 3; logistic regression takes 0 to 1, ridge\(\) any",
        ),
        (
            lambda: ope.cross_fit(ope.ridge(), np.ones((4, 1)), np.ones(4), folds=1),
            "folds is 1; it is at least 2",
        ),
        (
            lambda: ope.cross_fit(ope.ridge(), np.ones((4, 1)), np.ones(4), cluster=[0, 0, 1, 1]),
            "2 clusters cannot be dealt into 3 folds; a fold needs one at least",
        ),
    ],
)
def test_refuses(call, text):
    """What was wrong, and what would be right."""
    with pytest.raises(InvalidInput, match=text):
        call()
