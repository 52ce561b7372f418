"""The Gaussian belief: its laws, its closed form, and what other people's code says of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

from equipoise.exploration import GaussianBelief
from equipoise.randomness import derive
from equipoise.testing.beliefs import LAWS, Make, data

PRIOR = {"prior_mean": np.array([1.0, -1.0, 0.5]), "prior_precision": np.array([0.5, 2.0, 8.0])}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize(
    "make",
    [lambda: GaussianBelief(3), lambda: GaussianBelief(3, noise=0.7, **PRIOR)],
    ids=["standard", "with a prior"],
)
def test_laws(make: Make, law: Callable[[Make, int], None]) -> None:
    """The belief keeps every law, from either prior."""
    law(make, 3)


def test_closed_form() -> None:
    """mean = (Λ + XᵀWX)⁻¹(Λm₀ + XᵀWr), variance = σ² x(Λ + XᵀWX)⁻¹x, by plain linear algebra."""
    x, reward, _ = data(3)
    weight = derive(0, "test beliefs").uniform(0, 2, len(x))
    belief = GaussianBelief(3, noise=0.7, **PRIOR).update(x, reward, weight)
    precision = np.diag(PRIOR["prior_precision"]) + x.T @ np.diag(weight) @ x
    moment = PRIOR["prior_precision"] * PRIOR["prior_mean"] + x.T @ (weight * reward)
    mean, variance = belief.predict(x)

    np.testing.assert_allclose(mean, x @ np.linalg.solve(precision, moment), rtol=1e-12)
    np.testing.assert_allclose(
        variance, 0.7 * np.diag(x @ np.linalg.inv(precision) @ x.T), rtol=1e-12
    )
    assert belief.n == pytest.approx(weight.sum())


def test_one_feature_in_fractions() -> None:
    """Prior N(1/2, 1/2), rewards 1, 0, 1 at x = 1, 2, 3: mean 5/16, variance 1/16, by hand."""
    belief = GaussianBelief(1, prior_mean=np.array([0.5]), prior_precision=2.0)
    belief = belief.update(np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 0.0, 1.0]))
    mean, variance = belief.predict(np.array([[1.0]]))

    assert mean[0] == pytest.approx(float(Fraction(1 + 1 + 3, 2 + 1 + 4 + 9)))
    assert variance[0] == pytest.approx(1 / 16)


def test_agrees_with_scikit_learn() -> None:
    """BayesianRidge at its own fitted precisions: the same mean and spread."""
    x, reward, _ = data(3)
    ridge = BayesianRidge(fit_intercept=False).fit(x, reward)
    belief = GaussianBelief(
        3, prior_precision=float(ridge.lambda_ / ridge.alpha_), noise=float(1 / ridge.alpha_)
    ).update(x, reward)
    places = derive(1, "test beliefs").normal(size=(9, 3))
    theirs, spread = ridge.predict(places, return_std=True)
    mean, variance = belief.predict(places)

    np.testing.assert_allclose(mean, theirs, rtol=1e-4)
    np.testing.assert_allclose(variance + belief.noise, spread**2, rtol=1e-4)


def test_intervals_cover_as_often_as_they_say() -> None:
    """Over worlds drawn from the prior, 50, 80 and 95 % intervals hold the truth so often."""
    rng = derive(2, "test beliefs")
    place, inside, worlds = rng.normal(size=(1, 3)), np.zeros(3), 1_000
    for _ in range(worlds):
        truth = rng.normal(size=3)
        x = rng.normal(size=(8, 3))
        belief = GaussianBelief(3).update(x, x @ truth + rng.normal(size=8))
        mean, variance = belief.predict(place)
        inside += abs(mean[0] - place[0] @ truth) < np.sqrt(variance[0]) * np.array(
            [0.6745, 1.2816, 1.9600]
        )

    np.testing.assert_allclose(inside / worlds, [0.50, 0.80, 0.95], atol=0.05)


def test_noise_follows_the_residuals() -> None:
    """With a finite strength σ² goes from the guess to the truth."""
    rng = derive(3, "test beliefs")
    x = rng.normal(size=(20_000, 3))
    reward = x @ np.array([1.0, 2.0, 3.0]) + 0.5 * rng.normal(size=20_000)
    belief = GaussianBelief(3, noise=4.0, noise_strength=10.0)

    assert belief.noise == 4.0
    assert belief.update(x, reward).noise == pytest.approx(0.25, rel=0.04)
    assert GaussianBelief(3, noise=4.0, noise_strength=0.0).noise == 4.0


def test_decay_keeps_the_prior_of_every_direction() -> None:
    """A ← γA + (1 − γ)Λ: a direction never seen keeps its variance, however long the decay."""
    belief = GaussianBelief(2, prior_precision=3.0)
    for _ in range(500):
        belief = belief.update(np.array([[1.0, 0.0]]), np.array([1.0])).decay(0.9)

    np.testing.assert_allclose(belief.precision, np.diag([3.0 + 9.0, 3.0]), rtol=1e-12)
    assert belief.n == pytest.approx(9.0)


def test_rewards_one_by_one_are_rotated_in() -> None:
    """The factor that single updates keep is the one that the sums give, 1,000 rewards later."""
    x, reward, _ = data(16, 1_000)
    singly = GaussianBelief(16)
    for row in range(len(x)):
        singly = singly.update(x[row : row + 1], reward[row : row + 1])
    at_once = GaussianBelief(16).update(x, reward)

    assert len(singly.arrays()["target"]) == 16
    assert len(at_once.arrays()["target"]) == 0
    np.testing.assert_allclose(singly.mean, at_once.mean, rtol=1e-10)
    np.testing.assert_allclose(singly.predict(x), at_once.predict(x), rtol=1e-9)


def test_pending_rewards_count_for_the_spread_alone() -> None:
    """A ← A + w x xᵀ with mean and σ² as they were; a real update is as sure."""
    x, reward, _ = data(3)
    weight = np.array([1.0, 2.5])
    belief = GaussianBelief(3, noise=0.7, noise_strength=5.0, **PRIOR).update(x, reward)
    awaiting = belief.pending(x[:2], weight)
    known = GaussianBelief(3, **PRIOR).update(x, reward)

    np.testing.assert_allclose(
        awaiting.precision, belief.precision + (x[:2] * weight[:, None]).T @ x[:2], rtol=1e-12
    )
    np.testing.assert_allclose(awaiting.mean, belief.mean, rtol=1e-12)
    assert awaiting.n == belief.n
    assert awaiting.noise == pytest.approx(belief.noise, rel=1e-12)
    np.testing.assert_allclose(
        known.pending(x[:2]).predict(x)[1], known.update(x[:2], reward[:2]).predict(x)[1]
    )


def test_root_is_of_the_joint_covariance() -> None:
    """R Rᵀ = σ² X A⁻¹ Xᵀ, off the diagonal too."""
    x, reward, _ = data(3)
    belief = GaussianBelief(3, noise=0.7, **PRIOR).update(x, reward)
    root = belief.covariance_root(x)

    assert root.shape == (len(x), 3)
    np.testing.assert_allclose(
        root @ root.T, 0.7 * x @ np.linalg.inv(belief.precision) @ x.T, atol=1e-14
    )


def test_arrays_are_all_of_it() -> None:
    """Saved and loaded: the same to the bit, and it learns on alike."""
    x, reward, _ = data(3)
    belief = GaussianBelief(3, noise=0.7, noise_strength=5.0, **PRIOR).update(x, reward)
    again = GaussianBelief.from_arrays(belief.arrays())
    pairs = zip(
        belief.update(x[:2], reward[:2]).predict(x),
        again.update(x[:2], reward[:2]).predict(x),
        strict=True,
    )

    assert all(np.array_equal(one, other) for one, other in pairs)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda b: GaussianBelief(3, prior_mean=np.ones(2)), "with 3 features each has (3,)"),
        (lambda b: GaussianBelief(3, prior_precision=0.0), "must be above 0"),
        (lambda b: GaussianBelief(3, noise=math.nan), "noise nan must be above 0"),
        (lambda b: b.predict(np.ones((2, 4))), "x has shape (2, 4); it must be (n, 3)"),
        (lambda b: b.predict(np.full((2, 3), np.nan)), "x holds a value that is not finite"),
        (lambda b: b.update(np.ones((2, 3)), np.ones(3)), "each must be (2,)"),
        (lambda b: b.update(np.ones((1, 3)), np.array([np.inf])), "rewards must be finite"),
        (
            lambda b: b.update(np.ones((1, 3)), np.ones(1), np.array([-1.0])),
            "weights finite and not below 0",
        ),
        (lambda b: b.subtract(np.ones((2, 3)), np.ones(2)), "2 observations are to be taken away"),
        (
            lambda b: b.update(np.eye(3), np.ones(3)).subtract(9 * np.eye(3), np.ones(3)).mean,
            "not positive definite",
        ),
        (lambda b: b.pending(np.ones((1, 2))), "x has shape (1, 2); it must be (n, 3)"),
        (lambda b: b.covariance_root(np.ones(3)), "x has shape (3,); it must be (n, 3)"),
        (lambda b: b.merge(GaussianBelief(3, noise=2.0)), "started from the same prior"),
        (lambda b: b.decay(1.1), "gamma is 1.1; it is what remains, from 0 to 1"),
    ],
)
def test_refusals(attempt: Callable[[GaussianBelief], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt(GaussianBelief(3))

    assert message in str(refusal.value)
