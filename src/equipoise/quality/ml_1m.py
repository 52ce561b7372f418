"""MovieLens 1M under the protocol of Neural Collaborative Filtering (He et al., WWW 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from equipoise.data import Interactions, readers
from equipoise.evaluation import evaluate_sampled
from equipoise.intake.data_sets import locate
from equipoise.quality.study import RANDOM, Row, Study
from equipoise.recommenders import (
    EASE,
    NMF,
    SLIM,
    BiasedMF,
    Blend,
    ImplicitALS,
    ItemKNN,
    Popularity,
    PureSVD,
    RP3Beta,
    UserKNN,
    preset,
)

TABLES = "Ferrari Dacrema et al., TOIS 2021, additional material, tables 55 and 57–60"
RENDLE = "google-research, ials/README.md"
IRSPACK = "tohtsky/irspack, examples/1-vs-100-negative.ipynb"
NAME = "ml-1m-ncf"
LOOKED = (
    "Settings by one held-out training row a user, after two other settings had been seen on the"
    " test rows."
)


class Parts(NamedTuple):
    """Pairs to learn from, the test items, and what each is ranked among."""

    train: Interactions
    test: Interactions
    negatives: Mapping[Any, Sequence[Any]]


def load() -> Parts:
    folder = locate("ml-1m")
    pairs = np.loadtxt(folder / "ncf_train_pairs.tsv", dtype=int)
    test, negatives = readers.ncf_negatives(folder / "ml-1m.test.negative")
    return Parts(Interactions.from_columns(pairs[:, 0], pairs[:, 1]), test, negatives)


def measure(parts: Parts, model: Any) -> Mapping[str, float]:
    """HR and nDCG at 10 of the test item among its published negatives."""
    table = evaluate_sampled(parts.train, parts.test, {"it": model}, parts.negatives, n=(10,))
    (row,) = table.to_dicts()
    return {"hr@10": row["hit_rate@10"], "ndcg@10": row["ndcg@10"]}


def figures(hr: float, ndcg: float) -> dict[str, float]:
    return {"hr@10": hr, "ndcg@10": ndcg}


STUDY = Study(
    name=NAME,
    protocol=(
        "MovieLens 1M, leave-one-out: each user's last item among the 99 published negatives, all"
        " feedback 0/1; HR@10 and nDCG@10 over 6,040 users."
    ),
    metrics=("hr@10", "ndcg@10"),
    lower_is_better=False,
    load=load,
    measure=measure,
    rows=(
        Row("Popularity", Popularity, figures(0.4533, 0.2542), TABLES),
        Row("UserKNN cosine, k 516, BM25", lambda: preset(UserKNN, NAME),
            figures(0.6606, 0.3951), TABLES),
        Row("UserKNN asymmetric, k 306, TF-IDF", lambda: preset(UserKNN, f"{NAME}-asymmetric"),
            figures(0.6768, 0.4100), TABLES),
        Row("ItemKNN cosine, k 111, BM25, shrinkage 298", lambda: preset(ItemKNN, NAME),
            figures(0.6694, 0.3979), TABLES),
        Row("RP3Beta, k 546, α 1.0807, β .7029", lambda: preset(RP3Beta, NAME),
            figures(0.6758, 0.4011), TABLES),
        Row("EASE, λ 1320", lambda: preset(EASE, NAME), figures(0.7192, 0.4494), TABLES),
        Row("SLIM ElasticNet, k 544", lambda: preset(SLIM, NAME), figures(0.7162, 0.4468), TABLES),
        Row("PureSVD, d 52", lambda: preset(PureSVD, NAME, random_state=0),
            figures(0.6937, 0.4303), TABLES),
        Row("NMF, d 89", lambda: preset(NMF, NAME), figures(0.6844, 0.4192), TABLES),
        Row(
            "BiasedMF on clicks, d 50 (FunkSVD)",
            lambda: BiasedMF(
                factors=50, negatives=8, epochs=30, learning_rate=0.03, regularization=0.003,
                bias_regularization=None, random_state=0,
            ),
            figures(0.6844, 0.4192), TABLES, RANDOM, note=LOOKED,
        ),
        Row(
            "ImplicitALS, d 46, log confidence, α 50",
            lambda: ImplicitALS(
                factors=46, log_epsilon=10.0, unobserved_weight=1 / 50, regularization=1.0,
                frequency_scaling=0.0, epochs=20, random_state=0,
            ),
            figures(0.7109, 0.4382), TABLES, RANDOM,
            note="ε and λ, which are not published, by one held-out training row a user.",
        ),
        Row("ImplicitALS, d 46, our defaults", lambda: ImplicitALS(factors=46, random_state=0),
            figures(0.7109, 0.4382), f"{TABLES} (iALS)", RANDOM),
        Row("ImplicitALS, d 192", lambda: preset(ImplicitALS, NAME, random_state=0),
            figures(0.7310, 0.4521), f"{IRSPACK}; settings: {RENDLE}", RANDOM),
        Row(
            "Blend of EASE, ImplicitALS and UserKNN",
            lambda: Blend(
                [preset(EASE, NAME), preset(ImplicitALS, NAME, random_state=0),
                 preset(UserKNN, f"{NAME}-asymmetric")],
                random_state=0,
            ),
            figures(0.7310, 0.4521), f"{IRSPACK} (the best of all published)", RANDOM,
        ),
    ),
)  # fmt: skip
