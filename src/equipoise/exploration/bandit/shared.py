"""What actions with features have in common: one ridge regression over context and action."""

from __future__ import annotations

import numpy as np

from equipoise.exploration.bandit.scale import Scale
from equipoise.randomness import derive
from equipoise.types import Arrays, Floats


class Shared:
    """Ridge (λ = 1) on ``[1, x, e, x ⊗ e]`` for scaled context x (d,) and action features e (k,).

    So an action that nobody has tried is expected to earn what its like did in such a context
    (LinUCB's hybrid model: Li, Chu, Langford and Schapire, WWW 2010). Where ``x ⊗ e`` has more than
    ``wide`` entries, ``wide`` products of random projections stand for it.
    """

    def __init__(self, d: int, k: int, *, wide: int, root: int) -> None:
        self.scale = Scale(k)
        self._products: tuple[Floats, Floats] | None = None
        if d * k > wide:
            luck = derive(root, "bandit products")
            self._products = (
                luck.standard_normal((d, wide)) / np.sqrt(d),
                luck.standard_normal((k, wide)) / np.sqrt(k),
            )
        width = 1 + d + k + min(d * k, wide)
        self.inverse, self.coefficients = np.eye(width), np.zeros(width)

    def rows(self, x: Floats, features: Floats) -> Floats:
        """(K, …) what the regression sees of each action."""
        e = self.scale.of(features)
        if self._products is None:
            products = (x[:, None] * e[:, None, :]).reshape(len(e), -1)
        else:
            products = (x @ self._products[0]) * (e @ self._products[1])
        context = np.broadcast_to(x, (len(e), len(x)))
        return np.hstack([np.ones((len(e), 1)), context, e, products])

    def predict(self, rows: Floats) -> tuple[Floats, Floats]:
        """Mean, and variance in units of the noise, each (K,)."""
        leverage = np.einsum("ki,ki->k", rows @ self.inverse, rows)
        return rows @ self.coefficients, np.maximum(leverage, 0.0)

    def absorb(self, row: Floats, reward: float) -> None:
        """Learn from one reward; Sherman–Morrison, in place."""
        solved = self.inverse @ row
        gain = 1.0 / (1.0 + float(row @ solved))
        self.coefficients += gain * (reward - float(row @ self.coefficients)) * solved
        self.inverse -= gain * np.outer(solved, solved)

    def forget(self) -> None:
        """Back to the prior; the scale stays."""
        width = len(self.coefficients)
        self.inverse, self.coefficients = np.eye(width), np.zeros(width)

    def arrays(self) -> Arrays:
        scale = {f"action_{name}": array for name, array in self.scale.arrays().items()}
        state = {"shared_inverse": self.inverse, "shared_coefficients": self.coefficients}
        return {**state, **scale}

    def load(self, arrays: Arrays) -> None:
        self.inverse = arrays["shared_inverse"].copy()
        self.coefficients = arrays["shared_coefficients"].copy()
        own = {name: arrays[f"action_{name}"] for name in ("scale", "contexts")}
        self.scale.load(own)
