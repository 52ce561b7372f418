"""Amazon-book in KGAT's split (Wang et al., KDD 2019)."""

from __future__ import annotations

from equipoise.quality.fixed_splits import AT_20, TENTH, als, study, votes
from equipoise.quality.study import RANDOM, Row
from equipoise.recommenders import GFCF, Blend, ItemKNN, RP3Beta

KGAT = "LunaBlack/KGAT-pytorch, log of the authors' KGAT"
PUBLISHED = {"recall@20": 0.1503}
STUDY = study(
    "kgat-amazon-book",
    "Amazon-book, KGAT's split: 70,679 users, 24,915 books, all ranked; Recall@20. Published nDCG"
    " is of another definition there. For the record: BPR-MF .1336, KGAT .1503, which reads a"
    " knowledge graph.",
    AT_20,
    [
        Row("ItemKNN asymmetric α .25, k 500, TF-IDF",
            lambda: ItemKNN(
                k=500, similarity="asymmetric_cosine", alpha=0.25, shrinkage=0, weighting="tfidf"
            ), note=TENTH),
        Row("RP3Beta, k 200, α .5, β .3", lambda: RP3Beta(k=200, alpha=0.5, beta=0.3), note=TENTH),
        Row("UserKNN, k 600, reverse, TF-IDF, weighted votes", lambda: votes(600), PUBLISHED, KGAT,
            note=TENTH),
        Row("GFCF, d 256, α .3", lambda: GFCF(random_state=0), PUBLISHED, KGAT, RANDOM),
        Row("ImplicitALS, d 256", lambda: als(256, 0.01, 0.005), PUBLISHED, KGAT, RANDOM,
            note="Settings as they came; not tuned."),
        Row(
            "Blend of UserKNN, ImplicitALS and GFCF",
            lambda: Blend(
                [votes(250), als(256, 0.01, 0.005), GFCF(random_state=0)], random_state=0
            ),
            PUBLISHED, f"{KGAT} (the best of all published)", RANDOM,
        ),
    ],
)  # fmt: skip
