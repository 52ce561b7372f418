"""History → a score per item; one file a method.

``ALL`` is read by people, type checkers, settings, the command line, the laws and the tables: a new
method is one file and one line in ``methods.py`` (``docs/recommenders.md``).
"""

from collections.abc import Mapping

from equipoise.recommenders.als import ImplicitALS
from equipoise.recommenders.base import Recommender
from equipoise.recommenders.baseline import Baseline
from equipoise.recommenders.biased_mf import BiasedMF
from equipoise.recommenders.blend import Blend
from equipoise.recommenders.content import Content
from equipoise.recommenders.ease import EASE
from equipoise.recommenders.explicit_als import ExplicitALS
from equipoise.recommenders.gf_cf import GFCF
from equipoise.recommenders.item_knn import ItemKNN
from equipoise.recommenders.methods import METHODS
from equipoise.recommenders.next_basket import NextBasket
from equipoise.recommenders.nmf import NMF, RatingNMF
from equipoise.recommenders.popularity import (
    CategoryPopularity,
    CohortPopularity,
    Popularity,
    Trending,
)
from equipoise.recommenders.presets import PRESETS, preset
from equipoise.recommenders.pure_svd import PureSVD
from equipoise.recommenders.rating import RatingRecommender
from equipoise.recommenders.rp3beta import RP3Beta
from equipoise.recommenders.session_knn import SessionKNN
from equipoise.recommenders.slim import SLIM
from equipoise.recommenders.slope_one import SlopeOne
from equipoise.recommenders.social import Social
from equipoise.recommenders.stan import STAN
from equipoise.recommenders.transitions import Transitions
from equipoise.recommenders.user_knn import UserKNN
from equipoise.types import Arrays

ALL: tuple[type[Recommender], ...] = (*METHODS, Blend)

__all__ = [
    "ALL",
    "EASE",
    "GFCF",
    "METHODS",
    "NMF",
    "PRESETS",
    "SLIM",
    "STAN",
    "Baseline",
    "BiasedMF",
    "Blend",
    "CategoryPopularity",
    "CohortPopularity",
    "Content",
    "ExplicitALS",
    "ImplicitALS",
    "ItemKNN",
    "NextBasket",
    "Popularity",
    "PureSVD",
    "RP3Beta",
    "RatingNMF",
    "RatingRecommender",
    "Recommender",
    "SessionKNN",
    "SlopeOne",
    "Social",
    "Transitions",
    "Trending",
    "UserKNN",
    "preset",
    "recommenders_from",
]


def recommenders_from(arrays: Mapping[str, Arrays]) -> list[Recommender]:
    """The fitted recommenders of a snapshot; tables of names that are no longer known are left."""
    return [cls.from_arrays(arrays[cls.name]) for cls in ALL if cls.name in arrays]
