"""What most people take, lately: overall, in the history's categories, in a cohort; and what rises.

The baselines that every other method has to beat. One class a form, each with a name of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInput, InvalidInteractions
from equipoise.recommenders.base import History, Recommender, ones_unless
from equipoise.recommenders.top import masked_top
from equipoise.types import Floats, Floats32, Item, Positions


class Popularity(Recommender):
    """Score = the interactions with an item, each worth half as much ``half_life_days`` later.

    The same for every history, so an empty one is answered too. Without ``half_life_days`` age does
    not matter ("TopPop"). ``use_values`` counts each interaction's value instead of 1.

    Ages are taken from the newest interaction. Fit O(nnz); a score copies I floats; memory I
    floats.
    """

    name = "popularity"
    learned: ClassVar[tuple[str, ...]] = ("counts",)

    counts_: Floats32
    """(I,) decayed interactions of each item, 0 where there were none."""

    def __init__(self, *, half_life_days: float | None = None, use_values: bool = False) -> None:
        self.half_life_days = half_life_days
        self.use_values = use_values

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInteractions where decay is wanted and there are no timestamps."""
        worth = self._worth(interactions)
        self.item_ids_ = interactions.item_ids
        counts = np.bincount(interactions.item, worth, minlength=len(self.item_ids_))
        self.counts_ = counts.astype(np.float32)
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        return self.counts_.copy()

    def _worth(self, interactions: Interactions) -> Floats:
        """(n,) what each row counts."""
        worth = np.ones(len(interactions))
        if self.half_life_days is not None:
            self.require("half_life_days", self.half_life_days > 0, "a positive number of days")
            ages = _ages(interactions, f"{type(self).__name__}(half_life_days=…)")
            worth = np.exp2(-ages / self.half_life_days)
        return worth * interactions.value if self.use_values else worth


class CategoryPopularity(Popularity):
    """Score = popularity times the share of the history that stands in a category of the item.

    Where an item has several categories, the largest of their shares. Of a category path the first
    ``depth`` parts are compared, all of them by default. An item in no category of the history's
    scores NaN; a history that is empty or of no category gets what is popular overall.

    Popularity as in ``Popularity``, from the same keywords. Fit O(nnz + categories of items); a
    score costs these categories; memory 4 bytes for each besides I floats.
    """

    name = "category_popularity"
    learned = ("counts", "category_ptr", "categories")

    category_ptr_: NDArray[np.int64]
    """(I + 1,) where each item's categories start."""
    categories_: Positions
    """Numbers of categories, in the order of their paths."""

    def __init__(
        self,
        *,
        half_life_days: float | None = None,
        use_values: bool = False,
        depth: int | None = None,
    ) -> None:
        super().__init__(half_life_days=half_life_days, use_values=use_values)
        self.depth = depth

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput without ``items``, whose categories these are."""
        self.require("depth", self.depth is None or self.depth >= 1, "at least 1, or None for all,")
        if items is None:
            raise InvalidInput(
                "CategoryPopularity reads categories from items: fit(interactions, items=…)",
                pointer="/items",
            )
        super().fit(interactions)
        paths = {item.item_id: sorted(set(map(self._cut, item.categories))) for item in items}
        of_item = [paths.get(id_, []) for id_ in self.item_ids_]
        number = {path: n for n, path in enumerate(sorted({p for all_ in of_item for p in all_}))}
        counts = [len(all_) for all_ in of_item]
        self.category_ptr_ = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        told = (number[path] for all_ in of_item for path in all_)
        self.categories_ = np.fromiter(told, np.int32, sum(counts))
        self.prepare()
        return self

    def prepare(self) -> None:
        self._item = np.repeat(np.arange(len(self.counts_)), np.diff(self.category_ptr_))

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        mine = np.zeros(len(self.counts_))
        mine[codes] = ones_unless(weights, codes)
        heard = np.bincount(self.categories_, mine[self._item])
        if not heard.any():
            return self.counts_.copy()
        share = np.zeros(len(mine))
        np.maximum.at(share, self._item, heard[self.categories_] / mine.sum())
        scores: Floats32 = np.where(share > 0, self.counts_ * share, np.nan).astype(np.float32)
        return scores

    def _cut(self, path: str) -> str:
        return "/".join(path.split("/")[: self.depth])


class CohortPopularity(Popularity):
    """Score in cohort c = c's popularity of the item + ``prior`` · the item's share of all
    popularity.

    ``fit(…, cohorts=…)`` tells who belongs to which: a mapping of user ids to the names of cohorts,
    all text or all integers (countries, age groups, tiers of customers). Whom it does not name
    counts overall alone. The ``prior`` is so many interactions more in each cohort, gone as they
    went in all of them, so that a small cohort follows the others until it has a mind of its own.

    A history does not say whose it is: ask ``recommend_for(cohort)``. Asked as any recommender, it
    answers with what is popular overall. Names of cohorts are stored with a model, ids of users
    are not. Fit O(nnz + cohorts · I), memory (cohorts + 1) · I floats.
    """

    name = "cohort_popularity"
    learned = ("counts", "cohorts", "cohort_counts")

    cohorts_: NDArray[np.str_] | NDArray[np.int64]
    """(C,) names, rising."""
    cohort_counts_: Floats32
    """(C, I) the scores."""

    def __init__(
        self,
        *,
        half_life_days: float | None = None,
        use_values: bool = False,
        prior: float = 10.0,
    ) -> None:
        super().__init__(half_life_days=half_life_days, use_values=use_values)
        self.prior = prior

    def fit(
        self,
        interactions: Interactions,
        *,
        items: Iterable[Item] | None = None,
        cohorts: Mapping[Hashable, str | int] | None = None,
    ) -> Self:
        """Raises InvalidInput for a negative prior, and for names that are not all of one kind."""
        self.require("prior", self.prior >= 0, "zero or more")
        super().fit(interactions)
        told = cohorts or {}
        names = sorted(set(told.values()), key=lambda name: (str(type(name)), name))
        self.cohorts_ = _names(names)
        number = {name: n for n, name in enumerate(names)}
        users = interactions.user_ids.tolist()
        cohort = np.array([number[told[u]] if u in told else -1 for u in users], np.int64)
        row = cohort[interactions.user]
        shape = (len(names), len(self.counts_))
        cell = row * shape[1] + interactions.item
        counts = np.bincount(
            cell[row >= 0], self._worth(interactions)[row >= 0], minlength=shape[0] * shape[1]
        )
        share = self.counts_ / max(float(self.counts_.sum()), 1e-12)
        self.cohort_counts_ = (counts.reshape(shape) + self.prior * share).astype(np.float32)
        return self

    def recommend_for(
        self, cohort: str | int, history: History = (), n: int = 20, *, repeats: bool = False
    ) -> tuple[NDArray[np.object_], Floats32]:
        """``recommend`` for somebody of ``cohort``; the ``history`` is left out of the list.

        Raises InvalidInput for a cohort that nobody was said to be in, and for ``n`` below 1.
        """
        place = np.flatnonzero(self.cohorts_ == cohort)
        if not len(place):
            known = ", ".join(map(repr, self.cohorts_.tolist())) or "no cohort"
            raise InvalidInput(f"no cohort {cohort!r}; fit was told of {known}", pointer="/cohort")
        if n < 1:
            raise InvalidInput(f"n is {n}; at least 1 item must be asked for", pointer="/n")
        allowed = np.ones(len(self.counts_), np.bool_)
        if not repeats:
            allowed[self.encode(history)[0]] = False
        best, scores = masked_top(self.cohort_counts_[place[0]], allowed, n)
        return self.item_ids_[best], scores


class Trending(Recommender):
    """Score = how many standard deviations an item's rate of late lies above that of its past.

    With c_h the interactions with an item, each worth half as much ``half_life_days`` h later, and
    e_h = ∫ 2^(−a/h) da over the days that the data span, r = c_h / e_h is its rate a day of late,
    and R = c_H / e_H, with ``past_half_life_days`` for H, that of its past. If they came at random
    at the rate R (Poisson), r − R would have the variance R · v, and so::

        score = (r − R) / √((R + 1/e_H) · v),    v = ∫ (2^(−a/h) / e_h − 2^(−a/H) / e_H)² da

    1/e_H, one interaction more in the past, keeps a single click on a new item from being a wonder.
    ``use_values`` counts each interaction's value, at least 0, for so many.

    The same for every history, so an empty one is answered too; an item without interactions scores
    NaN. Ages are taken from the newest interaction. Fit O(nnz); a score copies I floats; memory I
    floats.
    """

    name = "trending"
    learned = ("trends",)

    trends_: Floats32
    """(I,) the scores."""

    def __init__(
        self,
        *,
        half_life_days: float = 7.0,
        past_half_life_days: float = 60.0,
        use_values: bool = False,
    ) -> None:
        self.half_life_days = half_life_days
        self.past_half_life_days = past_half_life_days
        self.use_values = use_values

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput unless 0 < half_life_days < past_half_life_days, and
        InvalidInteractions without timestamps."""
        late, past = self.half_life_days, self.past_half_life_days
        self.require("half_life_days", late > 0, "a positive number of days")
        self.require("past_half_life_days", past > late, "more days than half_life_days")
        ages = _ages(interactions, "Trending")
        values = np.maximum(interactions.value, 0) if self.use_values else np.ones(len(ages))
        # Less than a day of data would make any rate a large one.
        span = max(1.0, float(ages.max(initial=0)))
        n = interactions.n_items
        counts = np.bincount(interactions.item, values, minlength=n)
        rates = [
            np.bincount(interactions.item, values * np.exp2(-ages / half), minlength=n)
            / _exposure(half, span)
            for half in (late, past)
        ]
        expected = rates[1] + 1 / _exposure(past, span)
        spread = np.sqrt(expected * _variance(late, past, span))
        scores = np.where(counts > 0, (rates[0] - rates[1]) / spread, np.nan)
        self.trends_ = scores.astype(np.float32)
        self.item_ids_ = interactions.item_ids
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        return self.trends_.copy()


def _ages(interactions: Interactions, asker: str) -> Floats:
    """(n,) days before the newest row."""
    if interactions.timestamp is None:
        raise InvalidInteractions(
            f"{asker} needs timestamps, and these interactions have none", pointer="/timestamp"
        )
    ages: Floats = (interactions.timestamp.max(initial=0) - interactions.timestamp) / DAY
    return ages


def _exposure(half_life: float, span: float) -> float:
    """∫ 2^(−a/half_life) da from 0 to span."""
    return float(half_life / np.log(2) * (1 - np.exp2(-span / half_life)))


def _variance(late: float, past: float, span: float) -> float:
    """∫ (2^(−a/late) / e_late − 2^(−a/past) / e_past)² da from 0 to span."""
    e_late, e_past = _exposure(late, span), _exposure(past, span)
    both = late * past / (late + past)
    return (
        _exposure(late / 2, span) / e_late**2
        - 2 * _exposure(both, span) / (e_late * e_past)
        + _exposure(past / 2, span) / e_past**2
    )


def _names(names: list[str | int]) -> NDArray[np.str_] | NDArray[np.int64]:
    kinds = set(map(type, names))
    if kinds == {int}:
        return np.array(names, np.int64)
    if kinds <= {str}:
        return np.array(names, np.str_)
    raise InvalidInput(
        f"cohorts are named by {', '.join(sorted(kind.__name__ for kind in kinds))}; all text or"
        " all integers is wanted",
        pointer="/cohorts",
    )
