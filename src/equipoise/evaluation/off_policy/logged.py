"""What off-policy estimators need of a log, checked at the door; what is behind it may be trusted.

A log tells what was shown, with which probability *as logged then*, and what it earned. The
question is what another policy, the *target*, would have earned. All estimators need of both
policies is their ratio for what was shown, the *weight*, and of a reward model two numbers a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.errors import InvalidInput
from equipoise.evaluation.off_policy.weights import ratio
from equipoise.types import Floats

Codes = NDArray[np.int64]

SUM_TOLERANCE = 1e-5
"""What float32 storage of some thousand probabilities may lose of their sum, 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """n logged rows with a target policy laid over them.

    ``Logged.from_probabilities`` and ``from_distributions`` build it from probabilities and check
    those; here only the columns themselves are checked.

    Raises:
        InvalidInput: no rows, columns of unequal length, a number that is not finite, or a weight
            below 0.
    """

    reward: Floats
    """(n,) what was earned, mature: nothing is still awaited."""
    weight: Floats
    """(n,) π(shown) / p(shown), p as logged then."""
    model: Floats | None = None
    """(n,) Σ_a π(a) q̂(a): what a reward model expects of the target."""
    predicted: Floats | None = None
    """(n,) q̂ of what was shown. From a model that has not seen the row (``cross_fit``)."""
    cluster: Codes | None = None
    """(n,) whose row it is; rows of one shopper are dependent. None: all rows independent."""
    unsupported: Floats | None = None
    """(n,) the target's probability of what the log could not have shown; None: not known."""

    def __post_init__(self) -> None:
        n = np.size(self.reward)
        if not n:
            raise InvalidInput("no rows; an estimate needs at least one", pointer="/reward")
        for name in ("reward", "weight", "model", "predicted", "unsupported"):
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, column(values, n, name))
        if self.cluster is not None:
            object.__setattr__(self, "cluster", codes(self.cluster, n))
        if self.weight.min() < 0:
            row = int(self.weight.argmin())
            raise InvalidInput(
                f"weight of row {row} is {self.weight[row]:g}; a weight is at least 0",
                pointer=f"/weight/{row}",
            )

    def __len__(self) -> int:
        return len(self.reward)

    @classmethod
    def from_probabilities(
        cls,
        *,
        reward: ArrayLike,
        propensity: ArrayLike,
        target: ArrayLike,
        model: ArrayLike | None = None,
        predicted: ArrayLike | None = None,
        cluster: ArrayLike | Sequence[Any] | None = None,
    ) -> Logged:
        """From the two policies' probabilities (n,) of what was shown, and nothing of the rest.

        Raises:
            InvalidInput: besides the class's own reasons, a propensity outside (0, 1] or a target
                outside [0, 1].
        """
        n = np.size(np.asarray(reward))
        shown = column(propensity, n, "propensity")
        asked = column(target, n, "target")
        _within(shown, shown <= 0, "propensity", "what was shown had a chance above 0, at most 1")
        _within(asked, asked < 0, "target", "a probability lies between 0 and 1")
        return cls(
            reward=np.asarray(reward),
            weight=ratio(asked, shown),
            model=None if model is None else np.asarray(model),
            predicted=None if predicted is None else np.asarray(predicted),
            cluster=None if cluster is None else np.asarray(cluster),
        )

    @classmethod
    def from_distributions(
        cls,
        *,
        reward: ArrayLike,
        action: ArrayLike,
        target: ArrayLike,
        propensity: ArrayLike | None = None,
        logging: ArrayLike | None = None,
        q: ArrayLike | None = None,
        cluster: ArrayLike | Sequence[Any] | None = None,
    ) -> Logged:
        """From whole distributions over K actions, the same K in every row.

        ``action`` (n,) in 0..K−1, ``target`` (n, K), ``q`` (n, K) expected rewards. The log's side
        is ``propensity`` (n,) of what was shown, or ``logging`` (n, K), or both: ``logging`` also
        tells what the log could never show.

        Raises:
            InvalidInput: besides the reasons above, an action out of range, or a distribution
                whose sum is not 1: it is refused and not rescaled, for the sum is the first thing
                to be wrong where a policy's probabilities are.
        """
        n = np.size(np.asarray(reward))
        asked = distribution(target, n, "target")
        shown = actions(action, n, asked.shape[1])
        rows = np.arange(n)
        could = None if logging is None else distribution(logging, n, "logging", asked.shape[1])
        if propensity is None:
            if could is None:
                raise InvalidInput(
                    "neither propensity nor logging is given; the log's own probabilities are"
                    " needed",
                    pointer="/propensity",
                )
            propensity = could[rows, shown]
        expected = None if q is None else matrix(q, n, "q", asked.shape[1])
        built = cls.from_probabilities(
            reward=reward,
            propensity=propensity,
            target=asked[rows, shown].clip(max=1.0),
            model=None if expected is None else (asked * expected).sum(axis=1),
            predicted=None if expected is None else expected[rows, shown],
            cluster=cluster,
        )
        if could is None:
            return built
        return replace(built, unsupported=(asked * (could <= 0)).sum(axis=1))


def column(values: ArrayLike, n: int, name: str) -> Floats:
    """(n,) float64, finite, or InvalidInput."""
    array = np.asarray(values, dtype=float)
    if array.shape != (n,):
        raise InvalidInput(
            f"{name} has shape {array.shape}; there are {n} rewards, so ({n},) is needed",
            pointer=f"/{name}",
        )
    return _finite(array, name)


def matrix(values: ArrayLike, n: int, name: str, k: int | None = None) -> Floats:
    """(n, k) float64, finite, or InvalidInput; any k ≥ 1 where none is given."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 2 or array.shape[0] != n or array.shape[1] != (k or array.shape[1] or 1):
        raise InvalidInput(
            f"{name} has shape {array.shape}; ({n}, {k or 'K'}) is needed", pointer=f"/{name}"
        )
    return _finite(array, name)


def distribution(values: ArrayLike, n: int, name: str, k: int | None = None) -> Floats:
    """(n, k) rows of probabilities that sum to 1, or InvalidInput."""
    array = matrix(values, n, name, k)
    row = int(array.min(axis=1).argmin())
    if array[row].min() < 0:
        raise InvalidInput(
            f"{name} of row {row} holds {array[row].min():g}; a probability is at least 0",
            pointer=f"/{name}/{row}",
        )
    gap = array.sum(axis=1) - 1
    row = int(np.abs(gap).argmax())
    if abs(gap[row]) > SUM_TOLERANCE:
        raise InvalidInput(
            f"{name} of row {row} sums to {1 + gap[row]:.6g}; probabilities sum to 1, and are not"
            " rescaled here",
            pointer=f"/{name}/{row}",
        )
    return array


def actions(values: ArrayLike, n: int, k: int) -> Codes:
    """(n,) integers in 0..k−1, or InvalidInput."""
    array = np.asarray(values)
    if array.shape != (n,) or not np.issubdtype(array.dtype, np.integer):
        raise InvalidInput(
            f"action is {array.dtype} of shape {array.shape}; {n} integers are needed",
            pointer="/action",
        )
    outside = (array < 0) | (array >= k)
    if outside.any():
        row = int(outside.argmax())
        raise InvalidInput(
            f"action of row {row} is {array[row]}; there are {k} actions, from 0",
            pointer=f"/action/{row}",
        )
    return array.astype(np.int64)


def codes(ids: ArrayLike, n: int) -> Codes:
    """(n,) ids of any kind as 0, 1, …; equal ids, equal codes."""
    array = np.asarray(ids)
    if array.shape != (n,):
        raise InvalidInput(
            f"cluster has shape {array.shape}; there are {n} rewards, so ({n},) is needed",
            pointer="/cluster",
        )
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


def _finite(array: Floats, name: str) -> Floats:
    wrong = ~np.isfinite(array)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise InvalidInput(
            f"{name} of row {row} is not a finite number; leave such rows out",
            pointer=f"/{name}/{row}",
        )
    return array


def _within(values: Floats, low: NDArray[np.bool_], name: str, wish: str) -> None:
    wrong = low | (values > 1)
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidInput(
            f"{name} of row {row} is {values[row]:g}; {wish}", pointer=f"/{name}/{row}"
        )
