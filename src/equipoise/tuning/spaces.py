"""Where to look for each method's keywords.

Ends lie beyond what was published as good on any data set, but no further than a fit stays
affordable; what hardly matters, or only costs time, is left at its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from equipoise.recommenders.als import ImplicitALS
from equipoise.recommenders.base import Recommender
from equipoise.recommenders.baseline import Baseline
from equipoise.recommenders.biased_mf import BiasedMF
from equipoise.recommenders.content import Content
from equipoise.recommenders.ease import EASE
from equipoise.recommenders.explicit_als import ExplicitALS
from equipoise.recommenders.gf_cf import GFCF
from equipoise.recommenders.item_knn import ItemKNN
from equipoise.recommenders.next_basket import NextBasket
from equipoise.recommenders.nmf import NMF, RatingNMF
from equipoise.recommenders.popularity import (
    CategoryPopularity,
    CohortPopularity,
    Popularity,
    Trending,
)
from equipoise.recommenders.pure_svd import PureSVD
from equipoise.recommenders.rp3beta import RP3Beta
from equipoise.recommenders.session_knn import SCORE_WEIGHTINGS, WEIGHTINGS, SessionKNN
from equipoise.recommenders.slim import SLIM
from equipoise.recommenders.stan import STAN
from equipoise.recommenders.transitions import RULES, Transitions
from equipoise.recommenders.user_knn import UserKNN
from equipoise.tuning.spans import OneOf, Real, Space, Whole

NEIGHBOURS = Whole(5, 1_000)
SHRINKAGE = Real(0.1, 1_000)
WEIGHTING = OneOf((None, "tfidf", "bm25"))
HALF_LIFE = Real(0.5, 1_000)
WEIGHT = Real(0.0, 1.0, log=False)

SPACES: Mapping[type[Recommender], Space] = MappingProxyType(
    {
        Popularity: {"half_life_days": HALF_LIFE},
        CategoryPopularity: {"half_life_days": HALF_LIFE, "depth": Whole(1, 4, log=False)},
        CohortPopularity: {"half_life_days": HALF_LIFE, "prior": Real(0.1, 1_000)},
        Trending: {
            "half_life_days": Real(0.1, 20),
            "past_half_life_days": Real(20.5, 1_000),
        },
        ItemKNN: {"k": NEIGHBOURS, "shrinkage": SHRINKAGE, "weighting": WEIGHTING},
        UserKNN: {
            "k": NEIGHBOURS,
            "shrinkage": SHRINKAGE,
            "weighting": WEIGHTING,
            "reverse": OneOf((False, True)),
        },
        RP3Beta: {
            "k": NEIGHBOURS,
            "alpha": Real(0.1, 2.0, log=False),
            "beta": Real(0.0, 1.0, log=False),
        },
        ImplicitALS: {
            "factors": Whole(16, 256),
            "regularization": Real(1e-4, 0.1),
            "unobserved_weight": Real(0.003, 1.0),
            "frequency_scaling": Real(0.0, 1.0, log=False),
            "epochs": Whole(4, 32),
        },
        EASE: {
            "regularization": Real(1.0, 10_000),
            "history_discount": Real(0.0, 1.0, log=False),
            "popularity_discount": Real(0.0, 1.0, log=False),
        },
        SLIM: {"alpha": Real(1e-4, 1.0), "l1_ratio": Real(1e-5, 1.0)},
        PureSVD: {"factors": Whole(4, 512), "history_discount": Real(0.0, 1.0, log=False)},
        GFCF: {"factors": Whole(8, 512), "low_pass": Real(0.01, 3.0)},
        NMF: {"factors": Whole(8, 256), "epochs": Whole(5, 100), "regularization": Real(1e-4, 10)},
        Content: {
            "fields.categories": WEIGHT,
            "fields.tags": WEIGHT,
            "fields.brand": WEIGHT,
            "fields.title": WEIGHT,
            "fields.description": WEIGHT,
        },
        SessionKNN: {
            "k": Whole(50, 2_000),
            "sample": Whole(500, 20_000),
            "weighting": OneOf(tuple(WEIGHTINGS)),
            "score_weighting": OneOf(tuple(SCORE_WEIGHTINGS)),
            "idf_weighting": Real(0.1, 20),
        },
        STAN: {
            "k": Whole(50, 2_000),
            "sample": Whole(500, 20_000),
            "history_places": Real(0.2, 100),
            "neighbour_places": Real(0.2, 100),
            "match_places": Real(0.2, 100),
            "idf_weighting": Real(0.1, 20),
        },
        Transitions: {"rule": OneOf(RULES), "steps": Whole(1, 30), "history_decay": WEIGHT},
        NextBasket: {
            "k": NEIGHBOURS,
            "groups": Whole(1, 30),
            "basket_decay": Real(0.5, 1.0, log=False),
            "group_decay": Real(0.5, 1.0, log=False),
            "own": Real(0.0, 1.0, log=False),
        },
        BiasedMF: {
            "factors": Whole(8, 256),
            "epochs": Whole(5, 80),
            "learning_rate": Real(0.002, 0.1),
            "regularization": Real(0.005, 0.5),
        },
        Baseline: {"item_shrinkage": Real(0.1, 100), "user_shrinkage": Real(0.1, 100)},
        RatingNMF: {"factors": Whole(4, 128), "regularization": Real(0.005, 1.0)},
        ExplicitALS: {
            "factors": Whole(4, 256),
            "epochs": Whole(4, 40),
            "regularization": Real(0.005, 1.0),
        },
    }
)
"""By method, in the order of the documentation."""
