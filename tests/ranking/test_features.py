"""Features: 0 where nothing is known, and else what their docstrings say."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import e, log
from typing import Any

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.ranking.features import (
    NAMES,
    ONLINE,
    PRIOR_MEAN,
    PRIOR_PRECISION,
    PRIORS,
    affinity,
    compute,
    fresh,
    price,
    repeat,
    shown,
)
from equipoise.types import Shopper


@dataclass
class Shop:
    """Women → Shoes → Boots (codes 0, 1, 2), Men (3); five items, the last of no category."""

    category: Any = field(default_factory=lambda: np.array([2, 1, 0, 3, -1], np.int32))
    price: Any = field(default_factory=lambda: np.array([10.0, 20.0, np.nan, 10.0, 1e6]))
    created: Any = field(default_factory=lambda: np.array([100, 70, -1, 200, 0]) * DAY)
    parents: tuple[int, ...] = (-1, 0, 1, -1)

    def code(self, kind: str, name: str) -> int | None:
        paths = ("Women", "Women/Shoes", "Women/Shoes/Boots", "Men")
        return paths.index(name) if name in paths else None


@dataclass
class Pool:
    items: Any
    scores: Any
    sources: tuple[str, ...]


def shopper(**told: Any) -> Shopper:
    empty = np.empty(0, np.int32)
    known = {"key": "k", "history": empty, "weights": empty, "bought": empty, "categories": {},
             "shown": empty, "shown_times": np.empty(0, np.float32),
             "price": None, "locale": None, "personalised": True, "events": 0}  # fmt: skip
    return Shopper(**(known | told))


ITEMS = np.arange(5, dtype=np.int32)


def test_priors_stand_in_one_table() -> None:
    """Names, means and precisions (spread⁻²) in one order."""
    assert tuple(PRIORS) == NAMES
    assert PRIOR_MEAN.tolist() == [mean for mean, _ in PRIORS.values()]
    assert pytest.approx([sd**-2 for _, sd in PRIORS.values()]) == PRIOR_PRECISION


def test_a_stranger_is_an_item_shown_to_just_anybody() -> None:
    """Without profile and seed only what is the same for everybody remains."""
    pool = Pool(ITEMS, np.ones((5, 1), np.float32), ("trending",))

    g = compute(pool, shopper(), Shop(), 100 * DAY)

    assert g.shape == (5, len(NAMES))
    assert g[:, NAMES.index("base")].tolist() == [1] * 5
    others = [i for i, name in enumerate(NAMES) if name not in ("base", "popular", "fresh")]
    assert g[:, NAMES.index("popular")].tolist() == [1] * 5
    assert not g[:, others].any()


def test_scores_of_sources_become_features() -> None:
    """The best of the fitted recommenders; co-views and similarity as they are; the rest unread."""
    sources = ("als", "trending", "ease", "co_viewed", "similar")
    scores = np.array([[0.2, 0.9, 0.7, 0.3, 0.0], [0.5, 0.0, 0.1, 0.0, 0.4]], np.float32)

    g = compute(Pool(ITEMS[:2], scores, sources), shopper(), Shop(), 0)

    got = {
        name: g[:, NAMES.index(name)].tolist() for name in ("recommended", "co_viewed", "similar")
    }
    assert got["recommended"] == pytest.approx([0.7, 0.5])
    assert got["co_viewed"] == pytest.approx([0.3, 0.0])
    assert got["similar"] == pytest.approx([0.0, 0.4])
    assert "trending" in ONLINE


def test_an_empty_pool() -> None:
    """Nothing to score is no error."""
    pool = Pool(ITEMS[:0], np.empty((0, 2), np.float32), ("als", "new"))

    assert compute(pool, shopper(categories={"Men": 1.0}), Shop(), 0).shape == (0, len(NAMES))


def test_affinity_is_the_mean_over_levels() -> None:
    """A first view of a boot: boots count most, other shoes and womenswear in part, men's not."""
    first = {"Women": 1.0, "Women/Shoes": 1.0, "Women/Shoes/Boots": 1.0}
    assert affinity(Shop(), ITEMS, first).tolist() == [1.0, 1.0, 1.0, 0.0, 0.0]

    then = {"Women": 0.5, "Women/Shoes": 0.5, "Women/Shoes/Boots": 0.2, "Men": 0.5, "Gone": 9.0}
    assert affinity(Shop(), ITEMS, then) == pytest.approx([0.4, 0.5, 0.5, 0.5, 0.0])


def test_price_is_minus_the_log_distance() -> None:
    """0 at the usual price and where either is unknown; twice and half alike; capped."""
    got = price(np.array([10.0, 20.0, 5.0, np.nan, 0.0, 1e9]), 10.0)

    assert got == pytest.approx([0, -log(2), -log(2), 0, 0, -2])
    assert not price(np.array([10.0]), None).any()


def test_repeat_and_fresh() -> None:
    """What was met is marked; freshness falls to 1/e in its days and is never above 1."""
    assert repeat(ITEMS, np.array([3, 0, 9], np.int32)).tolist() == [1, 0, 0, 1, 0]

    ages = fresh(np.array([100, 70, 200, -1]) * DAY, 100 * DAY)
    assert ages == pytest.approx([1, 1 / e, 1, 0])


def test_the_order_of_candidates_does_not_matter() -> None:
    """Permuting the pool permutes the rows."""
    who = shopper(history=np.array([1], np.int32), price=12.0, categories={"Women": 0.7})
    scores = np.arange(10, dtype=np.float32).reshape(5, 2) / 10
    turn = np.array([3, 1, 4, 0, 2])

    g = compute(Pool(ITEMS, scores, ("als", "similar")), who, Shop(), 90 * DAY)
    turned = compute(Pool(ITEMS[turn], scores[turn], ("als", "similar")), who, Shop(), 90 * DAY)

    assert np.array_equal(turned, g[turn])


def test_shown_before_and_left() -> None:
    """0 for what was never shown, half at two times, never 1; a stranger was shown nothing."""
    before = np.array([1, 3], np.int32)
    value = shown(ITEMS, before, np.array([2.0, 6.0], np.float32))

    assert value.tolist() == [0.0, 0.5, 0.0, 0.75, 0.0]
    assert shown(ITEMS, before[:0], np.empty(0, np.float32)).tolist() == [0.0] * 5
