"""MovieLens 1M in UltraGCN's split (Mao et al., CIKM 2021)."""

from __future__ import annotations

from equipoise.quality.fixed_splits import AT_20, BARS, TENTH, als, figures, study
from equipoise.quality.study import RANDOM, Row
from equipoise.recommenders import EASE, GFCF, Blend, RP3Beta, UserKNN

PUBLISHED = figures(0.2802, 0.2670)
STUDY = study(
    "ml1m-m2",
    "MovieLens 1M, UltraGCN's split: 6,022 users, 3,043 items, all ranked; Recall@20 and nDCG@20."
    " For the record: NGCF .2513 / .2511, LightGCN .2576 / .2427, UltraGCN .2787 / .2642.",
    AT_20,
    [
        Row("RP3Beta, k 200, α 1.1, β .6", lambda: RP3Beta(k=200, alpha=1.1, beta=0.6), note=TENTH),
        Row("EASE, λ 1200", lambda: EASE(regularization=1_200), note=TENTH),
        Row("ImplicitALS, d 128", lambda: als(128, 0.3, 0.01), PUBLISHED, f"{BARS}, SimpleX",
            RANDOM, note=TENTH),
        Row(
            "Blend of EASE, ImplicitALS d 128 and 256, GFCF, UserKNN and RP3Beta",
            lambda: Blend(
                [
                    EASE(regularization=1_200),
                    als(128, 0.3, 0.01),
                    als(256, 0.1, 0.01),
                    GFCF(factors=64, random_state=0),
                    UserKNN(k=600, weighting="bm25", reverse=True, weighted_votes=True),
                    RP3Beta(k=200, alpha=1.1, beta=0.6),
                ],
                random_state=0,
            ),
            PUBLISHED, f"{BARS}, SimpleX (the best of all published)", RANDOM, note=TENTH,
        ),
    ],
)  # fmt: skip
