"""The methods that stand by themselves: what a ``Blend`` may be made of, by the names of settings.

Read by people and type checkers like ``ALL``, which adds the blend: one line a method.
"""

from __future__ import annotations

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
from equipoise.recommenders.session_knn import SessionKNN
from equipoise.recommenders.slim import SLIM
from equipoise.recommenders.slope_one import SlopeOne
from equipoise.recommenders.social import Social
from equipoise.recommenders.stan import STAN
from equipoise.recommenders.transitions import Transitions
from equipoise.recommenders.user_knn import UserKNN

METHODS: tuple[type[Recommender], ...] = (
    Popularity,
    CategoryPopularity,
    CohortPopularity,
    Trending,
    UserKNN,
    ItemKNN,
    RP3Beta,
    ImplicitALS,
    EASE,
    SLIM,
    PureSVD,
    GFCF,
    NMF,
    BiasedMF,
    ExplicitALS,
    RatingNMF,
    SlopeOne,
    Baseline,
    Content,
    SessionKNN,
    STAN,
    Transitions,
    NextBasket,
    Social,
)
