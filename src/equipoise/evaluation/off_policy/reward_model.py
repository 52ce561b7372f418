"""q̂, the expected reward of what was not shown, from models that never see the row they speak of.

A model that has seen a row explains part of its noise, and the correction w (r − q̂) then misses
what it is there for: doubly robust estimates become biased towards the model and their intervals
too narrow. So shoppers are dealt into folds, and the model of a fold is fitted on all others
(Chernozhukov et al., Econometrics Journal 2018; "cross-fitting").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy.logged import Codes, codes, column, matrix
from equipoise.randomness import RandomState, generator
from equipoise.types import Floats

Predict: TypeAlias = Callable[[Floats], Floats]
"""Features (k, d) → expected rewards (k,)."""
Fit: TypeAlias = Callable[[Floats, Floats], Predict]
"""Features (m, d) of what was shown, rewards (m,) → ``Predict``."""

STEPS = 100
"""Of Newton's method; some ten are needed."""
SETTLED = 1e-12
"""Newton's decrement a row below which nothing is left to gain."""


@dataclass(frozen=True, slots=True)
class CrossFit:
    """One model a fold, each fitted on the other folds."""

    fold: Codes
    """(n,) the fold of each row; all rows of a cluster are in one."""
    models: tuple[Predict, ...]

    def predict(self, x: Floats, rows: Codes | None = None) -> Floats:
        """(m,) expected rewards of features ``x`` (m, d), by models that have not seen the rows.

        ``rows`` (m,) tells which row each belongs to, for candidates that differ from row to row;
        None: one a row, in order.
        """
        fold = self.fold if rows is None else self.fold[rows]
        out = np.empty(len(x))
        for number, model in enumerate(self.models):
            mine = fold == number
            if mine.any():
                out[mine] = model(x[mine])
        return out

    def table(self, features: Callable[[int], Floats], n_actions: int) -> Floats:
        """(n, K) for K actions: ``features(a)`` gives (n, d) for action a at every row."""
        return np.column_stack([self.predict(features(action)) for action in range(n_actions)])


def cross_fit(
    fit: Fit,
    x: ArrayLike,
    reward: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    folds: int = 3,
    random_state: RandomState = None,
) -> CrossFit:
    """Fit ``folds`` models on features ``x`` (n, d) of what was shown and its rewards (n,).

    ``cluster`` (n,) ids of shoppers, dealt whole; None: every row its own. ``random_state`` deals.

    Raises:
        InvalidInput: columns that do not fit, fewer than 2 folds, or fewer clusters than folds.
    """
    n = np.size(np.asarray(reward))
    features, earned = matrix(x, n, "x"), column(reward, n, "reward")
    fold = _deal(np.arange(n) if cluster is None else codes(cluster, n), folds, random_state)
    models = tuple(fit(features[fold != f], earned[fold != f]) for f in range(folds))
    return CrossFit(fold, models)


def ridge(penalty: float = 1.0) -> Fit:
    """Least squares with ``penalty``·|b|²; the intercept is free. Cost m d² + d³."""
    _check(penalty)

    def fit(x: Floats, reward: Floats) -> Predict:
        centre, level = x.mean(axis=0), reward.mean()
        off = x - centre
        b = np.linalg.solve(off.T @ off + penalty * np.eye(x.shape[1]), off.T @ (reward - level))
        return lambda new: level + (new - centre) @ b

    return fit


def logistic(penalty: float = 1.0) -> Fit:
    """Logistic regression with ``penalty``/2·|b|²; the intercept is free. By Newton's method.

    For rewards in 0..1, fractions included. scikit-learn's ``C`` is 1/penalty.
    """
    _check(penalty)

    def fit(x: Floats, reward: Floats) -> Predict:
        if reward.min() < 0 or reward.max() > 1:
            raise InvalidInput(
                f"rewards lie between {reward.min():g} and {reward.max():g}; logistic regression"
                " takes 0 to 1, ridge() any",
                pointer="/reward",
            )
        mean = float(reward.mean())
        if mean in (0.0, 1.0):
            # The intercept has no finite optimum, and the features nothing to explain.
            return lambda new: np.full(len(new), mean)
        b = _newton(np.column_stack([np.ones(len(x)), x]), reward, penalty)
        return lambda new: expit(b[0] + new @ b[1:])

    return fit


def _newton(x: Floats, y: Floats, penalty: float) -> Floats:
    """(1 + d,) the minimum of the penalised log loss; column 0 of ``x`` is the free intercept."""
    ridge = np.full(x.shape[1], penalty)
    ridge[0] = 0.0
    b = np.zeros(x.shape[1])
    b[0] = logit(y.mean())
    for _ in range(STEPS):
        p = expit(x @ b)
        gradient = x.T @ (p - y) + ridge * b
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + np.diag(ridge), gradient)
        if gradient @ step < SETTLED * len(y):
            break
        b = _descend(x, y, ridge, b, step)
    return b


def _descend(x: Floats, y: Floats, ridge: Floats, b: Floats, step: Floats) -> Floats:
    """``b`` less the largest of step, step/2, step/4 … that lowers the loss; ``b`` if none does."""
    before = _loss(x, y, ridge, b)
    for halving in range(40):
        moved: Floats = b - step / 2**halving
        if _loss(x, y, ridge, moved) < before:
            return moved
    return b


def _loss(x: Floats, y: Floats, ridge: Floats, b: Floats) -> float:
    z = x @ b
    return float((np.logaddexp(0, z) - y * z).sum() + (ridge * b * b).sum() / 2)


def _deal(cluster: Codes, folds: int, random_state: RandomState) -> Codes:
    clusters = int(cluster.max()) + 1
    if folds < 2:
        raise InvalidInput(f"folds is {folds}; it is at least 2", pointer="/folds")
    if clusters < folds:
        raise InvalidInput(
            f"{clusters} clusters cannot be dealt into {folds} folds; a fold needs one at least",
            pointer="/cluster",
        )
    dealt = generator(random_state, "cross_fit").permutation(clusters) % folds
    return dealt[cluster].astype(np.int64)


def _check(penalty: float) -> None:
    if not penalty > 0:
        raise InvalidInput(f"penalty is {penalty}; it is above 0", pointer="/penalty")
