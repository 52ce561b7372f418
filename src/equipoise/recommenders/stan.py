"""Session neighbours with three decays: the place in this session, the age, the place in theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numba import njit

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInteractions
from equipoise.recommenders.base import ones_unless
from equipoise.recommenders.session_index import (
    COSINE,
    SessionRecommender,
    add,
    backwards,
    compare,
    nearest,
    sharing,
)
from equipoise.types import Floats32, Item, Positions


class STAN(SessionRecommender):
    """Score of item i = Σ over the ``k`` nearest past sessions n that met i of
    s(n) · exp(−|p_n(i) − p_n(i*)| / ``neighbour_places``).

    Garg, Gupta, Malhotra, Vig, Shroff, "Sequence and Time Aware Neighborhood for Session-based
    Recommendations: STAN", SIGIR 2019, λ1 … λ3 being the three keywords. i* is the item of the
    history that n met last, p_n the place in n. With w_j = exp(−places before the history's end /
    ``history_places``), times the item's own weight, and over the ``sample`` newest sessions that
    share an item with it::

        s(n) = Σ_{j ∈ n} w_j / (|w| √|n|) · exp(−age of n / ``recency_days``)

    None for a keyword leaves its factor out. An age is counted from the newest session that shares
    an item, so that there is always one that counts in full. Two factors of SessionKNN stand beside
    these, as in the VSTAN of Ludewig, Mauro, Latifi, Jannach, UMUAI 2021: ``idf_weighting``, and
    ``match_places``, which lowers by exp(−places / ``match_places``) a neighbour whose newest item
    in common stands so many places before the history's end.

    Published settings of STAN: ``k=500, history_places=1.02, recency_days=5,
    neighbour_places=2.05, idf_weighting=0, match_places=None``. The defaults come from a validation
    week of Diginetica, where with times ``recency_days=160`` was better still.

    Sessions, histories, repeats, cost and memory as in SessionKNN, with 4 bytes a session more for
    its age.
    """

    name = "stan"
    learned = (*SessionRecommender.learned, "ages")

    ages_: Floats32
    """(S,) days from the newest row of each session to that of all; 0 without decay by age."""

    def __init__(
        self,
        *,
        k: int = 300,
        sample: int = 5_000,
        history_places: float | None = 4.0,
        recency_days: float | None = None,
        neighbour_places: float | None = 40.0,
        idf_weighting: float = 5.0,
        match_places: float | None = 4.0,
    ) -> None:
        self.k = k
        self.sample = sample
        self.history_places = history_places
        self.recency_days = recency_days
        self.neighbour_places = neighbour_places
        self.idf_weighting = idf_weighting
        self.match_places = match_places

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it, and InvalidInteractions where
        a decay by age is wanted and there are no timestamps."""
        self._check()
        self.ages_ = self._days(interactions)[self._index(interactions)]
        return self

    def prepare(self) -> None:
        super().prepare()
        self._boost = 1 + np.float32(self.idf_weighting) * self._rarity
        longest = int(np.diff(self.session_ptr_).max(initial=0))
        self._by_distance = _fading(np.arange(longest, dtype=np.float32), self.neighbour_places)

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        back = backwards(len(codes))
        counts = _fading(back, self.history_places) * ones_unless(weights, codes)
        out = np.full(len(self.item_ids_), np.nan, np.float32)
        sessions = (self._item_ptr, self._item_sessions, self.session_ptr_, self.session_items_)
        per_day = np.float32(1 / self.recency_days if self.recency_days else 0)
        fading = (self.ages_, per_day, _fading(back, self.match_places), self._by_distance)
        _score(sessions, codes, counts, (self.sample, self.k), fading, self._boost, out)
        return out

    def _days(self, interactions: Interactions) -> Floats32:
        """(users,) the age of each one's newest row, in days."""
        newest = np.zeros(interactions.n_users, np.int64)
        if self.recency_days is None:
            return newest.astype(np.float32)
        if interactions.timestamp is None:
            raise InvalidInteractions(
                "STAN(recency_days=…) needs timestamps, and these interactions have none: None"
                " leaves age aside",
                pointer="/timestamp",
            )
        newest[interactions.user] = interactions.timestamp
        days: Floats32 = ((newest.max(initial=0) - newest) / DAY).astype(np.float32)
        return days

    def _check(self) -> None:
        self.require("k", self.k >= 1, "at least one neighbour")
        self.require("sample", self.sample >= 1, "at least one session")
        self.require("idf_weighting", self.idf_weighting >= 0, "zero or more")
        for keyword in ("history_places", "recency_days", "neighbour_places", "match_places"):
            value = getattr(self, keyword)
            self.require(keyword, value is None or value > 0, "a positive number or None")


def _fading(distance: Floats32, reach: float | None) -> Floats32:
    if reach is None:
        return np.ones_like(distance)
    faded: Floats32 = np.exp(-distance / np.float32(reach))
    return faded


@njit(cache=True, nogil=True)
def _score(sessions, codes, counts, limits, fading, boost, out):  # type: ignore[no-untyped-def]
    item_ptr, item_sessions, session_ptr, session_items = sessions
    ages, per_day, by_match, by_distance = fading
    sample, k = limits
    met, shared, strength, newest = sharing(item_ptr, item_sessions, codes, counts, sample)
    compare(session_ptr, met, shared, strength, counts, COSINE)
    for n in range(len(met)):
        strength[n] *= np.exp(-(ages[met[n]] - ages[met[0]]) * per_day)
    mine = np.zeros(len(out), np.bool_)
    mine[codes] = True
    for n in nearest(strength, k):
        start, stop = session_ptr[met[n]], session_ptr[met[n] + 1]
        last = stop - 1
        while not mine[session_items[last]]:
            last -= 1
        value = strength[n] * by_match[newest[n]]
        for at in range(start, stop):
            item = session_items[at]
            add(out, item, value * by_distance[abs(at - last)] * boost[item])
