"""A study: one published protocol on one data set, and what each method reached under it.

A file a data set beside this one; ``STUDIES`` in ``quality/__init__.py`` lists them. A study reads
its raw files once and measures row after row. Nothing here is tuned: settings are those published
with the figure, or chosen on a validation part that the row names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from equipoise.clock import elapsed

DETERMINISTIC, RANDOM = 0.01, 0.02
"""How far below the published figure ours may be, relative, to count as reproduced."""
PLACES = 4
Parts = TypeVar("Parts")


@dataclass(frozen=True)
class Row(Generic[Parts]):
    """A method under a study's protocol, and what somebody else reached with it."""

    method: str
    """With its telling settings, as a reader would name it."""
    make: Callable[[], Any]
    """A new, unfitted recommender."""
    published: Mapping[str, float] = field(default_factory=dict)
    """Metric → figure; empty where nobody published one."""
    source: str = ""
    """Of the published figure: paper or repository, table."""
    tolerance: float = DETERMINISTIC
    """Relative; ``absolute`` instead where the source says so."""
    absolute: float | None = None
    note: str = ""
    """The cause where ours is below; how settings were chosen where they are ours."""


@dataclass(frozen=True)
class Study(Generic[Parts]):
    """A protocol: how the raw files become parts, and how a fitted method is judged on them."""

    name: str
    """On the command line."""
    protocol: str
    """In a sentence or two, for the page."""
    metrics: tuple[str, ...]
    lower_is_better: bool
    """True for errors of ratings."""
    load: Callable[[], Parts]
    """Reads the raw files. Raises InvalidInput where the archive is missing."""
    measure: Callable[[Parts, Any], Mapping[str, float]]
    """Fits an unfitted recommender on the parts and judges it: metric → figure."""
    rows: tuple[Row[Parts], ...]


@dataclass(frozen=True)
class Measured:
    """One row, run."""

    study: str
    method: str
    figures: Mapping[str, float]
    published: Mapping[str, float]
    seconds: float
    """Fit and judgement together."""
    verdict: str
    """``above``, ``reproduced``, ``below`` or, where nobody published a figure, empty."""
    source: str
    note: str


def run(study: Study[Parts], row: Row[Parts], parts: Parts, threads: int = 1) -> Measured:
    """Measure one row. ``threads`` change the time it takes and nothing else."""
    started, model = elapsed(), row.make()
    if hasattr(model, "threads"):
        model.threads = threads
    figures = {name: float(value) for name, value in study.measure(parts, model).items()}
    return Measured(
        study=study.name,
        method=row.method,
        figures=figures,
        published=row.published,
        seconds=elapsed() - started,
        verdict=verdict(study, row, figures),
        source=row.source,
        note=row.note,
    )


def verdict(study: Study[Parts], row: Row[Parts], figures: Mapping[str, float]) -> str:
    """By the worst of the published metrics, to the four places that are printed."""
    if not row.published:
        return ""
    sign = -1.0 if study.lower_is_better else 1.0
    leads = {
        name: sign * (round(figures[name], PLACES) - theirs)
        for name, theirs in row.published.items()
    }
    if all(lead >= 0 for lead in leads.values()):
        return "above"
    slack = {
        name: row.tolerance * abs(theirs) if row.absolute is None else row.absolute
        for name, theirs in row.published.items()
    }
    near = all(lead >= -slack[name] for name, lead in leads.items())
    return "reproduced" if near else "below"
