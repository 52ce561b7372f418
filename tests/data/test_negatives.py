"""equipoise.data.negatives: what a test item is ranked among."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions, sample_negatives
from equipoise.errors import InvalidInteractions
from equipoise.randomness import derive

RNG = derive(0, "negatives")
DATA = Interactions.from_columns(RNG.integers(0, 30, 400), RNG.integers(0, 40, 400) ** 2 // 40)
TRAIN, TEST = DATA.split_last()


@pytest.mark.parametrize("by_popularity", [False, True])
def test_negatives_are_new_and_different(by_popularity) -> None:
    """As many as asked, each once, none that the user met in either part; one list a test user."""
    drawn = sample_negatives(TRAIN, TEST, 9, by_popularity=by_popularity)
    met = dict(zip(DATA.user_ids.tolist(), DATA.histories(), strict=True))

    assert set(drawn) == set(TEST.user_ids[np.unique(TEST.user)].tolist())
    for user, items in drawn.items():
        assert len(items) == len(set(items)) == 9
        assert not set(items) & set(met[user])


def test_the_same_seed_draws_the_same() -> None:
    """And another seed others."""
    assert sample_negatives(TRAIN, TEST, 5) == sample_negatives(TRAIN, TEST, 5, random_state=0)
    assert sample_negatives(TRAIN, TEST, 5) != sample_negatives(TRAIN, TEST, 5, random_state=1)


def test_chances() -> None:
    """One negative of four items: drawn alike, or as often as rows name it; within five standard
    errors of 600 users."""
    pairs = [(9_000 + at, item) for at, item in enumerate("aaaaabbbcd")]
    askers = [(user, "z") for user in range(600)] + [(user, "y") for user in range(600)]
    data = Interactions.from_columns(*zip(*pairs, *askers, strict=True))
    train, test = data.split_last()

    for by_popularity, expected in ((False, [0.25] * 4), (True, [0.5, 0.3, 0.1, 0.1])):
        drawn = sample_negatives(train, test, 1, by_popularity=by_popularity)
        items = [items[0] for items in drawn.values()]
        shares = np.array([items.count(item) for item in "abcd"]) / 600
        assert np.abs(shares - expected).max() < 5 * np.sqrt(0.25 / 600)
        assert shares.sum() == pytest.approx(1)


def test_who_knows_nearly_all_gets_what_is_left() -> None:
    """Short rather than wrong; a pair whose values cancel was still met."""
    data = Interactions.from_columns(
        [1, 1, 1, 2, 2], ["a", "b", "b", "c", "a"], [1.0, 1.0, -1.0, 1.0, 1.0]
    )
    drawn = sample_negatives(*data.split_last(), 5)

    assert drawn == {1: ["c"], 2: ["b"]}


def test_refusals() -> None:
    """None asked for, and parts that do not belong together."""
    with pytest.raises(InvalidInteractions, match="n is 0; at least 1 negative"):
        sample_negatives(TRAIN, TEST, 0)
    with pytest.raises(InvalidInteractions, match="two parts of one table"):
        sample_negatives(TRAIN, TEST.compact())
