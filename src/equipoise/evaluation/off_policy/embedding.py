"""Weights of what an action *is* instead of which one it was: many actions, few kinds.

If a reward depends on the action through its embedding e alone (category, price band), the ratio of
the policies' probabilities of e does instead of that of a, and it is never more extreme. Each
function here builds a ``Logged`` with such weights; the estimators are the same as ever:

=====================  =====================================================================
``ips(marginal(…))``   MIPS: Saito, Joachims, ICML 2022
``snips(marginal(…))`` SN-MIPS
``dr(grouped(…))``     OffCEM: Saito, Ren, Joachims, ICML 2023; its q̂ carries what e does not tell
=====================  =====================================================================

Where the reward depends on more than e, they are biased, and by how much no log tells; ``slope``
over embeddings from fine to coarse (``ordered=True``) weighs that against the variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy.logged import (
    Codes,
    Logged,
    actions,
    distribution,
    matrix,
)
from equipoise.types import Floats


def marginal(
    *,
    reward: ArrayLike,
    embedding: ArrayLike,
    given: ArrayLike,
    target: ArrayLike,
    logging: ArrayLike,
    dimensions: Sequence[int] | None = None,
    cluster: ArrayLike | None = None,
) -> Logged:
    """w = Σ_a π(a) p(e|a) / Σ_a p(a) p(e|a), for known p(e | a).

    ``embedding`` (n, D) categories, one a dimension; ``given`` (K, C, D), given[a, c, d] = P(e_d =
    c | a), dimensions independent given the action; ``target`` and ``logging`` (n, K).
    ``dimensions`` leaves others out. The product over dimensions stands inside the sum over
    actions: a product of the dimensions' own ratios is another number, for dimensions that are
    independent given the action are not independent.

    Raises:
        InvalidInput: shapes that do not fit, a category out of range, distributions that do not sum
            to 1, or an embedding that the log could not have shown.
    """
    n = np.size(np.asarray(reward))
    asked = distribution(target, n, "target")
    could = distribution(logging, n, "logging", asked.shape[1])
    shown = _categories(embedding, n)
    table = _table(given, asked.shape[1], shown)
    likelihood = np.ones(asked.shape)
    for d in range(shown.shape[1]) if dimensions is None else dimensions:
        likelihood *= table[:, shown[:, d], d].T
    return _weighted(reward, (asked * likelihood).sum(1), (could * likelihood).sum(1), cluster)


def from_posterior(
    *,
    reward: ArrayLike,
    posterior: ArrayLike,
    target: ArrayLike,
    logging: ArrayLike,
    cluster: ArrayLike | None = None,
) -> Logged:
    """w = Σ_a p(a | x, e) π(a)/p(a), for ``posterior`` (n, K): the log's action, told from x and e.

    The same weight by Bayes' rule, where p(e | a) is not known: any classifier of the logged action
    that is fitted on context and embedding gives the posterior. It has to have seen other rows.

    Raises:
        InvalidInput: shapes that do not fit or distributions that do not sum to 1.
    """
    n = np.size(np.asarray(reward))
    asked = distribution(target, n, "target")
    could = distribution(logging, n, "logging", asked.shape[1])
    told = distribution(posterior, n, "posterior", asked.shape[1])
    ratio = np.divide(asked, could, out=np.zeros_like(asked), where=could > 0)
    weight = (told * ratio).sum(axis=1)
    return Logged(
        reward=np.asarray(reward),
        weight=weight,
        cluster=None if cluster is None else np.asarray(cluster),
        unsupported=(asked * (could <= 0)).sum(axis=1),
    )


def grouped(
    *,
    reward: ArrayLike,
    action: ArrayLike,
    groups: ArrayLike,
    target: ArrayLike,
    logging: ArrayLike,
    q: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
) -> Logged:
    """w = π(group) / p(group), for ``groups`` (K,): one group an action, integers from 0.

    With ``q`` (n, K), ``dr`` of it is OffCEM: weights carry what differs between groups, q̂ what
    differs within; q̂ needs to be right only about differences within a group.

    Raises:
        InvalidInput: as ``Logged.from_distributions``; or groups that are not K integers from 0.
    """
    n = np.size(np.asarray(reward))
    asked = distribution(target, n, "target")
    could = distribution(logging, n, "logging", asked.shape[1])
    shown = actions(action, n, asked.shape[1])
    of = _groups(groups, asked.shape[1])
    member = np.eye(of.max() + 1)[of]
    rows = np.arange(n)
    asked_groups, could_groups = asked @ member, could @ member
    expected = None if q is None else matrix(q, n, "q", asked.shape[1])
    return _weighted(
        reward,
        asked_groups[rows, of[shown]],
        could_groups[rows, of[shown]],
        cluster,
        model=None if expected is None else (asked * expected).sum(axis=1),
        predicted=None if expected is None else expected[rows, shown],
        unsupported=(asked_groups * (could_groups <= 0)).sum(axis=1),
    )


def _weighted(
    reward: ArrayLike, asked: Floats, could: Floats, cluster: ArrayLike | None, **columns: Any
) -> Logged:
    if (could <= 0).any():
        row = int((could <= 0).argmax())
        raise InvalidInput(
            f"the log shows at row {row} what by its own probabilities it could not show",
            pointer=f"/logging/{row}",
        )
    return Logged(
        reward=np.asarray(reward),
        weight=asked / could,
        cluster=None if cluster is None else np.asarray(cluster),
        **columns,
    )


def _categories(values: ArrayLike, n: int) -> Codes:
    array = np.asarray(values)
    if array.ndim != 2 or len(array) != n or not np.issubdtype(array.dtype, np.integer):
        raise InvalidInput(
            f"embedding is {array.dtype} of shape {array.shape}; ({n}, D) integers are needed",
            pointer="/embedding",
        )
    return array.astype(np.int64)


def _table(values: ArrayLike, k: int, shown: Codes) -> Floats:
    table = np.asarray(values, dtype=float)
    if table.ndim != 3 or table.shape[0] != k or table.shape[2] != shown.shape[1]:
        raise InvalidInput(
            f"given has shape {table.shape}; ({k}, C, {shown.shape[1]}) is needed", pointer="/given"
        )
    if shown.min() < 0 or shown.max() >= table.shape[1]:
        raise InvalidInput(
            f"embedding holds categories {shown.min()} to {shown.max()}; given knows"
            f" {table.shape[1]}, from 0",
            pointer="/embedding",
        )
    return table


def _groups(values: ArrayLike, k: int) -> Codes:
    array = np.asarray(values)
    if array.shape != (k,) or not np.issubdtype(array.dtype, np.integer) or array.min() < 0:
        raise InvalidInput(
            f"groups is {array.dtype} of shape {array.shape}; {k} integers from 0 are needed, one"
            " an action",
            pointer="/groups",
        )
    return array.astype(np.int64)
