"""What a search found, and how to say it: a table's rows, and a table of the settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.recommenders.base import Recommender
from equipoise.tuning.goals import Goal
from equipoise.tuning.spans import nested

DIGITS = 4
"""Significant ones of a keyword's value in the settings; no validation part can tell more."""


@dataclass(frozen=True)
class Tried:
    """One trial."""

    number: int
    """From 0."""
    keywords: Mapping[str, Any]
    """By the names of the space."""
    value: float | None
    """The goal's mean over the cuts; None where the trial failed or was given up."""
    seconds: float
    """Of all its fits and judgements."""
    reason: str
    """Why there is no value."""


@dataclass(frozen=True)
class Found:
    """All trials of a search."""

    method: type[Recommender]
    goal: Goal
    trials: tuple[Tried, ...]
    """By number."""
    defaults: float | None
    """The value with the method's defaults; None where they cannot be judged."""
    importance: Mapping[str, float]
    """Keyword → share of the variance explained; empty where too few trials finished."""

    @property
    def best(self) -> Tried | None:
        """The best trial; None where no trial has a value or the defaults are as good."""
        ranked = self.ranked()
        if not ranked or ranked[0].value is None:
            return None
        if self.defaults is not None and not self.goal.better(ranked[0].value, self.defaults):
            return None
        return ranked[0]

    def ranked(self) -> list[Tried]:
        """Trials with a value, best first; of equals the earlier."""
        sign = 1 if self.goal.lower_is_better else -1
        having = [one for one in self.trials if one.value is not None]
        return sorted(having, key=lambda one: (sign * (one.value or 0.0), one.number))

    def keywords(self) -> dict[str, Any]:
        """Of the best trial, rounded, for the constructor; empty where the defaults are as good."""
        best = self.best
        return {} if best is None else nested({k: rounded(v) for k, v in best.keywords.items()})

    def toml(self) -> str:
        """``[recommenders.NAME]`` for ``settings.toml``."""
        return "\n".join(_table(f"recommenders.{self.method.name}", self.keywords())) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "recommender": self.method.name,
            "metric": self.goal.metric,
            "repeats": self.goal.repeats,
            "defaults": self.defaults,
            "keywords": self.keywords(),
            "importance": dict(self.importance),
            "trials": [
                {"number": one.number, "value": one.value, "seconds": one.seconds,
                 "keywords": dict(one.keywords), "reason": one.reason}
                for one in self.trials
            ],
        }  # fmt: skip


def rounded(value: Any) -> Any:
    """A float to the digits that mean anything."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _table(name: str, keywords: Mapping[str, Any]) -> Iterator[str]:
    """None is left out, being what a keyword is without a line; a mapping is a table below."""
    yield f"[{name}]"
    below = {key: value for key, value in keywords.items() if isinstance(value, Mapping)}
    for key, value in keywords.items():
        if key not in below and value is not None:
            yield f"{key} = {_literal(value)}"
    for key, value in below.items():
        yield ""
        yield from _table(f"{name}.{key}", value)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(_each(value))}]"
    return repr(value)


def _each(values: Iterable[Any]) -> list[str]:
    return [_literal(value) for value in values]
