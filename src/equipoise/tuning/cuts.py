"""Validation parts, cut from the training part alone: what is reported later is never looked at."""

from __future__ import annotations

from typing import NamedTuple

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInput, InvalidInteractions
from equipoise.randomness import derive


class Cut(NamedTuple):
    """Fit on one, judge on the other."""

    train: Interactions
    test: Interactions


def by_time(rows: Interactions, *, days: float = 28.0, cuts: int = 1) -> list[Cut]:
    """The last ``days`` from what went before; then the ``days`` before these; and so on.

    Raises:
        InvalidInteractions: no times, or so short a log that one of the parts is empty.
    """
    _one_at_least(cuts)
    if rows.timestamp is None:
        raise InvalidInteractions(
            "a validation part cut by time needs timestamps; cut it by user", code="split"
        )
    newest = int(rows.timestamp.max(initial=0))
    found = []
    for place in range(cuts):
        end = newest - place * days * DAY
        known = rows.take(rows.timestamp <= end)
        found.append(_whole(known, rows, end - days * DAY, days, cuts))
    return found


def by_user(rows: Interactions, *, share: float = 0.2, cuts: int = 1, seed: int = 0) -> list[Cut]:
    """A random ``share`` of each user's items, drawn anew for each cut.

    Raises:
        InvalidInteractions: nobody has two items.
    """
    _one_at_least(cuts)
    found = []
    for place in range(cuts):
        luck = derive(seed, "tuning.cuts", str(place))
        cut = Cut(*rows.split_user_fraction(share, shuffled=True, random_state=luck))
        if not len(cut.test):
            raise InvalidInteractions("nobody has items enough to hold one out", code="split")
        found.append(cut)
    return found


def _whole(known: Interactions, rows: Interactions, end: float, days: float, cuts: int) -> Cut:
    assert known.timestamp is not None
    cut = Cut(known.take(known.timestamp <= end), known.take(known.timestamp > end))
    if not len(cut.train) or not len(cut.test):
        raise InvalidInteractions(
            f"{rows!r} are too short for {cuts} validation parts of {days:g} days", code="split"
        )
    return cut


def _one_at_least(cuts: int) -> None:
    if cuts < 1:
        raise InvalidInput(f"cuts is {cuts}; at least one validation part", pointer="/cuts")
