"""Known outcomes through a bandit, compiled: the choices of the object, many times as fast."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from equipoise.exploration.bandit.forms import Forms
from equipoise.exploration.bandit.kernels import Hedge, Ints, play
from equipoise.randomness import derive
from equipoise.types import Floats


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left to be played, from decision ``first`` on."""

    contexts: Floats
    outcomes: Floats
    root: int
    first: int

    def luck(self) -> Floats:
        """(n,) the number that each decision's own generator gives first."""
        numbers = range(self.first, self.first + len(self.contexts))
        return np.array([derive(self.root, "bandit", str(n)).random() for n in numbers])


def checked(contexts: ArrayLike, outcomes: ArrayLike) -> tuple[Floats, Floats]:
    """(n, d) and (n, K) finite floats.

    Raises:
        ValueError
    """
    x, earned = np.asarray(contexts, dtype=float), np.asarray(outcomes, dtype=float)
    if x.ndim != 2 or earned.ndim != 2 or len(x) != len(earned):
        raise ValueError(f"contexts {x.shape} and outcomes {earned.shape}; they are (n, d), (n, K)")
    if not (np.isfinite(x).all() and np.isfinite(earned).all()):
        raise ValueError("contexts and outcomes must be finite")
    return x, np.ascontiguousarray(earned)


def run(
    model: Forms,
    hedge: Hedge,
    rows: dict[Hashable, int],
    rest: Rest,
    *,
    reach: Floats,
    temperature: float,
) -> tuple[Ints, Floats]:
    """In place: the model, the hedge and ``rows`` learn. Gives chosen and propensity, (n,) each."""
    actions = rest.outcomes.shape[1]
    places = np.array([rows.get(action, -1) for action in range(actions)], dtype=np.int64)
    model.reserve(len(rows) + int((places < 0).sum()))
    chosen, propensity = np.empty(len(rest.contexts), dtype=np.int64), np.empty(len(rest.contexts))
    play(model.tables, hedge, model.scale.of(rest.contexts), model.weights, model.offsets,
         rest.outcomes, places, len(rows), rest.luck(), reach, temperature, chosen,
         propensity)  # fmt: skip
    newcomers = [a for a in range(actions) if places[a] >= 0 and a not in rows]
    for action in sorted(newcomers, key=lambda a: places[a]):
        rows[action] = int(places[action])
    return chosen, propensity
