"""MovieLens 1M under the protocol of Neural Collaborative Filtering (He et al., WWW 2017)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from equipoise.data import Interactions
from equipoise.evaluation import hit_rate, ndcg
from equipoise.intake.data_sets import locate
from equipoise.quality.study import Row, Study
from equipoise.recommenders import EASE, ImplicitALS, ItemKNN, Popularity, Recommender

TABLES = "Ferrari Dacrema et al., TOIS 2021, additional material, tables 55 and 57–60"
RENDLE = "google-research, ials/README.md"
IRSPACK = "tohtsky/irspack, examples/1-vs-100-negative.ipynb"
PLACES = 10


class Parts(NamedTuple):
    """Pairs to learn from, and who is asked to find what among which."""

    train: Interactions
    asked: list[tuple[int, list[int]]]
    """(user, [test item, negatives…])."""


def load() -> Parts:
    folder = locate("ml-1m")
    pairs = np.loadtxt(folder / "ncf_train_pairs.tsv", dtype=int)
    return Parts(Interactions.from_columns(pairs[:, 0], pairs[:, 1]), candidates(folder))


def candidates(folder: Path) -> list[tuple[int, list[int]]]:
    """(user, [test item, negatives…]); negatives that are the test item itself are left out."""
    lines = (folder / "ml-1m.test.negative").read_text().splitlines()
    fields = (line.split("\t") for line in lines)
    pairs = ((ast.literal_eval(pair), map(int, negatives)) for pair, *negatives in fields)
    return [
        (user, [item, *(n for n in negatives if n != item)]) for (user, item), negatives in pairs
    ]


def measure(parts: Parts, model: Recommender) -> Mapping[str, float]:
    """HR and nDCG at 10 of the test item among its published negatives."""
    model.fit(parts.train)
    hits = ranked(parts, model)
    one = np.ones(len(hits), np.int64)
    return {"hr@10": hit_rate(hits).mean(), "ndcg@10": ndcg(hits, one).mean()}


def ranked(parts: Parts, model: Recommender) -> Any:
    """(U, 10) True at the place of the test item."""
    train = parts.train
    histories = dict(zip(train.user_ids.tolist(), train.histories(), strict=True))
    code = {id_: place for place, id_ in enumerate(model.item_ids_)}
    hits = np.zeros((len(parts.asked), PLACES), np.bool_)
    for row, (user, items) in enumerate(parts.asked):
        # What nobody met in training has no score and comes last.
        scores = np.append(np.nan_to_num(model.score([histories[user]])[0], nan=-np.inf), -np.inf)
        mine = scores[[code.get(item, -1) for item in items]]
        rank = (mine[1:] > mine[0]).sum() + (mine[1:] == mine[0]).sum() // 2
        if rank < PLACES:
            hits[row, rank] = True
    return hits


STUDY = Study(
    name="ml-1m-ncf",
    protocol=(
        "MovieLens 1M, leave-one-out: each user's last item among the 99 published negatives, all"
        " feedback 0/1; HR@10 and nDCG@10 over 6,040 users."
    ),
    metrics=("hr@10", "ndcg@10"),
    lower_is_better=False,
    load=load,
    measure=measure,
    rows=(
        Row("Popularity", Popularity, {"hr@10": 0.4533, "ndcg@10": 0.2542}, TABLES),
        Row(
            "ItemKNN cosine, k 111, BM25, shrinkage 298",
            lambda: ItemKNN(k=111, weighting="bm25", shrinkage=298),
            {"hr@10": 0.6694, "ndcg@10": 0.3979},
            TABLES,
        ),
        Row(
            "EASE, λ 1320",
            lambda: EASE(regularization=1_320),
            {"hr@10": 0.7192, "ndcg@10": 0.4494},
            TABLES,
        ),
        Row(
            "ImplicitALS, d 192, λ .007, unobserved .3, 12 epochs",
            lambda: ImplicitALS(
                factors=192, regularization=0.007, unobserved_weight=0.3, epochs=12, random_state=0
            ),
            {"hr@10": 0.7310, "ndcg@10": 0.4521},
            f"{IRSPACK}; settings: {RENDLE}",
        ),
    ),
)
