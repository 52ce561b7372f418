"""Offline tables: users, items, values and times, without a service."""

from equipoise.data.interactions import Interactions
from equipoise.data.negatives import sample_negatives
from equipoise.data.weights import WEIGHTS, decayed, weigh

__all__ = ["WEIGHTS", "Interactions", "decayed", "sample_negatives", "weigh"]
