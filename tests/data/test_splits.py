"""equipoise.data.splits: masks over rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.clock import DAY
from equipoise.data import splits
from equipoise.errors import InvalidInteractions

TIMES = st.lists(st.integers(0, 20), min_size=1, max_size=30).map(sorted)


@settings(derandomize=True, max_examples=60)
@given(times=TIMES, fraction=st.floats(0.05, 0.95))
def test_no_training_row_is_as_late_as_a_test_row(times: list[int], fraction: float) -> None:
    """Rows of one time stand on one side, and the share is reached."""
    times_ = np.array(times, dtype=np.int64)
    test = splits.temporal(times_, fraction=fraction)

    assert test.any()
    assert test.all() or times_[~test].max() < times_[test].min()
    assert test.sum() >= round(len(times) * fraction) or round(len(times) * (1 - fraction)) == 0


def test_last_days_are_counted_from_the_newest() -> None:
    """A row exactly so many days before the newest is training."""
    days = np.array([0, 8, 9, 10], dtype=np.int64) * DAY

    assert splits.temporal(days, last_days=2).tolist() == [False, False, True, True]
    assert splits.temporal(days, at=8 * DAY).tolist() == [False, True, True, True]


@settings(derandomize=True, max_examples=60)
@given(
    user=st.lists(st.integers(0, 4), min_size=1, max_size=30),
    n=st.integers(1, 3),
)
def test_last_holds_out_n_a_user(user: list[int], n: int) -> None:
    """The last n rows of a user with more than n, none of anyone else."""
    codes = np.array(user, dtype=np.int32)
    test = splits.last(codes, n)

    for code in set(user):
        mine = test[codes == code]
        expected = n if len(mine) > n else 0
        assert mine.sum() == expected
        assert mine[len(mine) - expected :].all()


def test_an_empty_part_can_be_split_again() -> None:
    """No rows give no test rows."""
    nothing = np.array([], dtype=np.int64)

    assert splits.temporal(nothing, last_days=3).tolist() == []
    assert splits.temporal(nothing, fraction=0.5).tolist() == []
    assert splits.last(nothing.astype(np.int32)).tolist() == []


def test_folds_have_like_sizes() -> None:
    """Seven rows in three folds: 3, 2, 2; each row once."""
    folds = list(splits.k_folds(7, 3, 0))

    assert sorted(int(f.sum()) for f in folds) == [2, 2, 3]
    assert np.sum(folds, axis=0).tolist() == [1] * 7


def test_what_cannot_be_split_is_refused() -> None:
    """Each refusal says what would be right."""
    times = np.array([1, 2], dtype=np.int64)
    with pytest.raises(InvalidInteractions, match="name one of last_days, at, fraction"):
        splits.temporal(times)
    with pytest.raises(InvalidInteractions, match="name one of"):
        splits.temporal(times, at=1, last_days=1)
    with pytest.raises(InvalidInteractions, match="fraction is 1; it lies between 0 and 1"):
        splits.temporal(times, fraction=1)
    with pytest.raises(InvalidInteractions, match="n is 0; at least one row"):
        splits.last(times.astype(np.int32), 0)
    with pytest.raises(InvalidInteractions, match=r"9 folds of 2 rows; k must be in 2\.\.2"):
        next(splits.k_folds(2, 9))
