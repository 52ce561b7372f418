"""The door of every belief over features: what comes in is checked once, and in one way."""

from __future__ import annotations

import numpy as np

from equipoise.types import Floats


def rows(x: Floats, d: int) -> Floats:
    """x as C-contiguous float64 (n, d).

    Raises:
        ValueError: another shape, or a value that is not finite.
    """
    x = np.ascontiguousarray(x, dtype=float)
    if x.ndim != 2 or x.shape[1] != d:
        raise ValueError(f"x has shape {x.shape}; it must be (n, {d})")
    if not np.isfinite(x).all():
        raise ValueError("x holds a value that is not finite")
    return x


def observations(
    x: Floats, reward: Floats, weight: Floats | None, d: int
) -> tuple[Floats, Floats, Floats]:
    """x (n, d), reward (n,) and weight (n,), ones if None.

    Raises:
        ValueError: a shape that does not fit, a reward that is not finite, a weight below 0.
    """
    x, reward = rows(x, d), np.ascontiguousarray(reward, dtype=float)
    weight = np.ones(len(x)) if weight is None else np.ascontiguousarray(weight, dtype=float)
    if reward.shape != (len(x),) or weight.shape != (len(x),):
        raise ValueError(
            f"{len(x)} rows of x have rewards and weights of shapes "
            f"{reward.shape} and {weight.shape}; each must be ({len(x)},)"
        )
    if not np.isfinite(reward).all() or not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("rewards must be finite, weights finite and not below 0")
    return x, reward, weight


def prior(d: int, mean: Floats | None, precision: float | Floats) -> tuple[Floats, Floats]:
    """Mean (zeros if None) and precision of d coefficients, each (d,).

    Raises:
        ValueError: a shape that does not fit, or a precision that is not above 0.
    """
    centre = np.zeros(d) if mean is None else np.array(mean, dtype=float)
    diagonal = np.array(precision, dtype=float)
    if centre.shape != (d,) or diagonal.shape not in ((), (d,)):
        raise ValueError(
            f"prior_mean and prior_precision have shapes {centre.shape} and {diagonal.shape}; "
            f"with {d} features each has ({d},), and a precision may be one number"
        )
    if not (diagonal > 0).all():
        raise ValueError(f"prior_precision {precision} must be above 0")
    return centre, np.broadcast_to(diagonal, (d,)).copy()


def kept(gamma: float) -> float:
    """gamma, what remains of a belief when it forgets.

    Raises:
        ValueError: gamma is not within 0…1.
    """
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"gamma is {gamma}; it is what remains, from 0 to 1")
    return gamma
