"""How good, and how sure: what experience says of an arm, or of a match, as sums that add."""

from equipoise.exploration.beliefs.gaussian import GaussianBelief
from equipoise.exploration.beliefs.rates import RateBelief

__all__ = ["GaussianBelief", "RateBelief"]
