"""MovieLens 1M under the protocol of Neural Collaborative Filtering (He et al., WWW 2017).

Published figures: Ferrari Dacrema et al., "A Troubling Analysis …", TOIS 2021, additional material,
tables 55 and 57–60; iALS of many factors: irspack's notebook ``1-vs-100-negative``.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np

from equipoise.clock import elapsed
from equipoise.data import Interactions
from equipoise.evaluation import hit_rate, ndcg
from equipoise.intake.data_sets import locate
from equipoise.recommenders import EASE, ImplicitALS, ItemKNN, Popularity, Recommender

# Settings of Rendle et al. for this split (google-research, ials/README.md).
IALS = {"regularization": 0.007, "unobserved_weight": 0.3, "epochs": 12}


def rows(threads: int) -> list[dict[str, Any]]:
    """One row a recommender, with the published figures."""
    folder = locate("ml-1m")
    train, tests = interactions(folder), candidates(folder)
    judged: list[tuple[str, Recommender, str]] = [
        ("popularity", Popularity(), ".4533 / .2542"),
        ("item_knn cosine, k 111", ItemKNN(k=111, shrinkage=0, threads=threads), ""),
        (
            "item_knn cosine, k 111, bm25, shrinkage 298",
            ItemKNN(k=111, weighting="bm25", shrinkage=298, threads=threads),
            ".6694 / .3979",
        ),
        ("ease, 1320", EASE(regularization=1320, threads=threads), ".7192 / .4494"),
        ("als, defaults", ImplicitALS(threads=threads), ""),
        ("als, d 64", ImplicitALS(factors=64, threads=threads, **IALS), ""),
        ("als, d 192", ImplicitALS(factors=192, threads=threads, **IALS), ".7310 / .4521"),
    ]
    return [judge(name, model, train, tests, published) for name, model, published in judged]


def interactions(folder: Path) -> Interactions:
    """The training pairs, everything met counting alike."""
    pairs = np.loadtxt(folder / "ncf_train_pairs.tsv", dtype=int)
    return Interactions.from_columns(pairs[:, 0], pairs[:, 1])


def candidates(folder: Path) -> list[tuple[int, list[int]]]:
    """(user, [test item, negatives…]); negatives that are the test item itself are left out."""
    lines = (folder / "ml-1m.test.negative").read_text().splitlines()
    fields = (line.split("\t") for line in lines)
    pairs = ((ast.literal_eval(pair), map(int, negatives)) for pair, *negatives in fields)
    return [
        (user, [item, *(n for n in negatives if n != item)]) for (user, item), negatives in pairs
    ]


def judge(
    name: str,
    model: Recommender,
    train: Interactions,
    tests: list[tuple[int, list[int]]],
    published: str = "",
) -> dict[str, Any]:
    """Fit, and rank each test item among its negatives; a tie counts as half a place lost."""
    started = elapsed()
    model.fit(train)
    seconds = elapsed() - started
    hits = hits_at(model, train, tests)
    relevant = np.ones(len(hits), np.int64)
    return {
        "recommender": name,
        "HR@10": float(hit_rate(hits).mean()),
        "nDCG@10": float(ndcg(hits, relevant).mean()),
        "published": published,
        "fit seconds": seconds,
    }


def hits_at(
    model: Recommender, train: Interactions, tests: list[tuple[int, list[int]]], n: int = 10
) -> np.ndarray:
    """(U, n) True at the rank of the test item."""
    histories = dict(zip(train.user_ids.tolist(), train.histories(), strict=True))
    code = {id_: place for place, id_ in enumerate(model.item_ids_)}
    hits = np.zeros((len(tests), n), np.bool_)
    for row, (user, items) in enumerate(tests):
        # What nobody met in training has no score and comes last.
        scores = np.append(np.nan_to_num(model.score([histories[user]])[0], nan=-np.inf), -np.inf)
        mine = scores[[code.get(item, -1) for item in items]]
        rank = (mine[1:] > mine[0]).sum() + (mine[1:] == mine[0]).sum() // 2
        if rank < n:
            hits[row, rank] = True
    return hits
