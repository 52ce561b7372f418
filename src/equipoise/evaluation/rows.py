"""What the protocols share: whose row it is, how long fitting took, and means with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from equipoise.clock import elapsed
from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation.intervals import bootstrap
from equipoise.randomness import RandomState
from equipoise.types import Floats

One = TypeVar("One")


def named(
    baselines: Sequence[One], recommenders: Mapping[str, One] | Sequence[One]
) -> list[tuple[str, One, bool]]:
    """Name, recommender, and whether it is a baseline; baselines first.

    Raises:
        InvalidInput: two of one name, or nothing at all.
    """
    pairs: list[tuple[str, One]] = (
        list(recommenders.items())
        if isinstance(recommenders, Mapping)
        else [(_name(one), one) for one in recommenders]
    )
    found = [(_name(one), one, True) for one in baselines]
    found += [(name, one, False) for name, one in pairs]
    names = [name for name, _, _ in found]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise InvalidInput(
            f"more than one recommender is named {', '.join(twins)}; give a mapping of names",
            pointer="/recommenders",
        )
    return found


def fit_seconds(recommender: Any, train: Interactions, keywords: dict[str, Any]) -> float:
    """Fit it; how long that took."""
    started = elapsed()
    recommender.fit(train, **keywords)
    return elapsed() - started


def summary(
    values: Mapping[str, Floats], confidence: float | None, random_state: RandomState
) -> dict[str, Any]:
    """Mean of each metric, and with ``confidence`` its bootstrap interval over users."""
    row: dict[str, Any] = {}
    for metric, each in values.items():
        row[metric] = float(each.mean())
        if confidence is not None:
            ends = bootstrap(each, confidence=confidence, random_state=random_state)
            row[f"{metric}_interval"] = list(ends)
    return row


def _name(recommender: Any) -> str:
    name: str = recommender.name
    return name
