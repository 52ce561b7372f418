"""equipoise.data.columns: anybody's columns, checked at the door."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.data import columns
from equipoise.errors import InvalidInteractions

IDS = st.lists(
    st.one_of(
        st.integers(-5, 5), st.text("abé", max_size=2), st.tuples(st.integers(0, 2), st.text("x"))
    ),
    min_size=1,
    max_size=20,
)


@settings(derandomize=True, max_examples=50)
@given(ids=IDS)
def test_encode_loses_nothing(ids: list[object]) -> None:
    """ids[codes] is the column, the caller's objects kept as given, each once."""
    codes, distinct = columns.encode(ids, "users")

    assert [distinct[code] for code in codes] == ids
    assert len(set(distinct)) == len(distinct)
    assert codes.dtype == np.int32


@settings(derandomize=True, max_examples=50)
@given(ids=IDS, seed=st.integers(0, 5))
def test_encode_does_not_hang_on_row_order(ids: list[object], seed: int) -> None:
    """A column in another order has the same ids in the same places."""
    _, distinct = columns.encode(ids, "users")
    _, again = columns.encode(ids[seed:] + ids[:seed], "users")

    assert distinct.tolist() == again.tolist()


@pytest.mark.parametrize(
    "values", [["b", "a", "b"], [7, 3, 7], [2**70, -1, 2**70], [(1, 2), (0, 9)]]
)
def test_encode_sorts_ids_of_one_type(values: list[object]) -> None:
    """Ids of one type stand in their own order."""
    _, distinct = columns.encode(values, "items")

    assert distinct.tolist() == sorted(set(values))  # type: ignore[type-var]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_encode_names_the_row_without_an_id(missing: object) -> None:
    """A missing id is refused with its row."""
    with pytest.raises(
        InvalidInteractions, match=r"row 1 of column 'users' is .*; an id is wanted"
    ) as e:
        columns.encode(["a", missing, "b"], "users")

    assert e.value.pointer == "/users/1"


def test_encode_refuses_what_cannot_be_hashed() -> None:
    """Lists are no ids."""
    with pytest.raises(InvalidInteractions, match="ids that cannot be hashed"):
        columns.encode([["a"], ["b"]], "users")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_floats_are_finite(bad: float | None) -> None:
    """NaN, infinity and nothing are refused with their row."""
    with pytest.raises(InvalidInteractions, match=r"row 2 of column 'value'.*finite number"):
        columns.floats([1.0, 2.0, bad], "value")


def test_floats_refuse_text() -> None:
    """A text column is no value."""
    with pytest.raises(InvalidInteractions, match="column 'value' is not numeric"):
        columns.floats(["many"], "value")


MOMENT = datetime(2026, 11, 24, 3, 8, tzinfo=UTC)
MS = 1_795_489_680_000


@pytest.mark.parametrize(
    "column",
    [
        [MS],
        [MOMENT],
        ["2026-11-24T03:08:00Z"],
        ["2026-11-24 03:08"],
        ["2026-11-24T04:08:00+01:00"],
        np.array([MS]),
        np.array(["2026-11-24T03:08:00"], dtype="datetime64[s]"),
        pl.Series([datetime(2026, 11, 24, 3, 8)]),
        pd.Series([MOMENT]).to_numpy(),
        np.asarray(pa.chunked_array([[MOMENT]]).to_numpy()),
    ],
)
def test_a_moment_has_one_number(column: columns.Column) -> None:
    """Every way to write a moment gives the same milliseconds."""
    assert columns.milliseconds(column, "ts").tolist() == [MS]


def test_seconds_are_told_from_milliseconds() -> None:
    """Judged by the largest of a column, and only where asked."""
    assert columns.milliseconds([MS // 1_000], "ts", judge=True).tolist() == [MS]
    assert columns.milliseconds([MS], "ts", judge=True).tolist() == [MS]
    assert columns.milliseconds([5], "ts").tolist() == [5]
    assert columns.milliseconds([date(1970, 1, 2)], "ts").tolist() == [86_400_000]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["soon"], "row 0 of column 'ts' is 'soon'; an ISO 8601 time is wanted"),
        ([MOMENT, None], "row 1 of column 'ts' is None; an ISO 8601 time"),
        ([1.0, float("nan")], "row 1 of column 'ts' is nan; a time is wanted"),
        (np.array(["NaT"], dtype="datetime64[ms]"), "a time is wanted"),
        ([5, -1], "row 1 of column 'ts' is .*-1.*; a time since 1970"),
        ([True], "column 'ts' holds bool, which is no time"),
    ],
)
def test_what_is_no_time_is_refused(column: columns.Column, message: str) -> None:
    """A refusal says the row and what would be right."""
    with pytest.raises(InvalidInteractions, match=message):
        columns.milliseconds(column, "ts")


def test_an_unknown_column_names_those_there_are() -> None:
    """A misspelt column meets the right names."""
    with pytest.raises(InvalidInteractions, match="no column 'itm'; the table has user, item"):
        columns.column_of(pl.DataFrame({"user": [1], "item": [2]}), "itm")


def test_what_is_no_table_is_refused() -> None:
    """A list is no table."""
    with pytest.raises(InvalidInteractions, match="list is no table"):
        columns.column_of([1, 2], "user")
