"""What each level of exploration costs a list, from the shop's own log; not what it buys.

The table is that of ``evaluation.off_policy.learning``, on whole lists in place of single choices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from equipoise.evaluation.off_policy import (
    Diagnosis,
    Estimate,
    LevelCost,
    LevelCosts,
    difference,
)
from equipoise.interfaces import Log
from equipoise.proof.estimates import MARGINAL, diagnosis_of, estimate
from equipoise.proof.evidence import Columns, Evidence, collect
from equipoise.proof.laid import Question
from equipoise.proof.lists import WORTH, Tally
from equipoise.proof.verdict import SHOPPER, check
from equipoise.settings import Settings
from equipoise.types import Milliseconds


def level_costs(
    log: Log,
    settings: Settings,
    levels: Sequence[float],
    *,
    question: Question | None = None,
    placement: str = "home",
    since: Milliseconds | None = None,
    until: Milliseconds | None = None,
    outcome: str = WORTH,
    estimator: str = "dr",
    confidence: float = 0.95,
) -> tuple[LevelCosts, Tally]:
    """What each level costs a list against greedy, level 0 always among them; not what it buys.

    ``question`` names the policy whose levels are asked; default: each list's own. Arguments and
    errors otherwise as of ``prove``.
    """
    check(estimator, SHOPPER)
    base = question or Question()
    asked = [
        Question(base.policy, base.parameters, level)
        for level in sorted({0.0, *map(float, levels)})
    ]
    evidence = collect(
        log, settings, asked, placement=placement, since=since, until=until, outcome=outcome,
        marginals=estimator in MARGINAL,
    )  # fmt: skip
    tried = [_Tried.of(evidence, columns, estimator) for columns in evidence.asked]
    rows = [
        _cost(one, tried[0], question.level or 0.0, confidence)
        for one, question in zip(tried, asked, strict=True)
    ]
    return LevelCosts(tuple(rows), tuple(one.found for one in tried)), evidence.tally


@dataclass(frozen=True, slots=True)
class _Tried:
    """A level's estimate, None where the log cannot answer."""

    found: Estimate | None
    diagnosis: Diagnosis
    believed: float
    """What the stored beliefs expect of a list at this level."""

    @classmethod
    def of(cls, evidence: Evidence, asked: Columns, estimator: str) -> Self:
        diagnosis = diagnosis_of(evidence, asked, estimator)
        found = estimate(evidence, asked, estimator) if diagnosis.answerable else None
        return cls(found, diagnosis, float(asked.own.sum(axis=1).mean()))


def _cost(one: _Tried, greedy: _Tried, level: float, confidence: float) -> LevelCost:
    cost = None
    if one.found is not None and greedy.found is not None:
        cost = difference(greedy.found, one.found)
    return LevelCost(
        level,
        *_figures(one.found, confidence),
        *_figures(cost, confidence),
        greedy.believed - one.believed,
        None if level else 0.0,
        one.diagnosis,
    )


def _figures(found: Estimate | None, confidence: float) -> tuple[float, float, float]:
    if found is None:
        return math.nan, math.nan, math.nan
    return found.value, *found.interval(confidence)
