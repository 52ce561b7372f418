"""What one reward says of a score: the moments of a Gaussian times a likelihood, compiled.

A belief ``f ~ N(m, h)`` about a score meets a reward r in 0…1 of weight w through a link g::

    ℓ(f) = w [r log g(f) + (1 − r) log g(−f)]          g logistic or standard normal

``site`` gives the Gaussian observation that moves mean and variance of f just as the reward does:
assumed density filtering (Opper 1998; Minka, *A family of algorithms for approximate Bayesian
inference*, 2001). Laplace's approximation takes the mode for the mean, which of a rare click lies
too high, always: in worlds of some 5 % clicks, with prior N(−3, 1), it ends .28 spreads too high
after 100 rewards where this errs by .14, to either side.

All moments are of the exact product, by Gauss–Legendre on either side of its mode, down to e⁻²⁵ of
its height: to 1e-5 of a spread. ℓ is concave, so Newton's method finds mode and ends safely.
"""

from __future__ import annotations

from math import erfc, exp, log, log1p, pi, sqrt

from numba import njit
from numpy.polynomial.legendre import leggauss

LOGIT, PROBIT = 0, 1

DROP = 25.0
"""Of the log density, from the mode to the ends."""
NODE, WEIGHT = leggauss(24)
NODE = 0.5 * (NODE + 1.0)
SETTLED = 1e-10
"""Of a spread: the mode is found."""


@njit(cache=True, inline="always")
def _log_normal(z: float) -> tuple[float, float]:
    """log Φ(z) and φ(z)/Φ(z), by the asymptotic series where erfc would soon underflow."""
    if z > -20.0:
        value = log(0.5 * erfc(-z / sqrt(2.0)))
    else:
        square = 1.0 / (z * z)
        value = -0.5 * z * z - log(-z * sqrt(2.0 * pi)) + log1p(-square * (1.0 - 3.0 * square))
    return value, exp(-0.5 * z * z - 0.5 * log(2.0 * pi) - value)


@njit(cache=True, inline="always")
def _likelihood(f: float, reward: float, weight: float, link: int) -> tuple[float, float, float]:
    """ℓ, ℓ′ and −ℓ″ at f."""
    if link == LOGIT:
        small = exp(-abs(f))
        chance = 1.0 / (1.0 + small) if f > 0.0 else small / (1.0 + small)
        value = reward * f - max(f, 0.0) - log1p(small)
        return weight * value, weight * (reward - chance), weight * small / (1.0 + small) ** 2
    yes, up = _log_normal(f)
    no, down = _log_normal(-f)
    value = reward * yes + (1.0 - reward) * no
    slope = reward * up - (1.0 - reward) * down
    bend = reward * up * (up + f) + (1.0 - reward) * down * (down - f)
    return weight * value, weight * slope, weight * bend


@njit(cache=True)
def _mode(m: float, h: float, reward: float, weight: float, link: int) -> float:
    """Where the product is highest: Newton, kept between m and m + h ℓ′(m)."""
    f = m
    _, slope, bend = _likelihood(m, reward, weight, link)
    low, high = min(m, m + h * slope), max(m, m + h * slope)
    for _ in range(100):
        up = slope - (f - m) / h
        step = up / (bend + 1.0 / h)
        if abs(step) < SETTLED * sqrt(h):
            break
        if up > 0.0:
            low = f
        else:
            high = f
        f += step
        if not low < f < high:
            f = 0.5 * (low + high)
        _, slope, bend = _likelihood(f, reward, weight, link)
    return f


@njit(cache=True)
def _end(
    f: float, m: float, h: float, reward: float, weight: float, link: int, side: float
) -> float:
    """How far from the mode f the log density has fallen by some ``DROP``, to one side.

    The fall is convex and at least that of N(m, h): Newton comes down from there.
    """
    top = _likelihood(f, reward, weight, link)[0] - 0.5 * (f - m) ** 2 / h
    away = sqrt(2.0 * DROP * h)
    for _ in range(60):
        at = f + side * away
        value, slope, _ = _likelihood(at, reward, weight, link)
        fall = top - value + 0.5 * (at - m) ** 2 / h
        if fall < 1.2 * DROP:
            break
        away -= (fall - DROP) / (side * ((at - m) / h - slope))
    return away


@njit(cache=True)
def information(f: float, link: int) -> float:
    """What one reward, whichever it is, is expected to say of a score that is f (Fisher)."""
    if link == LOGIT:
        return _likelihood(f, 0.5, 1.0, link)[2]
    # φ² / (Φ (1 − Φ)), the two hazards' product.
    return _log_normal(f)[1] * _log_normal(-f)[1]


@njit(cache=True)
def site(m: float, h: float, reward: float, weight: float, link: int) -> tuple[float, float]:
    """The Gaussian observation of f ~ N(m, h) that is worth this reward.

    Returns:
        precision κ ≥ 0 and target z: ``1/h + κ`` and ``m/h + κz`` are the natural parameters after.
    """
    if link == PROBIT and weight == 1.0 and (reward == 0.0 or reward == 1.0):
        sign = 2.0 * reward - 1.0
        t = sign * m / sqrt(1.0 + h)
        _, v = _log_normal(t)
        return _matched(m, h, 0.0, 0.0, sign * v / sqrt(1.0 + h), v * (v + t) / (1.0 + h))
    return _matched(m, h, *_moments(m, h, reward, weight, link))


@njit(cache=True)
def _moments(
    m: float, h: float, reward: float, weight: float, link: int
) -> tuple[float, float, float, float]:
    """Mean and variance of the product; first and minus second derivative of log ∫ by m."""
    f = _mode(m, h, reward, weight, link)
    top = _likelihood(f, reward, weight, link)[0] - 0.5 * (f - m) ** 2 / h
    mass = away = square = slope = pull = bend = 0.0
    for side in (-1.0, 1.0):
        end = side * _end(f, m, h, reward, weight, link, side)
        for k in range(len(NODE)):
            t = end * NODE[k]
            value, first, second = _likelihood(f + t, reward, weight, link)
            share = abs(end) * WEIGHT[k] * exp(value - 0.5 * (f + t - m) ** 2 / h - top)
            mass += share
            away += share * t
            square += share * t * t
            slope += share * first
            pull += share * first * first
            bend += share * second
    variance = square / mass - (away / mass) ** 2
    curve = (bend - pull + slope * slope / mass) / mass
    return f + away / mass, variance, slope / mass, curve


@njit(cache=True)
def _matched(
    m: float, h: float, mean: float, variance: float, slope: float, curve: float
) -> tuple[float, float]:
    """From ``mean = m + h slope, variance = h − h² curve``, each said in the way that is exact.

    Where a reward says little, h − variance cancels; where it says much, 1 − h curve does. A
    variance of 0 is not known: only the derivatives are.
    """
    if h * curve < 0.01 or variance == 0.0:
        precision, moved = curve / (1.0 - h * curve), h * slope
    else:
        precision, moved = 1.0 / variance - 1.0 / h, mean - m
    if not precision > 0.0:
        return 0.0, m
    return precision, m + moved * (1.0 / h + precision) / precision
