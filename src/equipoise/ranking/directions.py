"""What a look gives besides reward: margin, a seller's exposure, the tail's, variety.

A direction says of things in order of merit (candidates from the best down, or a slate from the
top) what a look at each adds to an *amount*, and to the *base* that the amount is a share of. What
a shop wants of the ratio, and what that is worth in reward, is ``exploration.constraint``'s
business; the two meet in the engine.

=============  =======================================  ==============================
direction      amount of a look                         base
=============  =======================================  ==============================
``Margin``     (price − cost) × orders expected of it   price × orders expected of it
``Seller``     1 if the item is the seller's            1
``Tail``       1 unless the item is one of the head     1
``Variety``    1 if nothing above is of its category    1
=============  =======================================  ==============================

*Variety before the draw.* Which categories a slate will have met by its k-th slot is not known
before it is drawn, and a policy is asked once for a whole slate. So the best candidate of each
category carries all that its category adds. For the greedy slate this is exact: with k of a
category shown they are its k best, and the first of them is the one that counts. An explored slate
may show the second of a category before the first, and then the first is still preferred; the
constraint measures what was drawn and makes up for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.types import Arrays, Bools, Floats, Item, Positions


class Given(NamedTuple):
    """What a look at each adds, (n,) both."""

    amount: Floats
    base: Floats


class Direction(Protocol):
    """One kind of amount."""

    @property
    def name(self) -> str: ...
    def given(self, items: Positions, reward: Floats) -> Given:
        """Of items (n,) in order of merit, each expected to earn ``reward`` (n,) a look."""


class Catalogue(Protocol):
    """Columns by position."""

    @property
    def seller(self) -> NDArray[np.int32]: ...
    @property
    def category(self) -> NDArray[np.int32]: ...
    @property
    def listed(self) -> Bools: ...
    def code(self, kind: str, name: str) -> int | None: ...
    def item(self, position: int) -> Item | None: ...


@dataclass(frozen=True, slots=True)
class Margin:
    """Of the money that orders bring, what is left after the cost of the goods.

    Reward is taken as a measure of orders: the same for every item, since a reward model counts an
    order by its worth and not by its basket. An item whose price or cost nobody has said gives
    nothing to either sum: it is neither pushed nor held back.
    """

    catalogue: Catalogue
    orders: float
    """That go with a reward of 1."""
    name: str = "margin"

    def given(self, items: Positions, reward: Floats) -> Given:
        told = [_price_and_cost(self.catalogue.item(position)) for position in items.tolist()]
        money = np.array(told).reshape(-1, 2) * (self.orders * reward)[:, None]
        return Given(money[:, 0] - money[:, 1], money[:, 0])


@dataclass(frozen=True, slots=True)
class Seller:
    """Looks at one seller's items. One that the shop has never named gets none."""

    catalogue: Catalogue
    seller: str

    @property
    def name(self) -> str:
        return f"seller {self.seller}"

    def given(self, items: Positions, reward: Floats) -> Given:
        code = self.catalogue.code("seller", self.seller)
        theirs = self.catalogue.seller[items] == (-2 if code is None else code)
        return Given(theirs.astype(float), np.ones(len(items)))


@dataclass(frozen=True, slots=True)
class Tail:
    """Looks at items outside the head."""

    head: Head
    name: str = "tail"

    def given(self, items: Positions, reward: Floats) -> Given:
        return Given((~self.head.holds(items)).astype(float), np.ones(len(items)))


@dataclass(frozen=True, slots=True)
class Variety:
    """Looks that meet a category for the first time in their list; an item of none is its own."""

    catalogue: Catalogue
    name: str = "variety"

    def given(self, items: Positions, reward: Floats) -> Given:
        category = self.catalogue.category[items].astype(np.int64)
        own = np.where(category < 0, -1 - np.arange(len(items)), category)
        first = np.zeros(len(items))
        first[np.unique(own, return_index=True)[1]] = 1.0
        return Given(first, np.ones(len(items)))


class Head:
    """The items that get most looks: the first tenth of what is listed, by decayed looks.

    Chosen anew every ``every`` lists, so that an item does not change sides with each look. Items
    that nobody has looked at are never of the head. A part of a fold: what ``tell`` was told alone
    decides.
    """

    def __init__(self, *, share: float = 0.1, every: int = 100) -> None:
        if not 0.0 < share < 1.0 or every < 1:
            raise ValueError(
                f"share is {share} and every {every}; a share lies between 0 and 1, and there is "
                "one list at least"
            )
        self._share = share
        self._every = every
        self._lists = 0
        self._in: Bools = np.zeros(0, bool)

    def holds(self, items: Positions) -> Bools:
        """(n,) which of them are of the head."""
        known = items < len(self._in)
        held = np.zeros(len(items), bool)
        held[known] = self._in[items[known]]
        return held

    def due(self) -> bool:
        """Count a list; whether it is time to ``tell``."""
        self._lists += 1
        return self._lists % self._every == 1 or self._every == 1

    def tell(self, looks: Floats, listed: Bools) -> None:
        """``looks`` (I,) that each item of the catalogue had of late."""
        size = max(round(self._share * int(listed.sum())), 1)
        most = np.argsort(np.where(listed, -looks, np.inf), kind="stable")[:size]
        self._in = np.zeros(len(looks), bool)
        self._in[most[(looks[most] > 0) & listed[most]]] = True

    def arrays(self) -> Arrays:
        """The whole state."""
        return {"lists": np.array([self._lists]), "in": self._in.copy()}

    def load(self, arrays: Arrays) -> None:
        """Become what ``arrays`` described."""
        self._lists, self._in = int(arrays["lists"][0]), arrays["in"].copy()


def directions(
    names: Iterable[str], catalogue: Catalogue, head: Head, *, orders: float
) -> dict[str, Direction]:
    """By name: ``margin``, ``tail``, ``variety`` and ``sellers.NAME``; ``orders`` that go with a
    reward of 1."""
    known: dict[str, Direction] = {
        "margin": Margin(catalogue, orders),
        "tail": Tail(head),
        "variety": Variety(catalogue),
    }
    prefix = "sellers."
    return {
        name: Seller(catalogue, name.removeprefix(prefix))
        if name.startswith(prefix)
        else known[name]
        for name in names
    }


def _price_and_cost(item: Item | None) -> tuple[float, float]:
    if item is None or item.price is None or item.cost is None:
        return 0.0, 0.0
    return item.price, item.cost
