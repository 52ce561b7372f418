"""equipoise.data.filters: the k-core."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.data import Interactions
from equipoise.data.filters import k_core
from equipoise.errors import InvalidInteractions

EDGES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), min_size=1, max_size=40)


def peeled(edges, users, items):
    """The rows left after the poorest are taken away one at a time, however long it takes."""
    rows = set(range(len(edges)))
    while True:
        for row in rows:
            met = {edges[r][1] for r in rows if edges[r][0] == edges[row][0]}
            by = {edges[r][0] for r in rows if edges[r][1] == edges[row][1]}
            if len(met) < users or len(by) < items:
                rows.remove(row)
                break
        else:
            return sorted(rows)


@settings(max_examples=60)
@given(edges=EDGES, users=st.integers(1, 3), items=st.integers(1, 3))
def test_the_core_is_the_largest(edges, users, items) -> None:
    """Whatever is taken away first, the same rows are left; duplicates count once."""
    columns = [np.array(column, np.int32) for column in zip(*edges, strict=True)]
    expected = peeled(edges, users, items)
    if not expected:
        with pytest.raises(InvalidInteractions, match="there is no core of users="):
            k_core(*columns, users=users, items=items)
        return
    kept = k_core(*columns, users=users, items=items)

    assert np.flatnonzero(kept).tolist() == expected


def test_a_chain_falls_like_dominoes() -> None:
    """Users 0-1-2-3 joined by shared items in a path: the ends fall, then all; a square stands."""
    path = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3)]
    square = [(8, 8), (8, 9), (9, 8), (9, 9)]
    data = Interactions.from_columns(*zip(*path, *square, strict=True)).k_core(users=2, items=2)

    assert data.user_ids.tolist() == [8, 9]
    assert data.item_ids.tolist() == [8, 9]
    assert data.histories() == [[8, 9], [8, 9]]


def test_rows_or_partners() -> None:
    """Three views of one page are one partner, or three rows."""
    user, item = np.zeros(3, np.int32), np.zeros(3, np.int32)

    assert k_core(user, item, users=3, distinct=False).all()
    with pytest.raises(InvalidInteractions, match="none of 3 rows is left"):
        k_core(user, item, users=2)


def test_one_keeps_all_and_none_is_refused() -> None:
    """The 1-core is the table."""
    data = Interactions.from_columns([1, 2], [3, 4])

    assert data.k_core().histories() == data.histories()
    with pytest.raises(InvalidInteractions, match="users=0, items=1: whole numbers from 1"):
        data.k_core(users=0)
