"""Implicit ALS: the optimum, not the number."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders import ImplicitALS
from equipoise.testing.recommenders import toy

ROWS, _ = toy()
VALUED = Interactions.from_columns(ROWS.user, ROWS.item, 1.0 + np.arange(len(ROWS)) % 4)
SETTINGS = {"factors": 5, "regularization": 0.01, "unobserved_weight": 0.3, "use_values": True}


def started(**more):
    """A model before its first half-step, with its matrix and factors."""
    model = ImplicitALS(**SETTINGS, **more)
    matrix = VALUED.matrix()
    model.unobserved_ = model._unobserved(matrix)
    return model, matrix, *model._initial(matrix)


def loss(matrix, users, items, regularization=0.01, a=0.3):
    """The class docstring's formula, dense and in float64."""
    c = matrix.toarray().astype(np.float64)
    predicted = users.astype(np.float64) @ items.T
    fit = (c * (predicted - 1) ** 2).sum() + a * (predicted**2).sum()
    n_user = (c > 0).sum(axis=1) + a * c.shape[1]
    n_item = (c > 0).sum(axis=0) + a * c.shape[0]
    ridge = (n_user * (users**2).sum(axis=1)).sum() + (n_item * (items**2).sum(axis=1)).sum()
    return fit + regularization * ridge


def gradient(matrix, users, items, regularization=0.01, a=0.3):
    """Half the derivative of the loss by the user vectors."""
    c = matrix.toarray().astype(np.float64)
    predicted = users.astype(np.float64) @ items.T
    n_user = (c > 0).sum(axis=1) + a * c.shape[1]
    pull = (c * (predicted - 1) + a * predicted) @ items
    return pull + regularization * n_user[:, None] * users


@pytest.mark.parametrize("solver", ["cg", "cholesky", "blocks"])
def test_every_half_step_lowers_the_loss(solver):
    """Users, items, users, …: the loss falls each time."""
    model, matrix, users, items = started(solver=solver)
    losses = [loss(matrix, users, items)]
    for _ in range(8):
        model.half_step(matrix, items, users)
        losses.append(loss(matrix, users, items))
        model.half_step(matrix.T.tocsr(), users, items)
        losses.append(loss(matrix, users, items))

    assert (np.diff(losses) < 1e-4).all()
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("more", [{"solver": "cholesky"}, {"solver": "cg", "cg_steps": 20}])
def test_half_step_ends_where_the_gradient_is_zero(more):
    """Exactly solved, or by conjugate gradients run long: no direction lowers the loss further."""
    model, matrix, users, items = started(**more)
    before = np.abs(gradient(matrix, users, items)).max()

    model.half_step(matrix, items, users)

    assert np.abs(gradient(matrix, users, items)).max() < 1e-5 * before + 1e-5
    assert loss(matrix, users * 1.01, items) > loss(matrix, users, items)


def test_fold_in_is_the_half_step():
    """A history's vector equals the row that a half-step gives its user: always, not only late."""
    model = ImplicitALS(**SETTINGS, epochs=3, solver="cholesky").fit(VALUED)
    matrix = VALUED.matrix()
    trained = np.zeros((matrix.shape[0], 5), np.float32)
    model.half_step(matrix, model.item_factors_, trained)

    for user in range(0, 40, 7):
        row = matrix[user]
        assert np.allclose(model.fold_in(row.indices, row.data), trained[user], atol=1e-5)


def test_gradient_steps_and_exact_solves_agree_in_the_end():
    """Both solvers run to the same factors up to what float32 can tell."""
    histories = ROWS.histories()[:5]
    scores = [
        ImplicitALS(factors=5, epochs=200, solver=solver).fit(ROWS).score(histories)
        for solver in ("cg", "cholesky")
    ]

    assert np.allclose(*scores, atol=0.01)


def test_seed_decides_and_threads_do_not():
    """Same random_state, same bytes, on one thread or two; another seed, other factors."""
    first, again, threaded, other = (
        ImplicitALS(factors=4, epochs=2, random_state=seed, threads=threads).fit(ROWS)
        for seed, threads in ((1, 1), (1, 1), (1, 2), (2, 1))
    )

    assert np.array_equal(first.item_factors_, again.item_factors_)
    assert np.array_equal(first.item_factors_, threaded.item_factors_)
    assert not np.allclose(first.item_factors_, other.item_factors_)


def test_unobserved_weight_follows_density():
    """By default all unmet items weigh sixteen mean histories, and each at most 1."""
    met = ROWS.matrix(binary=True)
    sparse = Interactions.from_columns(np.arange(1_000), np.arange(1_000))

    assert ImplicitALS()._unobserved(met)[0] == 1
    assert ImplicitALS()._unobserved(sparse.matrix())[0] == pytest.approx(16 / 1_000)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"factors": 0}, r"factors=0\): at least one"),
        ({"regularization": 0}, r"regularization=0\): a positive number"),
        ({"unobserved_weight": 0}, r"unobserved_weight=0\): a positive number or None"),
        ({"epochs": 0}, r"epochs=0\): at least one"),
        ({"solver": "sgd"}, r"solver='sgd'\): one of \('cg', 'cholesky', 'blocks'\)"),
        ({"cg_steps": 0}, r"cg_steps=0\): at least one"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        ImplicitALS(**keywords).fit(ROWS)
