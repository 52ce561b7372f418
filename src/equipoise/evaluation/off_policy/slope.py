"""One estimate of many, without knowing the truth: of parameters and of estimators alike.

Bias is what no log shows. But of a row of candidates, each wider than the next, the widest is the
least biased as a rule, and narrower ones may be trusted for as long as they agree with all that are
wider. That is Lepski's principle, ``slope``, and it needs no more of a candidate than its terms.
Where one candidate is known to be unbiased, ``least_error`` measures the others against it::

    slope([switch_dr(logged, threshold) for threshold in thresholds(logged)])
    slope([dm(logged), sndr(logged), *(dros(logged, s) for s in (1, 10, 100, inf))])
    least_error([switch_dr(logged, t) for t in thresholds(logged)], dr(logged))
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.evaluation.intervals import student
from equipoise.evaluation.off_policy.estimate import Estimate, difference
from equipoise.evaluation.off_policy.logged import Logged
from equipoise.types import Floats

AGREEMENT = math.sqrt(6) - 1
"""How much of the wider one's width counts, with the narrower one's in full, when two values are
asked whether they agree (Tucker and Lee 2021; Su et al. 2020 have 2 and 2)."""


def slope(
    estimates: Sequence[Estimate], *, confidence: float = 0.95, ordered: bool = False
) -> Estimate:
    """The last candidate, from wide to narrow, before the first that disagrees with a wider one.

    A width is Student's one-sided bound at ``confidence``; i disagrees with a wider j where
    |value_i − value_j| > width_i + (√6 − 1) width_j. If bias rises as width falls, the error is
    within a constant of the best candidate's. ``ordered``: the candidates come from the least
    biased to the most, by what is known of them (nested embeddings), and are not sorted by width.
    Of equally wide ones the earlier goes first. The interval of what is chosen knows nothing of the
    choice, nor of the bias, which may be a few widths: at 95 % that is much where an unbiased
    estimate is good already (``python -m benchmarks exploration estimators``: 2.6 times its error;
    at 60 % the same). ``least_error`` looks at pairs and loses less.

    SLOPE: Su, Srinath, Krishnamurthy, "Adaptive Estimator Selection for Off-Policy Evaluation",
    ICML 2020; in the sharper form of Tucker, Lee, "Improved Estimator Selection for Off-Policy
    Evaluation", ICML 2021 workshop on reinforcement learning theory.

    Raises:
        InvalidInput: nothing to choose from, a confidence outside (0.5, 1), or an estimate on one
            cluster alone, which has no width.
    """
    _asked(estimates, confidence)
    widths = np.array([_width(estimate, confidence) for estimate in estimates])
    values = np.array([estimate.value for estimate in estimates])
    order = np.arange(len(widths)) if ordered else np.argsort(-widths, kind="stable")
    for place, i in enumerate(order.tolist()):
        wider = order[:place]
        if (np.abs(values[wider] - values[i]) > widths[i] + AGREEMENT * widths[wider]).any():
            return estimates[int(order[place - 1])]
    return estimates[int(order[-1])]


def least_error(
    estimates: Sequence[Estimate],
    unbiased: Estimate,
    *,
    weight: Floats | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """The candidate of the least estimated mean squared error: error² + bias².

    Bias is the gap to an ``unbiased`` estimate (``ips``, ``dr``) on the same rows. Without
    ``weight`` the gap's own noise is taken off, bias² = max(0, gap² − error(gap)²): the pairing
    knows how much of a gap is luck, which SLOPE's widths do not.

    With ``weight`` (n,) the rule of Su, Dimakopoulou, Krishnamurthy, Dudík, ICML 2020: bias =
    |gap| + √(2 mean(w²) L / n) + 2 max(w) L / 3n, L = ln(2 / (1 − confidence)), Bernstein's bound
    for rewards within 1 of q̂. It hardly ever leaves the unbiased estimate.

    Raises:
        InvalidInput: as ``slope``, or an unbiased estimate on other rows.
    """
    _asked(estimates, confidence)
    slack = 0.0 if weight is None else _slack(weight, math.log(2 / (1 - confidence)))

    def squared(estimate: Estimate) -> float:
        gap = difference(estimate, unbiased)
        if weight is None:
            return estimate.error**2 + max(0.0, gap.value**2 - gap.error**2)
        return estimate.error**2 + (abs(gap.value) + slack) ** 2

    return min(estimates, key=squared)


def _width(estimate: Estimate, confidence: float) -> float:
    low, high = student(estimate.terms, estimate.cluster, confidence=2 * confidence - 1)
    if np.isnan(high):
        raise InvalidInput(
            f"{estimate.name} stands on a single cluster and has no width to choose by",
            pointer="/estimates",
        )
    return (high - low) / 2


def _slack(weight: Floats, log: float) -> float:
    n = len(weight)
    spread = math.sqrt(2 * float(weight @ weight) / n * log / n)
    return spread + 2 * float(weight.max()) * log / (3 * n)


def thresholds(logged: Logged, count: int = 10) -> tuple[float, ...]:
    """Thresholds and limits to choose from: from 1 to the largest weight in equal ratios, then ∞.

    Squared, they are a grid for the shrinkage of ``dros``.

    Raises:
        InvalidInput: a count below 1.
    """
    if count < 1:
        raise InvalidInput(f"count is {count}; it is at least 1", pointer="/count")
    largest = max(float(logged.weight.max()), 1.0)
    return (*np.geomspace(1.0, largest, count).tolist(), math.inf)


def _asked(estimates: Sequence[Estimate], confidence: float) -> None:
    if not estimates:
        raise InvalidInput("there are no estimates to choose from", pointer="/estimates")
    if not 0.5 < confidence < 1:
        raise InvalidInput(
            f"confidence is {confidence:g}; one side's lies between 0.5 and 1",
            pointer="/confidence",
        )
