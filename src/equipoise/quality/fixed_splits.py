"""Published training and test parts, all items ranked but those of the user's training part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from equipoise.data import Interactions, readers
from equipoise.evaluation import evaluate
from equipoise.intake.data_sets import locate
from equipoise.quality.study import RANDOM, Row, Study
from equipoise.recommenders import (
    GFCF,
    Blend,
    ItemKNN,
    Popularity,
    RP3Beta,
    UserKNN,
    preset,
)

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


def figures(recall: float, ndcg: float) -> dict[str, float]:
    """At 20."""
    return {"recall@20": recall, "ndcg@20": ndcg}


AT_20 = ("recall@20", "ndcg@20")
VALID = "Settings by the split's own validation part, 91,047 pairs of the training part."
SISINFLAB = "settings: sisinflab, re-evaluation of graph collaborative filtering, README"
RECOMPUTED = "recomputed from the files"
GOWALLA = study(
    "gowalla",
    "Gowalla, LightGCN's split: 29,858 users, all 40,981 items ranked; Recall@20 and nDCG@20. For"
    " the record: LightGCN .1820 / .1547, UltraGCN .1862 / .1580, SimpleX .1872 / .1557.",
    AT_20,
    [
        Row("Popularity", Popularity, figures(0.0416, 0.0317), RECOMPUTED),
        Row("ItemKNN cosine, k 100, plain", lambda: preset(ItemKNN, "gowalla"),
            figures(0.1270, 0.0936), RECOMPUTED),
        Row(
            "ItemKNN asymmetric α .25, k 1000, TF-IDF",
            lambda: ItemKNN(
                k=1_000, similarity="asymmetric_cosine", alpha=0.25, shrinkage=0, weighting="tfidf"
            ),
            figures(0.1570, 0.1214), f"{BARS}, ItemCF", note=VALID,
        ),
        Row("UserKNN cosine, k 146", lambda: preset(UserKNN, "gowalla"), source=SISINFLAB),
        Row(
            "UserKNN, k 250, reverse, TF-IDF, weighted votes",
            lambda: UserKNN(k=250, reverse=True, weighting="tfidf", weighted_votes=True),
            note=VALID,
        ),
        Row("RP3Beta, k 777, α .566, β .0011", lambda: preset(RP3Beta, "gowalla"),
            source=SISINFLAB),
        Row("GFCF, d 256, α .3", lambda: preset(GFCF, "gowalla", random_state=0),
            figures(0.1849, 0.1518), BARS),
        Row(
            "Blend of RP3Beta, GFCF and UserKNN",
            lambda: Blend(
                [
                    preset(RP3Beta, "gowalla"),
                    preset(GFCF, "gowalla", random_state=0),
                    UserKNN(k=250, reverse=True, weighting="tfidf", weighted_votes=True),
                ],
                random_state=0,
            ),
            figures(0.1872, 0.1557), f"{BARS}, SimpleX (the best of all published)", RANDOM,
        ),
    ],
    train="lightgcn_train.txt",
)  # fmt: skip
