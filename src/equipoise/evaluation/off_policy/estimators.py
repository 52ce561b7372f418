"""Off-policy estimators of the target's mean reward, one function each.

All but the direct method are one formula, mean(model + ŵ (r − q̂)), with the weight w or a tamed
form of it and with or without a reward model; the ``sn`` forms divide the second sum by Σw. w, r, q̂
and the model term Σ_a π(a) q̂(a) are the columns of ``Logged``. Every function costs O(n).

``refuse``: raise ``Unanswerable`` where ``diagnose`` finds that the log cannot tell. It looks at w
itself even where an estimator tames it, for taming hides the loss of evidence and does not mend it.
"""

from __future__ import annotations

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy import weights
from equipoise.evaluation.off_policy.diagnostics import Unanswerable, diagnose
from equipoise.evaluation.off_policy.estimate import Estimate
from equipoise.evaluation.off_policy.logged import Logged
from equipoise.types import Floats


def ips(logged: Logged, *, refuse: bool = True) -> Estimate:
    """mean(w r): unbiased wherever propensities are true. Horvitz, Thompson, JASA 1952."""
    return _exact("ips", logged, logged.weight * logged.reward, refuse)


def clipped_ips(logged: Logged, limit: float, *, refuse: bool = True) -> Estimate:
    """mean(min(w, limit) r): biased towards 0, of less variance. Ionides, JCGS 2008."""
    terms = weights.clip(logged.weight, limit) * logged.reward
    return _exact(f"clipped_ips({limit:g})", logged, terms, refuse)


def tempered_ips(logged: Logged, correction: float, *, refuse: bool = True) -> Estimate:
    """mean(ŵ r), ŵ = w/(1−λ+λw): sub-Gaussian weights. Metelli et al., NeurIPS 2021."""
    terms = weights.temper(logged.weight, correction) * logged.reward
    return _exact(f"tempered_ips({correction:g})", logged, terms, refuse)


def snips(logged: Logged, *, refuse: bool = True) -> Estimate:
    """Σwr / Σw: unmoved by a constant added to all rewards. Swaminathan, Joachims, NeurIPS 2015.

    Raises:
        InvalidInput: all weights are 0.
    """
    return _ratio("snips", logged, np.zeros(len(logged)), logged.reward, refuse)


def dm(logged: Logged, *, refuse: bool = True) -> Estimate:
    """mean(model), the direct method: as good as the reward model, and as wrong.

    Its interval says how much the model's answer varies over rows, not how wrong the model is.

    Raises:
        InvalidInput: no reward model, as for all that follow.
    """
    return _exact("dm", logged, _model(logged)[0], refuse)


def dr(logged: Logged, *, refuse: bool = True) -> Estimate:
    """mean(model + w (r − q̂)), doubly robust: unbiased if propensities or q̂ are right.

    Dudík, Langford, Li, ICML 2011.
    """
    return _corrected("dr", logged, logged.weight, refuse)


def clipped_dr(logged: Logged, limit: float, *, refuse: bool = True) -> Estimate:
    """mean(model + min(w, limit) (r − q̂)): pessimistic shrinkage of Su et al., ICML 2020."""
    return _corrected(f"clipped_dr({limit:g})", logged, weights.clip(logged.weight, limit), refuse)


def tempered_dr(logged: Logged, correction: float, *, refuse: bool = True) -> Estimate:
    """mean(model + ŵ (r − q̂)), ŵ = w/(1−λ+λw). Metelli et al., NeurIPS 2021."""
    tamed = weights.temper(logged.weight, correction)
    return _corrected(f"tempered_dr({correction:g})", logged, tamed, refuse)


def sndr(logged: Logged, *, refuse: bool = True) -> Estimate:
    """mean(model) + Σw(r − q̂) / Σw. Thomas, Brunskill, ICML 2016 (weighted doubly robust).

    Raises:
        InvalidInput: no reward model, or all weights are 0.
    """
    model, residual = _model(logged)
    return _ratio("sndr", logged, model, residual, refuse)


def switch_dr(logged: Logged, threshold: float, *, refuse: bool = True) -> Estimate:
    """Doubly robust where w ≤ threshold, the direct method elsewhere.

    mean(model + w 1(w ≤ τ) (r − q̂)): SWITCH-DR of Wang, Agarwal, Dudík, ICML 2017. The model's
    term is over *all* actions: the direct method answers for those beyond τ, and doubly robust
    itself has it for those within. (Their plain SWITCH, with inverse propensities alone within τ,
    leaves the actions within τ out of the model's term; it needs the logging probability of every
    action, and is not here.) Open Bandit Pipeline computes the same.
    """
    tamed = weights.switch(logged.weight, threshold)
    return _corrected(f"switch_dr({threshold:g})", logged, tamed, refuse)


def dros(logged: Logged, shrinkage: float, *, refuse: bool = True) -> Estimate:
    """mean(model + ŵ (r − q̂)), ŵ = λw/(w²+λ): optimistic shrinkage of Su et al., ICML 2020.

    The direct method at λ = 0, doubly robust as λ → ∞.
    """
    tamed = weights.shrink(logged.weight, shrinkage)
    return _corrected(f"dros({shrinkage:g})", logged, tamed, refuse)


def _corrected(name: str, logged: Logged, weight: Floats, refuse: bool) -> Estimate:
    model, residual = _model(logged)
    return _exact(name, logged, model + weight * residual, refuse)


def _exact(name: str, logged: Logged, terms: Floats, refuse: bool) -> Estimate:
    return _checked(Estimate(name, terms, True, logged.cluster, diagnose(logged)), refuse)


def _ratio(name: str, logged: Logged, plain: Floats, over: Floats, refuse: bool) -> Estimate:
    """mean(plain) + Σ w over / Σ w, its terms linearised about that value."""
    total = logged.weight.sum()
    if not total:
        raise InvalidInput(
            "every weight is 0: nothing that the target shows was ever shown", pointer="/weight"
        )
    centre = logged.weight @ over / total
    terms = plain + centre + logged.weight * (over - centre) / (total / len(logged))
    return _checked(Estimate(name, terms, False, logged.cluster, diagnose(logged)), refuse)


def _model(logged: Logged) -> tuple[Floats, Floats]:
    """The model's expectation of the target, and the residual of what was shown."""
    if logged.model is None or logged.predicted is None:
        raise InvalidInput(
            "this estimator needs a reward model: q, or model and predicted, of the log",
            pointer="/model",
        )
    return logged.model, logged.reward - logged.predicted


def _checked(estimate: Estimate, refuse: bool) -> Estimate:
    if refuse and estimate.diagnosis is not None and not estimate.diagnosis.answerable:
        raise Unanswerable(estimate.diagnosis)
    return estimate
