"""What a keyword may be while it is being tuned: typed, and JSON in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None


class Trial(Protocol):
    """What a span asks of an optuna trial."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int: ...

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Any: ...


@dataclass(frozen=True)
class Real:
    """A number, even on a logarithmic scale unless ``log`` is False."""

    low: float
    high: float
    log: bool = True

    def suggest(self, trial: Trial, name: str) -> float:
        return trial.suggest_float(name, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Whole:
    """A whole number, even on a logarithmic scale unless ``log`` is False."""

    low: int
    high: int
    log: bool = True

    def suggest(self, trial: Trial, name: str) -> int:
        return trial.suggest_int(name, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class OneOf:
    """One of some values."""

    values: tuple[Scalar, ...]

    def suggest(self, trial: Trial, name: str) -> Scalar:
        chosen: Scalar = trial.suggest_categorical(name, self.values)
        return chosen


Span: TypeAlias = Real | Whole | OneOf
Space: TypeAlias = Mapping[str, Span]
"""Keyword → span; ``fields.title`` is what the mapping ``fields`` holds under ``title``."""


def suggested(trial: Trial, space: Space) -> dict[str, Any]:
    """A value for each keyword of ``space``, by keyword."""
    return {name: span.suggest(trial, name) for name, span in space.items()}


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords for a constructor: ``{"fields.title": 1}`` → ``{"fields": {"title": 1}}``."""
    keywords: dict[str, Any] = {}
    for name, value in flat.items():
        outer, _, inner = name.partition(".")
        if inner:
            keywords.setdefault(outer, {})[inner] = value
        else:
            keywords[outer] = value
    return keywords
