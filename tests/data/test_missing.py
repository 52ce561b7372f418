"""equipoise.data.missing: dropping and filling, and what that does to the variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import KNNImputer, SimpleImputer

from equipoise.data import missing as room
from equipoise.data.missing import (
    drop,
    fill_knn,
    fill_mean,
    fill_median,
    fill_mode,
    fill_regression,
    interpolate,
    missing,
)
from equipoise.errors import InvalidInput
from equipoise.randomness import derive

HOLED = [2.0, None, 4.0, float("nan"), 9.0]
TABLE = {"user": ["a", "b", None, "d"], "stars": [1.0, None, 3.0, 4.0]}


@pytest.mark.parametrize(
    "column",
    [
        HOLED,
        np.array([2, np.nan, 4, np.nan, 9]),
        pl.Series([2.0, None, 4.0, None, 9.0]),
        pd.Series([2, pd.NA, 4, pd.NA, 9], dtype="Int64"),
        pa.chunked_array([[2.0, None, 4.0, None, 9.0]]),
    ],
)
def test_a_gap_is_seen_in_any_column(column) -> None:
    """None, NaN and NA, in lists and in columns of any library; filling is the same."""
    column = column.to_pylist() if isinstance(column, pa.ChunkedArray) else column
    assert missing(column).tolist() == [False, True, False, True, False]
    assert fill_mean(column).tolist() == [2, 5, 4, 5, 9]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table, dict])
def test_drop_keeps_the_kind_of_table(frame) -> None:
    """Rows that lack any column, or a named one; what was given stays as it was."""
    table = frame(TABLE)
    whole, some = drop(table), drop(table, ["stars"])

    assert type(whole) is (pl.DataFrame if frame is pl.LazyFrame else type(table))
    assert list(np.asarray(whole["user"])) == ["a", "d"]
    assert list(np.asarray(some["stars"], float)) == [1, 3, 4]


def test_fills_by_hand() -> None:
    """2 4 4 9: mean 4.75, median 4, mode 4; of equals in number the smallest."""
    column = [2.0, 4.0, None, 4.0, 9.0]

    assert fill_mean(column)[2] == 4.75
    assert fill_median(column)[2] == 4
    assert fill_mode(column)[2] == 4
    assert fill_mode([3.0, 1.0, None])[2] == 1


def test_sklearn_agrees() -> None:
    """SimpleImputer's three strategies, and KNNImputer with uniform weights."""
    rng = derive(1, "missing")
    table = rng.normal(size=(60, 4))
    table[rng.random(table.shape) < 0.25] = np.nan
    for fill, strategy in (
        (fill_mean, "mean"),
        (fill_median, "median"),
        (fill_mode, "most_frequent"),
    ):
        rough = np.round(table)
        theirs = SimpleImputer(strategy=strategy).fit_transform(rough)
        assert np.allclose(np.column_stack([fill(column) for column in rough.T]), theirs)

    # Not of the rough table: which of equally far rows are nearest is anybody's choice.
    assert np.allclose(fill_knn(table, 3), KNNImputer(n_neighbors=3).fit_transform(table))


def test_blocks_of_rows_change_nothing(monkeypatch) -> None:
    """Distances taken three rows at a time give the same."""
    rng = derive(2, "missing")
    table = rng.normal(size=(40, 3))
    table[rng.random(table.shape) < 0.3] = np.nan
    whole = fill_knn(table)
    monkeypatch.setattr(room, "BLOCK", 3)

    assert np.array_equal(fill_knn(table), whole)


def test_groups_fill_their_own() -> None:
    """A user's gap has the user's mean; a user with nothing has the mean of all."""
    column, users = [1.0, None, 5.0, 7.0, None, None], np.array(list("aabbbc"))

    assert fill_mean(column, users).tolist() == [1, 1, 5, 7, 6, 13 / 3]
    assert fill_median(column, users)[5] == 5


OBSERVED = st.lists(st.one_of(st.none(), st.floats(-9, 9)), min_size=2, max_size=30).filter(
    lambda column: any(value is not None for value in column)
)


@settings(max_examples=60)
@given(column=OBSERVED)
def test_what_filling_does_to_the_variance(column) -> None:
    """V m/n + (m/n)(1 − m/n)(M − fill)², as the page says; a mean fill adds nothing to V m/n."""
    known = np.array([value for value in column if value is not None])
    share = len(known) / len(column)
    for fill in (fill_mean, fill_median, fill_mode):
        filled = fill(column)
        gaps = filled[missing(column)]
        off = known.mean() - gaps[0] if len(gaps) else 0.0
        expected = share * known.var() + share * (1 - share) * off**2

        assert filled.var() == pytest.approx(expected, abs=1e-9)
    assert fill_mean(column).mean() == pytest.approx(known.mean())
    assert fill_mean(column).var() <= known.var() + 1e-9


def test_interpolation_is_by_time() -> None:
    """A quarter of the way in time is a quarter in value; ends are held; order does not matter."""
    times = np.array([0, 1, 4, 9, -5])
    column = [0.0, None, 8.0, None, None]

    assert interpolate(column, times).tolist() == [0, 2, 8, 8, 0]
    order = np.array([3, 0, 4, 2, 1])
    shuffled = interpolate([column[place] for place in order], times[order])
    assert shuffled.tolist() == interpolate(column, times)[order].tolist()


def test_interpolation_by_item() -> None:
    """Each item between its own; of two values at one time the last row counts."""
    times, items = np.array([0, 2, 0, 0, 2, 3]), np.array(list("xxyyyx"))
    column = [1.0, None, 5.0, 7.0, None, 4.0]

    assert interpolate(column, times, items).tolist() == [1, 3, 5, 7, 7, 4]


def test_interpolation_of_noise_keeps_half_the_variance() -> None:
    """Every other value of white noise gone: in the middle ½ V is left, so ¾ V over all; less than
    by a mean is lost."""
    noise = derive(3, "missing").normal(size=20_001)
    holed = noise.copy()
    holed[1::2] = np.nan
    filled = interpolate(holed, np.arange(len(noise)))

    assert filled[1::2].var() == pytest.approx(0.5, abs=0.03)
    assert fill_mean(holed).var() < filled.var() < noise.var()


def linear(n: int = 4_000, noise: float = 0.6):
    """y = x + noise, a third of y gone at random: the share explained is 1 / (1 + noise²)."""
    rng = derive(4, "missing")
    x = rng.normal(size=n)
    whole = np.column_stack([x, x + noise * rng.normal(size=n)])
    holed = whole.copy()
    holed[rng.random(n) < 1 / 3, 1] = np.nan
    return whole, holed


def test_regression_finds_the_plane() -> None:
    """Without noise what is gone comes back; with it the error is the noise, and less than by the
    mean."""
    exact, holed = linear(noise=0.0)
    assert fill_regression(holed, ridge=1e-9) == pytest.approx(exact, abs=1e-4)

    whole, holed = linear()
    gaps = np.isnan(holed[:, 1])
    error = (fill_regression(holed) - whole)[gaps, 1]
    assert error.std() == pytest.approx(0.6, abs=0.03)
    assert error.std() < (fill_mean(holed[:, 1]) - whole[:, 1])[gaps].std() / 1.5


def test_regression_keeps_the_explained_share_and_noise_the_rest() -> None:
    """On the plane R² V is left; with residuals drawn V is, and the correlation as it was."""
    whole, holed = linear()
    gaps = np.isnan(holed[:, 1])
    flat, drawn = fill_regression(holed), fill_regression(holed, noise=True, random_state=1)
    variance = whole[:, 1].var()

    assert flat[gaps, 1].var() == pytest.approx(variance / 1.36, rel=0.06)
    assert drawn[gaps, 1].var() == pytest.approx(variance, rel=0.06)
    true, over, kept = (np.corrcoef(table.T)[0, 1] for table in (whole, flat, drawn))
    assert over > true + 0.03
    assert kept == pytest.approx(true, abs=0.02)


def test_knn_averages_keep_less_than_the_whole() -> None:
    """Between the mean's variance and the true one; one neighbour keeps more than twenty."""
    whole, holed = linear(600)
    one, twenty = (fill_knn(holed, k)[:, 1].var() for k in (1, 20))

    assert fill_mean(holed[:, 1]).var() < twenty < one
    assert twenty < whole[:, 1].var()


def test_frames_are_tables() -> None:
    """Numeric columns of any frame; what was given stays as it was."""
    columns = {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.0, 4.0, None, 8.0]}
    table = pl.DataFrame(columns)
    array = np.array([[1, 2], [2, 4], [3, np.nan], [4, 8]])
    before = array.copy()

    assert fill_regression(table, ridge=1e-9)[2, 1] == pytest.approx(6, abs=1e-3)
    assert fill_knn(table, 2)[2, 1] == 6
    assert fill_knn(pd.DataFrame(columns), 2)[2, 1] == 6
    fill_knn(array)
    fill_regression(array)
    assert np.array_equal(array, before, equal_nan=True)


def test_a_row_like_no_other_has_the_mean() -> None:
    """Where no column is shared nothing is near, and where fewer than k rows have the column all of
    them count."""
    table = np.array([[1.0, np.nan], [np.nan, 3.0], [np.nan, 5.0], [2.0, 9.0]])

    assert fill_knn(table, 1)[1, 0] == 2
    assert fill_knn(table, 9)[0, 1] == 9


def test_nothing_to_fill_from_is_refused() -> None:
    """Each refusal says where."""
    nothing = [None, float("nan")]
    for fill in (fill_mean, fill_median, fill_mode):
        with pytest.raises(InvalidInput, match="the column holds nothing but missing values"):
            fill(nothing)
    with pytest.raises(InvalidInput, match="the group holds nothing but missing"):
        interpolate([1.0, None], np.array([0, 1]), np.array([0, 1]))
    with pytest.raises(InvalidInput, match="column 1 holds nothing but missing"):
        fill_knn(np.array([[1.0, np.nan]]))
    with pytest.raises(InvalidInput, match="only numbers can be filled: could not convert"):
        fill_mean(["many", None])
    with pytest.raises(InvalidInput, match="2 values but 1 groups"):
        fill_mean([1.0, None], np.array([0]))
    with pytest.raises(InvalidInput, match="2 values but 1 times"):
        interpolate([1.0, None], np.array([0]))
    with pytest.raises(InvalidInput, match="k is 0; at least 1 neighbour"):
        fill_knn(np.ones((2, 2)), 0)
    with pytest.raises(InvalidInput, match=r"a table of rows and columns .* shape \(3,\)"):
        fill_regression(np.ones(3))
