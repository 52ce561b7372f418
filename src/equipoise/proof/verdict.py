"""The answer: what other policies would have earned a list, beside what the log's own did."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from equipoise.clock import rfc3339
from equipoise.errors import InvalidInput
from equipoise.evaluation.intervals import Interval
from equipoise.evaluation.off_policy import (
    Diagnosis,
    difference,
)
from equipoise.interfaces import Log
from equipoise.proof.bounds import Bounded, anytime, bernstein
from equipoise.proof.estimates import (
    ESTIMATORS,
    MARGINAL,
    diagnosis_of,
    estimate,
    own_value,
    shift,
)
from equipoise.proof.evidence import Columns, Evidence, collect
from equipoise.proof.laid import Question
from equipoise.proof.lists import WORTH, Tally
from equipoise.settings import Settings
from equipoise.types import Milliseconds

SHOPPER = "shopper"
BOUNDS: Mapping[str, Callable[[Evidence, Columns, float], Bounded]] = MappingProxyType(
    {"bernstein": bernstein, "anytime": anytime}
)
INTERVALS = (SHOPPER, *BOUNDS)
UNKNOWN = Interval(float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class Line:
    """One policy. Values are a list's, in the outcome's unit."""

    question: Question
    value: float
    interval: Interval
    difference: float
    """Value less the log's own, on the same lists."""
    difference_interval: Interval
    shift: float
    """See ``estimates.shift``: 0 where lists hardly depend on how they begin."""
    diagnosis: Diagnosis

    @property
    def answerable(self) -> bool:
        return self.diagnosis.answerable


@dataclass(frozen=True, slots=True)
class Proof:
    """The log's own value, and a line a question."""

    placement: str
    outcome: str
    estimator: str
    interval: str
    confidence: float
    shoppers: int
    tally: Tally
    own: float
    own_interval: Interval
    lines: tuple[Line, ...]

    @property
    def answerable(self) -> bool:
        return all(line.answerable for line in self.lines)

    @property
    def reasons(self) -> list[str]:
        """Why not, in words."""
        return [
            f"{line.question}{_at(line.question)}: {reason}"
            for line in self.lines
            for reason in line.diagnosis.reasons
        ]

    def to_dict(self) -> dict[str, Any]:
        """For JSON; what the log cannot tell is None."""
        return {
            "placement": self.placement,
            "outcome": self.outcome,
            "estimator": self.estimator,
            "interval": self.interval,
            "confidence": self.confidence,
            "answerable": self.answerable,
            "reasons": self.reasons,
            "log": {"shoppers": self.shoppers, **told(self.tally)},
            "logged": {"value": self.own, **_ends("", self.own_interval)},
            "policies": [_told(line) for line in self.lines],
        }


def prove(
    log: Log,
    settings: Settings,
    questions: Sequence[Question],
    *,
    placement: str = "home",
    since: Milliseconds | None = None,
    until: Milliseconds | None = None,
    outcome: str = WORTH,
    estimator: str = "dr",
    interval: str = SHOPPER,
    confidence: float = 0.95,
) -> Proof:
    """What each policy would have earned a list, from the log alone.

    ``interval``: ``shopper``, Hall's by shopper, which holds at its rate for many shoppers of a log
    whose policy was fixed or nearly so; ``bernstein`` and ``anytime`` (see ``bounds``), with
    ``ips``. What the log cannot answer has its reasons in the line's ``diagnosis`` and no value.

    Raises:
        InvalidInput: a name or number that cannot be; code ``unanswerable`` where no list is
            mature, ``no_floor`` where Bernstein's bound has no range.
        LogError: the log cannot be read.
    """
    check(estimator, interval)
    if not questions:
        raise InvalidInput("no policy is asked about; one at least is needed", pointer="/policies")
    evidence = collect(
        log, settings, questions, placement=placement, since=since, until=until, outcome=outcome,
        marginals=estimator in MARGINAL,
    )  # fmt: skip
    lines = [
        _line(question, evidence, asked, estimator, interval, confidence)
        for question, asked in zip(questions, evidence.asked, strict=True)
    ]
    own, own_interval = _own(evidence, interval, confidence)
    return Proof(
        placement=placement,
        outcome=outcome,
        estimator=estimator,
        interval=interval,
        confidence=confidence,
        shoppers=int(evidence.cluster.max()) + 1,
        tally=evidence.tally,
        own=own,
        own_interval=own_interval,
        lines=tuple(lines),
    )


def check(estimator: str, interval: str) -> None:
    """Raises InvalidInput for a name that is none, or two that do not go together."""
    for name, given, known in (
        ("estimator", estimator, ESTIMATORS),
        ("interval", interval, INTERVALS),
    ):
        if given not in known:
            raise InvalidInput(
                f"{name} {given!r} is none of {', '.join(known)}", pointer=f"/{name}"
            )
    if interval in BOUNDS and estimator != "ips":
        raise InvalidInput(
            f"the {interval} interval stands on plain importance weights: ask for ips and not for"
            f" {estimator}",
            pointer="/estimator",
        )


def _line(
    question: Question,
    evidence: Evidence,
    asked: Columns,
    estimator: str,
    interval: str,
    confidence: float,
) -> Line:
    diagnosis, moved = diagnosis_of(evidence, asked, estimator), shift(asked)
    if not diagnosis.answerable:
        return Line(question, math.nan, UNKNOWN, math.nan, UNKNOWN, moved, diagnosis)
    found = _bounded(evidence, asked, estimator, interval, confidence)
    gap = found.value - found.own
    return Line(
        question, found.value, found.interval, gap, found.difference_interval, moved, diagnosis
    )


def _bounded(
    evidence: Evidence, asked: Columns, estimator: str, interval: str, confidence: float
) -> Bounded:
    if interval in BOUNDS:
        return BOUNDS[interval](evidence, asked, confidence)
    found, own = estimate(evidence, asked, estimator), own_value(evidence)
    return Bounded(
        value=found.value,
        interval=found.interval(confidence),
        own=own.value,
        own_interval=own.interval(confidence),
        difference_interval=difference(found, own).interval(confidence),
    )


def _own(evidence: Evidence, interval: str, confidence: float) -> tuple[float, Interval]:
    """Of the log itself: it depends on no question."""
    if interval in BOUNDS:
        bounded = BOUNDS[interval](evidence, evidence.asked[0], confidence)
        return bounded.own, bounded.own_interval
    own = own_value(evidence)
    return own.value, own.interval(confidence)


def told(tally: Tally) -> dict[str, Any]:
    """For JSON: times as RFC 3339."""
    times = {name: getattr(tally, name) for name in ("first", "last")}
    return asdict(tally) | {name: ts and rfc3339(ts) for name, ts in times.items()}


def finite(value: float) -> float | None:
    """For JSON, which knows no NaN and no infinity."""
    return value if math.isfinite(value) else None


def _told(line: Line) -> dict[str, Any]:
    question, diagnosis = line.question, line.diagnosis
    return {
        "policy": question.policy,
        "parameters": dict(question.parameters),
        "level": question.level,
        "answerable": line.answerable,
        "reasons": list(diagnosis.reasons),
        "value": finite(line.value),
        **_ends("", line.interval),
        "difference": finite(line.difference),
        **_ends("difference_", line.difference_interval),
        "shift": line.shift,
        "rows": diagnosis.rows,
        "effective": diagnosis.effective,
        "mean_weight": diagnosis.mean_weight,
        "mean_weight_error": finite(diagnosis.mean_error),
        "largest": diagnosis.largest,
        "unsupported": diagnosis.unsupported,
        "support_known": diagnosis.support_known,
    }


def _ends(prefix: str, interval: Interval) -> dict[str, float | None]:
    return {f"{prefix}low": finite(interval.low), f"{prefix}high": finite(interval.high)}


def _at(question: Question) -> str:
    return "" if question.level is None else f" at level {question.level:g}"
