"""Sources: best first, eligible only, silent for a stranger, full while stock exists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from equipoise.candidates.sources import (
    Anything,
    CoViewed,
    Favourites,
    New,
    Recommended,
    Similar,
    Trending,
)
from equipoise.types import Candidates, Item

DAY = 86_400_000


def clock() -> int:
    return 100 * DAY


@pytest.fixture
def shop(catalogue: Any) -> Any:
    """Ten items: 0–4 in Hats, 5–8 in Shoes, 9 in none; created one a day."""
    groups = ["Hats"] * 5 + ["Shoes"] * 4
    items = [Item(item_id=f"i{n}", categories=(group,), created_at=n * DAY)
             for n, group in enumerate(groups)]  # fmt: skip
    return catalogue([*items, Item(item_id="i9", created_at=9 * DAY)])


@pytest.fixture
def counted(counts: Any) -> Any:
    return counts(
        [0, 3, 0, 1, 0, 0, 9, 0, 0, 0],
        {1: [(6, 0.5), (2, 0.2)], 3: [(6, 0.1), (8, 0.4), (1, 0.9)]},
    )


@pytest.fixture
def every(shop: Any, counted: Any, recommender: Any) -> dict[str, Any]:
    learnt = Recommended(recommender([f"i{n}" for n in range(10)], [*range(10)]), shop)
    sources = (
        learnt,
        CoViewed(counted),
        Similar(counted, shop, learnt, clock=clock),
        Favourites(counted, shop, clock=clock),
        Trending(counted, clock=clock),
        New(shop),
        Anything(shop),
    )
    return {source.name: source for source in sources}


ALL = np.ones(10, bool)
NAMES = ["fake", "co_viewed", "similar", "favourites", "trending", "new", "anything"]


def masks() -> Iterator[Any]:
    yield ALL
    yield np.arange(10) % 2 == 0
    yield np.zeros(10, bool)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("known", [False, True])
def test_laws(every: dict[str, Any], shopper: Any, query: Any, name: str, known: bool) -> None:
    """At most k, each once, eligible, scores falling within 0..1, the best 1; same asked twice."""
    who = shopper((0, 1, 3), categories={"Hats": 0.6, "Shoes": 0.4}) if known else shopper()
    asked = query(item_ids=("i1", "unheard-of") if known else ())
    for eligible in masks():
        for k in (0, 1, 4, 50):
            got: Candidates = every[name].propose(asked, who, eligible, k)
            again = every[name].propose(asked, who, eligible, k)

            assert len(got.items) == len(got.score) <= k
            assert len(set(got.items.tolist())) == len(got.items)
            assert eligible[got.items].all()
            assert (np.diff(got.score) <= 0).all()
            assert not len(got.score) or (got.score[0] == 1 and got.score[-1] >= 0)
            assert (got.items.dtype, got.score.dtype) == (np.int32, np.float32)
            assert got.source == name
            assert np.array_equal(got.items, again.items)


@pytest.mark.parametrize("name", ["co_viewed", "similar", "favourites"])
def test_a_stranger_is_no_error(every: dict[str, Any], shopper: Any, query: Any, name: str) -> None:
    """A source that lives on a history or a seed proposes nothing without one."""
    assert len(every[name].propose(query(), shopper(), ALL, 5).items) == 0


# ---------------------------------------------------------------- recommended


def test_codes_are_not_positions(
    catalogue: Any, recommender: Any, shopper: Any, query: Any
) -> None:
    """The recommender's own order and strangers on either side change nothing."""
    shop = catalogue([Item(item_id=i) for i in ("a", "b", "c")])
    model = recommender(["c", "gone", "a"], [0.5, 9.0, 1.0])
    source = Recommended(model, shop)

    got = source.propose(query(), shopper((0, 1), weights=np.array([2, 1], np.float32)),
                         np.ones(3, bool), 5)  # fmt: skip

    assert got.items.tolist() == [0, 2]
    assert got.score.tolist() == [1.0, 0.5]
    assert model.asked == [([2], [2.0])]


def test_what_the_catalogue_gains_is_mapped(
    catalogue: Any, recommender: Any, shopper: Any, query: Any
) -> None:
    """An item that the snapshot knew before the shop listed it is proposed once it is there."""
    shop = catalogue([Item(item_id="a")])
    source = Recommended(recommender(["a", "b"], [1.0, 2.0]), shop)
    assert source.propose(query(), shopper(), np.ones(1, bool), 5).items.tolist() == [0]

    shop.put(Item(item_id="new"))
    shop.put(Item(item_id="b"))

    assert source.propose(query(), shopper(), np.ones(3, bool), 5).items.tolist() == [2, 0]


def test_seeds_come_before_the_history(
    catalogue: Any, recommender: Any, shopper: Any, query: Any
) -> None:
    """On a product page it is the product that is asked about."""
    shop = catalogue([Item(item_id=i) for i in "abc"])
    model = recommender(["a", "b", "c"], [1.0, 2.0, 3.0])
    Recommended(model, shop).propose(query(item_ids=("c",)), shopper((0,)), np.ones(3, bool), 5)

    assert model.asked == [([2], None)]


def test_what_cannot_be_said_is_left_out(
    catalogue: Any, recommender: Any, shopper: Any, query: Any
) -> None:
    """NaN is no score; scores at or below zero still have an order."""
    shop = catalogue([Item(item_id=i) for i in "abc"])
    nan = Recommended(recommender(["a", "b"], [float("nan"), 1.0]), shop)
    assert nan.propose(query(), shopper(), np.ones(3, bool), 5).items.tolist() == [1]

    below = Recommended(recommender(["a", "b"], [-2.0, -1.0]), shop)
    got = below.propose(query(), shopper(), np.ones(3, bool), 5)
    assert (got.items.tolist(), got.score.tolist()) == ([1, 0], [1.0, 0.5])


# ---------------------------------------------------------------- the others


def test_co_viewed_sums_over_the_recent(every: dict[str, Any], shopper: Any, query: Any) -> None:
    """Strengths add, older meetings fade, and the history itself is not proposed."""
    got = every["co_viewed"].propose(query(), shopper((1, 3)), ALL, 5)

    older, newer = 0.85, 1.0
    six, eight, two = 0.5 * older + 0.1 * newer, 0.4 * newer, 0.2 * older
    assert got.items.tolist() == [6, 8, 2]
    assert np.allclose(got.score, np.array([six, eight, two]) / six, rtol=1e-6)


def test_similar_prefers_what_shoppers_did(
    shop: Any, counted: Any, shopper: Any, query: Any
) -> None:
    """Met together first, then the seed's category, the most met first; never the seed."""
    got = Similar(counted, shop, clock=clock).propose(query(item_ids=("i1",)), shopper(), ALL, 9)

    assert got.items[:3].tolist() == [6, 2, 3]
    assert set(got.items[3:].tolist()) == {0, 4}


def test_similar_listens_to_content(
    shop: Any, counted: Any, recommender: Any, shopper: Any, query: Any
) -> None:
    """What is alike in content comes after the closest companion and before the category."""
    content = Recommended(recommender(["i9", "i8", "i1"], [1.0, 0.9, 5.0]), shop)

    got = Similar(counted, shop, content, clock=clock).propose(
        query(item_ids=("i1",)), shopper(), ALL, 3
    )

    assert got.items.tolist() == [6, 9, 8]


def test_favourites_follow_share_and_trend(every: dict[str, Any], shopper: Any, query: Any) -> None:
    """The most met of the most liked category; nothing of a category that is not liked."""
    liked = shopper(categories={"Hats": 1.0, "Unknown": 0.5})
    got = every["favourites"].propose(query(), liked, ALL, 10)
    assert got.items[:2].tolist() == [1, 3]
    assert set(got.items.tolist()) == {0, 1, 2, 3, 4}

    both = shopper(categories={"Hats": 0.2, "Shoes": 0.8})
    assert every["favourites"].propose(query(), both, ALL, 10).items[0] == 6
    assert (
        len(every["favourites"].propose(query(), shopper(categories={"X": 1.0}), ALL, 5).items) == 0
    )


def test_favourites_of_an_untried_shop_take_turns(
    shop: Any, counts: Any, shopper: Any, query: Any
) -> None:
    """Where nobody met anything yet, different shoppers see different hats first."""
    source = Favourites(counts([0.0] * 10), shop, clock=clock)
    firsts = {
        int(source.propose(query(), shopper(key=str(k), categories={"Hats": 1.0}), ALL, 1).items[0])
        for k in range(60)
    }

    assert firsts == {0, 1, 2, 3, 4}


def test_trending_knows_what_was_met(every: dict[str, Any], shopper: Any, query: Any) -> None:
    """The most met first, in proportion; what nobody met is not trending."""
    got = every["trending"].propose(query(), shopper(), ALL, 10)

    assert got.items.tolist() == [6, 1, 3]
    assert np.allclose(got.score, [1, 3 / 9, 1 / 9])


def test_new_is_newest_first_and_a_launch_takes_turns(
    shop: Any, catalogue: Any, shopper: Any, query: Any
) -> None:
    """By day of creation; among those of one day everybody sees another first."""
    got = New(shop).propose(query(), shopper(), ALL, 3)
    assert got.items.tolist() == [9, 8, 7]
    assert got.score.tolist() == pytest.approx([1, 1 / 2, 1 / 3])

    launch = New(catalogue([Item(item_id=str(n), created_at=DAY + n) for n in range(6)]))
    firsts = {int(launch.propose(query(), shopper(key=str(k)), np.ones(6, bool), 1).items[0])
              for k in range(60)}  # fmt: skip
    assert firsts == set(range(6))


def test_anything_fills_a_list_and_varies(every: dict[str, Any], shopper: Any, query: Any) -> None:
    """All of the catalogue is reached, by whoever asks and at each turn; nothing is left out."""
    source = every["anything"]
    assert sorted(source.propose(query(), shopper(), ALL, 99).items.tolist()) == list(range(10))

    lists = {tuple(source.propose(query(), shopper(key=str(k)), ALL, 4).items) for k in range(30)}
    assert len(lists) > 10
    turned = {tuple(source.propose(query(context={"decision_id": str(k)}), shopper(), ALL, 4).items)
              for k in range(30)}  # fmt: skip
    assert len(turned) > 10
