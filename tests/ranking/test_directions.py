"""Directions: what a look gives besides reward, of candidates and of slates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.ranking.directions import Head, Margin, Seller, Tail, Variety, directions
from equipoise.types import Floats, Item, Positions


class Shelf:
    """Eight items: sellers a and b by turns, categories by twos, prices 10, 20, …"""

    seller = np.array([0, 1] * 4, dtype=np.int32)
    category = np.array([0, 0, 1, 1, 2, 2, -1, -1], dtype=np.int32)
    listed = np.ones(8, bool)

    def code(self, kind: str, name: str) -> int | None:
        return {"a": 0, "b": 1}.get(name) if kind == "seller" else None

    def item(self, position: int) -> Item | None:
        if position == 7:
            return None
        cost = None if position == 6 else 4.0 * (position + 1)
        return Item(item_id=f"i-{position}", price=10.0 * (position + 1), cost=cost)


SHELF = Shelf()
ALL = np.arange(8, dtype=np.int32)


def items(*positions: int) -> Positions:
    return np.array(positions, dtype=np.int32)


def test_margin_is_money_of_the_orders_that_are_expected() -> None:
    """Price less cost over price, by orders: here 60 % of whatever is sold."""
    reward = np.array([0.01, 0.02])
    amount, base = Margin(SHELF, orders=0.2).given(items(0, 4), reward)

    assert base == pytest.approx(0.2 * reward * [10.0, 50.0])
    assert amount == pytest.approx(0.6 * base)


def test_what_nobody_knows_the_cost_of_gives_nothing() -> None:
    """Neither to the margin nor to what it is a share of; nor does what the shop has dropped."""
    amount, base = Margin(SHELF, orders=0.2).given(items(6, 7), np.ones(2))

    assert not amount.any()
    assert not base.any()


def test_a_sellers_looks() -> None:
    """Their items count, others do not; a seller that the shop never named has none."""
    mine, one = Seller(SHELF, "b").given(ALL, np.ones(8))
    nobody, _ = Seller(SHELF, "c").given(ALL, np.ones(8))

    assert mine.tolist() == [0, 1] * 4
    assert one.tolist() == [1] * 8
    assert not nobody.any()
    assert Seller(SHELF, "b").name == "seller b"


def test_variety_counts_the_first_of_each_category() -> None:
    """In the order given, from the top; an item of no category repeats nothing."""
    first, one = Variety(SHELF).given(items(1, 0, 2, 7, 6, 3), np.ones(6))

    assert first.tolist() == [1, 0, 1, 1, 1, 0]
    assert one.tolist() == [1] * 6


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    mean=st.lists(st.floats(0.0, 1.0), min_size=8, max_size=8, unique=True),
    price=st.floats(0.0, 1.0),
    n=st.integers(1, 8),
)
def test_variety_lifted_before_the_draw_is_exact_for_the_greedy_slate(
    mean: list[float], price: float, n: int
) -> None:
    """The n best by ``mean + price · first`` earn, in mean and categories, as much as any n can."""
    order = np.argsort(-np.array(mean), kind="stable").astype(np.int32)
    first, _ = Variety(SHELF).given(order, np.array(mean)[order])
    lifted = np.array(mean)
    lifted[order] += price * first
    chosen = np.argsort(-lifted, kind="stable")[:n]

    assert worth(chosen, mean, price) == pytest.approx(best_of_all(mean, price, n))


def worth(chosen: Positions, mean: list[float], price: float) -> float:
    """Rewards, and the price for each category that is met."""
    seen = {(c if c >= 0 else f"own {i}") for i, c in zip(chosen, SHELF.category[chosen])}  # noqa: B905
    return float(np.array(mean)[chosen].sum()) + price * len(seen)


def best_of_all(mean: list[float], price: float, n: int) -> float:
    """By trying all sets of n."""
    subsets = (np.flatnonzero([(m >> i) & 1 for i in range(8)]) for m in range(256))
    return max(worth(one, mean, price) for one in subsets if len(one) == n)


# ---------------------------------------------------------------- head and tail


def looks(*most: int) -> Floats:
    had = np.zeros(40)
    had[list(most)] = np.arange(len(most), 0, -1)
    return had


def test_the_head_is_the_tenth_that_is_looked_at_most() -> None:
    """Of what is listed; items without a look are never in it, nor what came since."""
    head = Head()
    head.tell(looks(5, 9, 3, 1, 30), np.ones(40, bool))
    few = Head()
    few.tell(looks(5), np.ones(40, bool))
    unlisted = np.ones(40, bool)
    unlisted[5] = False
    without = Head()
    without.tell(looks(5, 9, 3, 1, 30), unlisted)

    assert head.holds(items(5, 9, 3, 1, 30, 39, 50)).tolist() == [True] * 4 + [False] * 3
    assert few.holds(items(5, 9)).tolist() == [True, False]
    assert without.holds(items(5, 9, 3, 1, 30)).tolist() == [False] + [True] * 4
    assert Tail(head).given(items(5, 30), np.ones(2))[0].tolist() == [0, 1]


def test_the_head_is_chosen_now_and_then() -> None:
    """At the first list and at every ``every``-th after it."""
    head, always = Head(every=3), Head(every=1)

    assert [head.due() for _ in range(7)] == [True, False, False, True, False, False, True]
    assert [always.due() for _ in range(3)] == [True] * 3


def test_the_head_is_told_in_arrays() -> None:
    """Loaded by another, it holds the same and is due at the same time."""
    head, other = Head(every=3), Head(every=3)
    head.due()
    head.tell(looks(5), np.ones(40, bool))
    other.load(head.arrays())

    assert other.holds(items(5, 6)).tolist() == [True, False]
    assert [other.due() for _ in range(3)] == [head.due() for _ in range(3)]


@pytest.mark.parametrize(("share", "every"), [(0.0, 1), (1.0, 1), (0.1, 0)])
def test_refusals(share: float, every: int) -> None:
    """What cannot be is refused, with the value and what would be right."""
    with pytest.raises(ValueError, match=f"share is {share} and every {every}; a share lies"):
        Head(share=share, every=every)


def test_directions_by_name() -> None:
    """As settings name them; a seller's name may hold dots."""
    made = directions(
        ["margin", "tail", "variety", "sellers.b", "sellers.a.co"], SHELF, Head(), orders=0.2
    )

    assert [one.name for one in made.values()] == [
        "margin",
        "tail",
        "variety",
        "seller b",
        "seller a.co",
    ]
    assert made["sellers.b"].given(ALL, np.ones(8))[0].sum() == 4
