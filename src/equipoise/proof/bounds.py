"""Intervals that need no large numbers: empirical Bernstein, and one that holds at any time.

Both take one value a shopper, since rows of one shopper tell of one another: the mean over his
slots. So they speak of the *average shopper's* slot, times the slots of a list, where the other
intervals speak of the average list; the two differ where the diligent shop differently. They stand
on plain importance weights (``ips``) alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.evaluation.intervals import Interval, empirical_bernstein
from equipoise.evaluation.off_policy import ratio
from equipoise.evaluation.off_policy.sequences import mean_sequence, policy_sequence
from equipoise.proof.evidence import Columns, Evidence
from equipoise.types import Floats


@dataclass(frozen=True, slots=True)
class Bounded:
    """A value of a list, that of the log, and their difference: each with its interval."""

    value: float
    interval: Interval
    own: float
    own_interval: Interval
    difference_interval: Interval


def anytime(evidence: Evidence, asked: Columns, confidence: float = 0.95) -> Bounded:
    """A confidence sequence at its last shopper: it holds however often the log is looked at, and
    whatever the log's policy learnt meanwhile. Nothing is assumed but true propensities.

    The difference is bounded by the two values' own sequences, each at half the error.
    """
    rows = _Shoppers.of(evidence, asked)
    once, twice = confidence, (1 + confidence) / 2
    own, asked_ = rows.own_sequence(twice), rows.sequence(twice)
    gap = Interval(asked_.low - own.high, asked_.high - own.low)
    return rows.bounded(rows.sequence(once), rows.own_sequence(once), gap)


def bernstein(evidence: Evidence, asked: Columns, confidence: float = 0.95) -> Bounded:
    """Maurer and Pontil's bound, from the largest weight that the log's floor allows.

    Raises:
        InvalidInput: a list without a floor: then no largest weight is known.
    """
    least = float(evidence.least.min())
    if not least > 0:
        raise InvalidInput(
            f"{int((evidence.least <= 0).sum()):,} of {len(evidence):,} lists were drawn without a"
            " floor, so that no largest weight is known, which Bernstein's bound needs; set the"
            " placement's floor for logs to come, or take the anytime interval",
            code="no_floor",
            pointer="/interval",
        )
    rows, high = _Shoppers.of(evidence, asked), evidence.largest
    top, gained = high / least, rows.weight * rows.reward
    return rows.bounded(
        empirical_bernstein(gained, low=0.0, high=top, confidence=confidence),
        empirical_bernstein(rows.own, low=0.0, high=high, confidence=confidence),
        empirical_bernstein(gained - rows.own, low=-high, high=top, confidence=confidence),
    )


@dataclass(frozen=True, slots=True)
class _Shoppers:
    """(G,) each, in the order in which they first came."""

    weight: Floats
    """Mean weight of a shopper's slots."""
    reward: Floats
    """Σwr / Σw of them: ``weight · reward`` is then their mean w r, ``weight · (high − reward)``
    that of what was missed, and both sides of a sequence have what they need."""
    own: Floats
    """Mean reward."""
    high: float
    slots: float

    @classmethod
    def of(cls, evidence: Evidence, asked: Columns) -> _Shoppers:
        drawn, high = evidence.drawn, evidence.largest
        whose = np.repeat(evidence.cluster, drawn.sum(axis=1))
        weight, reward = ratio(asked.target[drawn], evidence.logged[drawn]), evidence.reward[drawn]
        rows = np.bincount(whose)
        whole = np.bincount(whose, weight)
        gained = np.bincount(whose, weight * reward)
        mean = np.divide(gained, whole, out=np.zeros(len(rows)), where=whole > 0)
        return cls(
            weight=whole / rows,
            # Sums of the same numbers in another order may pass the most by their last digits.
            reward=np.minimum(mean, high),
            own=np.minimum(np.bincount(whose, reward) / rows, high),
            high=high,
            slots=evidence.slots_a_list,
        )

    def sequence(self, confidence: float) -> Interval:
        return policy_sequence(self.weight, self.reward, high=self.high, confidence=confidence).last

    def own_sequence(self, confidence: float) -> Interval:
        return mean_sequence(self.own, high=self.high, confidence=confidence).last

    def bounded(self, target: Interval, own: Interval, gap: Interval) -> Bounded:
        return Bounded(
            value=float((self.weight * self.reward).mean()) * self.slots,
            interval=self._a_list(target),
            own=float(self.own.mean()) * self.slots,
            own_interval=self._a_list(own),
            difference_interval=self._a_list(gap),
        )

    def _a_list(self, a_slot: Interval) -> Interval:
        return Interval(a_slot.low * self.slots, a_slot.high * self.slots)
