"""Whether a log can answer the question at all, and in words why not.

An estimator gives a number for every log. Four signs tell that the number is worth nothing: weights
that do not average 1, too few rows that count, one row that counts for too many, and a target that
shows what the log never could.
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy.logged import Logged
from equipoise.evaluation.off_policy.spread import standard_error
from equipoise.evaluation.off_policy.weights import effective_size

MEAN_ERRORS = 3.0
"""Standard errors that the mean weight may be off 1: a sound log is refused 3 times in 1,000."""
ROUNDING = 1e-6
"""What the mean weight may be off 1 by rounding alone, where all weights are nearly the same."""
LEAST_EFFECTIVE = 200
LEAST_SHARE = 0.01
LARGEST_SHARE = 0.05
MOST_UNSUPPORTED = 1e-6
"""More than rounding leaves of a probability that is meant to be 0."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the weights say about the log's power to answer. Prints as words."""

    rows: int
    mean_weight: float
    """1 in expectation, where propensities are true and all that the target shows is supported."""
    mean_error: float
    """Its standard error, by cluster."""
    effective: float
    """(Σw)² / Σw²."""
    largest: float
    """Share of the whole weight that the heaviest row carries."""
    unsupported: float
    """Share of the target's probability on what the log could not show."""
    support_known: bool
    """False: the log's whole distributions are not known, and max(0, 1 − mean weight) stands in."""
    reasons: tuple[str, ...]
    """Why not to believe an estimate; empty where nothing speaks against it."""

    @property
    def answerable(self) -> bool:
        return not self.reasons

    def __str__(self) -> str:
        figures = (
            f"{self.rows:,} rows worth {self.effective:,.0f}; mean weight {self.mean_weight:.4f}"
            f" ± {self.mean_error:.4f}; the largest carries {self.largest:.2%};"
            f" {self.unsupported:.2%} of the target without support"
            f"{'' if self.support_known else ', by the mean weight'}"
        )
        return "\n".join([figures, *(f"refused: {reason}" for reason in self.reasons)])


class Unanswerable(InvalidInput):
    """The log cannot answer; ``diagnosis`` has the figures, ``refuse=False`` the number."""

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(
            f"the log cannot answer: {'; '.join(diagnosis.reasons)} (refuse=False gives the number"
            " nevertheless)",
            code="unanswerable",
        )
        self.diagnosis = diagnosis


def diagnose(logged: Logged) -> Diagnosis:
    """The four checks. Never raises; an estimator does, with what was found here. Cost O(n)."""
    n, weight = len(logged), logged.weight
    mean, total = float(weight.mean()), float(weight.sum())
    error = standard_error(weight, logged.cluster)
    effective = effective_size(weight)
    largest = float(weight.max() / total) if total else 1.0
    known = logged.unsupported
    unsupported = max(0.0, 1 - mean) if known is None else float(known.mean())
    reasons = [
        _mean_off(mean, error),
        _too_few(effective, n),
        _one_rules(largest),
        _no_support(unsupported) if known is not None else "",
    ]
    return Diagnosis(
        n, mean, error, effective, largest, unsupported, known is not None,
        tuple(filter(None, reasons)),
    )  # fmt: skip


def _mean_off(mean: float, error: float) -> str:
    # One cluster has no error; its mean can then not be told from 1, and other signs refuse it.
    if not abs(mean - 1) > MEAN_ERRORS * error + ROUNDING:
        return ""
    return (
        f"the mean weight is {mean:.4g} ± {error:.2g} and not 1: the propensities are not those"
        " that were drawn with, or the target shows what the log could not"
    )


def _too_few(effective: float, n: int) -> str:
    needed = max(LEAST_EFFECTIVE, LEAST_SHARE * n)
    if effective >= needed:
        return ""
    return (
        f"the effective sample size is {effective:,.1f} of {n:,} rows; {needed:,.0f} are needed:"
        " the two policies are too far apart, or the log is too short"
    )


def _one_rules(largest: float) -> str:
    if largest <= LARGEST_SHARE:
        return ""
    return f"one row carries {largest:.1%} of the whole weight; {LARGEST_SHARE:.0%} is the most"


def _no_support(unsupported: float) -> str:
    if unsupported <= MOST_UNSUPPORTED:
        return ""
    return f"{unsupported:.2%} of what the target shows the log could never show"
