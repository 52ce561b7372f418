"""Compiled learning through a link, in place: one reward is one Gaussian observation (``tilted``).

::

    learn_full(factor (d, d), target (d,), x (n, d), reward (n,), weight (n,), link)
    learn_diagonal(mean (d,), variance (d,), x (n, d), reward (n,), weight (n,), link)
    await_full(factor, target, x, weight, link)
    await_diagonal(mean, variance, x, weight, link)
    predict_diagonal(mean, variance, x)  -> mean (n,), variance (n,) of the score

``factor`` and ``target`` are those of ``linear_kernels``. The diagonal form keeps, after every
reward, the diagonal of the *covariance* (AdPredictor's step, of any link). Chapelle & Li's
algorithm 3 adds up the diagonal of the precision: sure too soon wherever features come together,
and the surer, the less it still learns.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from equipoise.exploration.beliefs.linear_kernels import absorb, predict
from equipoise.exploration.beliefs.tilted import information, site
from equipoise.types import Floats


@njit(cache=True)
def learn_full(
    factor: Floats, target: Floats, x: Floats, reward: Floats, weight: Floats, link: int
) -> None:
    """Row by row, in order; 4d² flops and some thirty exponentials a row."""
    for i in range(len(x)):
        m, h = predict(factor, target, x[i])
        if h > 0.0 and weight[i] > 0.0:
            precision, z = site(m, h, reward[i], weight[i], link)
            absorb(factor, target, x[i], z, precision)


@njit(cache=True)
def await_full(factor: Floats, target: Floats, x: Floats, weight: Floats, link: int) -> None:
    """Rewards at x are on their way: as sure as they will make us, mean unmoved."""
    for i in range(len(x)):
        m, _ = predict(factor, target, x[i])
        absorb(factor, target, x[i], m, weight[i] * information(m, link))


@njit(cache=True, inline="always")
def _score(mean: Floats, variance: Floats, x: Floats) -> tuple[float, float]:
    m, h = 0.0, 0.0
    for j in range(len(x)):
        m += x[j] * mean[j]
        h += x[j] * x[j] * variance[j]
    return m, h


@njit(cache=True)
def _step(mean: Floats, variance: Floats, x: Floats, gain: float, shrink: float) -> None:
    for j in range(len(x)):
        share = variance[j] * x[j]
        mean[j] += share * gain
        variance[j] *= 1.0 - share * x[j] * shrink


@njit(cache=True)
def learn_diagonal(
    mean: Floats, variance: Floats, x: Floats, reward: Floats, weight: Floats, link: int
) -> None:
    """Row by row, in order; O(d) a row."""
    for i in range(len(x)):
        m, h = _score(mean, variance, x[i])
        if h > 0.0 and weight[i] > 0.0:
            precision, z = site(m, h, reward[i], weight[i], link)
            shrink = precision / (1.0 + precision * h)
            _step(mean, variance, x[i], shrink * (z - m), shrink)


@njit(cache=True)
def await_diagonal(mean: Floats, variance: Floats, x: Floats, weight: Floats, link: int) -> None:
    """Rewards at x are on their way: as sure as they will make us, mean unmoved."""
    for i in range(len(x)):
        m, h = _score(mean, variance, x[i])
        precision = weight[i] * information(m, link)
        _step(mean, variance, x[i], 0.0, precision / (1.0 + precision * h))


@njit(cache=True)
def predict_diagonal(mean: Floats, variance: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of the score at each row."""
    m, h = np.empty(len(x)), np.empty(len(x))
    for i in range(len(x)):
        m[i], h[i] = _score(mean, variance, x[i])
    return m, h
