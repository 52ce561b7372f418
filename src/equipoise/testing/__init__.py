"""The laws, importable: what every implementation of a protocol must hold to, ours and yours."""

from equipoise.testing.arms import check_arm_belief
from equipoise.testing.beliefs import check_belief
from equipoise.testing.folds import check_fold
from equipoise.testing.logs import check_log
from equipoise.testing.policies import check_policy
from equipoise.testing.recommenders import check_recommender

__all__ = [
    "check_arm_belief",
    "check_belief",
    "check_fold",
    "check_log",
    "check_policy",
    "check_recommender",
]
