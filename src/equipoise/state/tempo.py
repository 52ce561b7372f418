"""How fast the shop moves: lists a day, and how long an item stays among the best it could be."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from msgspec import Struct, field

from equipoise.clock import DAY
from equipoise.state.catalogue import Catalogue
from equipoise.types import Arrays, Kind, Milliseconds

OPENING = DAY
"""What is named within this time of the first item is the stock the shop began with."""


class _Sums(Struct, array_like=True):
    """Sums that fade with time, and the times themselves."""

    first: int = 0
    """When the first item was named; 0 before."""
    last: int = 0
    named: int = 0
    """Items of the catalogue when the last record came."""
    live: int = 0
    item_days: float = 0.0
    changes: float = 0.0
    """Launches and departures."""
    lists: dict[str, float] = field(default_factory=dict)
    """By placement."""
    began: dict[str, int] = field(default_factory=dict)


class Tempo:
    """A ``Fold``: what says how long knowledge of an item will be of use.

    An item ceases to be the best to show when it goes or when a newer one beats it. So the rate at
    which that happens is taken as launches and departures together, over the days that items were
    there (occurrences over exposure, the estimate of a hazard; Cox and Oakes, *Analysis of Survival
    Data*, 1984, 3.2). All sums halve in ``half_life_days``, so that a new season is followed.

    Args:
        catalogue: folds each record before this does.
        half_life_days: after which what was seen counts half.
    """

    def __init__(self, catalogue: Catalogue, *, half_life_days: float = 60.0) -> None:
        self._catalogue = catalogue
        self._half_life = half_life_days * DAY
        self._sums = _Sums()

    @property
    def last(self) -> Milliseconds:
        """When the newest record came, ticks aside; 0 before the first."""
        return self._sums.last

    @property
    def turnover(self) -> float:
        """Launches and departures a day, as a share of the items there."""
        return self._sums.changes / self._sums.item_days if self._sums.item_days > 0 else 0.0

    def lists_per_day(self, placement: str) -> float:
        """Of late; over a day at least, since before that nobody can say."""
        began = self._sums.began.get(placement)
        if began is None:
            return 0.0
        age = max(self._sums.last - began, 0)
        half_life = self._half_life
        weighed = half_life * (1.0 - 0.5 ** (age / half_life)) / np.log(2.0)
        return float(self._sums.lists[placement] * DAY / max(weighed, DAY))

    def horizon(self, placement: str, planning_days: float, outdating: float = 0.0) -> float:
        """Lists for which it will matter how good an item is: at least one.

        ``lists a day / (1 / planning_days + turnover + outdating)``: an end that comes at any of
        these rates, the last that of the memory in use (``ArmBank.outdating``), a day.
        """
        days = 1.0 / (1.0 / planning_days + self.turnover + outdating)
        return max(self.lists_per_day(placement) * days, 1.0)

    def apply(self, seq: int, arrived: Milliseconds, kind: Kind, noun: Any) -> None:
        """Take one record in."""
        if kind is Kind.TICK:
            # Ticks come when somebody looks: rounding must not depend on how often that is.
            return
        sums = self._sums
        self._pass(arrived)
        new = len(self._catalogue.ids) - sums.named
        if new > 0:
            sums.first = sums.first or max(arrived, 1)
            sums.named += new
            sums.live += new
            sums.changes += new if arrived - sums.first > OPENING else 0
        if kind is Kind.ITEM_REMOVED:
            sums.live = max(sums.live - 1, 0)
            sums.changes += 1
        elif kind is Kind.DECISION:
            placement = noun.query.placement
            sums.began.setdefault(placement, arrived)
            sums.lists[placement] = sums.lists.get(placement, 0.0) + 1.0

    def _pass(self, arrived: Milliseconds) -> None:
        """Let time go by: a clock that jumps back changes nothing."""
        sums = self._sums
        elapsed = arrived - sums.last if sums.last else 0
        sums.last = max(sums.last, arrived)
        if elapsed <= 0:
            return
        keep = 0.5 ** (elapsed / self._half_life)
        sums.item_days = keep * sums.item_days + sums.live * elapsed / DAY
        sums.changes *= keep
        for placement in sums.lists:
            sums.lists[placement] *= keep

    def dump(self) -> Arrays:
        """The whole state."""
        return {"json": np.frombuffer(msgspec.json.encode(self._sums), dtype=np.uint8)}

    def load(self, arrays: Arrays) -> None:
        """Become what ``dump`` described."""
        self._sums = msgspec.json.decode(arrays["json"].tobytes(), type=_Sums)
