"""Metrics: the only home of each. One value a user; averaging and intervals are the caller's.

``ranking`` judges the places of hits in lists, ``lists`` what else lists are made of (coverage,
novelty, diversity, calibration, popularity), ``ratings`` numbers that were foretold. ``docs/
metrics.md`` says which to look at when.
"""

from equipoise.evaluation.metrics.groups import by_group
from equipoise.evaluation.metrics.lists import (
    average_popularity,
    calibration,
    category_shares,
    coverage,
    gini,
    intra_list_diversity,
    novelty,
    popularity_lift,
    serendipity,
)
from equipoise.evaluation.metrics.ranking import (
    accuracy_at_k,
    auc,
    average_precision,
    f1,
    graded_ndcg,
    hit_rate,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
    truncated_recall,
)
from equipoise.evaluation.metrics.ratings import accuracy, mae, mse, rmse

__all__ = [
    "accuracy",
    "accuracy_at_k",
    "auc",
    "average_popularity",
    "average_precision",
    "by_group",
    "calibration",
    "category_shares",
    "coverage",
    "f1",
    "gini",
    "graded_ndcg",
    "hit_rate",
    "intra_list_diversity",
    "mae",
    "mse",
    "ndcg",
    "novelty",
    "popularity_lift",
    "precision",
    "recall",
    "reciprocal_rank",
    "rmse",
    "serendipity",
    "truncated_recall",
]
