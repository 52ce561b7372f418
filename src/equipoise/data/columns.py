"""Columns of anybody's table → codes, floats and milliseconds, checked at the door.

A column is a list, a NumPy array, or a column of pandas, polars or pyarrow; only polars need be
installed. A refusal names the column and, where there is one, the row, counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.errors import InvalidInteractions
from equipoise.types import Floats32, Positions

Column: TypeAlias = Sequence[Any] | NDArray[Any] | pl.Series
Ids: TypeAlias = NDArray[np.object_]

SECONDS_BELOW = 100_000_000_000
"""A time below this is in seconds (until the year 5138), else in milliseconds (from 1973)."""
LATEST = 253_402_300_800_000
"""The year 10000 in milliseconds: later are microseconds or nanoseconds, which are not guessed."""


def column_of(frame: Any, name: str) -> Column:
    """One column of a pandas, polars or pyarrow table, or of a dictionary of columns."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    _refuse_unknown(name, names_of(frame))
    column: Any = frame[name]
    if isinstance(column, pl.Series | list | tuple):
        return column
    return np.asarray(column.to_numpy() if hasattr(column, "to_numpy") else column)


def only(lazy: pl.LazyFrame, names: Iterable[str | None]) -> pl.DataFrame:
    """The named columns of a file, the others left unread; None names none."""
    known = lazy.collect_schema().names()
    wanted = list(dict.fromkeys(name for name in names if name is not None))
    for name in wanted:
        _refuse_unknown(name, known)
    return lazy.select(wanted).collect()


def encode(column: Column, name: str) -> tuple[Positions, Ids]:
    """Codes (n,) and the distinct ids in rising order: codes do not hang on the order of rows.

    Ids of unlike types, which have no order of their own, are sorted by type name and ``repr``.
    """
    if isinstance(column, pl.Series) and column.dtype.is_integer() and not column.null_count():
        column = column.to_numpy()
    if isinstance(column, np.ndarray) and column.dtype.kind == "i":
        return _encode_integers(column)
    if isinstance(column, pl.Series) and column.dtype == pl.String and not column.null_count():
        return _encode_text(column)
    values = listed(column)
    kinds = set(map(type, values))
    if kinds == {str}:
        return _encode_text(pl.Series(values, dtype=pl.String))
    if kinds == {int}:
        return _encode_integers(values)
    return _encode_any(values, name)


def floats(column: Column, name: str) -> Floats32:
    """float32 (n,), every one finite (to float32, whose largest is 3.4e38)."""
    plain = isinstance(column, np.ndarray) and column.dtype.kind in "iufb"
    try:
        with np.errstate(over="ignore"):
            values = np.array(column if plain else listed(column), dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidInteractions(
            f"column {name!r} is not numeric: {error}", code="type", pointer=f"/{name}"
        ) from error
    _refuse(~np.isfinite(values), column, name, "a finite number is wanted")
    return values


def milliseconds(column: Column, name: str, *, judge: bool = False) -> NDArray[np.int64]:
    """int64 (n,) since 1970, UTC.

    Dates and times are converted (without a zone they are UTC). Numbers are milliseconds; with
    ``judge``, they are seconds if the largest lies below ``SECONDS_BELOW``.
    """
    array = column.to_numpy() if isinstance(column, pl.Series) else np.asarray(column)
    if array.dtype.kind in "OUST":
        array = _moments(array.tolist(), name)
    if array.dtype.kind == "M":
        _refuse(np.isnat(array), column, name, "a time is wanted")
        return _not_negative(array.astype("datetime64[ms]").astype(np.int64), name)
    if array.dtype.kind not in "iuf":
        raise InvalidInteractions(
            f"column {name!r} holds {array.dtype}, which is no time",
            code="type",
            pointer=f"/{name}",
        )
    _refuse(~np.isfinite(array.astype(np.float64)), column, name, "a time is wanted")
    scale = 1_000 if judge and len(array) and array.max() < SECONDS_BELOW else 1
    late = array >= LATEST / scale
    _refuse(late, column, name, "milliseconds before the year 10000 are wanted")
    return _not_negative(np.round(array * scale).astype(np.int64), name)


def names_of(frame: Any) -> list[Any]:
    """The names of a table's columns."""
    if hasattr(frame, "column_names"):
        return list(frame.column_names)
    if hasattr(frame, "columns"):
        return list(frame.columns)
    if hasattr(frame, "keys"):
        return list(frame.keys())
    raise InvalidInteractions(
        f"{type(frame).__name__} is no table; give a pandas, polars or pyarrow table, or a"
        " dictionary of columns",
        code="type",
    )


def listed(column: Column) -> list[Any]:
    """The column's values as plain Python objects, None where polars or pyarrow have none."""
    if isinstance(column, pl.Series):
        return column.to_list()
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def absent(value: Any) -> bool:
    """Whether it is None, NaN, NaT or pandas' NA."""
    # pandas' own two are known by name: pandas need not be installed.
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.generic) and bool(value != value)


def _refuse_unknown(name: str, names: list[Any]) -> None:
    if name not in names:
        known = ", ".join(map(str, names))
        raise InvalidInteractions(
            f"no column {name!r}; the table has {known}", code="missing", pointer=f"/{name}"
        )


def _encode_text(values: pl.Series) -> tuple[Positions, Ids]:
    distinct = values.unique().sort()
    codes = values.cast(pl.Enum(distinct)).to_physical()
    return codes.to_numpy().astype(np.int32), _objects(distinct.to_list())


def _encode_integers(values: list[int] | NDArray[Any]) -> tuple[Positions, Ids]:
    try:
        array = np.asarray(values, dtype=np.int64)
    except OverflowError:
        return _codes_of(list(values), sorted(set(values)))
    distinct, codes = np.unique(array, return_inverse=True)
    return codes.astype(np.int32), _objects(distinct.tolist())


def _encode_any(values: list[Any], name: str) -> tuple[Positions, Ids]:
    missing = np.fromiter(map(absent, values), np.bool_, len(values))
    _refuse(missing, values, name, "an id is wanted")
    try:
        distinct = set(values)
    except TypeError as error:
        raise InvalidInteractions(
            f"column {name!r} holds ids that cannot be hashed: {error}",
            code="type",
            pointer=f"/{name}",
        ) from error
    try:
        return _codes_of(values, sorted(distinct))
    except TypeError:
        return _codes_of(values, sorted(distinct, key=lambda v: (type(v).__name__, repr(v))))


def _codes_of(values: list[Any], distinct: list[Any]) -> tuple[Positions, Ids]:
    code = {value: number for number, value in enumerate(distinct)}
    codes = np.fromiter(map(code.__getitem__, values), dtype=np.int32, count=len(values))
    return codes, _objects(distinct)


def _objects(values: list[Any]) -> Ids:
    """An array of objects that stays flat even when the objects are tuples."""
    return np.fromiter(values, dtype=object, count=len(values))


def _moments(values: list[Any], name: str) -> NDArray[Any]:
    moments = np.empty(len(values), dtype="datetime64[ms]")
    for row, value in enumerate(values):
        try:
            moments[row] = np.datetime64(_utc(value), "ms")
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidInteractions(
                f"row {row} of column {name!r} is {value!r}; an ISO 8601 time is wanted",
                code="time",
                pointer=f"/{name}/{row}",
            ) from error
    return moments


def _utc(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, date):
        raise TypeError
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def _refuse(bad: NDArray[np.bool_], column: Column, name: str, wanted: str) -> None:
    if not bad.any():
        return
    row = int(np.argmax(bad))
    raise InvalidInteractions(
        f"row {row} of column {name!r} is {column[row]!r}; {wanted}",
        code="missing",
        pointer=f"/{name}/{row}",
    )


def _not_negative(times: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    _refuse(times < 0, times, name, "a time since 1970 is wanted")
    return times
