"""Choices whose reward is still to come, and what they will teach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from equipoise.types import Floats


class Awaited:
    """The newest choices without a reward, at most ``limit``; older ones are given up.

    Without it every optimistic policy floods a new action for as long as feedback takes.
    """

    def __init__(self, limit: int) -> None:
        if limit < 0:
            raise ValueError(f"in_flight is {limit}; it is a number of choices, 0 or more")
        self.limit = limit
        self.choices: dict[int, tuple[Hashable, ...]] = {}
        self._times: Counter[Hashable] = Counter()

    def __len__(self) -> int:
        return len(self.choices)

    def add(self, number: int, actions: tuple[Hashable, ...]) -> None:
        """A choice is under way."""
        self.choices[number] = actions
        self._times.update(actions)
        if len(self.choices) > self.limit:
            self.land(next(iter(self.choices)))

    def land(self, number: int) -> None:
        """It is no longer awaited, if it was."""
        for action in self.choices.pop(number, ()):
            self._times[action] -= 1
            if not self._times[action]:
                del self._times[action]

    def left(self, actions: Sequence[Hashable], seen: Mapping[Hashable, float]) -> Floats:
        """(K,) ``(1 + n) / (1 + n + q)``, n the rewards ``seen`` of an action, q those awaited: the
        share of its variance that will be left, exact for an action without context and λ = 1."""
        known: Floats = 1.0 + np.array([seen[action] for action in actions])
        due: Floats = np.array([float(self._times[action]) for action in actions])
        return known / (known + due)
