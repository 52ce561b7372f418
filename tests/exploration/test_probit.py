"""AdPredictor: the paper's step by hand, its forgetting, exact chances."""

from __future__ import annotations

from collections.abc import Callable
from math import asin, pi, sqrt

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

from equipoise.exploration import ProbitBelief
from equipoise.exploration.beliefs.probit import probit_moments
from equipoise.exploration.beliefs.tilted import PROBIT, site
from equipoise.randomness import derive
from equipoise.testing.beliefs import LAWS, Make
from equipoise.testing.beliefs import PROBIT as WORLD

EYE = np.eye(3)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize(
    ("make", "tolerance"),
    [
        (lambda: ProbitBelief(3), 1.0),
        (lambda: ProbitBelief(3, diagonal=False), 0.5),
    ],
    ids=["diagonal", "full"],
)
def test_laws(law: Callable[..., None], make: Make, tolerance: float) -> None:
    """Every law; order, double weight and merging within one spread (full: half)."""
    law(make, 3, WORLD, tolerance)


def test_two_steps_by_hand() -> None:
    """Prior N(0, 1), β = 1; a click on features 1 and 2, then none on 2 and 3.

    First: Σ² = 3, t = 0, v = √(2/π), w = 2/π: m = √(2/3π) = .460659, s² = 1 − 2/3π = .787793.
    Then: Σ² = 1 + .787793 + 1 = 2.787793, Σ = 1.669669, t = −.460659/Σ = −.275898,
    v = φ(t)/Φ(t) = .981424, w = v (v + t) = .692419.
    """
    belief = ProbitBelief(3).update(np.array([[1.0, 1.0, 0.0]]), np.array([1.0]))
    mean, variance = belief.latent(EYE)

    np.testing.assert_allclose(mean, [sqrt(2 / (3 * pi))] * 2 + [0.0], rtol=1e-12)
    np.testing.assert_allclose(variance, [1 - 2 / (3 * pi)] * 2 + [1.0], rtol=1e-12)

    mean, variance = belief.update(np.array([[0.0, 1.0, 1.0]]), np.array([0.0])).latent(EYE)

    np.testing.assert_allclose(mean, [0.460659, -0.002402, -0.587795], atol=1e-6)
    np.testing.assert_allclose(variance, [0.787793, 0.633647, 0.751625], atol=1e-6)


def test_noise_is_the_papers_beta() -> None:
    """m ← m + y s² v / Σ, s² ← s² (1 − s² w / Σ²), with Σ² = β² + Σ s²."""
    belief = ProbitBelief(2, prior_precision=np.array([0.25, 4.0]), noise=3.0)
    mean, variance = belief.update(np.ones((1, 2)), np.zeros(1)).latent(np.eye(2))
    total, v = 9.0 + 4.0 + 0.25, sqrt(2 / pi)

    np.testing.assert_allclose(mean, -np.array([4.0, 0.25]) * v / sqrt(total), rtol=1e-12)
    np.testing.assert_allclose(
        variance, np.array([4.0, 0.25]) * (1 - np.array([4.0, 0.25]) * v * v / total), rtol=1e-12
    )


def test_forgetting_is_the_papers() -> None:
    """s² ← s²π² / ((1 − ε)π² + εs²), m ← s²new ((1 − ε) m/s² + ε m₀/π²)."""
    belief = ProbitBelief(3, prior_mean=np.array([0.5, 0.0, -1.0]), prior_precision=0.5)
    learnt = belief.update(np.array([[1.0, 2.0, -1.0]]), np.array([1.0]))
    (m, s2), epsilon, prior = learnt.latent(EYE), 0.1, 2.0
    mean, variance = learnt.decay(1 - epsilon).latent(EYE)
    wanted = s2 * prior / ((1 - epsilon) * prior + epsilon * s2)

    np.testing.assert_allclose(variance, wanted, rtol=1e-12)
    np.testing.assert_allclose(
        mean,
        wanted * ((1 - epsilon) * m / s2 + epsilon * np.array([0.5, 0.0, -1.0]) / prior),
        rtol=1e-12,
    )


@pytest.mark.parametrize(("mean", "variance"), [(-2.0, 0.5), (0.3, 4.0), (-6.0, 1e-4)])
@pytest.mark.parametrize("reward", [0.0, 1.0])
def test_closed_form_and_quadrature_agree(mean: float, variance: float, reward: float) -> None:
    """A weight a hair from 1 goes through the integral, and gives what the formula does."""
    exact = site(mean, variance, reward, 1.0, PROBIT)
    near = site(mean, variance, reward, 1.0 + 1e-9, PROBIT)

    assert near == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("mean", [-5.0, -1.0, 0.0, 3.0])
@pytest.mark.parametrize("sd", [1e-4, 0.5, 2.0, 10.0])
def test_expected_reward_by_quadrature(mean: float, sd: float) -> None:
    """Mean and variance of Φ(f) by a fine rule."""
    f = np.linspace(mean - 10 * sd, mean + 10 * sd, 400_001)
    mass = norm.pdf(f, mean, sd)
    mass /= mass.sum()
    chance = mass @ ndtr(f)
    ours = probit_moments(np.array([mean]), np.array([sd**2]))

    assert ours[0][0] == pytest.approx(chance, rel=1e-6)
    assert ours[1][0] == pytest.approx(mass @ (ndtr(f) - chance) ** 2, rel=1e-6)


def test_variance_of_an_even_chance() -> None:
    """At mean 0, Sheppard's formula: variance = arcsin(ρ) / 2π, ρ = s² / (1 + s²)."""
    _, variance = probit_moments(np.zeros(2), np.array([1.0, 1e12]))

    np.testing.assert_allclose(variance, [asin(0.5) / (2 * pi), 0.25], rtol=1e-5)


def test_full_form_keeps_what_goes_together() -> None:
    """Features that only ever come together are known as a sum, not one by one."""
    rng = derive(0, "test probit")
    x = np.tile([[1.0, 1.0]], (500, 1))
    belief = ProbitBelief(2, diagonal=False).update(x, (rng.random(500) < 0.8).astype(float))
    _, variance = belief.latent(np.array([[1.0, 1.0], [1.0, -1.0]]))
    root = belief.covariance_root(np.eye(2))

    assert variance[0] < 0.02
    assert variance[1] == pytest.approx(2.0, rel=1e-9)
    assert root[0] @ root[1] < -0.9 * root[0] @ root[0]


def test_refusals() -> None:
    """A link of no width, or of infinite width, is none."""
    with pytest.raises(ValueError, match=r"noise is 0\.0; it must be above 0 and finite"):
        ProbitBelief(2, noise=0.0)
    with pytest.raises(ValueError, match="merge only in one form and from the same prior"):
        ProbitBelief(2).merge(ProbitBelief(2, noise=2.0))
