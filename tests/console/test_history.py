"""What is read of the tallies, and since when there is anything."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.clock import ManualClock
from equipoise.console.history import KEPT, MINUTE, SPANS, history, nearest_span
from equipoise.engine import Engine
from equipoise.state import Tallies

BUDGETS = {"home": 0.05, "cart": None}


def test_an_empty_shop_has_not_begun(empty: Engine, clock: ManualClock) -> None:
    past = history(empty.knowledge.tallies, clock(), "", BUDGETS)

    assert past.begun is None
    assert past.decided is None
    assert len(past.minutes["ts"]) == KEPT


def test_the_running_minute_is_the_last_row(busy: Engine, clock: ManualClock) -> None:
    """``last(n)`` is n minutes, the one that runs now among them."""
    past = history(busy.knowledge.tallies, clock(), "", BUDGETS)
    rows = past.last(10)["ts"]

    assert len(rows) == 10
    assert rows[-1] == clock() - clock() % MINUTE
    assert set(np.diff(rows)) == {MINUTE}


def test_what_is_of_the_whole_shop_stays_whole(busy: Engine, clock: ManualClock) -> None:
    """Events, orders and revenue are not counted by placement: any placement shows the shop's."""
    shop = history(busy.knowledge.tallies, clock(), "", BUDGETS).minutes
    cart = history(busy.knowledge.tallies, clock(), "cart", BUDGETS).minutes

    assert shop["orders"].sum() == 10
    for name in ("events", "orders", "revenue"):
        assert (cart[name] == shop[name]).all()
    assert cart["decisions"].sum() == 0


def test_what_is_allowed_is_the_budget_of_what_was_expected(
    busy: Engine, clock: ManualClock
) -> None:
    """Each placement's own share of its own lists; unknown where one of them keeps no budget."""
    tallies = busy.knowledge.tallies
    home = history(tallies, clock(), "home", {"home": 0.05, "cart": 0.5}).minutes
    both = history(tallies, clock(), "", {"home": 0.05, "cart": 0.5}).minutes
    free = history(tallies, clock(), "", {"home": None}).minutes

    assert home["allowed"].sum() == pytest.approx(0.05 * home["expected"].sum())
    assert np.array_equal(home["allowed"], both["allowed"])
    assert np.array_equal(np.isnan(free["allowed"]), free["expected"] > 0)


def test_a_shop_begins_with_its_first_minute(busy: Engine, clock: ManualClock) -> None:
    past = history(busy.knowledge.tallies, clock(), "", BUDGETS)

    assert past.begun == past.decided == clock() - 10 * MINUTE - 30_000


def test_older_than_what_is_read_is_zero() -> None:
    """A shop of three days has begun before any row."""
    tallies = Tallies()
    sums = tallies._bucket(MINUTE)[""]
    sums[:] = 1.0

    assert history(tallies, (KEPT + 5) * MINUTE, "", {}).begun == 0


@pytest.mark.parametrize(
    ("asked", "span"), [(-5, 10), (10, 10), (11, 60), (60, 60), (2_880, 2_880), (10**12, 2_880)]
)
def test_nearest_span(asked: int, span: int) -> None:
    """Whatever is asked, what is on offer is given."""
    assert nearest_span(asked) == span
    assert span in SPANS
