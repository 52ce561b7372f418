"""Numbers: how good lists are, how sure that is, and one protocol to compare by."""

from equipoise.evaluation import off_policy
from equipoise.evaluation.baselines import PersonalFrequency
from equipoise.evaluation.intervals import bootstrap
from equipoise.evaluation.metrics import (
    average_precision,
    coverage,
    gini,
    hit_rate,
    ndcg,
    novelty,
    precision,
    recall,
    reciprocal_rank,
    truncated_recall,
)
from equipoise.evaluation.protocol import Judged, evaluate
from equipoise.evaluation.table import Table
from equipoise.evaluation.task import Task

__all__ = [
    "Judged",
    "PersonalFrequency",
    "Table",
    "Task",
    "average_precision",
    "bootstrap",
    "coverage",
    "evaluate",
    "gini",
    "hit_rate",
    "ndcg",
    "novelty",
    "off_policy",
    "precision",
    "recall",
    "reciprocal_rank",
    "truncated_recall",
]
