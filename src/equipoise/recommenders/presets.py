"""Settings that somebody published for a data set, by name: where to begin on data like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from equipoise.errors import InvalidInput
from equipoise.recommenders.als import ImplicitALS
from equipoise.recommenders.base import Recommender
from equipoise.recommenders.ease import EASE
from equipoise.recommenders.gf_cf import GFCF
from equipoise.recommenders.item_knn import ItemKNN
from equipoise.recommenders.nmf import NMF
from equipoise.recommenders.pure_svd import PureSVD
from equipoise.recommenders.rp3beta import RP3Beta
from equipoise.recommenders.session_knn import SessionKNN
from equipoise.recommenders.slim import SLIM
from equipoise.recommenders.user_knn import UserKNN

Method = TypeVar("Method", bound=Recommender)

TROUBLING = (
    "Ferrari Dacrema, Boglio, Cremonesi, Jannach, A Troubling Analysis of Reproducibility and"
    " Progress in Recommender Systems Research, TOIS 2021, additional material, tables 55, 57–60"
)
RENDLE = "google-research, ials/README.md"
BARS = "BARS leaderboard, reczoo/BARS"
SISINFLAB = "sisinflab, re-evaluation of graph collaborative filtering, README"
VSKNN = "Ludewig, Jannach, Evaluation of session-based recommendation algorithms, UMUAI 2018"

ML_1M, PINTEREST, GOWALLA, DIGINETICA = "ml-1m-ncf", "pinterest-ncf", "gowalla", "diginetica"


@dataclass(frozen=True)
class Preset:
    """A method's keywords under the name of the data they were chosen on."""

    method: type[Recommender]
    name: str
    keywords: Mapping[str, Any]
    source: str


PRESETS: tuple[Preset, ...] = (
    Preset(
        UserKNN,
        ML_1M,
        {"k": 516, "weighting": "bm25", "documents": "items", "reverse": True},
        TROUBLING,
    ),
    Preset(
        UserKNN,
        f"{ML_1M}-asymmetric",
        {
            "k": 306,
            "similarity": "asymmetric_cosine",
            "alpha": 0.2173,
            "weighting": "tfidf",
            "documents": "items",
            "reverse": True,
        },
        TROUBLING,
    ),
    Preset(UserKNN, GOWALLA, {"k": 146}, SISINFLAB),
    Preset(ItemKNN, ML_1M, {"k": 111, "weighting": "bm25", "shrinkage": 298.0}, TROUBLING),
    Preset(ItemKNN, GOWALLA, {"k": 100, "shrinkage": 0.0}, BARS),
    Preset(RP3Beta, ML_1M, {"k": 546, "alpha": 1.0807, "beta": 0.7029}, TROUBLING),
    Preset(RP3Beta, GOWALLA, {"k": 777, "alpha": 0.566, "beta": 0.0011}, SISINFLAB),
    Preset(
        ImplicitALS,
        ML_1M,
        {"factors": 192, "regularization": 0.007, "unobserved_weight": 0.3, "epochs": 12},
        RENDLE,
    ),
    Preset(
        ImplicitALS,
        PINTEREST,
        {"factors": 192, "regularization": 0.02, "unobserved_weight": 0.007, "epochs": 16},
        RENDLE,
    ),
    Preset(EASE, ML_1M, {"regularization": 1_320.0}, TROUBLING),
    Preset(
        EASE,
        GOWALLA,
        {"regularization": 80.0, "max_items": 41_000, "precision": "float32"},
        f"{BARS}; the precision is ours, for the memory",
    ),
    Preset(
        SLIM,
        ML_1M,
        {"alpha": 0.0788, "l1_ratio": 1.19e-5, "neighbours": None, "top": 544},
        TROUBLING,
    ),
    Preset(PureSVD, ML_1M, {"factors": 52}, TROUBLING),
    Preset(GFCF, GOWALLA, {"factors": 256, "low_pass": 0.3}, BARS),
    Preset(NMF, ML_1M, {"factors": 89}, TROUBLING),
    Preset(
        SessionKNN,
        DIGINETICA,
        {
            "k": 500,
            "sample": 5_000,
            "weighting": "quadratic",
            "score_weighting": "div",
            "idf_weighting": 10.0,
        },
        VSKNN,
    ),
)
"""One line a method and data set; names are those of the studies where there is one."""


def preset(cls: type[Method], name: str, **keywords: Any) -> Method:
    """An unfitted ``cls`` with the keywords of the preset, and ``keywords`` over them.

    Raises InvalidInput for a name that the method has no preset of, naming those it has.
    """
    known = {one.name: one for one in PRESETS if one.method is cls}
    if name not in known:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise InvalidInput(f"{cls.__name__} has no preset {name!r}; {has}", pointer="/preset")
    return cls(**{**known[name].keywords, **keywords})
