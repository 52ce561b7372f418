"""Who comes, and the true chances."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.simulation.shop import Shop
from equipoise.simulation.shoppers import (
    BOUGHT,
    REMEMBERED,
    RETURNING,
    TIRED,
    Shoppers,
    Visit,
    bought,
    saw,
    timetable,
)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop.make(1, n_items=120, launches=0)


def test_timetable_is_of_the_seed_alone() -> None:
    """The same seed brings the same people at the same times."""
    assert list(islice(timetable(7, 300), 500)) == list(islice(timetable(7, 300), 500))
    assert next(timetable(7, 300)) != next(timetable(8, 300))


def test_arrivals_are_poisson() -> None:
    """Gaps have the mean that was asked for, and the standard deviation of an exponential."""
    gaps = np.diff([visit.ms for visit in islice(timetable(0, 400), 8_000)])

    assert np.mean(gaps) == pytest.approx(DAY / 400, rel=0.03)
    assert np.std(gaps) == pytest.approx(np.mean(gaps), rel=0.05)


def test_some_return_and_most_do_not() -> None:
    """The share who return is as stated, and ordinals count a person's visits."""
    visits = list(islice(timetable(0, 400), 6_000))
    known: dict[int, int] = {}
    old = 0
    for visit in visits:
        old += visit.shopper < REMEMBERED or visit.ordinal > 0
        assert visit.ordinal == known.get(visit.shopper, 0)
        known[visit.shopper] = visit.ordinal + 1

    assert old / len(visits) == pytest.approx(RETURNING, abs=0.02)
    assert np.median(list(known.values())) == 1
    assert max(known.values()) > 10


def test_people_do_not_depend_on_what_they_saw(shop: Shop) -> None:
    """Two worlds of one seed stay the same people, whatever was shown to them in between."""
    one, two = Shoppers(shop, 3), Shoppers(shop, 3)
    for visit in islice(timetable(3, 200), 400):
        here, there = one.arrive(visit), two.arrive(visit)
        saw(here, visit.number % len(shop))

        assert here.intent == there.intent
        assert np.array_equal(here.shelf, there.shelf)
        assert here.logged_in == there.logged_in


def test_chances_are_chances(shop: Shop) -> None:
    """Every chance lies between 0 and 1, and a stranger clicks an item in about forty looks."""
    shoppers = Shoppers(shop, 0)
    clicks = []
    for visit in islice(timetable(0, 200), 300):
        shopper = shoppers.arrive(visit)
        clicks.append(shoppers.click(shopper, visit.ms))

    assert all((np.abs(chance - 0.5) < 0.5).all() for chance in clicks)
    assert 0.012 < np.mean(clicks) < 0.045
    assert 0.08 < np.mean(shoppers.cart(shopper)) < 0.25
    assert 0.25 < np.mean(shoppers.purchase()) < 0.40


def test_tired_of_what_was_seen(shop: Shop) -> None:
    """A look left lowers the log-odds by TIRED, half of it in a week; a purchase by BOUGHT."""
    shoppers = Shoppers(shop, 0)
    shopper = shoppers.arrive(Visit(0, 0.0, 5, 0))
    before = _logit(shoppers.click(shopper, 0.0))
    for _ in range(4):
        saw(shopper, 9)
    bought(shopper, 11)
    after = _logit(shoppers.click(shopper, 0.0))
    shoppers.arrive(Visit(1, 7.0 * DAY, 5, 1))

    assert before[9] - after[9] == pytest.approx(4 * TIRED, rel=1e-5)
    assert before[11] - after[11] == pytest.approx(BOUGHT, rel=1e-5)
    assert np.count_nonzero(before - after) == 2
    assert shopper.tired[9] == pytest.approx(2 * TIRED, rel=1e-5)


def test_forgets_who_stays_away(shop: Shop) -> None:
    """No more people are kept than can still return."""
    shoppers = Shoppers(shop, 0)
    for number in range(REMEMBERED + 50):
        shoppers.arrive(Visit(number, float(number), number, 0))

    assert len(shoppers._people) == REMEMBERED


def test_refuses_a_shop_without_visitors() -> None:
    """Nobody can come less often than never."""
    with pytest.raises(ValueError, match="visits_per_day is 0; it must be above 0"):
        next(timetable(0, 0))


def _logit(p: np.ndarray) -> np.ndarray:
    return np.log(p) - np.log1p(-p)
