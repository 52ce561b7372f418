"""An estimate with the rows it is the mean of, so that any interval can be put on any estimator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInput
from equipoise.evaluation.intervals import Interval, hall
from equipoise.evaluation.off_policy.diagnostics import Diagnosis
from equipoise.evaluation.off_policy.spread import standard_error
from equipoise.types import Floats


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the target would have earned a row, by one estimator."""

    name: str
    """``snips``, ``switch_dr(10)``."""
    terms: Floats
    """(n,) one a row; the value is their mean, its variance theirs."""
    exact: bool
    """True: a term depends on its own row alone (given q̂), so that every interval for a mean holds.
    False: terms of a ratio, linearised about its value (the delta method). Their spread is the
    ratio's own to first order, which is enough for normal and bootstrap intervals; finite-sample
    bounds and confidence sequences need exact terms."""
    cluster: NDArray[np.int64] | None = None
    """(n,) whose row it is, codes from 0; None: rows are independent."""
    diagnosis: Diagnosis | None = None

    @property
    def value(self) -> float:
        return float(self.terms.mean())

    @property
    def error(self) -> float:
        """Standard error, by cluster; infinite where there is but one."""
        return standard_error(self.terms, self.cluster)

    def interval(self, confidence: float = 0.95) -> Interval:
        """``hall``'s interval of the terms, by cluster; (NaN, NaN) for a single one.

        Nominal for many clusters of a log whose policy was fixed. A log written by a policy that
        learns keeps the value unbiased, but not this interval: use a confidence sequence there.

        Raises:
            InvalidInput: a confidence outside (0, 1).
        """
        return hall(self.terms, self.cluster, confidence=confidence)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.name} {self.value:.6g} ({low:.6g} … {high:.6g})"


def difference(first: Estimate, second: Estimate) -> Estimate:
    """first − second on the same rows: what they share cancels, so it is surer than either.

    Raises:
        InvalidInput: estimates on logs of unequal length.
    """
    if len(first.terms) != len(second.terms):
        raise InvalidInput(
            f"{first.name} stands on {len(first.terms)} rows and {second.name} on"
            f" {len(second.terms)}; a difference needs the same rows",
            pointer="/second",
        )
    return Estimate(
        f"{first.name} - {second.name}",
        first.terms - second.terms,
        first.exact and second.exact,
        first.cluster,
    )
