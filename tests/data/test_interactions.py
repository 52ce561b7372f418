"""equipoise.data.interactions: the log as user × item data."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInteractions
from equipoise.types import Event, Line

START = 1_700_000_000_000
TABLE: dict[str, list[Any]] = {
    "user_id": ["b", "a", "a", "b", "c"],
    "item_id": [30, 10, 20, 10, 20],
    "stars": [1.0, 2.0, 3.0, 4.0, 5.0],
    "at": [START + day * DAY for day in (4, 0, 1, 2, 3)],
}
ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(1, 3), st.integers(0, 3)),
    min_size=1,
    max_size=12,
)


def table(frame: Any = TABLE) -> Interactions:
    return Interactions.from_frame(frame, value="stars", timestamp="at")


def same(one: Interactions, other: Interactions) -> bool:
    names = ("user", "item", "value", "timestamp", "user_ids", "item_ids")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table])
def test_every_table_gives_the_same(frame: Any) -> None:
    """pandas, polars and pyarrow tables and plain columns agree, ids as plain Python objects."""
    read = table(frame(TABLE))

    assert same(read, table())
    assert {type(i) for i in read.item_ids} == {int}
    assert {type(u) for u in read.user_ids} == {str}


def test_a_file_gives_the_same(tmp_path: Path) -> None:
    """CSV with a line of names, and a tab-separated file without one."""
    pl.DataFrame(TABLE).write_csv(tmp_path / "t.csv")
    pl.DataFrame(TABLE).write_csv(tmp_path / "t.tsv", separator="\t", include_header=False)
    header = ("user_id", "item_id", "stars", "at")
    options = {"value": "stars", "timestamp": "at"}

    assert same(Interactions.from_csv(tmp_path / "t.csv", **options), table())
    bare = Interactions.from_csv(tmp_path / "t.tsv", separator="\t", header=header, **options)
    assert same(bare, table())


def test_parquet_gives_the_same(tmp_path: Path) -> None:
    """One file or several; columns that are not asked for are not read."""
    frame = pl.DataFrame(TABLE).with_columns(pl.lit("x").alias("else"))
    frame[:2].write_parquet(tmp_path / "a.parquet")
    frame[2:].write_parquet(tmp_path / "b.parquet")
    options = {"value": "stars", "timestamp": "at"}

    assert same(Interactions.from_parquet(tmp_path / "*.parquet", **options), table())
    assert len(Interactions.from_parquet(tmp_path / "a.parquet")) == 2
    with pytest.raises(InvalidInteractions, match="no column 'shopper'; the table has user_id,"):
        Interactions.from_parquet(tmp_path / "a.parquet", user="shopper")


def test_files_of_events_are_weighed(tmp_path: Path) -> None:
    """CSV and Parquet alike."""
    frame = pl.DataFrame({"user_id": [1, 1], "item_id": [7, 7], "kind": ["view", "buy"]})
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    options = {"event": "kind", "weights": {"view": 1.0, "buy": 4.0}}
    for read in (
        Interactions.from_csv(tmp_path / "t.csv", **options),
        Interactions.from_parquet(tmp_path / "t.parquet", **options),
    ):
        assert read.matrix().toarray().tolist() == [[5]]


@settings(derandomize=True, max_examples=60)
@given(rows=ROWS, seed=st.integers(0, 9))
def test_row_order_does_not_matter_where_there_are_times(rows: list[Any], seed: int) -> None:
    """A shuffled table is the same object: codes, rows, histories and splits."""
    shuffled = [rows[i] for i in np.argsort([hash((seed, i)) for i in range(len(rows))])]
    one = Interactions.from_columns(*zip(*rows, strict=True))
    other = Interactions.from_columns(*zip(*shuffled, strict=True))

    assert same(one, other)
    assert one.histories() == other.histories()
    assert all(map(same, one.split_last(), other.split_last()))


@settings(derandomize=True, max_examples=60)
@given(rows=ROWS)
def test_matrix_sums_duplicates(rows: list[Any]) -> None:
    """A cell is the sum of the pair's values; the whole sum is kept."""
    data = Interactions.from_columns(*zip(*rows, strict=True))
    matrix = data.matrix()
    expected = np.zeros((data.n_users, data.n_items))
    np.add.at(expected, (data.user, data.item), data.value)

    assert np.array_equal(matrix.toarray(), expected)
    assert matrix.dtype == np.float32
    assert data.matrix(binary=True).sum() == np.count_nonzero(expected)
    assert data.density == pytest.approx(np.count_nonzero(expected) / expected.size)


@settings(derandomize=True, max_examples=60)
@given(rows=ROWS)
def test_unique_histories_are_the_latest_meetings(rows: list[Any]) -> None:
    """Each item once a user, where it was met last; its values summed."""
    data = Interactions.from_columns(*zip(*rows, strict=True))
    expected = [[i for n, i in enumerate(h) if i not in h[n + 1 :]] for h in data.histories()]
    indptr, items, values = data.history_codes(unique=True)
    users = np.repeat(np.arange(data.n_users), np.diff(indptr))

    assert data.histories(unique=True) == expected
    assert values.tolist() == data.matrix().toarray()[users, items].tolist()


def test_histories_end_with_the_newest() -> None:
    """In time order, one list a user in the order of the ids."""
    data = table()

    assert data.user_ids.tolist() == ["a", "b", "c"]
    assert data.histories() == [[10, 20], [10, 30], [20]]


def test_row_order_is_time_where_there_are_no_times() -> None:
    """Without timestamps histories follow the rows."""
    data = Interactions.from_columns(["u", "u", "u"], ["z", "a", "m"])

    assert data.histories() == [["z", "a", "m"]]
    assert data.value.tolist() == [1, 1, 1]


def test_a_returned_purchase_leaves_nothing_in_binary() -> None:
    """Five and minus five are no interest."""
    data = Interactions.from_columns([1, 1], [2, 2], [5.0, -5.0])

    assert data.matrix(binary=True).nnz == 0
    assert data.matrix().nnz == 1


def test_parts_keep_the_ids_of_the_whole() -> None:
    """Codes of train and test mean the same, and no row is lost; compact drops the unused ids."""
    data = table()
    train, test = data.split_temporal(last_days=1.5)

    assert (len(train), len(test)) == (3, 2)
    assert train.n_items == test.n_items == 3
    assert np.array_equal(
        (train.matrix() + test.matrix()).toarray(),
        data.matrix().toarray(),
    )
    assert test.compact().histories() == [[30], [20]]
    assert test.compact().user_ids.tolist() == ["b", "c"]


@pytest.mark.parametrize(
    "at", [START + 3 * DAY, "2023-11-17T22:13:20Z", datetime(2023, 11, 17, 22, 13, 20)]
)
def test_split_at_a_moment(at: Any) -> None:
    """Test is at that moment or later, however it is written."""
    train, test = table().split_temporal(at=at)

    assert (len(train), len(test)) == (3, 2)


def test_split_by_time_needs_times() -> None:
    """Said so, not guessed."""
    with pytest.raises(InvalidInteractions, match="needs timestamps"):
        Interactions.from_columns([1], [2]).split_temporal(fraction=0.5)


def test_folds_are_a_partition() -> None:
    """Each row is in one test part, and the same seed gives the same folds."""
    data = table()
    tests = [test for _, test in data.split_folds(3, random_state=1)]

    assert sum(map(len, tests)) == len(data)
    assert np.array_equal(sum(t.matrix() for t in tests).toarray(), data.matrix().toarray())
    assert all(map(same, tests, [t for _, t in data.split_folds(3, random_state=1)]))


def test_other_values_keep_the_rows() -> None:
    """``with_values`` changes values only, and refuses what is no value."""
    data = table()
    doubled = data.with_values(data.value * 2)

    assert doubled.value.tolist() == (data.value * 2).tolist()
    assert doubled.histories() == data.histories()
    assert data.value.tolist() == table().value.tolist()
    with pytest.raises(InvalidInteractions, match=r"row 1 of column 'values' is .*nan"):
        data.with_values([1.0, float("nan"), 1.0, 1.0, 1.0])
    with pytest.raises(InvalidInteractions, match="5 users but 1 rows of value"):
        data.with_values([1.0])


def test_sessions_stand_for_users() -> None:
    """Cut at gaps of more than half an hour, rows and items kept, ids of user and number."""
    minute = 60_000
    times = [0, 30 * minute, 61 * minute, 5 * minute]
    data = Interactions.from_columns("aaab", "xyzx", timestamps=times).sessions(30)

    assert data.user_ids.tolist() == [("a", 0), ("a", 1), ("b", 0)]
    assert data.histories() == [["x", "y"], ["z"], ["x"]]
    with pytest.raises(InvalidInteractions, match="cutting sessions needs timestamps"):
        Interactions.from_columns([1], [2]).sessions()


def test_sessions_are_split_whole() -> None:
    """By their newest row: a test session keeps its beginning, and no training row is late."""
    hour = 3_600_000
    users, times = ["a", "a", "b", "b"], [0, 3 * hour, 1 * hour, 2 * hour]
    data = Interactions.from_columns(users, "xyzw", timestamps=times)
    train, test = data.split_sessions(at=3 * hour)

    assert train.compact().histories() == [["z", "w"]]
    assert test.compact().histories() == [["x", "y"]]
    with pytest.raises(InvalidInteractions, match="a split by time needs timestamps"):
        Interactions.from_columns([1], [2]).split_sessions(last_days=1)


def test_random_splits_are_partitions() -> None:
    """Over rows, or within each user; nothing lost, ids kept."""
    data = table()
    for train, test in (
        data.split_random(0.4, random_state=1),
        data.split_user_fraction(0.5),
        data.split_user_fraction(0.5, shuffled=True, random_state=1),
    ):
        assert len(train) + len(test) == len(data)
        assert np.array_equal((train.matrix() + test.matrix()).toarray(), data.matrix().toarray())
    assert data.split_user_fraction(0.5)[1].compact().histories() == [[20], [30]]


def event(name: str, *items: str, day: int = 0, **more: Any) -> Event:
    return Event(
        event_id=f"{name}{day}",
        event=name,
        ts=START + day * DAY,
        anonymous_id="c",
        items=tuple(Line(item_id=item, quantity=7) for item in items),
        **more,
    )


def test_events_count_by_their_weight() -> None:
    """View 1, cart 3, purchase 5 whatever the quantity; a refund or dislike takes it back."""
    data = Interactions.from_events(
        [
            event("view_item", "x"),
            event("add_to_cart", "x"),
            event("purchase", "x", "y", user_id="u"),
            event("refund", "y", day=1, user_id="u"),
            event("review", "x", day=2, attributes={"rating": 4}),
            event("review", "y", day=2, value=2.0),
            event("review", "z"),
            event("search"),
            event("dislike", "x"),
        ]
    )

    assert data.user_ids.tolist() == ["c", "u"]
    assert data.matrix().toarray().tolist() == [[1 + 3 + 4 - 5, 2], [5, 0]]


def test_events_can_be_told_whose_they_are() -> None:
    """The engine knows which ids are one person."""
    data = Interactions.from_events(
        [event("purchase", "x", user_id="u"), event("view_item", "y")], shopper=lambda _: "one"
    )

    assert data.histories() == [["y", "x"]] or data.histories() == [["x", "y"]]
    assert data.user_ids.tolist() == ["one"]


def test_no_usable_event_is_said() -> None:
    """A log of searches alone teaches nothing."""
    with pytest.raises(InvalidInteractions, match=r"no event among view_item, .* names an item"):
        Interactions.from_events([event("search")])


def test_the_door() -> None:
    """Empty tables, unlike lengths and foreign masks are refused."""
    with pytest.raises(InvalidInteractions, match="no rows"):
        Interactions.from_columns([], [])
    with pytest.raises(InvalidInteractions, match="2 users but 1 rows of item"):
        Interactions.from_columns([1, 2], [1])
    with pytest.raises(InvalidInteractions, match=r"bool \(5,\) is wanted"):
        table().take(np.array([True]))


def test_it_prints_itself() -> None:
    """Counts, density and span of time."""
    assert repr(table()) == (
        "Interactions(5 rows, 3 users, 3 items, density 55.56%, 2023-11-14 to 2023-11-18)"
    )
    assert repr(Interactions.from_columns([1], [2])).endswith("density 100.00%)")
