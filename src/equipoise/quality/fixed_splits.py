"""Published training and test parts, all items ranked but those of the user's training part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from equipoise.data import Interactions, readers
from equipoise.evaluation import evaluate
from equipoise.intake.data_sets import locate
from equipoise.quality.study import Row, Study
from equipoise.recommenders import ImplicitALS, UserKNN

BARS = "BARS leaderboard, reczoo/BARS"


class Parts(NamedTuple):
    train: Interactions
    test: Interactions


def adjacency(name: str, train: str = "train.txt", test: str = "test.txt") -> Callable[[], Parts]:
    """A reader of the two parts of an archive, one user a line."""

    def load() -> Parts:
        folder: Path = locate(name)
        return Parts(readers.adjacency(folder / train), readers.adjacency(folder / test))

    return load


def measuring(*metrics: str) -> Callable[[Parts, Any], Mapping[str, float]]:
    """Fit, list for each test user, and mean these metrics over them: ``recall@20`` and so on."""
    lengths = sorted({int(metric.rpartition("@")[2]) for metric in metrics})

    def measure(parts: Parts, model: Any) -> Mapping[str, float]:
        table = evaluate(parts.train, parts.test, {"it": model}, n=lengths, baselines=[])
        (row,) = table.to_dicts()
        return {metric: row[metric] for metric in metrics}

    return measure


def study(
    name: str, protocol: str, metrics: Sequence[str], rows: Sequence[Row[Parts]], **files: str
) -> Study[Parts]:
    return Study(
        name=name,
        protocol=protocol,
        metrics=tuple(metrics),
        lower_is_better=False,
        load=adjacency(name, **files),
        measure=measuring(*metrics),
        rows=tuple(rows),
    )


AT_10, AT_20 = ("recall@10", "ndcg@10"), ("recall@20", "ndcg@20")
TENTH = "Settings by a tenth of the training rows, held out at random."


def figures(recall: float, ndcg: float) -> dict[str, float]:
    return dict(zip(AT_20, (recall, ndcg), strict=True))


def at_10(recall: float, ndcg: float) -> dict[str, float]:
    return dict(zip(AT_10, (recall, ndcg), strict=True))


# ---------------------------------------------------------------- what several splits want


def votes(k: int) -> UserKNN:
    """Users who would have the history among their ``k`` nearest, rare items counting more."""
    return UserKNN(k=k, reverse=True, weighting="tfidf", weighted_votes=True)


def als(factors: int, unobserved_weight: float, regularization: float) -> ImplicitALS:
    return ImplicitALS(
        factors=factors,
        unobserved_weight=unobserved_weight,
        regularization=regularization,
        random_state=0,
    )
