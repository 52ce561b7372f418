"""Interactions: the log as user × item data. Checks itself at the door, and prints itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.clock import rfc3339
from equipoise.data.columns import Column, Ids, column_of, encode, floats, milliseconds, only
from equipoise.data.filters import k_core
from equipoise.data.splits import (
    at_random,
    k_folds,
    last,
    sessions,
    temporal,
    user_fraction,
    whole_users,
)
from equipoise.data.weights import WEIGHTS, weigh, worth
from equipoise.errors import InvalidInteractions
from equipoise.randomness import RandomState
from equipoise.types import Bools, Event, Floats32, Milliseconds, Positions


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Interactions:
    """Rows of (user, item, value, time), with the caller's own ids beside the codes.

    Rows stand in time order; rows of one time stand by user id, item id and value. Without times
    the order of the rows is taken for the order of time. Codes follow the ids in rising order. So a
    table with times gives the same object whatever the order of its rows. The same pair may come
    more than once.
    """

    user: Positions
    """(n,) codes into ``user_ids``."""
    item: Positions
    """(n,) codes into ``item_ids``."""
    value: Floats32
    """(n,) finite; 1 where the source had none."""
    timestamp: NDArray[np.int64] | None
    """(n,) milliseconds since 1970, never falling; None where the source had none."""
    user_ids: Ids
    item_ids: Ids

    def __post_init__(self) -> None:
        for name in ("item", "value", "timestamp"):
            column = getattr(self, name)
            if column is not None and len(column) != len(self.user):
                raise InvalidInteractions(
                    f"{len(self.user)} users but {len(column)} rows of {name}; one each is wanted",
                    code="length",
                    pointer=f"/{name}",
                )
        if not np.isfinite(self.value).all():
            raise InvalidInteractions("a value is not finite", code="missing", pointer="/value")

    # ------------------------------------------------------------ ways in

    @classmethod
    def from_columns(
        cls,
        users: Column,
        items: Column,
        values: Column | None = None,
        timestamps: Column | None = None,
    ) -> Interactions:
        """From lists or arrays of one length. Times are milliseconds since 1970, or datetimes.

        InvalidInteractions names the column and row of what is missing, NaN, or of a wrong length.
        """
        if len(users) == 0:
            raise InvalidInteractions("no rows: at least one interaction is wanted", code="empty")
        user, user_ids = encode(users, "users")
        item, item_ids = encode(items, "items")
        value = np.ones(len(user), dtype=np.float32) if values is None else floats(values, "values")
        time = None if timestamps is None else milliseconds(timestamps, "timestamps")
        return cls(user, item, value, time, user_ids, item_ids)._in_time_order()

    @classmethod
    def from_frame(
        cls,
        df: Any,
        user: str = "user_id",
        item: str = "item_id",
        value: str | None = None,
        timestamp: str | None = None,
        *,
        event: str | None = None,
        weights: Mapping[Any, float] = WEIGHTS,
    ) -> Interactions:
        """From a pandas, polars or pyarrow table, or a dictionary of columns.

        A numeric time is of seconds if the column's largest lies below 1e11, else of milliseconds.
        ``event`` names a column of what happened, which counts by ``weights`` (``weights.weigh``),
        times the value where both are given.
        """
        if isinstance(df, pl.LazyFrame):
            df = only(df, (user, item, value, timestamp, event))
        time, values = None, None
        if timestamp is not None:
            time = milliseconds(column_of(df, timestamp), timestamp, judge=True)
        if value is not None:
            values = floats(column_of(df, value), value)
        if event is not None:
            weight = weigh(column_of(df, event), weights, event)
            values = weight if values is None else weight * values
        return cls.from_columns(column_of(df, user), column_of(df, item), values, time)

    @classmethod
    def from_csv(
        cls,
        path: str | Path,
        user: str = "user_id",
        item: str = "item_id",
        value: str | None = None,
        timestamp: str | None = None,
        *,
        separator: str = ",",
        header: tuple[str, ...] | None = None,
        event: str | None = None,
        weights: Mapping[Any, float] = WEIGHTS,
    ) -> Interactions:
        """From a delimited file. ``header`` names the columns where the file has no line for it."""
        frame = pl.read_csv(
            path,
            separator=separator,
            has_header=header is None,
            new_columns=header,
            infer_schema_length=None,
        )
        columns = (user, item, value, timestamp)
        return cls.from_frame(frame, *columns, event=event, weights=weights)

    @classmethod
    def from_parquet(
        cls,
        path: str | Path,
        user: str = "user_id",
        item: str = "item_id",
        value: str | None = None,
        timestamp: str | None = None,
        *,
        event: str | None = None,
        weights: Mapping[Any, float] = WEIGHTS,
    ) -> Interactions:
        """From a Parquet file, or several (``data/*.parquet``); other columns are not read."""
        columns = (user, item, value, timestamp)
        return cls.from_frame(pl.scan_parquet(path), *columns, event=event, weights=weights)

    @classmethod
    def from_events(
        cls,
        events: Iterable[Event],
        *,
        weights: Mapping[str, float] = WEIGHTS,
        shopper: Callable[[Event], str | None] | None = None,
    ) -> Interactions:
        """From events: one row a line whose event has a weight, quantity left aside.

        A review's value is its weight times its stars (``attributes.rating``, or else ``value``);
        without either it is left out. ``shopper`` tells who an event belongs to; by default
        ``user_id`` or else ``anonymous_id``.
        """
        who = shopper or (lambda event: event.user_id or event.anonymous_id)
        rows = [
            (who(event), line.item_id, value, event.ts)
            for event in events
            if (value := worth(event, weights)) is not None
            for line in event.items
        ]
        if not rows:
            known = ", ".join(weights)
            raise InvalidInteractions(f"no event among {known} names an item", code="empty")
        users, items, values, timestamps = zip(*rows, strict=True)
        return cls.from_columns(users, items, values, timestamps)

    # ------------------------------------------------------------ what it is

    def __len__(self) -> int:
        return len(self.user)

    @property
    def n_users(self) -> int:
        """Size of the user space, users without a row here included."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    @property
    def density(self) -> float:
        """Share of the user × item pairs that have a row, 0..1."""
        return len(np.unique(self._pairs())) / max(1, self.n_users * self.n_items)

    def __repr__(self) -> str:
        span = ""
        if self.timestamp is not None and len(self):
            first, newest = (rfc3339(int(self.timestamp[end]))[:10] for end in (0, -1))
            span = f", {first} to {newest}"
        return (
            f"Interactions({len(self):,} rows, {self.n_users:,} users, {self.n_items:,} items,"
            f" density {self.density:.2%}{span})"
        )

    # ------------------------------------------------------------ ways to look at it

    def matrix(self, *, binary: bool = False) -> csr_matrix:
        """(users, items) CSR of float32, indices sorted, values of one pair summed.

        ``binary``: 1 where the sum is above zero, so that a purchase sent back leaves nothing.
        """
        shape = (self.n_users, self.n_items)
        matrix = csr_matrix((self.value, (self.user, self.item)), shape=shape, dtype=np.float32)
        if binary:
            matrix.data = (matrix.data > 0).astype(np.float32)
            matrix.eliminate_zeros()
        return matrix

    def history_codes(
        self, *, unique: bool = False
    ) -> tuple[NDArray[np.int64], Positions, Floats32]:
        """(indptr (users + 1,), item codes, values): a user's rows, newest last.

        ``unique``: each item once a user, at its latest meeting, with its values summed.
        """
        rows = self._summed() if unique else self
        order = np.argsort(rows.user, kind="stable")
        counts = np.bincount(rows.user, minlength=self.n_users)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return indptr, rows.item[order], rows.value[order]

    def histories(self, *, unique: bool = False) -> list[list[Any]]:
        """A list of item ids a user, newest last, in the order of ``user_ids``."""
        indptr, items, _ = self.history_codes(unique=unique)
        ids = self.item_ids[items].tolist()
        return [ids[start:end] for start, end in pairwise(indptr.tolist())]

    # ------------------------------------------------------------ parts of it

    def take(self, mask: Bools) -> Interactions:
        """The rows where ``mask`` (n,) is True. Ids and codes stay those of the whole."""
        if mask.dtype != np.bool_ or mask.shape != self.user.shape:
            raise InvalidInteractions(
                f"mask is {mask.dtype} of shape {mask.shape}; bool ({len(self)},) is wanted",
                code="length",
            )
        time = None if self.timestamp is None else self.timestamp[mask]
        return replace(
            self,
            user=self.user[mask],
            item=self.item[mask],
            value=self.value[mask],
            timestamp=time,
        )

    def compact(self) -> Interactions:
        """The same rows with only those users and items that have one; codes change."""
        kept_users, user = np.unique(self.user, return_inverse=True)
        kept_items, item = np.unique(self.item, return_inverse=True)
        return replace(
            self,
            user=user.astype(np.int32),
            item=item.astype(np.int32),
            user_ids=self.user_ids[kept_users],
            item_ids=self.item_ids[kept_items],
        )

    def with_values(self, values: NDArray[Any]) -> Interactions:
        """The same rows with other values (n,), finite: scaled, decayed, weighed.

        Rows of one time, user and item then stand by their new value."""
        return replace(self, value=floats(values, "values"))._in_time_order()

    def k_core(self, *, users: int = 1, items: int = 1, distinct: bool = True) -> Interactions:
        """The largest part where users have ``users`` items and items ``items`` users, or more
        (``filters.k_core``), with only its own ids."""
        kept = k_core(self.user, self.item, users=users, items=items, distinct=distinct)
        return self.take(kept).compact()

    def sessions(self, gap_minutes: float = 30.0) -> Interactions:
        """The same rows with sessions for users, cut where more than ``gap_minutes`` passed between
        two rows of a user. A session's id is the pair (user id, number from 0)."""
        time = self._times("cutting sessions")
        number = sessions(self.user, time, round(gap_minutes * 60_000))
        most = int(number.max(initial=0)) + 1
        kept, session = np.unique(self.user.astype(np.int64) * most + number, return_inverse=True)
        owners, numbers = self.user_ids[kept // most].tolist(), (kept % most).tolist()
        ids = np.fromiter(zip(owners, numbers, strict=True), dtype=object, count=len(kept))
        return replace(self, user=session.astype(np.int32), user_ids=ids)

    def split_temporal(
        self,
        *,
        last_days: float | None = None,
        at: Milliseconds | datetime | str | None = None,
        fraction: float | None = None,
    ) -> tuple[Interactions, Interactions]:
        """(train, test) at a moment: name one of the three (``splits.temporal``).

        ``at`` is milliseconds, a datetime or an ISO 8601 text. Both parts keep the whole's ids.
        """
        return self._parts(self._late(last_days, at, fraction))

    def split_sessions(
        self,
        *,
        last_days: float | None = None,
        at: Milliseconds | datetime | str | None = None,
        fraction: float | None = None,
    ) -> tuple[Interactions, Interactions]:
        """``split_temporal``, but whole users (sessions) go where their newest row goes, so that
        each test session has its beginning, and still no training row is late.
        """
        return self._parts(whole_users(self.user, self._late(last_days, at, fraction)))

    def split_random(
        self, fraction: float = 0.2, random_state: RandomState = None
    ) -> tuple[Interactions, Interactions]:
        """(train, test): a random ``fraction`` of the rows is test (``splits.at_random``)."""
        return self._parts(at_random(len(self), fraction, random_state))

    def split_user_fraction(
        self,
        fraction: float = 0.2,
        *,
        shuffled: bool = False,
        random_state: RandomState = None,
    ) -> tuple[Interactions, Interactions]:
        """(train, test): the last, or a random, share of each user (``splits.user_fraction``)."""
        test = user_fraction(self.user, fraction, shuffled=shuffled, random_state=random_state)
        return self._parts(test)

    def split_last(self, n: int = 1) -> tuple[Interactions, Interactions]:
        """(train, test): the last ``n`` rows of a user with more than ``n`` (``splits.last``)."""
        return self._parts(last(self.user, n))

    def split_folds(
        self, k: int = 5, random_state: RandomState = None
    ) -> Iterator[tuple[Interactions, Interactions]]:
        """``k`` random (train, test) pairs, each row in one test part (``splits.k_folds``)."""
        for test in k_folds(len(self), k, random_state):
            yield self._parts(test)

    def _late(
        self,
        last_days: float | None,
        at: Milliseconds | datetime | str | None,
        fraction: float | None,
    ) -> Bools:
        time = self._times("a split by time")
        if at is not None and not isinstance(at, int):
            at = int(milliseconds([at], "at")[0])
        return temporal(time, last_days=last_days, at=at, fraction=fraction)

    def _times(self, what: str) -> NDArray[np.int64]:
        if self.timestamp is None:
            raise InvalidInteractions(f"{what} needs timestamps", code="split")
        return self.timestamp

    def _parts(self, test: Bools) -> tuple[Interactions, Interactions]:
        return self.take(~test), self.take(test)

    def _in_time_order(self) -> Interactions:
        if self.timestamp is None:
            return self
        order = np.lexsort((self.value, self._pairs(), self.timestamp))
        return replace(
            self,
            user=self.user[order],
            item=self.item[order],
            value=self.value[order],
            timestamp=self.timestamp[order],
        )

    def _pairs(self) -> NDArray[np.int64]:
        """(n,) a number for each pair of user and item, rising by user, then item."""
        return self.user.astype(np.int64) * self.n_items + self.item

    def _summed(self) -> Interactions:
        """Each pair once, at its latest row, with its values summed."""
        reversed_ = self._pairs()[::-1]
        _, latest, pair = np.unique(reversed_, return_index=True, return_inverse=True)
        sums = np.bincount(pair, weights=self.value[::-1]).astype(np.float32)
        rows = len(self) - 1 - latest
        order = np.argsort(rows)
        kept = np.zeros(len(self), dtype=np.bool_)
        kept[rows] = True
        return replace(self.take(kept), value=sums[order])
