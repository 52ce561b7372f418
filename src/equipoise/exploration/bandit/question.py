"""What a bandit is asked and told, checked at the door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from equipoise.exploration.bandit.choice import Choice
from equipoise.types import Floats

Actions = Sequence[Hashable] | Mapping[Hashable, ArrayLike]


@dataclass(frozen=True, slots=True)
class Question:
    """A context and the actions to choose from."""

    context: Floats
    """(d,)"""
    ids: list[Hashable]
    features: Floats | None
    """(K, k), or None where actions are ids alone."""

    @classmethod
    def of(cls, context: ArrayLike | None, actions: Actions) -> Self:
        """As a caller puts it.

        Raises:
            ValueError: no actions, one twice, or what are no finite vectors.
        """
        given = np.zeros(0) if context is None else np.asarray(context, dtype=float)
        if given.ndim != 1 or not np.isfinite(given).all():
            raise ValueError(f"the context is {given}; it must be None or (d,) finite numbers")
        ids = list(actions)
        if not ids:
            raise ValueError("there are no actions to choose from")
        if len(set(ids)) < len(ids):
            twice = next(id_ for id_, times in Counter(ids).items() if times > 1)
            raise ValueError(f"action {twice!r} comes twice; each must come once")
        return cls(given, ids, _features(actions) if isinstance(actions, Mapping) else None)

    @classmethod
    def behind(cls, choice: Choice) -> Self:
        """What is left of it in the choice."""
        features = None if choice.features is None else np.array(choice.features, dtype=float)
        return cls(np.array(choice.context, dtype=float), list(choice.actions), features)

    @property
    def d(self) -> int:
        """Numbers of the context."""
        return len(self.context)

    @property
    def k(self) -> int | None:
        """Features of an action; None where there are only ids."""
        return None if self.features is None else int(self.features.shape[1])

    def check(self, d: int | None, k: int | None) -> None:
        """Refuse other shapes than before (``d`` None: there is no before).

        Raises:
            ValueError
        """
        if d is None:
            return
        if self.d != d:
            raise ValueError(f"the context has {self.d} numbers; it had {d} before")
        if self.k != k:
            now, before = ("no features" if n is None else f"{n} features" for n in (self.k, k))
            raise ValueError(f"actions have {now}; they had {before} before")


def rewards_of(choice: Choice, reward: float | Sequence[float | None]) -> list[float | None]:
    """One reward a slot. A single number is shared out evenly.

    Raises:
        ValueError: not one a slot, or not finite.
    """
    slots = len(choice.actions)
    rewards: list[float | None]
    if isinstance(reward, Sequence | np.ndarray):
        rewards = [None if earned is None else float(earned) for earned in reward]
    else:
        rewards = [float(reward) / slots] * slots
    if len(rewards) != slots:
        raise ValueError(f"{slots} slots have {len(rewards)} rewards; each has one, or None")
    for earned in rewards:
        if earned is not None and not np.isfinite(earned):
            raise ValueError(f"a reward is {earned}; it must be finite")
    return rewards


def log_of(
    contexts: ArrayLike, actions: Sequence[Hashable], rewards: ArrayLike
) -> tuple[Floats, Floats]:
    """(n, d) contexts and (n,) rewards of n actions.

    Raises:
        ValueError: other shapes, or what is not finite.
    """
    x, earned = np.asarray(contexts, dtype=float), np.asarray(rewards, dtype=float)
    if x.ndim != 2 or earned.shape != (len(x),) or len(actions) != len(x):
        raise ValueError(
            f"{len(x)} contexts have {len(actions)} actions and {earned.size} rewards; "
            "contexts are (n, d), with one of each a row"
        )
    if not (np.isfinite(x).all() and np.isfinite(earned).all()):
        raise ValueError("contexts and rewards must be finite")
    return np.ascontiguousarray(x), np.ascontiguousarray(earned)


def _features(actions: Mapping[Hashable, ArrayLike]) -> Floats:
    rows = [np.asarray(row, dtype=float) for row in actions.values()]
    for id_, row in zip(actions, rows, strict=True):
        if row.ndim != 1 or row.shape != rows[0].shape or not np.isfinite(row).all():
            raise ValueError(
                f"features of action {id_!r} are {row}; every action has the same number of "
                f"finite ones, as the first: {rows[0].size}"
            )
    return np.stack(rows)
