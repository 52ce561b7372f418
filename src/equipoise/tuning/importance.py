"""Which keyword mattered: the share of the variance of the trials that it explains."""

from __future__ import annotations

from typing import Any

FEWEST = 8
"""With fewer finished trials nothing is said."""


def importance(study: Any, seed: int) -> dict[str, float]:
    """Keyword → share, largest first, sum 1; empty where too few trials finished, or all alike.

    Functional ANOVA over a random forest (Hutter, Hoos, Leyton-Brown, ICML 2014), from optuna; the
    forest is scikit-learn's, which comes with the extra ``tune``.
    """
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    values = [trial.value for trial in study.get_trials(deepcopy=False) if trial.value is not None
              and trial.state.name == "COMPLETE"]  # fmt: skip
    if len(values) < FEWEST or min(values) == max(values):
        return {}
    shares = get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=seed))
    return {name: float(share) for name, share in shares.items()}
