"""Explicit ALS: the optimum, not the number."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.intake.data_sets import locate
from equipoise.randomness import derive
from equipoise.recommenders.explicit_als import ExplicitALS
from equipoise.recommenders.rating_factors import sides
from equipoise.testing.recommenders import LAWS, PERSONAL

RNG = derive(0, "test.explicit_als")
PAIRS = np.nonzero(RNG.random((30, 20)) < 0.5)
ROWS = Interactions.from_columns(*PAIRS, RNG.integers(1, 6, len(PAIRS[0])))
WEIGHTS = RNG.uniform(0.5, 3, len(ROWS)).astype(np.float32)
SETTINGS = {"factors": 5, "regularization": 0.1, "bias_regularization": 0.02}

# Ratings all alike (the laws' toy) hold no taste, so the checkerboard is left out.
RATED = [law for law in LAWS if law not in PERSONAL]


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("law", RATED, ids=lambda law: law.__name__)
def test_law(law, biases):
    """The law holds."""
    law(lambda: ExplicitALS(factors=4, epochs=10, biases=biases, threads=2))


def started(**more):
    """A model before its first half-step, with its rows and factors."""
    model = ExplicitALS(**SETTINGS | more)
    rows = sides(ROWS, ROWS.value - np.average(ROWS.value, weights=WEIGHTS), WEIGHTS)
    return model, *rows, *model._initial(*rows)


def loss(users, items, nu, ridges):
    """The class docstring's formula, rating by rating and in float64."""
    users, items = users.astype(np.float64), items.astype(np.float64)
    u, i = ROWS.user, ROWS.item
    centred = ROWS.value - np.average(ROWS.value, weights=WEIGHTS)
    error = centred - users[u, -1] - items[i, -1] - (users[u, :-1] * items[i, :-1]).sum(axis=1)
    total = (WEIGHTS * error**2).sum()
    for codes, vectors in ((u, users), (i, items)):
        frequency = np.bincount(codes, WEIGHTS, len(vectors)) ** nu
        total += (frequency[:, None] * ridges * vectors**2).sum()
    return total


@pytest.mark.parametrize("nu", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("biases", [True, False])
def test_no_half_step_raises_the_loss(nu, biases):
    """Users, items, users, …: the loss falls each time, whatever the regularisation scales with."""
    model, by_user, by_item, users, items = started(frequency_scaling=nu, biases=biases)
    ridges = np.array([0.1] * 5 + [0.02])
    losses = [loss(users, items, nu, ridges)]
    for _ in range(8):
        model.half_step(by_user, items, users)
        losses.append(loss(users, items, nu, ridges))
        model.half_step(by_item, users, items)
        losses.append(loss(users, items, nu, ridges))

    assert (np.diff(losses) < 1e-4).all()
    assert losses[-1] < 0.8 * losses[0]


def test_half_step_is_the_normal_equation():
    """(V_Sᵀ W V_S + n^ν D) x = V_Sᵀ W (r − μ − b_i), for each user, and a step off is worse."""
    model, by_user, by_item, users, items = started(frequency_scaling=0.5)
    model.half_step(by_user, items, users)
    model.half_step(by_item, users, items)
    model.half_step(by_user, items, users)
    indptr, codes, targets, weights = by_user
    for user in range(0, 30, 7):
        mine = slice(indptr[user], indptr[user + 1])
        v = np.column_stack([items[codes[mine], :-1], np.ones(mine.stop - mine.start)])
        w, ridge = weights[mine], weights[mine].sum() ** 0.5 * np.diag([0.1] * 5 + [0.02])
        right = v.T @ (w * (targets[mine] - items[codes[mine], -1]))

        assert np.allclose(np.linalg.solve((v.T * w) @ v + ridge, right), users[user], atol=1e-5)
    ridges = np.array([0.1] * 5 + [0.02])
    assert loss(users * 1.01, items, 0.5, ridges) > loss(users, items, 0.5, ridges)


def test_two_equal_opinions_weigh_as_two():
    """A row that comes twice is a row of weight 2."""
    doubled = Interactions.from_columns(
        [*ROWS.user, ROWS.user[0]], [*ROWS.item, ROWS.item[0]], [*ROWS.value, ROWS.value[0]]
    )
    weights = np.ones(len(ROWS), np.float32)
    weights[0] = 2
    twice = ExplicitALS(**SETTINGS).fit(doubled)
    weighed = ExplicitALS(**SETTINGS).fit(ROWS, weights=weights)

    assert np.allclose(twice.item_factors_, weighed.item_factors_, atol=1e-4)


def test_fold_in_is_the_half_step():
    """Somebody from outside with a user's ratings gets that user's bias and vector."""
    model = ExplicitALS(**SETTINGS, epochs=60).fit(ROWS)
    for user in range(0, 30, 7):
        mine = ROWS.user == user
        bias, vector = model.fold_in(ROWS.item[mine], ROWS.value[mine])

        assert np.allclose(vector, model.user_factors_[user], atol=0.02)
        assert bias == pytest.approx(model.user_bias_[user], abs=0.02)


def test_weights_undo_who_rates_what():
    """With the inverse of the chance to be seen, the mean of what was not seen is met better."""
    rng = derive(1, "test.explicit_als")
    quality = rng.normal(3, 1, 40)
    ratings = quality + rng.normal(0, 0.3, (60, 40))
    chance = np.clip((ratings - 1) / 5, 0.05, 0.9)
    user, item = np.nonzero(rng.random(ratings.shape) < chance)
    rows = Interactions.from_columns(user, item, ratings[user, item])
    settings = {"factors": 1, "regularization": 1.0, "bias_regularization": 0.001}
    plain = ExplicitALS(**settings).fit(rows)
    weighted = ExplicitALS(**settings).fit(rows, weights=1 / chance[user, item])

    assert plain.mean_[0] > ratings.mean() + 0.2
    assert abs(weighted.mean_[0] - ratings.mean()) < 0.1


def test_seed_decides_and_threads_do_not():
    """Same random_state, same bytes, on one thread or two; another seed, other factors."""
    first, threaded, other = (
        ExplicitALS(**SETTINGS, epochs=2, random_state=seed, threads=threads).fit(ROWS)
        for seed, threads in ((1, 1), (1, 2), (2, 1))
    )

    assert np.array_equal(first.item_factors_, threaded.item_factors_)
    assert not np.allclose(first.item_factors_, other.item_factors_)


def test_smallest_and_missing():
    """One user, one item; no bias where none is wanted; nobody known."""
    one = ExplicitALS().fit(Interactions.from_columns([10**9], ["a"], [4.0]))
    plain = ExplicitALS(**SETTINGS, biases=False).fit(ROWS)

    assert one.predict(10**9, "a") == 4
    assert one.score([["a"], []]).tolist() == [[4.0], [4.0]]
    assert not plain.user_bias_.any()
    assert plain.predict("nobody", 3) == pytest.approx(plain.mean_[0])


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"factors": 0}, r"factors=0\): at least one"),
        ({"epochs": 0}, r"epochs=0\): at least one"),
        ({"regularization": 0}, r"regularization=0\): a positive number"),
        ({"bias_regularization": 0}, r"bias_regularization=0\): a positive number or None"),
        ({"frequency_scaling": -1}, r"frequency_scaling=-1\): zero or more"),
        ({"initial_spread": 0}, r"initial_spread=0\): a positive number"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        ExplicitALS(**keywords).fit(ROWS)


@pytest.mark.parametrize("weights", [[1.0], [-1.0] * len(ROWS), [np.nan] * len(ROWS)])
def test_refused_weights(weights):
    """Too few, negative, or no number."""
    with pytest.raises(InvalidInput, match=f"{len(ROWS)} finite positive numbers are wanted"):
        ExplicitALS().fit(ROWS, weights=np.array(weights))


def test_coat():
    """Coat, judged on randomly shown items: weights by the chance to be rated beat none, and the
    MSE of Schnabel et al.'s MF-IPS (1.093). Settings were chosen by cross-validation on the
    training part alone.
    """
    try:
        folder = locate("coat")
    except InvalidInput as why:
        pytest.skip(str(why))
    folder = next(folder.rglob("train.ascii")).parent
    files = ("train", "test", "propensities")
    chosen, shown, chance = (np.loadtxt(folder / f"{name}.ascii") for name in files)
    pairs = np.nonzero(chosen)
    rows = Interactions.from_columns(*pairs, chosen[pairs])
    inverse = 1 / chance[pairs]
    more = {"factors": 16, "frequency_scaling": 0.0, "bias_regularization": 6.0}
    errors = []
    for weights in (None, inverse / inverse.mean()):
        model = ExplicitALS(regularization=6.0, **more).fit(rows, weights=weights)
        user, item = np.nonzero(shown)
        predicted = model.predict_pairs(user.tolist(), item.tolist())
        errors.append(np.mean((predicted - shown[user, item]) ** 2))

    assert errors[1] < 1.093
    assert errors[1] < errors[0] - 0.08
