"""Equipoise: a recommender that knows what it does not know yet, and explores by a measured share.

Importing this package loads nothing heavy: take what you need from ``equipoise.data``,
``equipoise.recommenders``, ``equipoise.exploration`` and ``equipoise.evaluation``.
"""

__version__ = "0.1.0"
