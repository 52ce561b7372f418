"""What the lift model sees of a match of shopper and item: a feature = state + writes + value.

Each is a small function whose docstring names the *state* it reads, the events that *write* that
state, and its *value*, which is of the order of 1, and 0 where nothing is known. ``PRIORS`` says
what each is worth before the shop's own log says better, so that an untrained shop personalises
from the first click.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import DAY
from equipoise.types import Floats, Floats32, Milliseconds, Positions, Shopper

PRIORS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        # name: (mean, spread) of the weight. A lift of 1 is an item shown to just anybody; the
        # weight of that cannot move, since it is the unit of all rates.
        "base": (1.0, 0.001),
        "recommended": (1.5, 1.0),
        "popular": (1.0, 1.0),
        "affinity": (2.0, 1.0),
        "co_viewed": (1.5, 1.0),
        "similar": (1.0, 1.0),
        "price": (0.3, 0.3),
        "repeat": (-1.0, 1.0),
        "shown": (-0.5, 0.5),
        "fresh": (0.2, 0.3),
    }
)
NAMES = tuple(PRIORS)
PRIOR_MEAN: Floats = np.array([mean for mean, _ in PRIORS.values()])
PRIOR_PRECISION: Floats = np.array([spread**-2 for _, spread in PRIORS.values()])

FOR_ALL = frozenset({"trending", "popularity"})
"""Sources that say the same of an item whoever asks."""
ONLINE = frozenset({"similar", "co_viewed", "favourites", "trending", "new", "anything"})
"""Sources that are no fitted recommenders; every other column of a pool is one's score."""
FRESH_DAYS = 30.0
"""Age at which freshness has fallen to 1/e."""
PRICE_REACH = 2.0
"""Log-price distance beyond which further is no worse (7.4 times dearer or cheaper)."""


class Pool(Protocol):
    """The candidates, with one column of scores a source."""

    @property
    def items(self) -> Positions: ...
    @property
    def scores(self) -> Floats32: ...
    @property
    def sources(self) -> Sequence[str]: ...


class Catalogue(Protocol):
    """Arrays by position; categories as codes in a tree."""

    @property
    def price(self) -> Floats: ...
    @property
    def category(self) -> NDArray[np.int32]: ...
    @property
    def created(self) -> NDArray[np.int64]: ...
    @property
    def parents(self) -> Sequence[int]:
        """By category code the code one level up, -1 at the top."""

    def code(self, kind: str, name: str) -> int | None: ...


def compute(pool: Pool, shopper: Shopper, catalogue: Catalogue, now: Milliseconds) -> Floats:
    """(n, len(NAMES)) features of the pool's items for this shopper at this time."""
    items = pool.items
    columns: Mapping[str, Floats | Floats32] = {
        "base": np.ones(len(items)),
        "recommended": recommended(pool),
        "popular": popular(pool),
        "affinity": affinity(catalogue, items, shopper.categories),
        "co_viewed": _column(pool, "co_viewed"),
        "similar": _column(pool, "similar"),
        "price": price(catalogue.price[items], shopper.price),
        "repeat": repeat(items, shopper.history),
        "shown": shown(items, shopper.shown, shopper.shown_times),
        "fresh": fresh(catalogue.created[items], now),
    }
    return np.stack([columns[name] for name in NAMES], axis=1, dtype=np.float64)


def recommended(pool: Pool) -> Floats32:
    """State: published recommenders. Writes: training. Value: the best of their scores, 0..1."""
    learnt = [i for i, name in enumerate(pool.sources) if name not in ONLINE | FOR_ALL]
    scores: Floats32 = pool.scores[:, learnt].max(axis=1, initial=0.0)
    return scores


def popular(pool: Pool) -> Floats32:
    """State: counts of all shoppers, now and at the last training. Writes: views, carts, purchases.

    Value, 0..1: as a share of the best, the same for everybody. It lends what the shop sold to
    items that no list has shown yet.
    """
    shared = [i for i, name in enumerate(pool.sources) if name in FOR_ALL]
    scores: Floats32 = pool.scores[:, shared].max(axis=1, initial=0.0)
    return scores


def affinity(catalogue: Catalogue, items: Positions, shares: Mapping[str, float]) -> Floats:
    """State: shares of interest by category path. Writes: every view, cart, purchase.

    Value, 0..1: the mean share over the levels of the item's category, so that a neighbouring leaf
    of a loved department counts in part.
    """
    liked = {catalogue.code("category", path): share for path, share in shares.items()}
    if not liked:
        return np.zeros(len(items))
    return _mean_up(catalogue.category[items], np.array([*catalogue.parents, -1]), liked)


def price(prices: Floats, usual: float | None) -> Floats:
    """State: prices, and the geometric mean of what the shopper met. Writes: views, feeds.

    Value: minus the distance of the logarithms, down to ``-PRICE_REACH``; 0 if either is unknown.
    """
    if usual is None or not usual > 0:
        return np.zeros(len(prices))
    known = prices > 0
    distance = np.abs(np.log(np.where(known, prices, usual) / usual))
    return np.where(known, -np.minimum(distance, PRICE_REACH), 0.0)


def repeat(items: Positions, history: Positions) -> Floats:
    """State: the history. Writes: views, carts, purchases. Value: 1 for what was met before."""
    return np.isin(items, history).astype(np.float64)


def shown(items: Positions, before: Positions, times: Floats32) -> Floats:
    """State: what lists showed this shopper. Writes: impressions. Value, 0..1: times / (times + 2).

    Who saw an item and left it is less likely to take it now; the third time more than the first.
    """
    if not len(before):
        return np.zeros(len(items))
    place = np.minimum(np.searchsorted(before, items), len(before) - 1)
    often = np.where(before[place] == items, times[place], 0.0)
    return often / (often + 2.0)


def fresh(created: NDArray[np.int64], now: Milliseconds) -> Floats:
    """State: when items were created. Writes: feeds. Value: ``exp(-age / FRESH_DAYS)``."""
    age = np.maximum(now - created, 0) / (FRESH_DAYS * DAY)
    return np.where(created > 0, np.exp(-age), 0.0)


def _column(pool: Pool, source: str) -> Floats32:
    """What one source says of each item, 0 where it says nothing or was not asked.

    ``co_viewed`` — state: meetings of two items by one shopper. Writes: views, carts, purchases.
    ``similar`` — state: the same for the seed items, and their content. Writes: these, and feeds.
    """
    if source not in pool.sources:
        return np.zeros(len(pool.items), np.float32)
    return pool.scores[:, pool.sources.index(source)]


def _mean_up(
    codes: NDArray[np.int32], parents: NDArray[np.int64], shares: Mapping[int | None, float]
) -> Floats:
    """(n,) mean share over each code and all above it. ``parents`` ends with what is above none."""
    share = np.zeros(len(parents))
    for code, value in shares.items():
        if code is not None:
            share[code] = value
    total, levels = np.zeros(len(codes)), np.zeros(len(codes))
    above: NDArray[Any] = codes
    while (above >= 0).any():
        total += np.where(above >= 0, share[above], 0.0)
        levels += above >= 0
        above = np.where(above >= 0, parents[above], -1)
    return total / np.maximum(levels, 1.0)
