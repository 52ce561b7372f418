"""Bad input, from the door to the list: refused in words, or answered as the docstring says.

What concerns fitting is asked of every method of ``equipoise.recommenders.ALL``.
"""

from __future__ import annotations

import tracemalloc
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import EquipoiseError, InvalidInteractions
from equipoise.recommenders import ALL, Recommender
from equipoise.recommenders.base import seen
from equipoise.types import Item

SMALL: dict[str, Any] = {"epochs": 3, "factors": 2, "threads": 1, "random_state": 0}
"""Keywords that keep a fit short, for the methods that have them."""
USERS = ["ann", "ann", "bob", "bob", "cy", "cy", "cy"]
ITEMS = ["tea", "milk", "tea", "milk", "milk", "bread", "tea"]
CATALOGUE = [
    Item(item_id=name, title={"en": name}, categories=("Food/Shelf",), tags=("fresh",))
    for name in ("tea", "milk", "bread")
]


def table(users: list[Any], items: list[Any], values: list[float] | None = None) -> Interactions:
    """With times a minute apart, which some methods need."""
    times = [DAY * 20_000 + 60_000 * row for row in range(len(users))]
    return Interactions.from_columns(users, items, values, times)


def made(cls: type[Recommender]) -> Recommender:
    """One of the class, with small keywords where it has such."""
    known = signature(cls).parameters
    return cls(**{name: value for name, value in SMALL.items() if name in known})


def fitted(cls: type[Recommender], rows: Interactions) -> Recommender | EquipoiseError:
    """A fitted method, or the words in which it refused."""
    try:
        return made(cls).fit(rows, items=CATALOGUE)
    except EquipoiseError as error:
        return error


def is_sound(model: Recommender | EquipoiseError, history: list[Any]) -> bool:
    """Refused with a message, or answering without infinities, with lists of known items."""
    if isinstance(model, EquipoiseError):
        return len(str(model)) > 20
    scores = model.score([history, []])
    ids, _ = model.recommend(history, 5)
    return not np.isinf(scores).any() and set(ids) <= set(model.item_ids_.tolist())


METHODS = pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.name)


@METHODS
@pytest.mark.parametrize(
    ("users", "items"),
    [
        (["ann"], ["tea"]),
        (["ann"] * 3, ["tea", "milk", "bread"]),
        (["ann", "bob", "cy"], ["tea"] * 3),
    ],
    ids=["one pair", "one user", "one item"],
)
def test_one_of_a_kind(cls: type[Recommender], users: list[str], items: list[str]) -> None:
    """One user, one item, or one of both: an answer or a refusal, never a crash or an infinity."""
    model = fitted(cls, table(users, items))

    assert is_sound(model, ["tea"])
    assert is_sound(model, [])


@METHODS
def test_rows_that_come_twice(cls: type[Recommender]) -> None:
    """Kept as rows, summed in the matrix: every method fits, and answers soundly."""
    rows = table(USERS * 2, ITEMS * 2)
    model = made(cls).fit(rows, items=CATALOGUE)

    assert len(rows) == 2 * len(USERS)
    assert rows.matrix().max() == 2
    assert rows.matrix(binary=True).max() == 1
    assert is_sound(model, ["tea"])


@METHODS
@pytest.mark.parametrize("far", [10**9, 10**12, 2**70])
def test_a_billion_as_an_id_costs_nothing(cls: type[Recommender], far: int) -> None:
    """Ids are names, not places: numbers far apart fit in as little memory as 0, 1, 2, and give
    the same lists."""
    near = {"tea": 0, "milk": 1, "bread": 2, "ann": 1, "bob": 2, "cy": 3}
    wide = {name: place * far for name, place in near.items()}
    other = named(cls, near)
    tracemalloc.start()
    model = named(cls, wide)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 20_000_000
    assert len(model.item_ids_) == 3
    expected = other.recommend([0], 5, repeats=True)[0] * far
    assert model.recommend([0], 5, repeats=True)[0].tolist() == expected.tolist()


def named(cls: type[Recommender], number: dict[str, int]) -> Recommender:
    """Fitted on numbers in place of names."""
    rows = table([number[u] for u in USERS], [number[i] for i in ITEMS])
    items: list[Any] = [
        Item(item_id=number[item.item_id], title=item.title, categories=item.categories)  # type: ignore[arg-type]
        for item in CATALOGUE
    ]
    return made(cls).fit(rows, items=items)


@METHODS
@pytest.mark.parametrize("value", [-1.0, 0.0])
def test_nothing_but_dislike(cls: type[Recommender], value: float) -> None:
    """A table whose every value is negative, or 0, teaches nothing or is refused; no infinity."""
    rows = table(USERS, ITEMS, [value] * len(USERS))

    assert is_sound(fitted(cls, rows), ["tea"])


@METHODS
def test_some_negative_values(cls: type[Recommender]) -> None:
    """A dislike among likes: fitted, and answered soundly."""
    rows = table(USERS, ITEMS, [1.0, -5.0, 1.0, 1.0, 3.0, 1.0, 1.0])

    assert is_sound(fitted(cls, rows), ["tea", "milk"])


@METHODS
def test_a_part_without_rows(cls: type[Recommender]) -> None:
    """The empty side of a split: an answer of nothing, or a refusal in words."""
    rows = table(USERS, ITEMS)

    assert is_sound(fitted(cls, rows.take(np.zeros(len(rows), np.bool_))), ["tea"])


def test_what_is_negative_is_clipped_where_only_meetings_count() -> None:
    """``seen``: a pair whose values sum to 0 or less counts as one never met, with values or
    without."""
    rows = Interactions.from_columns("aabb", "xyxy", [2.0, -3.0, 1.0, 4.0])

    assert seen(rows, use_values=True).toarray().tolist() == [[2, 0], [1, 4]]
    assert seen(rows, use_values=False).toarray().tolist() == [[1, 0], [1, 1]]


# ---------------------------------------------------------------- the door itself


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None, 1e300])
def test_ratings_that_are_none(bad: Any) -> None:
    """NaN, infinity, nothing, and what float32 cannot hold: refused with column and row."""
    with pytest.raises(InvalidInteractions, match=r"row 1 of column 'values' is .*finite number"):
        Interactions.from_columns([1, 2], [3, 4], [1.0, bad])


@pytest.mark.parametrize("bad", [None, float("nan"), pd.NA, pd.NaT, np.float64("nan")])
@pytest.mark.parametrize("side", ["users", "items"])
def test_ids_that_are_none(bad: Any, side: str) -> None:
    """Every way to say nothing, on either side, in any mixture."""
    columns = {"users": ["a", "b"], "items": ["x", "y"]}
    columns[side] = [columns[side][0], bad]
    with pytest.raises(InvalidInteractions, match=rf"row 1 of column '{side}' is .*an id is want"):
        Interactions.from_columns(**columns)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_gaps_in_frames(frame: Any) -> None:
    """Integers with a gap become floats in pandas; the gap is still named."""
    with pytest.raises(InvalidInteractions, match=r"row 1 of column 'users' is .*an id is wanted"):
        Interactions.from_frame(frame({"u": [1, None, 2], "i": [1, 2, 3]}), user="u", item="i")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"values": ["good", "bad"]}, "column 'values' is not numeric"),
        ({"values": [[1], [2, 3]]}, "column 'values' is not numeric"),
        ({"users": [["a"], ["b"]]}, "column 'users' holds ids that cannot be hashed"),
        ({"timestamps": [True, False]}, "column 'timestamps' holds bool, which is no time"),
        ({"timestamps": ["today", "tomorrow"]}, "'today'; an ISO 8601 time is wanted"),
        ({"timestamps": [1, 1_700_000_000_000_000_000]}, "row 1 .* before the year 10000"),
        ({"timestamps": [1.0, 1e300]}, "row 1 of column 'timestamps' .* before the year 10000"),
        ({"items": ["x"]}, "2 users but 1 rows of item"),
        ({"users": [], "items": []}, "no rows: at least one interaction is wanted"),
    ],
)
def test_columns_of_the_wrong_kind(columns: dict[str, Any], message: str) -> None:
    """Texts for numbers, lists for ids, nanoseconds for milliseconds, unlike lengths, no rows."""
    with pytest.raises(InvalidInteractions, match=message):
        Interactions.from_columns(**{"users": ["a", "b"], "items": ["x", "y"], **columns})


def test_a_value_that_came_in_otherwise_is_refused_too() -> None:
    """The object cannot be made with a NaN by hand either."""
    codes, ids = np.zeros(1, np.int32), np.array(["x"], dtype=object)
    with pytest.raises(InvalidInteractions, match="a value is not finite"):
        Interactions(codes, codes, np.array([np.nan], np.float32), None, ids, ids)


def test_whole_numbers_of_any_width_are_one_id() -> None:
    """int8, uint64, Python's own and a frame's column name the same users."""
    for kind in (np.int8, np.uint8, np.uint64, np.int64):
        rows = Interactions.from_columns(np.array([3, 1], kind), [1, 2])
        assert rows.user_ids.tolist() == [1, 3]
    assert Interactions.from_columns(pl.Series([3, 1], dtype=pl.UInt64), [1, 2]).n_users == 2
    far = Interactions.from_columns(np.array([2**64 - 1, 0], np.uint64), [1, 2])
    assert far.user_ids.tolist() == [0, 2**64 - 1]
