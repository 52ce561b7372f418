"""AdPredictor: Bayesian probit regression with independent coefficients, online."""

from __future__ import annotations

from math import asin, erfc, exp, pi, sin, sqrt

import numpy as np
from numba import njit
from numpy.polynomial.legendre import leggauss

from equipoise.exploration.beliefs.linked import LinkedBelief
from equipoise.exploration.beliefs.tilted import PROBIT
from equipoise.types import Floats

NODE, WEIGHT = leggauss(24)


class ProbitBelief(LinkedBelief):
    """Clicks come with the chance ``Φ(xᵀβ / noise)``, prior ``β ~ N(prior_mean, Λ⁻¹)``.

    Graepel, Candela, Borchert & Herbrich (2010), *Web-scale Bayesian click-through rate prediction
    for sponsored search advertising*, for any x (theirs holds zeros and ones). With y = ±1,
    ``Σ² = noise² + Σ x²s²``, ``t = y xᵀm / Σ``, ``v = φ(t)/Φ(t)``, ``w = v (v + t)``::

        m ← m + y x s² v / Σ          s² ← s² (1 − x² s² w / Σ²)

    Other weights than 1, and rewards between 0 and 1, are matched by quadrature. ``decay(1 − ε)``
    is the paper's forgetting towards the prior. Predictions are exact for the Gaussian score: mean
    ``Φ(m/Σ)``, and the variance of Φ of it by Plackett's identity.

    Args:
        d: features.
        diagonal: as in the paper; False keeps the whole covariance, O(d²) a row.
        prior_mean: (d,); zeros if None.
        prior_precision: the diagonal of Λ, one number or (d,): 1 / variance of a coefficient.
        noise: β of the paper, how steep the link is.

    Raises:
        ValueError: an argument of the wrong shape or sign.
    """

    link = PROBIT

    def __init__(
        self,
        d: int,
        *,
        diagonal: bool = True,
        prior_mean: Floats | None = None,
        prior_precision: float | Floats = 1.0,
        noise: float = 1.0,
    ) -> None:
        if not 0.0 < noise < np.inf:
            raise ValueError(f"noise is {noise}; it must be above 0 and finite")
        super().__init__(
            d, diagonal=diagonal, prior_mean=prior_mean, prior_precision=prior_precision, unit=noise
        )

    def _expected(self, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
        chance, spread = probit_moments(mean, variance)
        return chance, spread


@njit(cache=True)
def probit_moments(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of ``Φ(f)``, f ~ N(mean, variance), each (n,).

    ``E Φ(f)² = Φ₂(a, a; ρ)``, a = m / √(1 + s²), ρ = s² / (1 + s²), and the derivative of Φ₂ by
    its correlation is its density (Plackett 1954): with r = sin θ::

        variance = ∫₀^ρ φ₂(a, a; r) dr = ∫₀^{arcsin ρ} exp(−a² / (1 + sin θ)) dθ / 2π

    Nothing is subtracted, so small variances keep their digits.
    """
    chance, spread = np.empty(len(mean)), np.empty(len(mean))
    for i in range(len(mean)):
        a = mean[i] / sqrt(1.0 + variance[i])
        end = asin(variance[i] / (1.0 + variance[i]))
        total = 0.0
        for k in range(len(NODE)):
            total += WEIGHT[k] * exp(-a * a / (1.0 + sin(0.5 * end * (NODE[k] + 1.0))))
        chance[i] = 0.5 * erfc(-a / sqrt(2.0))
        spread[i] = 0.5 * end * total / (2.0 * pi)
    return chance, spread
