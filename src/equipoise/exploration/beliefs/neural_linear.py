"""Bayesian regression on a layer that was learnt elsewhere: deep features, honest spread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeAlias

import numpy as np

from equipoise.interfaces import Belief
from equipoise.types import Floats

Embed: TypeAlias = Callable[[Floats], Floats]
"""(n, d) → (n, k): rows by rows, the same each time it is asked."""


class NeuralLinear:
    """A belief over ``embed(x)``: neural-linear (Riquelme, Tucker & Snoek 2018).

    ``embed`` is any function: an item's learnt factors times the context, the last layer of a
    network (``lambda x: layer(torch.as_tensor(x)).numpy()``), which stays frozen between refits.
    What was learnt over one layer says nothing over the next: when it changes, ``refit`` learns
    from the log anew. The spread is the regression's alone; that of the layer is not in it.

    Args:
        embed: (n, d) → (n, k).
        belief: over k features, before any data: a ``GaussianBelief``, a ``LogisticBelief``, ….
    """

    def __init__(self, embed: Embed, belief: Belief) -> None:
        self.embed = embed
        self.belief = belief
        """Over the embedded features; beside the layer, its ``arrays`` are all of a snapshot."""
        self._prior = belief

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the expected reward, each (n,), for x (n, d)."""
        return self.belief.predict(self._embedded(x))

    def update(self, x: Floats, reward: Floats, weight: Floats | None = None, **named: Any) -> Self:
        """The belief after rewards (n,) at x (n, d); ``named`` (an ensemble's keys) goes along."""
        return self._with(self.belief.update(self._embedded(x), reward, weight, **named))

    def refit(
        self,
        embed: Embed,
        x: Floats,
        reward: Floats,
        weight: Floats | None = None,
        *,
        belief: Belief | None = None,
        **named: Any,
    ) -> Self:
        """The belief over another layer, from the prior and all of the log: (x, reward, weight).

        Args:
            belief: the prior over the new layer where it has another width; else the one it began
                with.
        """
        return type(self)(embed, belief or self._prior).update(x, reward, weight, **named)

    def covariance_root(self, x: Floats) -> Floats:
        """(n, k) of the belief inside (``Scored.root``)."""
        return np.asarray(self._inside.covariance_root(self._embedded(x)))

    def pending(self, x: Floats, weight: Floats | None = None) -> Self:
        """While rewards at x are awaited: ``pending`` of the belief inside."""
        return self._with(self._inside.pending(self._embedded(x), weight))

    def decay(self, gamma: float) -> Self:
        """Forget towards the prior: ``decay`` of the belief inside."""
        return self._with(self._inside.decay(gamma))

    def merge(self, other: NeuralLinear) -> Self:
        """The belief of whoever saw what both saw.

        Raises:
            ValueError: they look through different layers.
        """
        if self.embed is not other.embed:
            raise ValueError("beliefs over different layers do not merge: refit one of them")
        return self._with(self._inside.merge(other.belief))

    @property
    def _inside(self) -> Any:
        """The belief, for what the protocol does not promise; a belief without it says so."""
        return self.belief

    def _embedded(self, x: Floats) -> Floats:
        x = np.asarray(x, dtype=float)
        features = np.asarray(self.embed(x), dtype=float)
        if features.ndim != 2 or len(features) != len(x):
            raise ValueError(
                f"embed made {features.shape} of x {x.shape}; it must be ({len(x)}, k)"
            )
        return features

    def _with(self, belief: Belief) -> Self:
        new = type(self)(self.embed, belief)
        new._prior = self._prior
        return new
