"""What candidates need to know of the shop: the narrow side of rooms that they do not import."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.types import Bools, Floats, Floats32, Item, Milliseconds, Positions


class Catalogue(Protocol):
    """Items by position. Arrays may be replaced when the catalogue changes; positions never are."""

    def __len__(self) -> int: ...
    @property
    def ids(self) -> Sequence[str]: ...
    @property
    def version(self) -> int: ...
    @property
    def price(self) -> Floats: ...
    @property
    def stock(self) -> Floats: ...
    @property
    def category(self) -> NDArray[np.int32]:
        """Code of the first category path, -1 for none; ``seller``, ``brand``, ``group`` alike."""

    @property
    def seller(self) -> NDArray[np.int32]: ...
    @property
    def brand(self) -> NDArray[np.int32]: ...
    @property
    def group(self) -> NDArray[np.int32]: ...
    @property
    def created(self) -> NDArray[np.int64]:
        """Milliseconds, -1 for unknown."""

    def find(self, item_id: str) -> int | None: ...
    def item(self, position: int) -> Item | None: ...
    def code(self, kind: str, name: str) -> int | None: ...
    def names(self, kind: str) -> Sequence[str]: ...
    def available(self, now: Milliseconds) -> Bools: ...


class Counts(Protocol):
    """What shoppers did, decayed."""

    def trending(self, now: Milliseconds) -> Floats:
        """(I,) how much each item is met these days, 0 or more."""

    def together(self, position: int) -> tuple[Positions, Floats32]:
        """Items met with this one, and how strongly, 0 or more."""


class Recommender(Protocol):
    """A fitted recommender, in codes of its own items."""

    @property
    def name(self) -> str: ...
    @property
    def item_ids_(self) -> NDArray[Any]: ...
    def top_codes(
        self, codes: Positions, weights: Floats32 | None, allowed: Bools, k: int
    ) -> tuple[Positions, Floats32]:
        """The at most k best allowed codes for a history, best first; none where it cannot say."""
