"""What the console charts: sums by minute, and by hour where minutes have grown old."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.state.packing import pack, unpack
from equipoise.types import Arrays, Decision, Event, Floats, Kind, Milliseconds, Reward, Slot

MINUTE = 60_000
HOUR = 3_600_000
FIELDS = (
    "events", "decisions", "served_slots",
    "shown_explored", "shown_exploited", "clicks_explored", "clicks_exploited",
    "worth_explored", "worth_exploited",
    "orders", "revenue", "expected", "cost", "lists_short",
)  # fmt: skip
"""Events, orders and revenue are counted for the whole shop alone; the rest by placement too."""
OVERALL = ""
Sums = dict[str, Floats]
"""By placement, the whole shop under ``OVERALL``: (len(FIELDS),)."""

_AT = {name: place for place, name in enumerate(FIELDS)}


class Tallies:
    """A ``Fold`` over events and decisions, told of rewards by ``reward``.

    Keeps the ``minutes_kept`` newest minutes in which anything happened (48 h of a busy shop), sums
    older ones into hours and keeps ``hours_kept`` of those (90 days), for ``placements_kept``
    placements at most. It counts buckets instead of trusting the time, so that a clock which leaps
    ahead and back wipes nothing out. Money is in the shop's currency: amounts are taken as sent.
    """

    def __init__(
        self, *, minutes_kept: int = 2_880, hours_kept: int = 2_160, placements_kept: int = 64
    ) -> None:
        self._minutes_kept = minutes_kept
        self._hours_kept = hours_kept
        self._placements_kept = placements_kept
        self._minutes: dict[int, Sums] = {}
        self._hours: dict[int, Sums] = {}
        self._placements: dict[str, None] = {OVERALL: None}

    # ------------------------------------------------------------ what is asked

    @property
    def placements(self) -> list[str]:
        """Placements that have decided anything."""
        return [name for name in self._placements if name != OVERALL]

    def minutes(
        self, since: Milliseconds, until: Milliseconds, placement: str | None = None
    ) -> dict[str, NDArray[Any]]:
        """One row a minute of ``since <= ts < until``: ``ts`` and every one of ``FIELDS``.

        Minutes without anything are rows of 0, and so are those already summed into hours.
        """
        return _table(self._minutes, MINUTE, since, until, placement or OVERALL)

    def hours(
        self, since: Milliseconds, until: Milliseconds, placement: str | None = None
    ) -> dict[str, NDArray[Any]]:
        """The same by hour, young minutes included."""
        table = _table(self._hours, HOUR, since, until, placement or OVERALL)
        young = _table(self._minutes, MINUTE, since, until, placement or OVERALL)
        if len(young["ts"]):
            rows = (young["ts"] // HOUR - table["ts"][0] // HOUR).astype(np.int64)
            for name in FIELDS:
                np.add.at(table[name], rows, young[name])
        return table

    def totals(
        self, since: Milliseconds, until: Milliseconds, placement: str | None = None
    ) -> dict[str, float]:
        """Sums over ``since <= ts < until``; what is old counts by the hour it began in."""
        name = placement or OVERALL
        total = np.zeros(len(FIELDS))
        for buckets in (self._minutes, self._hours):
            for start, sums in buckets.items():
                if since <= start < until and name in sums:
                    total += sums[name]
        return dict(zip(FIELDS, total.tolist(), strict=True))

    # ------------------------------------------------------------ the fold

    def apply(self, seq: int, arrived: int, kind: Kind, noun: Any) -> None:
        if kind is Kind.EVENT:
            overall = self._bucket(arrived)[OVERALL]
            overall[0] += 1.0
            if noun.event == "purchase" or noun.event == "refund":
                _sell(overall, noun)
        elif kind is Kind.DECISION:
            self._decided(arrived, noun)

    def reward(self, placement: str, slot: Slot, reward: Reward) -> None:
        """A verdict on a slot: its first one is a slot that was shown."""
        arm = "explored" if slot.explored else "exploited"
        for sums in self._sums(reward.ts, placement):
            sums[_AT[f"shown_{arm}"]] += reward.first
            sums[_AT[f"clicks_{arm}"]] += reward.outcome == "click"
            sums[_AT[f"worth_{arm}"]] += reward.worth

    def _decided(self, arrived: int, decision: Decision) -> None:
        placement = decision.query.placement
        if len(self._placements) <= self._placements_kept:
            self._placements[placement] = None
        for sums in self._sums(arrived, placement):
            sums[_AT["decisions"]] += 1
            sums[_AT["served_slots"]] += len(decision.slots)
            sums[_AT["expected"]] += decision.expected
            sums[_AT["cost"]] += decision.cost
            sums[_AT["lists_short"]] += bool(decision.reason)

    def _sums(self, ts: int, placement: str) -> list[Floats]:
        bucket = self._bucket(ts)
        if placement not in self._placements:
            return [bucket[OVERALL]]
        return [bucket[OVERALL], bucket.setdefault(placement, np.zeros(len(FIELDS)))]

    def _bucket(self, ts: int) -> Sums:
        minute = ts - ts % MINUTE
        bucket = self._minutes.get(minute)
        if bucket is None:
            bucket = self._minutes[minute] = {OVERALL: np.zeros(len(FIELDS))}
            if len(self._minutes) > self._minutes_kept:
                return self._bound(minute)
        return bucket

    def _bound(self, minute: int) -> Sums:
        """Sum the oldest minute into its hour; where the bucket of ``minute`` now is."""
        oldest = min(self._minutes)
        hour = self._hours.setdefault(oldest - oldest % HOUR, {OVERALL: np.zeros(len(FIELDS))})
        for name, sums in self._minutes.pop(oldest).items():
            hour[name] = hour[name] + sums if name in hour else sums
        if len(self._hours) > self._hours_kept:
            del self._hours[min(self._hours)]
        return hour if oldest == minute else self._minutes[minute]

    def dump(self) -> Arrays:
        arrays: Arrays = {"placements": pack(list(self._placements))}
        for name, buckets in (("minutes", self._minutes), ("hours", self._hours)):
            rows = [
                (start, code, sums[placement])
                for start, sums in sorted(buckets.items())
                for code, placement in enumerate(self._placements)
                if placement in sums
            ]
            arrays[f"{name}.start"] = np.array([row[0] for row in rows], dtype=np.int64)
            arrays[f"{name}.placement"] = np.array([row[1] for row in rows], dtype=np.int32)
            arrays[f"{name}.sums"] = np.array([row[2] for row in rows]).reshape(-1, len(FIELDS))
        return arrays

    def load(self, arrays: Arrays) -> None:
        names = unpack(arrays["placements"], list[str])
        self._placements = dict.fromkeys(names)
        self._minutes = _buckets(arrays, "minutes", names)
        self._hours = _buckets(arrays, "hours", names)


def _sell(sums: Floats, event: Event) -> None:
    lines = sum((line.price or 0.0) * abs(line.quantity) for line in event.items)
    amount = lines if event.value is None else abs(event.value)
    sold = event.event == "purchase"
    sums[_AT["orders"]] += sold
    sums[_AT["revenue"]] += amount if sold else -amount


def _table(
    buckets: dict[int, Sums], width: int, since: int, until: int, placement: str
) -> dict[str, NDArray[Any]]:
    first = -(-since // width) * width if width == MINUTE else since - since % width
    starts = np.arange(first, until, width, dtype=np.int64)
    rows = np.zeros((len(starts), len(FIELDS)))
    for row, start in enumerate(starts.tolist()):
        sums = buckets.get(start, {}).get(placement)
        if sums is not None:
            rows[row] = sums
    return {"ts": starts, **{name: rows[:, place].copy() for place, name in enumerate(FIELDS)}}


def _buckets(arrays: Arrays, name: str, names: list[str]) -> dict[int, Sums]:
    buckets: dict[int, Sums] = {}
    starts, codes = arrays[f"{name}.start"].tolist(), arrays[f"{name}.placement"].tolist()
    for start, code, sums in zip(starts, codes, arrays[f"{name}.sums"], strict=True):
        buckets.setdefault(start, {})[names[code]] = sums.copy()
    return buckets
