"""Where candidates come from: one class a source. Best first, scores in 0..1, only the eligible.

None raises for a stranger: a source that cannot say proposes nothing, and the next one fills in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.candidates.best import Shortlist, best, turn_of, walk, within_categories
from equipoise.candidates.shop import Catalogue, Counts, Recommender
from equipoise.clock import DAY, Clock, now
from equipoise.types import Bools, Candidates, Floats, Floats32, Positions, Query, Shopper

RECENT = 12
"""Newest items of a history that co-views are looked up for."""
FADING = 0.85
"""Weight of each step further back in the history."""


class Recommended:
    """What a fitted recommender makes of the seed items or else of the shopper's history.

    Keeps a map between the recommender's codes and the catalogue's positions, extended when the
    catalogue grows. A new snapshot is a new source; making one costs O(items).
    """

    def __init__(self, recommender: Recommender, catalogue: Catalogue) -> None:
        self.name = recommender.name
        self._recommender = recommender
        self._catalogue = catalogue
        self._unmapped = {item_id: code for code, item_id in enumerate(recommender.item_ids_)}
        self._position = np.full(len(recommender.item_ids_), -1, np.int32)
        self._code = np.empty(0, np.int32)

    def propose(self, query: Query, shopper: Shopper, eligible: Bools, k: int) -> Candidates:
        items, weights = _seeds(query, self._catalogue), None
        if not len(items):
            items, weights = shopper.history, shopper.weights
        return self.of(items, weights, eligible, k)

    def of(self, items: Positions, weights: Floats32 | None, eligible: Bools, k: int) -> Candidates:
        """What goes with these items, newest last; they themselves too, if ``eligible`` says so."""
        self._map()
        codes = self._code[items]
        known = codes >= 0
        weighed = None if weights is None else weights[known]
        allowed = _pull(eligible, self._position)
        found, scores = self._recommender.top_codes(codes[known], weighed, allowed, k)
        kept = np.isfinite(scores)
        return Candidates(self._position[found[kept]], _share_of_best(scores[kept]), self.name)

    def _map(self) -> None:
        """Give the catalogue's new items their codes; what it had before keeps them."""
        start, size = len(self._code), len(self._catalogue)
        if start == size:
            return
        new = np.full(size - start, -1, np.int32)
        for position in range(start, size):
            code = self._unmapped.pop(self._catalogue.ids[position], -1)
            if code >= 0:
                new[position - start] = code
                self._position[code] = position
        self._code = np.concatenate([self._code, new])


class CoViewed:
    """What others met together with what this shopper met lately."""

    name = "co_viewed"

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def propose(self, query: Query, shopper: Shopper, eligible: Bools, k: int) -> Candidates:
        recent = shopper.history[-RECENT:]
        fading = FADING ** np.arange(len(recent) - 1, -1, -1)
        weights = shopper.weights[-RECENT:] * fading
        return _strongest(_together(self._counts, recent, weights), recent, eligible, k, self.name)


class Similar:
    """What goes with the seed items: met together, alike in content, or of the same category.

    An item's score is the best of the three, the first counting most: what shoppers do says more
    than what the feed says, and where neither says anything the category still does. ``content``
    may be any recommender over items; without one the other two remain.
    """

    name = "similar"
    CONTENT = 0.8
    CATEGORY = 0.4

    def __init__(
        self,
        counts: Counts,
        catalogue: Catalogue,
        content: Recommended | None = None,
        *,
        clock: Clock = now,
    ) -> None:
        self._counts = counts
        self._catalogue = catalogue
        self._content = content
        self._clock = clock

    def propose(self, query: Query, shopper: Shopper, eligible: Bools, k: int) -> Candidates:
        seeds = _seeds(query, self._catalogue)
        if not len(seeds):
            return _nothing(self.name)
        others = eligible.copy()
        others[seeds[seeds < len(others)]] = False
        parts = [
            (1.0, _strongest(_together(self._counts, seeds), seeds, others, k, self.name)),
            (self.CATEGORY, self._of_category(seeds, others, k, turn_of(query, shopper))),
        ]
        if self._content is not None:
            parts.append((self.CONTENT, self._content.of(seeds, None, others, k)))
        return _best_of(parts, k, self.name)

    def _of_category(self, seeds: Positions, eligible: Bools, k: int, turn: int) -> Candidates:
        codes = self._catalogue.category[seeds]
        share = np.bincount(codes[codes >= 0]) / len(seeds)
        values = _relative(self._counts.trending(self._clock()))
        return _of_categories(share, self._catalogue, values, eligible, k, turn, self.name)


class Favourites:
    """The most met items of the categories that the shopper likes, in proportion to the liking.

    An item belongs to the first of its category paths.
    """

    name = "favourites"

    def __init__(self, counts: Counts, catalogue: Catalogue, *, clock: Clock = now) -> None:
        self._counts = counts
        self._catalogue = catalogue
        self._clock = clock

    def propose(self, query: Query, shopper: Shopper, eligible: Bools, k: int) -> Candidates:
        if not shopper.categories:
            return _nothing(self.name)
        share = self._shares(shopper.categories)
        values = _relative(self._counts.trending(self._clock()))
        turn = turn_of(query, shopper)
        return _of_categories(share, self._catalogue, values, eligible, k, turn, self.name)

    def _shares(self, liked: Mapping[str, float]) -> Floats:
        """(codes,) the shopper's share of interest by category code, as far as one is liked."""
        codes = {path: self._catalogue.code("category", path) for path in liked}
        known = {code: liked[path] for path, code in codes.items() if code is not None}
        share = np.zeros(max(known, default=-1) + 1)
        share[list(known)] = list(known.values())
        return share


class Trending:
    """What is met most these days, by anybody."""

    name = "trending"

    def __init__(self, counts: Counts, *, clock: Clock = now) -> None:
        self._counts = counts
        self._clock = clock
        self._shortlist = Shortlist()

    def propose(self, query: Query, shopper: Shopper, eligible: Bools, k: int) -> Candidates:
        at = self._clock()
        met = self._counts.trending(at)
        # Who leads is found anew once a second, by how much is always known to the moment.
        second = (at // 1_000, len(met))
        items, values = self._shortlist.best(met, second, eligible, k, turn_of(query, shopper))
        return Candidates(items[values > 0], _share_of_best(values[values > 0]), self.name)


class New:
    """The newest items, so that launches are seen at all. Those of one day take turns."""

    name = "new"

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._shortlist = Shortlist()
        self._version = -1
        self._days: NDArray[np.int32] = np.empty(0, np.int32)

    def propose(self, query: Query, shopper: Shopper, eligible: Bools, k: int) -> Candidates:
        version = self._catalogue.version
        if version != self._version:
            self._version, self._days = version, _days(self._catalogue.created)
        items, values = self._shortlist.best(
            self._days, version, eligible, k, turn_of(query, shopper)
        )
        age = (values[:1] - values).astype(np.float32)
        return Candidates(items, 1 / (1 + age), self.name)


class Anything:
    """The whole catalogue, in another order at each turn: a full list while stock exists.

    Every eligible item has the same chance of being among the first, so that a shop with nothing
    but a catalogue shows all of it, to different people and as they move on.
    """

    name = "anything"

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def propose(self, query: Query, shopper: Shopper, eligible: Bools, k: int) -> Candidates:
        eligible = eligible[: len(self._catalogue)]
        items = walk(eligible, k, turn_of(query, shopper))
        return Candidates(items, np.ones(len(items), np.float32), self.name)


# ---------------------------------------------------------------- what they share


def _seeds(query: Query, catalogue: Catalogue) -> Positions:
    found = [catalogue.find(item_id) for item_id in query.item_ids]
    return np.array([position for position in found if position is not None], np.int32)


def _nothing(source: str) -> Candidates:
    return Candidates(np.empty(0, np.int32), np.empty(0, np.float32), source)


def _share_of_best(values: NDArray[np.floating]) -> Floats32:
    """Values, best first, as shares of the first; what lies at or below 0 says nothing more than 0.

    Where even the best is no more than 0, they are told apart by their distance to it.
    """
    if not len(values):
        return np.empty(0, np.float32)
    if values[0] > 0:
        return np.asarray(np.maximum(values / values[0], 0.0), np.float32)
    return np.asarray(1 / (1 + (values[0] - values)), np.float32)


def _relative(values: Floats) -> Floats:
    """Values, 0 or more, as shares of the largest."""
    largest: float = values.max(initial=0.0)
    return values / largest if largest > 0 else values


def _together(
    counts: Counts, items: Positions, weights: Sequence[float] | NDArray[np.floating] | None = None
) -> tuple[Positions, Floats]:
    """Positions met with any of ``items``, each once, and the weighted sum of their strengths."""
    pairs = [counts.together(int(item)) for item in items]
    if not any(len(positions) for positions, _ in pairs):
        return np.empty(0, np.int32), np.empty(0)
    weighed = np.ones(len(items)) if weights is None else weights
    strength = np.concatenate([s * w for (_, s), w in zip(pairs, weighed, strict=True)])
    positions, which = np.unique(np.concatenate([p for p, _ in pairs]), return_inverse=True)
    return positions.astype(np.int32), np.bincount(which, strength).astype(np.float64)


def _strongest(
    met: tuple[Positions, Floats], beside: Positions, eligible: Bools, k: int, source: str
) -> Candidates:
    """The strongest that are eligible, without those they were met beside."""
    positions, strength = met
    kept = (strength > 0) & ~np.isin(positions, beside)
    kept[kept] = eligible[positions[kept]]
    positions, strength = positions[kept], strength[kept]
    order = np.argsort(-strength, kind="stable")[:k]
    return Candidates(positions[order], _share_of_best(strength[order]), source)


def _of_categories(
    share: Floats, catalogue: Catalogue, values: Floats, eligible: Bools, k: int, turn: int,
    source: str,
) -> Candidates:  # fmt: skip
    if not share.any():
        return _nothing(source)
    weighted = within_categories(share, catalogue.category, values)
    items, scores = best(weighted, eligible, k, turn)
    return Candidates(items, _share_of_best(scores), source)


def _best_of(parts: Sequence[tuple[float, Candidates]], k: int, source: str) -> Candidates:
    """Each item once, with the best of its discounted scores."""
    items = np.concatenate([part.items for _, part in parts])
    scores = np.concatenate([part.score * factor for factor, part in parts])
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(items[order], return_index=True)
    kept = order[np.sort(first)][:k]
    return Candidates(items[kept], _share_of_best(scores[kept]), source)


@njit(cache=True, nogil=True)
def _pull(eligible, position):  # type: ignore[no-untyped-def]
    """``eligible`` in the order of the recommender's codes; False for what the catalogue lacks."""
    out = np.zeros(len(position), np.bool_)
    for code in range(len(position)):
        at = position[code]
        out[code] = 0 <= at < len(eligible) and eligible[at]
    return out


@njit(cache=True, nogil=True)
def _days(created):  # type: ignore[no-untyped-def]
    out = np.empty(len(created), np.int32)
    for i in range(len(created)):
        out[i] = created[i] // DAY
    return out
