"""Settings for a method, found by search on a validation part: ``docs/tuning.md``."""

from equipoise.tuning.cuts import Cut, by_time, by_user
from equipoise.tuning.found import Found, Tried
from equipoise.tuning.goals import Goal
from equipoise.tuning.spaces import SPACES
from equipoise.tuning.spans import OneOf, Real, Space, Whole
from equipoise.tuning.study import Search, tune

__all__ = [
    "SPACES",
    "Cut",
    "Found",
    "Goal",
    "OneOf",
    "Real",
    "Search",
    "Space",
    "Tried",
    "Whole",
    "by_time",
    "by_user",
    "tune",
]
