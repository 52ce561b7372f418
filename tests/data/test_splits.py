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


@settings(max_examples=60)
@given(n=st.integers(2, 40), fraction=st.floats(0.01, 0.99), seed=st.integers(0, 3))
def test_a_random_share_is_reached(n: int, fraction: float, seed: int) -> None:
    """Rounded, but neither part is ever empty; the same seed, the same rows."""
    test = splits.at_random(n, fraction, seed)

    assert test.sum() == min(max(round(n * fraction), 1), n - 1)
    assert np.array_equal(test, splits.at_random(n, fraction, seed))


def test_random_rows_are_drawn_alike() -> None:
    """Over 2,000 draws each of ten rows is held out as often, within five standard errors."""
    often = np.sum([splits.at_random(10, 0.3, seed) for seed in range(2_000)], axis=0) / 2_000

    assert np.abs(often - 0.3).max() < 5 * np.sqrt(0.3 * 0.7 / 2_000)


@settings(max_examples=60)
@given(
    user=st.lists(st.integers(0, 4), min_size=1, max_size=40),
    fraction=st.floats(0.05, 0.95),
    shuffled=st.booleans(),
)
def test_each_user_gives_a_share(user: list[int], fraction: float, shuffled: bool) -> None:
    """Rounded down, so that everybody keeps a training row; the last ones unless shuffled."""
    codes = np.array(user, dtype=np.int32)
    test = splits.user_fraction(codes, fraction, shuffled=shuffled)

    for code in set(user):
        mine = test[codes == code]
        held = int(len(mine) * fraction + 1e-9)
        assert mine.sum() == held < len(mine)
        assert shuffled or mine[len(mine) - held :].all()


def test_a_shuffled_share_is_not_the_last() -> None:
    """Of a hundred rows twenty, scattered; another seed scatters otherwise."""
    codes = np.zeros(100, np.int32)
    one, other = (
        splits.user_fraction(codes, 0.2, shuffled=True, random_state=seed) for seed in (1, 2)
    )

    assert one.sum() == other.sum() == 20
    assert not one[80:].all()
    assert not np.array_equal(one, other)


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 2)), min_size=1, max_size=30),
    gap=st.integers(1, 30),
)
def test_sessions_are_cut_at_gaps(rows: list[tuple[int, int]], gap: int) -> None:
    """Two neighbours of one user share a session just where no more than the gap lies between."""
    times, users = (np.array(column) for column in zip(*sorted(rows), strict=True))
    number = splits.sessions(users.astype(np.int32), times.astype(np.int64), gap)

    for user in set(users.tolist()):
        mine, at = number[users == user], times[users == user]
        assert mine[0] == 0
        assert np.array_equal(np.diff(mine), (np.diff(at) > gap).astype(int))


def test_whole_users_follow_any_row() -> None:
    """One row is enough to take the user's others along."""
    user = np.array([0, 1, 0, 2, 1], np.int32)

    whole = splits.whole_users(user, np.array([0, 0, 0, 0, 1], bool))
    assert whole.tolist() == [False, True, False, False, True]


def test_new_splits_refuse_what_cannot_be_split() -> None:
    """Each refusal says what would be right."""
    users, times = np.zeros(2, np.int32), np.zeros(2, np.int64)
    with pytest.raises(InvalidInteractions, match="fraction is 0; it lies between 0 and 1"):
        splits.at_random(5, 0)
    with pytest.raises(InvalidInteractions, match="1 rows cannot be split; 2 are wanted"):
        splits.at_random(1, 0.5)
    with pytest.raises(InvalidInteractions, match=r"fraction is 1\.5; it lies"):
        splits.user_fraction(users, 1.5)
    with pytest.raises(InvalidInteractions, match="the gap is 0 ms; time above 0"):
        splits.sessions(users, times, 0)
