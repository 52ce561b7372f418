"""The k best and the walk: exact, masked, fair among equals."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.candidates.best import Shortlist, best, turn_of, walk, within_categories
from equipoise.randomness import derive
from equipoise.types import Query, Shopper

few = settings(max_examples=60, derandomize=True, deadline=None)


@few
@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0, float("nan"), -1.0]), max_size=40),
    st.integers(0, 12),
    st.integers(0, 2**62),
    st.integers(0, 2**40),
)
def test_best_is_what_sorting_gives(values: list[float], k: int, turn: int, bits: int) -> None:
    """The values found are the k largest that are eligible, best first, each position once."""
    array = np.array(values, np.float64)
    eligible = np.array([bits >> i & 1 for i in range(len(values))], bool)

    positions, found = best(array, eligible, k, turn)

    wanted = sorted(
        (v for v, e in zip(values, eligible, strict=True) if e and v == v), reverse=True
    )
    assert found.tolist() == wanted[:k]
    assert len(set(positions.tolist())) == len(positions)
    assert eligible[positions].all()


def test_best_takes_arrays_of_different_lengths() -> None:
    """Positions that only one of the arrays has are left out: a trend may lag behind the shop."""
    positions, _ = best(np.array([1.0, 2.0, 3.0]), np.array([True, True]), 5)
    assert positions.tolist() == [1, 0]

    positions, _ = best(np.array([1.0]), np.array([True, True]), 5)
    assert positions.tolist() == [0]


def test_ties_take_turns_and_are_fair() -> None:
    """Among equals the same turn gives the same answer, and over turns each is as often first."""
    equal, eligible = np.zeros(20), np.ones(20, bool)
    assert np.array_equal(best(equal, eligible, 5, 7)[0], best(equal, eligible, 5, 7)[0])

    firsts = np.bincount(
        [best(equal, eligible, 3, turn)[0][0] for turn in range(4_000)], minlength=20
    )
    assert (np.abs(firsts - 200) < 6 * np.sqrt(200)).all()


@few
@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 2**62), st.integers(0, 2**50))
def test_walk_meets_all_that_is_there(size: int, k: int, turn: int, bits: int) -> None:
    """k different eligible positions, or all where there are fewer."""
    eligible = np.array([bits >> i & 1 for i in range(size)], bool)

    found = walk(eligible, k, turn)

    assert len(set(found.tolist())) == len(found) == min(k, int(eligible.sum()))
    assert eligible[found].all()


def test_walk_is_fair() -> None:
    """Over turns each position is as often in the list, wherever it stands."""
    size, k = 30, 6
    luck = derive(0, "turns")
    turns = luck.integers(0, 2**62, 6_000).tolist()
    met = np.bincount(
        np.concatenate([walk(np.ones(size, bool), k, t) for t in turns]), minlength=size
    )

    expected = 6_000 * k / size
    assert (np.abs(met - expected) < 6 * np.sqrt(expected)).all()


def test_turns(shopper: object) -> None:
    """Whoever asks, what they did and what the query says turn the list; nothing else does."""
    assert callable(shopper)
    asked = Query(placement="home", context={"device": "app"})
    who: Shopper = shopper(history=(1,))
    turns = {
        turn_of(asked, who),
        turn_of(asked, shopper(history=(1, 2))),
        turn_of(asked, shopper(history=(1,), key="other")),
        turn_of(Query(placement="cart", context={"device": "app"}), who),
        turn_of(Query(placement="home", context={"decision_id": "r-1"}), who),
        turn_of(Query(placement="home", item_ids=("x",)), who),
    }

    assert len(turns) == 6
    assert turn_of(asked, who) in turns
    assert all(0 <= turn < 2**63 for turn in turns)


def test_within_categories() -> None:
    """Share times trend, a tenth for the untried; NaN for what is in no liked category."""
    share = np.array([0.5, 0.0, 1.0])
    category = np.array([0, 1, 2, 2, -1, 7], np.int32)

    got = within_categories(share, category, np.array([1.0, 1.0, 0.5]))

    wanted = np.array([0.5, np.nan, 0.55, 0.1, np.nan, np.nan])
    assert np.allclose(got, wanted, equal_nan=True, rtol=1e-6)


@given(
    values=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    k=st.integers(0, 8),
    size=st.integers(1, 40),
    turn=st.integers(0, 2**62),
)
@settings(derandomize=True, max_examples=300, deadline=None)
def test_a_shortlist_is_best(values: list[int], k: int, size: int, turn: int) -> None:
    """Whatever its size, and with ties at every edge: the same items in the same order."""
    column = np.array(values, np.int32)
    shortlist = Shortlist(size)
    for seed in range(3):
        eligible = derive(seed, "eligible").random(len(column)) < 0.6
        positions, taken = shortlist.best(column, 1, eligible, k, turn)
        expected, their = best(column, eligible, k, turn)

        assert positions.tolist() == expected.tolist()
        assert taken.tolist() == their.tolist()


def test_a_shortlist_follows_its_key() -> None:
    """Another key: another column."""
    shortlist, all_ = Shortlist(2), np.ones(4, bool)

    assert shortlist.best(np.array([1.0, 2, 3, 4]), "a", all_, 1)[0].tolist() == [3]
    assert shortlist.best(np.array([9.0, 2, 3, 4]), "b", all_, 1)[0].tolist() == [0]
