"""Numbers: how good lists are, how sure that is, and one protocol to compare by."""

from equipoise.evaluation import off_policy
from equipoise.evaluation.baselines import PersonalFrequency
from equipoise.evaluation.intervals import (
    Interval,
    adaptive,
    bootstrap,
    bootstrap_t,
    empirical_bernstein,
    hall,
    student,
)
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
from equipoise.evaluation.replay import Replayed, Shown, progressive, replay, weighted
from equipoise.evaluation.table import Table
from equipoise.evaluation.task import Task

__all__ = [
    "Interval",
    "Judged",
    "PersonalFrequency",
    "Replayed",
    "Shown",
    "Table",
    "Task",
    "adaptive",
    "average_precision",
    "bootstrap",
    "bootstrap_t",
    "coverage",
    "empirical_bernstein",
    "evaluate",
    "gini",
    "hall",
    "hit_rate",
    "ndcg",
    "novelty",
    "off_policy",
    "precision",
    "progressive",
    "recall",
    "reciprocal_rank",
    "replay",
    "student",
    "truncated_recall",
    "weighted",
]
