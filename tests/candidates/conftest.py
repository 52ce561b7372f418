"""A shop of plain lists, for what candidates need to know of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from equipoise.types import Bools, Floats, Floats32, Item, Positions, Query, Shopper


class FakeCatalogue:
    """What a catalogue promises, read off a list of items each time."""

    def __init__(self, items: list[Item | None]) -> None:
        self.rows = list(items)
        self.ids = [item.item_id if item else f"unlisted-{i}" for i, item in enumerate(items)]
        self.version = 1

    def put(self, item: Item) -> None:
        position = self.find(item.item_id)
        if position is None:
            self.ids.append(item.item_id)
            self.rows.append(item)
        else:
            self.rows[position] = item
        self.version += 1

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, item_id: str) -> int | None:
        return self.ids.index(item_id) if item_id in self.ids else None

    def item(self, position: int) -> Item | None:
        return self.rows[position]

    def names(self, kind: str) -> list[str]:
        named = (self._name(kind, item) for item in self.rows)
        return list(dict.fromkeys(name for name in named if name is not None))

    def code(self, kind: str, name: str) -> int | None:
        names = self.names(kind)
        return names.index(name) if name in names else None

    def _name(self, kind: str, item: Item | None) -> str | None:
        if item is None:
            return None
        if kind == "category":
            return item.categories[0] if item.categories else None
        return {"brand": item.brand, "seller": item.seller_id, "group": item.group_id}[kind]

    def _codes(self, kind: str) -> np.ndarray[Any, Any]:
        names = [self._name(kind, item) for item in self.rows]
        return np.array([-1 if n is None else self.code(kind, n) for n in names], np.int32)

    def _numbers(self, field: str, dtype: Any, empty: float) -> Any:
        values = [None if item is None else getattr(item, field) for item in self.rows]
        return np.array([empty if value is None else value for value in values], dtype)

    @property
    def category(self) -> Any:
        return self._codes("category")

    @property
    def brand(self) -> Any:
        return self._codes("brand")

    @property
    def seller(self) -> Any:
        return self._codes("seller")

    @property
    def group(self) -> Any:
        return self._codes("group")

    @property
    def price(self) -> Floats:
        return self._numbers("price", np.float64, np.nan)  # type: ignore[no-any-return]

    @property
    def stock(self) -> Floats:
        return self._numbers("stock", np.float64, np.nan)  # type: ignore[no-any-return]

    @property
    def created(self) -> Any:
        return self._numbers("created_at", np.int64, -1)

    def available(self, now: int) -> Bools:
        mask = np.array(
            [item is not None and not item.hidden and item.stock != 0 for item in self.rows], bool
        )
        mask.flags.writeable = False
        return mask


class FakeCounts:
    """Trends and companions as they were told."""

    def __init__(self, trend: list[float], pairs: dict[int, list[tuple[int, float]]]) -> None:
        self.trend, self.pairs = trend, pairs

    def trending(self, now: int) -> Floats:
        return np.array(self.trend, np.float64)

    def together(self, position: int) -> tuple[Positions, Floats32]:
        pairs = self.pairs.get(position, [])
        return (
            np.array([item for item, _ in pairs], np.int32),
            np.array([strength for _, strength in pairs], np.float32),
        )


class FakeRecommender:
    """Scores that stand in a list, the same for every history, and a record of what was asked."""

    name = "fake"

    def __init__(self, ids: list[str], scores: list[float]) -> None:
        self.item_ids_ = np.array(ids, object)
        self.scores = np.array(scores, np.float32)
        self.asked: list[tuple[list[int], list[float] | None]] = []

    def top_codes(
        self, codes: Positions, weights: Floats32 | None, allowed: Bools, k: int
    ) -> tuple[Positions, Floats32]:
        self.asked.append((codes.tolist(), None if weights is None else weights.tolist()))
        order = [c for c in np.argsort(-self.scores, kind="stable").tolist() if allowed[c]][:k]
        return np.array(order, np.int32), self.scores[order]


@pytest.fixture
def shopper() -> Callable[..., Shopper]:
    def make(history: tuple[int, ...] = (), **other: Any) -> Shopper:
        told: dict[str, Any] = {
            "key": "k",
            "history": np.array(history, np.int32),
            "weights": np.ones(len(history), np.float32),
            "bought": np.empty(0, np.int32),
            "shown": np.empty(0, np.int32),
            "shown_times": np.empty(0, np.float32),
            "categories": {},
            "price": None,
            "locale": None,
            "personalised": True,
            "events": len(history),
        }
        return Shopper(**(told | other))

    return make


@pytest.fixture
def query() -> Callable[..., Query]:
    def make(**other: Any) -> Query:
        return Query(**({"placement": "home"} | other))

    return make


@pytest.fixture
def catalogue() -> Callable[[list[Item | None]], FakeCatalogue]:
    return FakeCatalogue


@pytest.fixture
def counts() -> Callable[..., FakeCounts]:
    return lambda trend, pairs=None: FakeCounts(trend, pairs or {})


@pytest.fixture
def recommender() -> Callable[[list[str], list[float]], FakeRecommender]:
    return FakeRecommender
