"""A belief of the caller's own, one copy an action, behind ``ContextualBandit``."""

from __future__ import annotations

from typing import Any, Protocol, cast

import numpy as np

from equipoise.exploration.bandit.kernels import Ints
from equipoise.interfaces import Belief
from equipoise.types import Arrays, Floats


class _Stored(Protocol):
    """A belief that can be written down."""

    def arrays(self) -> Arrays: ...
    def from_arrays(self, arrays: Arrays) -> Belief: ...


class Separate:
    """One belief an action, each starting as ``belief``; nothing is shared, nothing is scaled.

    A belief sees the context (d,), followed by the action's features where there are any; with
    neither it sees the constant 1.
    """

    def __init__(self, belief: Belief) -> None:
        self.prior = belief
        self.beliefs: list[Belief] = []
        self._seen: list[float] = []
        self.d: int | None = None
        self.k: int | None = None
        self.wide = self.root = 0

    def open(self, d: int, k: int | None) -> None:
        """Settle the shapes."""
        self.d, self.k = d, k

    def see(self, context: Floats, features: Floats | None) -> None:
        """Nothing hangs on what is only seen."""

    def forecast(
        self, context: Floats, rows: Ints, features: Floats | None, crowd: Floats
    ) -> tuple[Floats, Floats]:
        """Mean and variance of the expected reward of each action, (K,)."""
        mean, variance = np.empty(len(rows)), np.empty(len(rows))
        for at, row in enumerate(rows.tolist()):
            belief = self.beliefs[row] if row >= 0 else self.prior
            x = _seen_by(context, None if features is None else features[at])
            own_mean, own_variance = belief.predict(x)
            mean[at], variance[at] = own_mean[0], own_variance[0]
        return mean, variance * crowd

    def noise_of(self, mean: Floats) -> Floats | None:
        """(K,) the belief's own word for the variance of one reward, if it has one."""
        by_mean = getattr(self.prior, "noise_of", None)
        if by_mean is not None:
            return np.asarray(by_mean(mean))
        noise = getattr(self.prior, "noise", None)
        return None if noise is None else np.full(len(mean), float(noise))

    def learn(self, row: int, context: Floats, features: Floats | None, reward: float) -> None:
        """One reward of the action in ``row``; a new action takes the first free row."""
        if row == len(self.beliefs):
            self.beliefs.append(self.prior)
            self._seen.append(0.0)
        x = _seen_by(context, features)
        self.beliefs[row] = self.beliefs[row].update(x, np.array([reward]))
        self._seen[row] += 1.0

    def learn_rows(self, rows: Ints, contexts: Floats, rewards: Floats) -> None:
        """Many rewards of actions without features, in order."""
        for row, context, reward in zip(rows.tolist(), contexts, rewards.tolist(), strict=True):
            self.learn(row, context, None, reward)

    def seen(self, row: int) -> float:
        """Rewards of the action in this row; 0 for -1."""
        return self._seen[row] if row >= 0 else 0.0

    def arrays(self) -> Arrays:
        """All of it, but for the prior.

        Raises:
            ValueError: the belief has no ``arrays`` and ``from_arrays``.
        """
        if not (hasattr(self.prior, "arrays") and hasattr(self.prior, "from_arrays")):
            raise ValueError(
                f"{type(self.prior).__name__} cannot be saved: it needs arrays() and from_arrays()"
            )
        state: dict[str, Any] = {"separate_seen": np.array(self._seen)}
        if self.d is not None:
            state["shape"] = np.array([self.d, -1 if self.k is None else self.k])
        for row, belief in enumerate(self.beliefs):
            own = cast(_Stored, belief).arrays()
            state |= {f"belief_{row}_{name}": array for name, array in own.items()}
        return state

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        if "shape" in arrays:
            d, k = arrays["shape"].tolist()
            self.open(d, None if k < 0 else k)
        self._seen = arrays["separate_seen"].tolist()
        self.beliefs = []
        for row in range(len(self._seen)):
            head = f"belief_{row}_"
            own = {n.removeprefix(head): a for n, a in arrays.items() if n.startswith(head)}
            self.beliefs.append(cast(_Stored, self.prior).from_arrays(own))


def _seen_by(context: Floats, features: Floats | None) -> Floats:
    x = context if features is None else np.concatenate([context, features])
    return x[None] if len(x) else np.ones((1, 1))
