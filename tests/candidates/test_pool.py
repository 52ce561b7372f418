"""Merging: each item once, each source its share."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.candidates.pool import merge
from equipoise.types import Candidates


def proposed(name: str, items: list[int]) -> Candidates:
    score = np.linspace(1, 0.1, len(items)).astype(np.float32)
    return Candidates(np.array(items, np.int32), score, name)


def test_by_turns() -> None:
    """Firsts, then seconds; an item stands where its best rank puts it and keeps every score."""
    pool = merge([proposed("a", [5, 6, 7]), proposed("b", [7, 5, 8]), proposed("c", [])], 10)

    assert pool.items.tolist() == [5, 7, 6, 8]
    assert pool.sources == ("a", "b", "c")
    assert [pool.source(i) for i in range(4)] == ["a", "b", "a", "b"]
    assert np.allclose(pool.scores, [[1, 0.55, 0], [0.1, 1, 0], [0.55, 0, 0], [0, 0.1, 0]])
    assert len(pool) == 4


def test_no_source_is_crowded_out() -> None:
    """When the pool is full, sources of any length are in with the same number of firsts."""
    long, short = proposed("long", list(range(500))), proposed("short", list(range(1000, 1010)))

    pool = merge([long, short], 20)

    assert sorted(pool.items.tolist()) == [*range(10), *range(1000, 1010)]


def test_shares_of_a_full_pool() -> None:
    """A source of share 3 has three places where one of share 1 has one; equal shares, whatever
    they are, change nothing."""
    both = [proposed("a", list(range(40))), proposed("b", list(range(100, 140)))]
    pool = merge(both, 20, [1.0, 3.0])
    equal = merge(both, 20, [0.5, 0.5])

    assert (pool.items >= 100).sum() == 15
    assert pool.items[pool.items >= 100].tolist() == list(range(100, 115))
    assert equal.items.tolist() == merge(both, 20).items.tolist()


def test_a_score_beyond_the_cut_is_kept() -> None:
    """What a source says of an item counts even where its own rank would not have brought it in."""
    pool = merge([proposed("a", [1, 2]), proposed("b", [3, 4, 5, 6, 1])], 3)

    assert pool.items.tolist() == [1, 3, 2]
    assert pool.scores[0, 1] > 0


def test_nothing_proposed() -> None:
    """No source, or none that can say anything, is an empty pool with its columns."""
    assert len(merge([], 5)) == 0

    pool = merge([proposed("a", []), proposed("b", [])], 5)
    assert (len(pool), pool.scores.shape, pool.sources) == (0, (0, 2), ("a", "b"))


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 15), unique=True, max_size=10), max_size=5), st.integers(1, 20)
)
def test_laws(lists: list[list[int]], limit: int) -> None:
    """Against a plain loop: order, uniqueness, limit, best source and every score."""
    candidates = [proposed(str(i), items) for i, items in enumerate(lists)]

    pool = merge(candidates, limit)

    wanted: dict[int, int] = {}
    for rank in range(10):
        for source, items in enumerate(lists):
            if rank < len(items):
                wanted.setdefault(items[rank], source)
    assert pool.items.tolist() == list(wanted)[:limit]
    assert pool.best.tolist() == list(wanted.values())[:limit]
    for row, item in enumerate(pool.items.tolist()):
        for column, one in enumerate(candidates):
            said = dict(zip(one.items.tolist(), one.score.tolist(), strict=True))
            assert pool.scores[row, column] == np.float32(said.get(item, 0.0))
