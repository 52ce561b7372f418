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


@pytest.mark.parametrize(
    "more",
    [
        {"solver": "cholesky"},
        {"solver": "cg", "cg_steps": 20},
        {"solver": "blocks", "block_size": 8},
    ],
)
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


def test_all_solvers_agree_in_the_end():
    """Run long, each comes to the same factors up to what float32 can tell."""
    histories = ROWS.histories()[:5]
    settings = ({"solver": "cg"}, {"solver": "cholesky"}, {"solver": "blocks", "block_size": 2})
    cg, exact, blocks = (
        ImplicitALS(factors=5, epochs=200, **more).fit(ROWS).score(histories) for more in settings
    )

    assert np.allclose(cg, exact, atol=0.01)
    assert np.allclose(blocks, exact, atol=0.01)


@pytest.mark.parametrize("solver", ["cg", "cholesky", "blocks"])
def test_seed_decides_and_threads_do_not(solver):
    """Same random_state, same bytes, on one thread or three; another seed, other factors."""
    first, again, threaded, other = (
        ImplicitALS(factors=4, epochs=2, random_state=seed, threads=threads, solver=solver).fit(
            ROWS
        )
        for seed, threads in ((1, 1), (1, 1), (1, 3), (2, 1))
    )

    assert np.array_equal(first.item_factors_, again.item_factors_)
    assert np.array_equal(first.item_factors_, threaded.item_factors_)
    assert not np.allclose(first.item_factors_, other.item_factors_)


def test_factors_lie_in_their_axes():
    """What is stored of the Gramian is all of it: a diagonal."""
    model = ImplicitALS(factors=4, epochs=3).fit(ROWS)
    gram = model.item_factors_.T.astype(np.float64) @ model.item_factors_

    assert np.allclose(gram, np.diag(model.spectrum_), atol=1e-5)


def test_log_confidence_is_the_logarithm_as_value():
    """``log_epsilon`` = fitting log(1 + r/ε), in the history's weights as in the matrix."""
    summed = VALUED.matrix().tocoo()
    logs = Interactions.from_columns(summed.row, summed.col, np.log1p(summed.data / 0.5))
    one = ImplicitALS(**SETTINGS, epochs=3, log_epsilon=0.5).fit(VALUED)
    other = ImplicitALS(**SETTINGS, epochs=3).fit(logs)
    codes, weights = np.array([3, 1], np.int32), np.array([2, 4], np.float32)

    assert np.allclose(one.item_factors_, other.item_factors_, atol=1e-5)
    assert np.allclose(
        one.score_codes(codes, weights),
        other.score_codes(codes, np.log1p(weights / 0.5)),
        atol=1e-5,
    )


@pytest.mark.parametrize("solver", ["cg", "cholesky", "blocks"])
@pytest.mark.parametrize("factors", [1, 40])
@pytest.mark.parametrize(
    "pairs", [[(1, 1)], [(1, 1), (1, 2)], [(1, 1), (2, 1)], [(1, 1), (1, 1), (2, 10**9)]]
)
def test_next_to_no_data(solver, factors, pairs):
    """One user, one item, a pair twice, an id of a thousand million: finite scores, no error."""
    users, items = zip(*pairs, strict=True)
    rows = Interactions.from_columns(users, items)
    scores = ImplicitALS(factors=factors, epochs=3, solver=solver).fit(rows).score([[items[0]]])

    assert scores.shape == (1, len(set(items)))
    assert np.isfinite(scores).all()
    assert scores.argmax() == list(rows.item_ids).index(items[0])


def test_negative_and_vanished_values_are_not_met():
    """A purchase sent back leaves no entry, and its item the zero vector."""
    rows = Interactions.from_columns([1, 1, 2, 2], [7, 8, 7, 9], [1.0, 1.0, 2.0, -3.0])
    model = ImplicitALS(factors=3, epochs=3, use_values=True).fit(rows)

    assert not model.item_factors_[2].any()
    assert model.item_factors_[:2].any(axis=1).all()


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
        ({"block_size": 0}, r"block_size=0\): at least one"),
        ({"log_epsilon": 0}, r"log_epsilon=0\): a positive number or None"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        ImplicitALS(**keywords).fit(ROWS)
