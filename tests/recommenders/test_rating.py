"""What all that predict ratings have in common, and the two that need no factors."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput, NotFitted
from equipoise.randomness import derive
from equipoise.recommenders.baseline import Baseline
from equipoise.recommenders.biased_mf import BiasedMF
from equipoise.recommenders.explicit_als import ExplicitALS
from equipoise.recommenders.nmf import RatingNMF
from equipoise.recommenders.rating import by_code, mean_of_ratings
from equipoise.recommenders.slope_one import SlopeOne
from equipoise.testing.recommenders import LAWS, PERSONAL

RNG = derive(0, "test.rating")
PAIRS = np.nonzero(RNG.random((25, 15)) < 0.5)
ROWS = Interactions.from_columns(*PAIRS, RNG.integers(1, 6, len(PAIRS[0])))
METHODS = (Baseline, BiasedMF, ExplicitALS, RatingNMF, SlopeOne)

# Ratings all alike (the laws' toy) hold no taste, and a baseline never looks at the history.
RATED = [law for law in LAWS if law not in PERSONAL]
each_method = pytest.mark.parametrize("make", METHODS, ids=lambda make: make.name)


@pytest.mark.parametrize("law", RATED, ids=lambda law: law.__name__)
@pytest.mark.parametrize("make", [Baseline, lambda: SlopeOne(threads=2)])
def test_law(law, make):
    """The law holds."""
    law(make)


@each_method
def test_one_pair_is_many_pairs(make):
    """``predict`` and ``predict_pairs`` say the same, inside the scale."""
    model = make().fit(ROWS)
    users, items = ROWS.user.tolist(), ROWS.item.tolist()
    together = model.predict_pairs(users, items)

    assert together.dtype == np.float32
    assert ((together >= 1) & (together <= 5)).all()
    assert [model.predict(*pair) for pair in zip(users[:9], items[:9], strict=True)] == (
        together[:9].tolist()
    )


@each_method
def test_every_pair_has_a_rating(make):
    """Unknown to training or to the whole table: what is known of the other side, or the mean."""
    model = make().fit(ROWS.take((ROWS.user != 3) & (ROWS.item != 5)))
    users, items = [0, 3, 0, 3, "?", 0, "?"], [0, 0, 5, 5, 0, "?", "?"]
    said = model.predict_pairs(users, items)

    assert np.isfinite(said).all()
    assert (
        said[3]
        == said[6]
        == pytest.approx(np.mean(ROWS.value[(ROWS.user != 3) & (ROWS.item != 5)]))
    )
    assert said[1] == said[4]
    assert said[2] == said[5]


@each_method
def test_ratings_of_somebody_new(make):
    """``rate`` stays inside the scale and ignores ids that it does not know."""
    model = make().fit(ROWS)
    rated = model.rate({0: 5, 1: 1, 2: 3})

    assert rated.shape == (15,)
    assert ((rated >= 1) & (rated <= 5)).all()
    assert np.array_equal(rated, model.rate({0: 5, "?": 2, 1: 1, 2: 3}))
    assert np.isfinite(model.rate({})).all()


@each_method
def test_a_loaded_model_knows_no_users(make):
    """It scores histories and rates for anyone, and says why it cannot predict."""
    model = make().fit(ROWS)
    loaded = make.from_arrays(model.arrays())

    assert np.array_equal(model.rate({0: 5, 3: 2}), loaded.rate({0: 5, 3: 2}))
    with pytest.raises(NotFitted, match="was loaded, and no user ids are stored"):
        loaded.predict(0, 0)


@each_method
def test_refusals(make):
    """Not fitted; no rows; uneven pairs; a rating that is none."""
    nothing = ROWS.take(np.zeros(len(ROWS), np.bool_))
    model = make().fit(ROWS)

    with pytest.raises(NotFitted, match="has learnt nothing yet: call fit first"):
        make().predict(0, 0)
    with pytest.raises(InvalidInput, match=f"{make.__name__}: no ratings; at least one row"):
        make().fit(nothing)
    with pytest.raises(InvalidInput, match="2 users and 1 items; a pair has one of each"):
        model.predict_pairs([0, 1], [0])
    with pytest.raises(InvalidInput, match="the rating of 1 is not a finite number"):
        model.rate({0: 3.0, 1: np.nan})


def test_baseline_is_the_ridge_optimum():
    """Biases where the derivative of the docstring's loss is zero."""
    model = Baseline(epochs=100).fit(ROWS)
    user, item = model.user_bias_, model.item_bias_
    error = ROWS.value - model.mean_ - user[ROWS.user] - item[ROWS.item]

    assert np.allclose(np.bincount(ROWS.user, error), 15 * user, atol=1e-3)
    assert np.allclose(np.bincount(ROWS.item, error), 10 * item, atol=1e-3)


def test_slope_one_is_the_papers_example():
    """Lemire and Maclachlan's first page: A gave 1 and 1.5, B gave 2; so B's rating of J is 2.5."""
    rows = Interactions.from_columns(["A", "A", "B"], ["I", "J", "I"], [1.0, 1.5, 2.0])

    assert SlopeOne().fit(rows).predict_codes(*np.array([[1], [1]], np.int32)) == 2.5


def test_slope_one_weighs_by_support():
    """Equation 5: two say +1 over x, one says −1 over y: (2·(2 + 1) + (3 − 1)) / 3."""
    rows = Interactions.from_columns(
        [1, 1, 2, 2, 3, 3, 4, 4], list("ixixiyxy"), [3.0, 2, 4, 3, 1, 2, 2, 3]
    )
    model = SlopeOne().fit(rows)

    assert model.predict(4, "i") == pytest.approx(8 / 3)
    assert model.rate({"x": 2.0, "y": 3.0})[0] == pytest.approx(8 / 3)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Baseline(epochs=0), r"epochs=0\): at least one"),
        (Baseline(item_shrinkage=0), r"item_shrinkage=0\): a positive number"),
        (Baseline(user_shrinkage=0), r"user_shrinkage=0\): a positive number"),
        (SlopeOne(max_items=3), r"two matrices of 15 × 15 items, 0.0 GB, and max_items is 3"),
    ],
)
def test_refused_keywords(model, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        model.fit(ROWS)


def test_means_and_order_by_code():
    """Means where something is known, that of all elsewhere; rows of a code keep their order."""
    overall, known = mean_of_ratings(np.float32([1, 2, 6]), np.int32([0, 2, 2]), 3)
    order, indptr = by_code(np.int32([2, 0, 2, 0]), 4)

    assert overall == 3
    assert known["mean"].tolist() == [1, 3, 4]
    assert known["count"].tolist() == [1, 0, 2]
    assert order.tolist() == [1, 3, 0, 2]
    assert indptr.tolist() == [0, 2, 2, 4, 4]
