"""Gowalla, LightGCN's split: all items ranked but those of the training part.

Published figures (d = 64 for embedding models): the BARS leaderboard, reczoo/BARS.
"""

from __future__ import annotations

from typing import Any

from equipoise.data import readers
from equipoise.evaluation import evaluate
from equipoise.intake.data_sets import locate
from equipoise.recommenders import ImplicitALS, ItemKNN, Popularity

PUBLISHED = {
    "popularity": ".0416 / .0317 (recomputed)",
    "item_knn cosine": ".1270 / .0936 (recomputed)",
    "als": "MF-BPR .1627 / .1378, LightGCN .1820 / .1547",
}


def rows(threads: int) -> list[dict[str, Any]]:
    """One row a recommender, with published figures of Recall@20 / nDCG@20."""
    folder = locate("gowalla")
    train = readers.adjacency(folder / "lightgcn_train.txt")
    test = readers.adjacency(folder / "test.txt")
    judged = {
        "popularity": Popularity(),
        "item_knn cosine": ItemKNN(k=100, shrinkage=0, threads=threads),
        "item_knn tfidf, k 500": ItemKNN(k=500, weighting="tfidf", threads=threads),
        "als": ImplicitALS(threads=threads),
    }
    table = evaluate(train, test, judged, n=(20,), baselines=[]).to_dicts()
    return [row | {"published": PUBLISHED.get(row["recommender"], "")} for row in table]
