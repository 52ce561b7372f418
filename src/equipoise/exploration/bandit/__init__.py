"""``ContextualBandit``: belief, policy and balance in one object, for decisions without a shop."""

from equipoise.exploration.bandit.bandit import ContextualBandit
from equipoise.exploration.bandit.choice import Choice

__all__ = ["Choice", "ContextualBandit"]
