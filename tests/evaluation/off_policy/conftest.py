"""A small world with a known truth: six actions, three kinds of visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from equipoise.evaluation.off_policy import Logged
from equipoise.randomness import derive


@dataclass(frozen=True)
class World:
    """Contexts in even shares; tables (3, 6) by context and action."""

    q: np.ndarray
    logging: np.ndarray
    target: np.ndarray

    @property
    def truth(self) -> float:
        return float((self.target * self.q).sum(axis=1).mean())

    def rows(self, n: int, seed: int) -> dict[str, np.ndarray]:
        """A log of n rows, as ``Logged.from_distributions`` takes it, and its contexts."""
        rng = derive(seed, "world")
        context = rng.integers(3, size=n)
        below = self.logging[context].cumsum(axis=1)
        action = (rng.random(n)[:, None] > below[:, :-1]).sum(axis=1)
        return {
            "context": context,
            "action": action,
            "reward": (rng.random(n) < self.q[context, action]).astype(float),
            "logging": self.logging[context],
            "target": self.target[context],
        }

    def log(self, n: int, seed: int, *, q: np.ndarray | None = None) -> Logged:
        """The same as ``Logged``; ``q`` (3, 6) is a reward model's word."""
        rows = self.rows(n, seed)
        context = rows.pop("context")
        return Logged.from_distributions(**rows, q=None if q is None else q[context])


@pytest.fixture(scope="session")
def world() -> World:
    rng = derive(7, "world")
    q = rng.beta(2, 4, size=(3, 6))
    logging = rng.dirichlet(np.full(6, 3.0), size=3) * 0.9 + 0.1 / 6
    target = np.exp(6 * q)
    return World(q, logging, target / target.sum(axis=1, keepdims=True))
