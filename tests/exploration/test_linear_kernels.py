"""The square-root filter: equal to plain linear algebra, and still so after a million rewards."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from equipoise.exploration.beliefs import linear_kernels as kernels
from equipoise.randomness import derive
from equipoise.types import Floats

PRECISION, MEAN = np.array([0.5, 2.0, 8.0, 1.0]), np.array([1.0, -1.0, 0.5, 0.0])


def rewards(n: int = 60, d: int = 4) -> tuple[Floats, Floats, Floats]:
    rng = derive(0, "test linear kernels")
    x = rng.normal(size=(n, d))
    return x, x @ rng.normal(size=d) + rng.normal(size=n), rng.uniform(0.0, 3.0, n)


def plain(x: Floats, reward: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """A and b by their definitions."""
    weighted = x * weight[:, None]
    return np.diag(PRECISION) + weighted.T @ x, PRECISION * MEAN + weighted.T @ reward


def learnt(x: Floats, reward: Floats, weight: Floats) -> tuple[Floats, Floats]:
    factor, target = kernels.start(PRECISION, MEAN)
    kernels.absorb_rows(factor, target, x, reward, weight)
    return factor, target


def test_is_the_normal_equations() -> None:
    """RᵀR = A, Rᵀ target = b, upper triangular; the coefficients are A⁻¹b."""
    data = rewards()
    (factor, target), (a, b) = learnt(*data), plain(*data)

    np.testing.assert_allclose(factor.T @ factor, a, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(factor.T @ target, b, rtol=1e-12, atol=1e-12)
    assert not np.tril(factor, -1).any()
    np.testing.assert_allclose(kernels.coefficients(factor, target), np.linalg.solve(a, b))


def test_predicts_as_plain_algebra_does() -> None:
    """Mean xᵀA⁻¹b, leverage xᵀA⁻¹x, and whitened rows whose products are xᵀA⁻¹y."""
    data = rewards()
    (factor, target), (a, b) = learnt(*data), plain(*data)
    x = derive(1, "test linear kernels").normal(size=(70, 4))
    mean, leverage = kernels.predict_rows(factor, target, x)
    covariance = x @ np.linalg.inv(a) @ x.T
    white = kernels.whiten(factor, x)

    np.testing.assert_allclose(mean, x @ np.linalg.solve(a, b), atol=1e-12)
    np.testing.assert_allclose(leverage, np.diag(covariance), rtol=1e-12)
    np.testing.assert_allclose(white @ white.T, covariance, atol=1e-14)


def test_a_row_alone_is_a_row_among_many() -> None:
    """Single, in a batch of any size, or as one of many actions: the same to the bit."""
    factor, target = learnt(*rewards())
    x = derive(1, "test linear kernels").normal(size=(70, 4))
    mean, leverage = kernels.predict_rows(factor, target, x)
    stack = (np.stack([factor, np.eye(4), factor]), np.stack([target, np.ones(4), target]))
    actions = kernels.predict_actions(*stack, x[5])

    for i, row in enumerate(x):
        assert kernels.predict(factor, target, row) == (mean[i], leverage[i])
    assert actions[0][0] == actions[0][2] == mean[5]
    assert actions[1][0] == actions[1][2] == leverage[5]
    assert actions[1][1] == pytest.approx(x[5] @ x[5])


def test_residuals_add_up_to_the_sum_of_squares() -> None:
    """Σ residual² = Σ w r² + m₀ᵀΛm₀ − bᵀA⁻¹b: what a noise estimate needs, without a difference."""
    x, reward, weight = rewards()
    factor, target = kernels.start(PRECISION, MEAN)
    squares = kernels.absorb_rows(factor, target, x, reward, weight)
    a, b = plain(x, reward, weight)
    expected = weight @ reward**2 + PRECISION @ MEAN**2 - b @ np.linalg.solve(a, b)

    assert squares == pytest.approx(expected, rel=1e-12)


def test_a_reward_is_told_how_likely_it_was() -> None:
    """residual and shrink give the predictive density N(r; xᵀm, σ² (1/w + leverage))."""
    x, reward, weight = rewards()
    factor, target = learnt(x[:20], reward[:20], weight[:20])
    noise = 0.7
    for row, r, w in zip(x[20:], reward[20:], weight[20:], strict=True):
        mean, leverage = kernels.predict(factor, target, row)
        residual, shrink = kernels.absorb(factor, target, row, r, w)
        density = norm.pdf(residual, scale=np.sqrt(noise)) * np.sqrt(w) * shrink

        assert density == pytest.approx(
            norm.pdf(r, mean, np.sqrt(noise * (1.0 / w + leverage))), rel=1e-10
        )


@settings(max_examples=25)
@given(gamma=st.floats(0.0, 1.0), seed=st.integers(0, 99))
def test_decay_is_towards_the_prior(gamma: float, seed: int) -> None:
    """A ← γA + (1 − γ)Λ and b ← γb + (1 − γ)Λm₀, whatever γ."""
    rng = derive(seed, "test linear kernels")
    x, reward, weight = rng.normal(size=(9, 4)), rng.normal(size=9), rng.uniform(size=9)
    factor, target = learnt(x, reward, weight)
    a, b = plain(x, reward, weight)
    kernels.decay(factor, target, PRECISION, MEAN, gamma)
    wanted = gamma * a + (1 - gamma) * np.diag(PRECISION)

    np.testing.assert_allclose(factor.T @ factor, wanted, atol=1e-12)
    np.testing.assert_allclose(
        factor.T @ target, gamma * b + (1 - gamma) * PRECISION * MEAN, atol=1e-12
    )


def test_sums_and_rows_lead_to_the_same_belief() -> None:
    """Cholesky of A is what the rotations made of it."""
    data = rewards()
    factor, target = learnt(*data)
    again, aim = kernels.from_sums(*plain(*data))

    np.testing.assert_allclose(again, factor, atol=1e-12)
    np.testing.assert_allclose(aim, target, atol=1e-12)


def test_sums_of_less_than_nothing_are_refused() -> None:
    """A precision that is not positive definite is named as such."""
    with pytest.raises(ValueError, match="not positive definite: more was taken than given"):
        kernels.from_sums(np.diag([1.0, -0.5]), np.zeros(2))


def scaled(d: int) -> Floats:
    """Scales of features from 1 to 10⁵, as of a price beside a flag."""
    return np.logspace(0.0, 5.0, d)


def test_a_million_rewards_later() -> None:
    """Against a fresh inverse: nothing has drifted after 1,000,000 updates, on any scale."""
    d, passes = 12, 100
    rng = derive(2, "test linear kernels")
    x = rng.normal(size=(10_000, d)) * scaled(d)
    reward = rng.normal(size=len(x))
    factor, target = kernels.start(np.ones(d), np.zeros(d))
    for _ in range(passes):
        kernels.absorb_rows(factor, target, x, reward, np.ones(len(x)))
    # In units of the features, so that the fresh inverse itself is a good one.
    unit = x / scaled(d)
    a = np.diag(scaled(d) ** -2.0) + passes * unit.T @ unit
    mean, leverage = kernels.predict_rows(factor, target, x[:200])
    wanted = np.linalg.solve(a, passes * unit.T @ reward)

    np.testing.assert_allclose(
        leverage, np.einsum("ij,ij->i", unit[:200] @ np.linalg.inv(a), unit[:200]), rtol=1e-9
    )
    np.testing.assert_allclose(mean, unit[:200] @ wanted, rtol=1e-6, atol=1e-10)


def test_what_sherman_morrison_would_lose() -> None:
    """Two prices of some 10⁶, a weak prior: A⁻¹ − A⁻¹xxᵀA⁻¹ / (1 + xᵀA⁻¹x) keeps few digits."""
    rng, n, weak = derive(3, "test linear kernels"), 10_000, 1e-3
    price = 1e6 * np.exp(0.5 * rng.normal(size=(n, 2)))
    x = np.hstack([np.ones((n, 1)), price, rng.normal(size=(n, 4))])
    inverse = np.eye(7) / weak
    for row in x:
        gain = inverse @ row
        inverse = inverse - np.outer(gain, gain) / (1.0 + row @ gain)
    factor, target = kernels.start(np.full(7, weak), np.zeros(7))
    kernels.absorb_rows(factor, target, x, np.zeros(n), np.ones(n))
    unit = np.sqrt((x**2).mean(axis=0))
    root = np.linalg.qr(np.vstack([np.diag(np.sqrt(weak) / unit), x / unit]), mode="r")
    exact = (np.linalg.solve(root.T, (x[:99] / unit).T) ** 2).sum(axis=0)
    theirs = np.einsum("ij,jk,ik->i", x[:99], inverse, x[:99])

    assert np.abs(theirs / exact - 1.0).max() > 1e-6
    np.testing.assert_allclose(kernels.predict_rows(factor, target, x[:99])[1], exact, rtol=1e-12)
