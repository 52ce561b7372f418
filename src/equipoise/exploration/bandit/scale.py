"""Features in units of their own spread: so that no unit of the caller's matters."""

from __future__ import annotations

import numpy as np

from equipoise.types import Arrays, Floats

STAGES = (1, 4, 16, 64, 256)
"""Contexts after which centre and scale are taken anew; after the last they stand."""
CLIP = 4.0
"""Standard deviations at which a feature is cut: one wild value must not outweigh all others."""


class Scale:
    """``clip((x − centre) / scale, ±4)``, from the first contexts that came; d features."""

    def __init__(self, d: int) -> None:
        self.centre = np.zeros(d)
        self.scale = np.ones(d)
        self._mean = np.zeros(d)
        self._squares = np.zeros(d)
        self.count = 0

    @property
    def settled(self) -> bool:
        """Nothing changes any more."""
        return self.count >= STAGES[-1]

    def see(self, x: Floats) -> bool:
        """Take one context in; True if centre and scale have changed by it."""
        if self.settled:
            return False
        self.count += 1
        change = x - self._mean
        self._mean = self._mean + change / self.count
        self._squares = self._squares + change * (x - self._mean)
        if self.count not in STAGES:
            return False
        self._take()
        return True

    def of(self, x: Floats) -> Floats:
        """x (…, d) in these units."""
        return np.clip((x - self.centre) / self.scale, -CLIP, CLIP)

    def arrays(self) -> Arrays:
        return {
            "scale": np.stack([self.centre, self.scale, self._mean, self._squares]),
            "contexts": np.array([self.count]),
        }

    def load(self, arrays: Arrays) -> None:
        self.centre, self.scale, self._mean, self._squares = arrays["scale"].copy()
        self.count = int(arrays["contexts"][0])

    def _take(self) -> None:
        if self.count == 1:
            # One context has no spread; its own size is the only unit there is.
            self.centre, spread = np.zeros_like(self._mean), np.abs(self._mean)
        else:
            self.centre, spread = self._mean.copy(), np.sqrt(self._squares / self.count)
        self.scale = np.where(spread > 1e-9 * np.abs(self._mean), spread, 1.0)
