"""What another policy would have earned, from a log of what this one showed.

Three steps, each a plain function on a plain value::

    logged = Logged.from_probabilities(          # or from_distributions: whole rows over K actions
        reward=r, propensity=p, target=pi,       # (n,) each; p as logged then, pi the target's
        cluster=shopper)                         # (n,) ids: rows of one shopper are dependent
    print(diagnose(logged))                      # can this log answer at all, and if not, why
    estimate = snips(logged)                     # raises Unanswerable where not (refuse=False: no)
    estimate.value, estimate.error, estimate.interval(0.95)
    bootstrap_t(estimate.terms, estimate.cluster)   # or any other of evaluation.intervals

- **Nouns**: ``Logged`` (reward, weight, model, predicted, cluster), ``Estimate``, ``Diagnosis``;
  ``difference(a, b)`` of two estimates on the same rows. ``ratio`` makes weights of (n,) or (n, L)
  probabilities, in logarithms.
- **Estimators**, all ``(logged, [parameter], *, refuse=True) -> Estimate``: ``ips``,
  ``clipped_ips(limit)``, ``tempered_ips(correction)``, ``snips``; with a reward model in ``logged``
  ``dm``, ``dr``, ``clipped_dr(limit)``, ``tempered_dr(correction)``, ``sndr``,
  ``switch_dr(threshold)``, ``dros(shrinkage)``.
- **Embeddings** (MIPS, OffCEM): ``marginal``, ``from_posterior`` and ``grouped`` build a ``Logged``
  whose weights are those of an action's embedding; ``ips`` of it is MIPS, ``snips`` SN-MIPS,
  ``dr`` OffCEM.
- **Choice**, of parameters and of estimators alike: ``slope(estimates)`` by Lepski's principle,
  ``least_error(estimates, unbiased)`` by estimated squared error; ``thresholds(logged)`` is a grid.
- **Reward model**: ``cross_fit(fit, x, reward, cluster=…)`` never predicts a row by a model that
  has seen its shopper; ``ridge()`` and ``logistic()`` are two ``fit``.
- **The level of exploration**: ``level_costs`` estimates what each level costs. What it buys is not
  in such a log; see there.

Intervals that hold at any time, and slates of several slots, are in ``sequences.py`` and
``slates.py`` beside this.
"""

from equipoise.evaluation.off_policy.diagnostics import Diagnosis, Unanswerable, diagnose
from equipoise.evaluation.off_policy.embedding import from_posterior, grouped, marginal
from equipoise.evaluation.off_policy.estimate import Estimate, difference
from equipoise.evaluation.off_policy.estimators import (
    clipped_dr,
    clipped_ips,
    dm,
    dr,
    dros,
    ips,
    sndr,
    snips,
    switch_dr,
    tempered_dr,
    tempered_ips,
)
from equipoise.evaluation.off_policy.learning import Choices, LevelCost, LevelCosts, level_costs
from equipoise.evaluation.off_policy.logged import Logged
from equipoise.evaluation.off_policy.reward_model import CrossFit, cross_fit, logistic, ridge
from equipoise.evaluation.off_policy.sequences import (
    Band,
    doubly_robust_sequence,
    mean_sequence,
    policy_sequence,
)
from equipoise.evaluation.off_policy.slates import cascade_dr, iips, pseudo_inverse, rips, sips
from equipoise.evaluation.off_policy.slope import least_error, slope, thresholds
from equipoise.evaluation.off_policy.weights import ratio

__all__ = [
    "Band",
    "Choices",
    "CrossFit",
    "Diagnosis",
    "Estimate",
    "LevelCost",
    "LevelCosts",
    "Logged",
    "Unanswerable",
    "cascade_dr",
    "clipped_dr",
    "clipped_ips",
    "cross_fit",
    "diagnose",
    "difference",
    "dm",
    "doubly_robust_sequence",
    "dr",
    "dros",
    "from_posterior",
    "grouped",
    "iips",
    "ips",
    "least_error",
    "level_costs",
    "logistic",
    "marginal",
    "mean_sequence",
    "policy_sequence",
    "pseudo_inverse",
    "ratio",
    "ridge",
    "rips",
    "sips",
    "slope",
    "sndr",
    "snips",
    "switch_dr",
    "tempered_dr",
    "tempered_ips",
    "thresholds",
]
