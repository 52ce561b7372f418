"""Missing values: find, drop or fill them, before a table becomes interactions.

A *column* is a list, an array, or a column of pandas, polars or pyarrow; missing is None or NaN. A
*table* is an (n, d) array or a frame of numeric columns; what comes back are arrays of float64, and
the input stays as it was. Every fill invents data, and says below what that does to the variance:
m of n values are observed, with mean M and variance V (population). ``drop`` invents nothing; when
values are missing at random it leaves means and variances unbiased, else it changes who is asked.

``Interactions`` itself refuses missing values: what to do about them is the caller's decision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.data.columns import Column, absent, column_of, listed, names_of
from equipoise.errors import InvalidInput
from equipoise.randomness import RandomState, generator
from equipoise.types import Bools, Floats

BLOCK = 256
"""Rows whose distances are held in memory at once."""


def missing(column: Column) -> Bools:
    """(n,) True where there is None, NaN, NaT or pandas' NA."""
    return np.fromiter(map(absent, listed(column)), np.bool_, len(column))


def drop(frame: Any, columns: list[str] | None = None) -> Any:
    """The frame (pandas, polars, pyarrow, or a dictionary of columns) without the rows that lack
    one of ``columns``, by default of all."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    kept = ~np.any([missing(column_of(frame, n)) for n in columns or names_of(frame)], axis=0)
    if isinstance(frame, dict):
        return {n: [v for v, k in zip(c, kept, strict=True) if k] for n, c in frame.items()}
    if hasattr(frame, "filter") and not hasattr(frame, "loc"):
        return frame.filter(kept.tolist())
    return frame[kept]


def fill_mean(column: Column, groups: NDArray[Any] | None = None) -> Floats:
    """The mean of the group (of all without ``groups``, or where a group has nothing observed).

    The mean stays M; the variance shrinks to V · m/n, and correlations shrink with it.
    """
    return _filled(column, groups, lambda values: float(values.mean()))


def fill_median(column: Column, groups: NDArray[Any] | None = None) -> Floats:
    """The median, which outliers do not move.

    The variance becomes V · m/n + (m/n)(1 − m/n)(M − median)²: smaller unless the values are very
    skewed; the mean moves towards the median.
    """
    return _filled(column, groups, lambda values: float(np.median(values)))


def fill_mode(column: Column, groups: NDArray[Any] | None = None) -> Floats:
    """The most frequent value, the smallest among equals: for codes and stars.

    The variance becomes V · m/n + (m/n)(1 − m/n)(M − mode)², which may be more than V where the
    mode lies at an edge; the mean moves towards the mode.
    """
    return _filled(column, groups, _mode)


def interpolate(column: Column, times: NDArray[Any], groups: NDArray[Any] | None = None) -> Floats:
    """On the straight line, in time, between the observed before and after; before the first and
    after the last, the nearest.

    For what changes slowly (a price, a stock). Where a value lies at share w between two that have
    nothing to do with one another, its variance is (w² + (1 − w)²) V, half of V in the middle: less
    is lost than by ``fill_mean``, and hardly any of smooth values. Neighbours become more alike.

    Args:
        times: (n,) numbers, any order; one observed value at most per time counts (the last row).
        groups: (n,) each interpolated by itself (an item's own prices).

    Raises:
        InvalidInput: nothing observed, in the column or in one group.
    """
    values, times = _floats(column), np.asarray(times, np.float64)
    _one_each("times", len(times), values)
    filled = values.copy()
    for rows in _rows_by(groups, values):
        known = rows[~np.isnan(values[rows])]
        _something(known, "the group" if groups is not None else "the column")
        known = known[np.argsort(times[known], kind="stable")]
        last = np.append(np.diff(times[known]) > 0, True)
        gaps = rows[np.isnan(values[rows])]
        filled[gaps] = np.interp(times[gaps], times[known][last], values[known][last])
    return filled


def fill_knn(table: Any, k: int = 5) -> Floats:
    """(n, d) each gap the mean of that column over the ``k`` nearest rows that have it.

    Troyanskaya et al., "Missing value estimation methods for DNA microarrays", Bioinformatics 2001,
    unweighted. Distance over the columns that both rows have, scaled up to d:
    ``√(d / shared · Σ (a − b)²)``; rows that share no column are not near, and a gap without a near
    row has the column's mean. Put the columns on one scale first. Fewer than ``k`` rows: all.

    The mean of k neighbours keeps what differs between neighbourhoods and 1/k of what differs
    within: the variance shrinks less than by ``fill_mean``, most for large ``k``; correlations
    grow. Cost n² d, memory n times a block of 256 rows.
    """
    values = _table(table)
    if k < 1:
        raise InvalidInput(f"k is {k}; at least 1 neighbour is wanted", pointer="/k")
    filled = values.copy()
    gaps = np.flatnonzero(np.isnan(values).any(axis=1))
    for start in range(0, len(gaps), BLOCK):
        rows = gaps[start : start + BLOCK]
        distance = _distances(values, rows)
        for column in range(values.shape[1]):
            empty = np.isnan(values[rows, column])
            if empty.any():
                means = _near(values[:, column], distance[empty], k)
                filled[rows[empty], column] = means
    return filled


def fill_regression(
    table: Any,
    *,
    ridge: float = 1e-3,
    rounds: int = 10,
    noise: bool = False,
    random_state: RandomState = None,
) -> Floats:
    """(n, d) each gap what a linear model of the other columns says, column after column,
    ``rounds`` times over.

    Chained equations: van Buuren, Groothuis-Oudshoorn, "mice", *J. Statistical Software* 45 (2011),
    with one filled table. Ridge regression on columns of variance 1, ``ridge`` · n on the diagonal.

    Filled values lie on the fitted plane: of the missing values' variance only the explained share
    R² is left, and correlations are overstated. ``noise=True`` adds to each a residual of an
    observed row, drawn at random: mean and variance are then kept, at the price of a larger error
    value by value. Cost ``rounds`` · d · (n d² + d³).
    """
    values = _table(table)
    gaps = np.isnan(values)
    mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    spread[spread == 0] = 1.0
    scaled = np.where(gaps, 0.0, (values - mean) / spread)
    rng = generator(random_state, "fill_regression")
    holed = np.flatnonzero(gaps.any(axis=0))
    for left in range(rounds, 0, -1):
        for column in holed.tolist():
            said, residuals = _regressed(scaled, gaps[:, column], column, ridge)
            # Noise that went into the next round's model would only blur it.
            extra = rng.choice(residuals, len(said)) if noise and left == 1 else 0.0
            scaled[gaps[:, column], column] = said + extra
    return np.where(gaps, scaled * spread + mean, values)


def _regressed(table: Floats, gap: Bools, column: int, ridge: float) -> tuple[Floats, Floats]:
    """What the other columns say of the gaps, and the residuals of the observed."""
    design = np.column_stack([np.ones(len(table)), np.delete(table, column, axis=1)])
    seen, target = design[~gap], table[~gap, column]
    penalty = ridge * len(seen) * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    weights = np.linalg.solve(seen.T @ seen + penalty, seen.T @ target)
    return design[gap] @ weights, target - seen @ weights


def _distances(values: Floats, rows: NDArray[np.int64]) -> Floats:
    """(rows, n) squared, NaN where two rows share no column."""
    known = ~np.isnan(values)
    zero = np.where(known, values, 0.0)
    shared = known[rows].astype(float) @ known.T.astype(float)
    square = (zero[rows] ** 2) @ known.T + known[rows] @ (zero.T**2) - 2 * zero[rows] @ zero.T
    scaled = np.full(shared.shape, np.nan)
    np.divide(np.maximum(square, 0.0), shared / values.shape[1], out=scaled, where=shared > 0)
    return scaled


def _near(column: Floats, distance: Floats, k: int) -> Floats:
    """(rows,) means of ``column`` over the nearest that have it."""
    holders = np.flatnonzero(~np.isnan(column))
    means = np.empty(len(distance))
    for row, far in enumerate(distance[:, holders]):
        near = np.argsort(far, kind="stable")[:k]
        near = near[~np.isnan(far[near])]
        means[row] = column[holders[near] if len(near) else holders].mean()
    return means


def _filled(column: Column, groups: NDArray[Any] | None, centre: Any) -> Floats:
    values = _floats(column)
    known = values[~np.isnan(values)]
    _something(known, "the column")
    filled = np.where(np.isnan(values), centre(known), values)
    for rows in _rows_by(groups, values):
        own = values[rows][~np.isnan(values[rows])]
        if len(own):
            filled[rows] = np.where(np.isnan(values[rows]), centre(own), values[rows])
    return filled


def _mode(values: Floats) -> float:
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[counts.argmax()])


def _rows_by(groups: NDArray[Any] | None, values: Floats) -> list[NDArray[np.int64]]:
    if groups is None:
        return [np.arange(len(values))]
    _one_each("groups", len(groups), values)
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])


def _table(table: Any) -> Floats:
    if not isinstance(table, np.ndarray):
        table = np.column_stack([_floats(column_of(table, name)) for name in names_of(table)])
    values = np.array(table, np.float64)
    if values.ndim != 2 or not values.size:
        raise InvalidInput(f"a table of rows and columns is wanted; this has shape {values.shape}")
    for column in range(values.shape[1]):
        _something(np.flatnonzero(~np.isnan(values[:, column])), f"column {column}")
    return values


def _floats(column: Column) -> Floats:
    values = [np.nan if absent(value) else value for value in listed(column)]
    try:
        return np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"only numbers can be filled: {error}", code="type") from error


def _something(known: NDArray[Any], what: str) -> None:
    if not len(known):
        raise InvalidInput(f"{what} holds nothing but missing values: nothing says what to fill")


def _one_each(name: str, n: int, values: Floats) -> None:
    if n != len(values):
        raise InvalidInput(f"{len(values)} values but {n} {name}; one each is wanted")
