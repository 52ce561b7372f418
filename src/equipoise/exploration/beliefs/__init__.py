"""How good, and how sure: what experience says of an arm, or of a match, as sums that add."""

from equipoise.exploration.beliefs.bank import ArmBank
from equipoise.exploration.beliefs.beta import BetaBelief
from equipoise.exploration.beliefs.context_bank import ContextBank
from equipoise.exploration.beliefs.ensemble import EnsembleBelief
from equipoise.exploration.beliefs.gaussian import GaussianBelief
from equipoise.exploration.beliefs.logistic import LogisticBelief
from equipoise.exploration.beliefs.neural_linear import NeuralLinear
from equipoise.exploration.beliefs.outcomes import Outcomes, ValueBelief
from equipoise.exploration.beliefs.probit import ProbitBelief
from equipoise.exploration.beliefs.rates import RateBelief

__all__ = [
    "ArmBank",
    "BetaBelief",
    "ContextBank",
    "EnsembleBelief",
    "GaussianBelief",
    "LogisticBelief",
    "NeuralLinear",
    "Outcomes",
    "ProbitBelief",
    "RateBelief",
    "ValueBelief",
]
