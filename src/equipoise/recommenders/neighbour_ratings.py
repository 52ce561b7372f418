"""What neighbours gave, averaged: the rating side of both neighbourhood methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders.baseline import Baseline
from equipoise.recommenders.neighbours import choose, csr_arrays, room_for, write
from equipoise.recommenders.rating import UNKNOWN, RatingRecommender, mean_of_ratings
from equipoise.recommenders.similarity import (
    OF_RATINGS,
    PEARSON,
    SIMILARITIES,
    WEIGHTINGS,
    Csr,
    Space,
    ratings_of,
    similar,
    workspace,
)
from equipoise.recommenders.threads import over_rows
from equipoise.types import Floats32, Positions

OFFSETS = (None, "mean", "baseline")


class NeighbourRecommender(RatingRecommender):
    """What the two neighbourhood methods share: keywords, and ratings if ``use_values``."""

    k: int
    similarity: str
    shrinkage: float
    weighting: str | None
    use_values: bool
    threads: int
    alpha: float
    threshold: float
    offset: str | None
    _rated: RatedNeighbours | None

    def _check(self) -> None:
        self.require("k", self.k >= 1, "at least one neighbour")
        self.require("similarity", self.similarity in SIMILARITIES, f"one of {SIMILARITIES}")
        self.require("weighting", self.weighting in WEIGHTINGS, f"one of {WEIGHTINGS}")
        self.require("offset", self.offset in OFFSETS, f"one of {OFFSETS}")
        self.require("shrinkage", self.shrinkage >= 0, "zero or more")
        self.require("alpha", 0 <= self.alpha <= 1, "a number from 0 to 1")
        self.require("threshold", -1 <= self.threshold <= 1, "a number from -1 to 1")
        cosines = self.weighting is None or self.similarity in SIMILARITIES[:2]
        self.require("similarity", cosines, "cosine with weights")
        compares = self.use_values or self.similarity not in OF_RATINGS
        self.require("use_values", compares, f"True with {self.similarity}, which compares values,")

    def _hear(self, interactions: Interactions, space: Space, *, rows_are_users: bool) -> None:
        """Keep what ``predict`` needs, if there are ratings."""
        self._rated = None
        if not self.use_values:
            return
        ratings = ratings_of(interactions)
        self._rated = RatedNeighbours(
            space=space,
            by_column=csr_arrays(ratings.tocsc() if rows_are_users else ratings),
            offset=Offset.of(interactions, self.offset, rows_are_users),
            k=self.k,
            threshold=self.threshold,
            threads=self.threads,
        )

    @property
    def _ratings(self) -> RatedNeighbours:
        rated = self.__dict__.get("_rated")
        if rated is None:
            raise InvalidInput(
                f"{type(self).__name__} learnt whom an item is met by, and no ratings: fit with"
                " use_values=True to predict them",
                pointer="/use_values",
            )
        found: RatedNeighbours = rated
        return found


class Offset(NamedTuple):
    """What is taken off ratings before neighbours are averaged: o(r, c) = of_row + of_column.

    The last entry of each array is for ``UNKNOWN``.
    """

    of_row: Floats32
    """(R + 1,)"""
    of_column: Floats32
    """(C + 1,)"""
    row_alone: Floats32
    """(R + 1,) what is said of a row without neighbours; NaN where it has no ratings."""
    column_alone: Floats32
    """(C + 1,) what is said instead."""

    @classmethod
    def of(cls, interactions: Interactions, kind: str | None, rows_are_users: bool) -> Self:
        """``kind`` is one of ``OFFSETS``."""
        if kind == "baseline":
            model = Baseline().fit(interactions)
            biases = np.append(model.user_bias_, 0), np.append(model.item_bias_, 0)
            row, column = biases if rows_are_users else biases[::-1]
            row = row + float(model.mean_[0])
            return cls._narrow(row, column, row, np.zeros(len(column)))
        sides = (interactions.user, interactions.n_users), (interactions.item, interactions.n_items)
        means = [mean_of_ratings(interactions.value, *side) for side in sides]
        (overall, rows), (_, columns) = means if rows_are_users else means[::-1]
        row, column = np.append(rows["mean"], overall), np.append(columns["mean"], overall)
        alone = np.where(np.append(rows["count"], 0) > 0, row, np.nan)
        taken = row if kind == "mean" else np.zeros(len(row))
        return cls._narrow(taken, np.zeros(len(column)), alone, column)

    @classmethod
    def _narrow(cls, *arrays: NDArray[np.floating]) -> Self:
        return cls(*(array.astype(np.float32) for array in arrays))

    def at(self, rows: Positions, columns: Positions) -> Floats32:
        offset: Floats32 = self.of_row[rows] + self.of_column[columns]
        return offset

    def alone(self, rows: Positions, columns: Positions) -> Floats32:
        """What is said without neighbours; always finite."""
        row = self.row_alone[rows]
        said = np.where(np.isnan(row), self.column_alone[columns], row)
        whole: Floats32 = said + self.of_column[columns]
        return whole


@dataclass(frozen=True)
class RatedNeighbours:
    """Rating of row r and column c: o(r, c) + Σ s(r, v) (rating(v, c) − o(v, c)) / Σ |s(r, v)|,
    over the ``k`` rows v nearest to r among those with a rating in c.

    Herlocker, Konstan, Borchers, Riedl, SIGIR 1999; Koren, TKDD 2010, section 2.2. Rows are users
    or items. The offset o is 0 (None), the row's ``"mean"``, or the ``"baseline"`` μ + b_u + b_i of
    ``Baseline``. Neighbours of negative similarity, which only a negative threshold lets in, count
    with their sign, and the nearest are those of largest magnitude.

    Where no neighbour has a rating, the baseline is said, or else the row's mean, that of the
    column if the row has none, that of all if neither has.

    A prediction costs a comparison of its row with all others (once for all pairs of the row) and
    the length of its column; nothing but the ratings is kept.
    """

    space: Space
    by_column: Csr
    """(C, R) ratings."""
    offset: Offset
    k: int
    threshold: float
    threads: int

    def predict(self, rows: Positions, columns: Positions) -> Floats32:
        """(n,) ratings of pairs, whose codes may be ``UNKNOWN``; always finite."""
        said = self.offset.alone(rows, columns)
        known = np.flatnonzero((rows != UNKNOWN) & (columns != UNKNOWN))
        known = known[np.argsort(rows[known], kind="stable")]
        deviation = self._deviation(rows[known], columns[known])
        heard = known[np.isfinite(deviation)]
        told = deviation[np.isfinite(deviation)]
        said[heard] = self.offset.at(rows[heard], columns[heard]) + told
        return said

    def _deviation(self, rows: Positions, columns: Positions) -> Floats32:
        """(n,) the weighted mean of what neighbours deviate, ``rows`` rising; NaN without any."""
        starts = np.flatnonzero(np.diff(rows, prepend=-1, append=-1))
        out = np.full(len(rows), np.nan, np.float32)
        limits = (self.k, np.float32(self.threshold))
        asked = (starts, rows, columns)
        taken = (self.offset.of_row, self.offset.of_column)
        heard = (self.space, self.by_column, taken)
        over_rows(_deviations, len(starts) - 1, self.threads, heard, limits, asked, out)
        return out


@njit(cache=True, nogil=True, error_model="numpy")
def _deviations(start, stop, heard, limits, asked, out):  # type: ignore[no-untyped-def]
    space, by_column, offset = heard
    starts, rows, columns = asked
    n = len(space.asking)
    near, work = np.zeros(n, np.float32), workspace(n, space.similarity >= PEARSON)
    room = (np.empty(n + 1, np.int32), np.empty(n + 1, np.float32), room_for(limits[0], n))
    pointers, held, values = space.by_row
    for group in range(start, stop):
        row = rows[starts[group]]
        own = slice(pointers[row], pointers[row + 1])
        count = similar(space, held[own], values[own], space.asking[row], work)
        for at in range(count):
            near[work[2][at]] = work[3][at]
        near[row] = 0
        for pair in range(starts[group], starts[group + 1]):
            out[pair] = _mean_deviation(by_column, columns[pair], offset, near, limits, room)
        for at in range(count):
            near[work[2][at]] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def _mean_deviation(by_column, column, offset, near, limits, room):  # type: ignore[no-untyped-def]
    pointers, rows, ratings = by_column
    of_row, of_column = offset
    places, strengths, (keys, spare) = room
    k, threshold = limits
    first, count = pointers[column], pointers[column + 1] - pointers[column]
    for at in range(count):
        places[at], strengths[at] = at, near[rows[first + at]]
    size = choose(places, strengths, count, -1, threshold, k, keys, spare)
    write(keys, size, places, strengths)
    total = weight = 0.0
    for at in range(size):
        place = first + places[at]
        total += strengths[at] * (ratings[place] - of_row[rows[place]] - of_column[column])
        weight += abs(strengths[at])
    return total / weight
