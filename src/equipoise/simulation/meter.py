"""What a run earned, by the world's own truth: expected reward, regret, and what really came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from equipoise.types import Bools, Floats

CURVE_EVERY = 50
"""Lists between two points of a curve."""
CURVE = ("ms", "lists", "reward", "oracle", "clicks", "orders", "explored")


@dataclass
class Outcome:
    """Sums over a run's lists of the placements that were measured."""

    lists: int = 0
    slots: int = 0
    explored: int = 0
    """Slots in which greedy would have shown another."""
    reward: float = 0.0
    """True expected worth of the lists, in the shop's currency, each at the moment it was shown."""
    oracle: float = 0.0
    """The same of the best list possible at each of those moments, by one who knows every shopper's
    mind. No rule binds it, and it plans no further than the list at hand."""
    clicks: int = 0
    """Clicks that came, by chance, from these lists; carts, orders, revenue likewise."""
    carts: int = 0
    orders: int = 0
    revenue: float = 0.0
    spent: float | None = None
    """What exploring cost by the recommender's own estimate; None where it cannot be asked."""
    expected: float | None = None
    """What its greedy lists would have earned, by the same estimate."""
    visits: int = 0
    events: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    """The first few refusals; a world that is right has none."""
    curve: dict[str, Floats] = field(default_factory=dict)
    """Cumulative, a point every CURVE_EVERY lists: ``ms`` of the world and the sums of CURVE."""

    @property
    def regret(self) -> float:
        return self.oracle - self.reward

    @property
    def share(self) -> float:
        """Of the oracle's reward, 0..1."""
        return self.reward / self.oracle if self.oracle else 0.0


class Meter:
    """Adds a run up."""

    def __init__(self, measured: tuple[str, ...]) -> None:
        self.measured = frozenset(measured)
        self.outcome = Outcome()
        self._points: list[tuple[float, ...]] = []

    def list(
        self,
        placement: str,
        ms: float,
        shown: list[int],
        explored: int,
        worth: Floats,
        look: Floats,
        available: Bools,
    ) -> None:
        """A list was shown. ``worth``: (items,) of a look; ``look``: (slots,) chance of one."""
        if placement not in self.measured:
            return
        outcome = self.outcome
        outcome.lists += 1
        outcome.slots += len(shown)
        outcome.explored += explored
        outcome.reward += slate_worth(worth[shown], look)
        outcome.oracle += oracle_worth(worth[available], look)
        if outcome.lists % CURVE_EVERY == 0:
            self._points.append(self._point(ms))

    def happened(self, placement: str | None, kind: str, revenue: float = 0.0) -> None:
        """A click, cart or order came from a list of this placement (None: found otherwise)."""
        if placement in self.measured:
            setattr(self.outcome, kind, getattr(self.outcome, kind) + 1)
            self.outcome.revenue += revenue

    def close(self) -> Outcome:
        columns = np.array(self._points, dtype=np.float64).reshape(-1, len(CURVE)).T
        self.outcome.curve = dict(zip(CURVE, columns, strict=True))
        return self.outcome

    def _point(self, ms: float) -> tuple[float, ...]:
        sums = self.outcome
        return (ms, sums.lists, sums.reward, sums.oracle, sums.clicks, sums.orders, sums.explored)


def slate_worth(worth: Floats, look: Floats) -> float:
    """True expected worth of items with this ``worth`` of a look, in this order."""
    return float(worth @ look[: len(worth)])


def oracle_worth(worth: Floats, look: Floats) -> float:
    """The most that any list could be worth: the best items, the best first (rearrangement)."""
    n = min(len(look), len(worth))
    best = np.sort(np.partition(worth, len(worth) - n)[len(worth) - n :])[::-1]
    return slate_worth(best, np.sort(look[:n])[::-1])
