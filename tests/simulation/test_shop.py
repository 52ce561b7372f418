"""The simulated catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from equipoise.clock import DAY
from equipoise.intake.catalogue import read_item
from equipoise.simulation.shop import SHELVES, Shop

OPENING = 1_700_000_000_000


def test_same_seed_same_shop() -> None:
    """A shop depends on its seed alone, bit for bit, on whatever day it is first looked at."""
    one, two = Shop.make(4, n_items=80, launches=20), Shop.make(4, n_items=80, launches=20)
    late = one.appeal(40 * DAY)
    early = one.appeal(3 * DAY)

    assert [one.body(i, OPENING) for i in range(100)] == [two.body(i, OPENING) for i in range(100)]
    assert np.array_equal(early, two.appeal(3 * DAY))
    assert np.array_equal(late, two.appeal(40 * DAY))


def test_another_seed_is_another_shop() -> None:
    """Two seeds share no item's quality."""
    one, two = Shop.make(1, n_items=50, launches=0), Shop.make(2, n_items=50, launches=0)

    assert not np.isclose(one.quality, two.quality).any()


def test_every_body_is_an_item() -> None:
    """The door takes every item as it is; its path has two levels and its id is its own."""
    shop = Shop.make(0, n_items=100, launches=20)
    items = [read_item(shop.body(i, OPENING)) for i in range(len(shop))]

    assert len({item.item_id for item in items}) == 120
    assert all(not {"hue", "shape"} - set(item.attributes) for item in items)
    assert all(0 <= item.attributes["hue"] < 360 for item in items)
    assert all(len(item.categories[0].split("/")) == 2 for item in items)
    assert all(item.cost is not None and item.cost < (item.price or 0) for item in items)
    assert 0.2 < np.mean(["de" in item.title for item in items]) < 0.6


def test_bodies_keep_the_secret() -> None:
    """An item's body is the same whatever its quality: nothing of it can be read off."""
    shop = Shop.make(0, n_items=40, launches=0)
    changed = Shop(0, shop.labels, shop.quality[::-1].copy(), shop.conversion[::-1].copy())

    assert [shop.body(i, 0) for i in range(40)] == [changed.body(i, 0) for i in range(40)]


def test_launches() -> None:
    """What opens with the shop is there at 0; launches follow one by one within their days."""
    shop = Shop.make(3, n_items=60, launches=30, launch_days=10.0)

    assert shop.launched(0.0).sum() == 60
    assert shop.launched(10 * DAY).sum() == 90
    assert 60 < shop.launched(5 * DAY).sum() < 90
    assert (np.diff(shop.labels.launch[60:]) > 0).all()


def test_few_best_sellers() -> None:
    """If all were looked at alike, a tenth of the items would take a third of the clicks."""
    shares = []
    for seed in range(20):
        clicks = np.sort(expit(Shop.make(seed).appeal(0.0) - 4.0))[::-1]
        shares.append(clicks[: len(clicks) // 10].sum() / clicks.sum())

    assert 0.28 < np.mean(shares) < 0.40


def test_prices_spread_like_a_real_shop() -> None:
    """The logarithm of prices spreads nearly as in Online Retail (1.06)."""
    spread = [np.log(Shop.make(seed).labels.price).std() for seed in range(5)]

    assert 0.8 < np.mean(spread) < 1.06


def test_drift_is_slow_and_stays() -> None:
    """From one day to the next hardly anything moves; over a year the spread stays bounded."""
    shop = Shop.make(5, n_items=400, launches=0)
    weather = shop._weather
    step = np.std(weather.on(101) - weather.on(100))
    far = np.std(weather.on(365))

    assert step < 0.15
    assert 0.25 < far < 1.2


def test_thirty_two_shelves() -> None:
    """Every shelf is somebody's: a shop of default size has items on all."""
    assert len(SHELVES) == 32
    assert len(np.unique(Shop.make(0).labels.shelf)) == 32


def test_refuses_an_empty_shop() -> None:
    """A shop that could not open says so."""
    with pytest.raises(ValueError, match="n_items is 0; it must be at least 1"):
        Shop.make(0, n_items=0)
