"""How likely a slot is to be looked at: the position-based model of clicks, learnt as it is used.

P(click at k) = look(k) · P(click | looked at) (Richardson, Dominowska and Ragno, WWW 2007; Craswell
et al., WSDM 2008). A slot that was probably not seen teaches little, and is no proof of a bad item.

The curve of a placement starts from DCG's discount, flattened (Järvelin and Kekäläinen, TOIS
2002), and follows the clicks of its slots over those that the items there led us to expect: the
M-step of EM for this model, a step a verdict, the rates being the E-step's. What makes it
identifiable is that exploring shows the same items at different places (Agarwal et al., WSDM 2019).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec
import numpy as np

from equipoise.types import Arrays, Floats

STEEPNESS = 0.6
"""Of the first guess. 0: every slot is looked at; 1: DCG. At 0.6 the eighth slot has half of the
first's looks."""
STRENGTH = 30.0
"""Expected clicks after which a slot's own record weighs as much as the first guess."""
SLOTS = 100
LEAST = 0.02


@lru_cache(maxsize=8)
def first_guess(slots: int, *, steepness: float = STEEPNESS) -> Floats:
    """(slots,) ``log2(k + 2) ** -steepness``: 1 for the first, then falling. Read-only."""
    curve: Floats = np.log2(np.arange(slots) + 2.0) ** -steepness
    curve.setflags(write=False)
    return curve


class Examination:
    """The curves of a shop's placements. A fold of verdicts: additive, whatever their order."""

    def __init__(self) -> None:
        self._counts: dict[str, Floats] = {}
        """By placement, (2, SLOTS): clicks, and clicks expected if every slot were looked at."""

    def look(self, placement: str, slots: int) -> Floats:
        """(slots,) chance that each slot of a list is looked at, the first slot's being 1.

        Beyond the first hundred slots nothing is known, and the last known one goes on.
        """
        curve = self._curve(placement)[:slots]
        return np.pad(curve, (0, slots - len(curve)), mode="edge") if slots > SLOTS else curve

    def learn(self, placement: str, slot: int, clicks: float, expected: float) -> None:
        """A slot that came into view earned ``clicks``, where a certain look had ``expected``."""
        if slot < SLOTS:
            counts = self._counts.setdefault(placement, np.zeros((2, SLOTS)))
            counts[:, slot] += clicks, expected

    def _curve(self, placement: str) -> Floats:
        guess = first_guess(SLOTS)
        if placement not in self._counts:
            return guess
        clicks, expected = self._counts[placement]
        # Rates may be off as a whole; the curve is about places, so the first sets the unit.
        curve = (STRENGTH * guess + clicks) / (STRENGTH + expected)
        return np.asarray(np.clip(curve / curve[0], LEAST, 1.0))

    def arrays(self) -> Arrays:
        """The counts, placements by name."""
        names = sorted(self._counts)
        return {
            "placements": np.frombuffer(msgspec.json.encode(names), dtype=np.uint8),
            "counts": np.array([self._counts[name] for name in names]).reshape(-1, 2, SLOTS),
        }

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        names = msgspec.json.decode(arrays["placements"].tobytes(), type=list[str])
        self._counts = {
            name: counts.astype(float) for name, counts in zip(names, arrays["counts"], strict=True)
        }
