"""A simulated shop: its catalogue as API bodies, and the secret of how good each item is.

Nothing here depends on what anybody shows or clicks; the same seed is the same shop, bit for bit.
Days and milliseconds are the world's own, from the shop's opening at 0. Why the numbers are so:

======================  =========================================================================
number                  reason
======================  =========================================================================
8 × 4 shelves           a general store; people browse by department, taste differs by shelf
price: log-normal,      within a shelf. All 32 together have .9, a little less than the 1.06 of UCI
sigma .6                Online Retail (a gift shop, from 0.04 to 300 and more)
HITS .07, HIT_LIFT .6   best-sellers are few: if all were looked at alike, the top tenth of items
                        would take a third of the clicks. In Online Retail (3,922 items) it takes
                        45 % of the lines; but there exposure has added to appeal
SPREAD_ITEM .55         ordinary items differ too, or there would be nothing between hit and flop
SPREAD_SHELF .3, brand  what an item shares with its kind: a prior by category is worth something,
.2, seller .15          and far from everything
launches: as the rest   a launch is great as often as any item once was; nobody knows which
DRIFT .3 in 30 days     wear and fashion: an item's appeal wanders with this stationary spread
JUMP .002 a day         and some change at once: a rival's price, a bad batch, a film star. Over
                        four weeks that is one item in eighteen
SEASON .3 in 90 days    departments have their months
======================  =========================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import DAY, rfc3339
from equipoise.randomness import derive
from equipoise.simulation.words import (
    BRANDS,
    COLOURS,
    DEPARTMENTS,
    FINISHES,
    SELLERS,
    TAGS,
    Department,
    Shelf,
)
from equipoise.types import Bools, Floats, Positions

PRICE_SIGMA = 0.6
HITS = 0.07
HIT_LIFT = 0.6
SPREAD_ITEM, SPREAD_SHELF, SPREAD_BRAND, SPREAD_SELLER = 0.55, 0.30, 0.20, 0.15
DRIFT, DRIFT_DAYS = 0.3, 30.0
JUMP = 0.002
SEASON, SEASON_DAYS = 0.3, 90.0
GERMAN = 0.4
"""Share of items whose merchant wrote a German title too."""
STOCK_MEDIAN = 80.0

SHELVES: tuple[tuple[Department, Shelf], ...] = tuple(
    (department, shelf) for department in DEPARTMENTS for shelf in department.shelves
)
DEPARTMENT_OF: Positions = np.array(
    [DEPARTMENTS.index(department) for department, _ in SHELVES], dtype=np.int32
)
"""(shelves,) department of each shelf."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What everybody may know of the items, as codes; each (items,)."""

    shelf: Positions
    brand: Positions
    seller: Positions
    colour: Positions
    finish: Positions
    noun: Positions
    price: Floats
    """Euro."""
    cost: Floats
    stock: Floats
    """Pieces at the launch."""
    launch: Floats
    """Milliseconds after the opening; 0 or less for what was there from the start."""


@dataclass(frozen=True, kw_only=True)
class Climate:
    """What changes by itself; 0 for what stands still."""

    drift: float = DRIFT
    """Spread of an item's wandering appeal, log-odds."""
    drift_days: float = DRIFT_DAYS
    jump: float = JUMP
    """Chance that an item's appeal is drawn anew on a day."""
    season: float = SEASON
    """Amplitude of a department's year, log-odds."""
    season_days: float = SEASON_DAYS
    tastes: bool = True
    """Whether shoppers' tastes move from visit to visit."""


STILL = Climate(drift=0.0, jump=0.0, season=0.0, tastes=False)
USUAL = Climate()


@dataclass
class Shop:
    """A shop of ``len(shop)`` items, some of them launched later."""

    seed: int
    labels: Labels
    quality: Floats
    """(items,) log-odds of a click by a looker, against the shop's average item: the secret."""
    conversion: Floats
    """(items,) log-odds of a cart by a visitor of the page, against the average: another secret."""
    climate: Climate = USUAL
    _weather: Weather = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._weather = Weather(self.seed, len(self), self.climate)

    @classmethod
    def make(
        cls,
        seed: int,
        *,
        n_items: int = 480,
        launches: int = 120,
        launch_days: float = 28.0,
        climate: Climate = USUAL,
    ) -> Shop:
        """A shop that opens with ``n_items`` and launches so many more over ``launch_days``.

        Launches come at random moments (a Poisson process, given its count).
        """
        _at_least(n_items, 1, "n_items")
        _at_least(launches, 0, "launches")
        rng = derive(seed, "simulation.shop")
        launch = np.concatenate(
            [-rng.gamma(2.0, 150.0, n_items), np.sort(rng.uniform(0, launch_days, launches))]
        )
        labels = _labels(rng, launch * DAY)
        quality, conversion = _quality(rng, labels), rng.normal(0.0, 0.4, len(launch))
        return cls(seed, labels, quality, conversion, climate)

    def __len__(self) -> int:
        return len(self.labels.price)

    @cached_property
    def ids(self) -> list[str]:
        """Item ids, as the shop's own system numbers them."""
        return [f"sku-{100_000 + 7 * i}" for i in range(len(self))]

    @cached_property
    def index(self) -> dict[str, int]:
        return {item_id: i for i, item_id in enumerate(self.ids)}

    def launched(self, ms: float) -> Bools:
        """(items,) which are in the shop at this time after the opening."""
        return self.labels.launch <= ms

    def appeal(self, ms: float) -> Floats:
        """(items,) log-odds of a click at this time: quality, drift, jumps and season."""
        day = max(0, int(ms // DAY))
        year = 2 * np.pi * day / self.climate.season_days
        season = self.climate.season * np.sin(year + self._phase)
        today: Floats = self.quality + self._weather.on(day) + season[self.labels.shelf]
        return today

    @cached_property
    def _phase(self) -> Floats:
        draws = derive(self.seed, "simulation.season").uniform(0, 2 * np.pi, len(DEPARTMENTS))
        return np.asarray(draws[DEPARTMENT_OF])

    def body(self, i: int, opening: int, *, stock: float | None = None) -> dict[str, Any]:
        """The item as ``PUT /v1/items/{id}`` takes it; ``opening`` in milliseconds since 1970.

        The storefront draws a picture from ``attributes.hue`` (0–359) and ``attributes.shape``, the
        department's number.
        """
        labels = self.labels
        department, shelf = SHELVES[labels.shelf[i]]
        return {
            "item_id": self.ids[i],
            "title": self._title(i),
            "description": {"en": self._description(i)},
            "categories": [f"{department.name}/{shelf.name}"],
            "brand": BRANDS[labels.brand[i]],
            "seller_id": SELLERS[labels.seller[i]],
            "price": float(labels.price[i]),
            "cost": float(labels.cost[i]),
            "currency": "EUR",
            "stock": float(labels.stock[i] if stock is None else stock),
            "tags": self._tags(i),
            "attributes": {"hue": self._hue(i), "shape": int(DEPARTMENT_OF[labels.shelf[i]])},
            "created_at": rfc3339(opening + round(labels.launch[i])),
        }

    def noun(self, i: int) -> str:
        """What a shopper would type to find it."""
        _, shelf = SHELVES[self.labels.shelf[i]]
        return str(shelf.nouns[self.labels.noun[i]][0])

    def _title(self, i: int) -> dict[str, str]:
        labels = self.labels
        _, shelf = SHELVES[labels.shelf[i]]
        english, german = shelf.nouns[labels.noun[i]]
        colour, brand, finish = COLOURS[labels.colour[i]], BRANDS[labels.brand[i]], labels.finish[i]
        title = {"en": f"{brand} {FINISHES[finish][0]} {english}, {colour[0]}"}
        if _coin(i, GERMAN):
            title["de"] = f"{brand} {german}, {FINISHES[finish][1]}, {colour[1]}"
        return title

    def _description(self, i: int) -> str:
        department, shelf = SHELVES[self.labels.shelf[i]]
        seller = SELLERS[self.labels.seller[i]].replace("-", " ")
        return (
            f"From our {department.name.lower()} range of {shelf.name.lower()}, sold by {seller}."
        )

    def _tags(self, i: int) -> list[str]:
        labels = self.labels
        tag = TAGS[(i * 7) % len(TAGS)]
        return [FINISHES[labels.finish[i]][0], *([tag] if _coin(i + 1, 0.3) else [])]

    def _hue(self, i: int) -> int:
        return int(COLOURS[self.labels.colour[i]][2] + (i * 5) % 11 - 5) % 360


class Weather:
    """Drift and jumps of the items' appeal, a step a day; any day may be asked for."""

    def __init__(self, seed: int, n: int, climate: Climate = USUAL) -> None:
        self.seed, self.n, self.climate = seed, n, climate
        self._rewind()

    def on(self, day: int) -> Floats:
        """(items,) what has been added to the quality by this day."""
        if day < self._day:
            self._rewind()
        while self._day < day:
            self._step()
        return self._wander + self._jumped

    def _rewind(self) -> None:
        self._day = 0
        self._wander: Floats = np.zeros(self.n)
        self._jumped: Floats = np.zeros(self.n)

    def _step(self) -> None:
        self._day += 1
        rng = derive(self.seed, "simulation.weather", str(self._day))
        kept = np.exp(-1.0 / self.climate.drift_days)
        step = self.climate.drift * np.sqrt(1 - kept**2)
        self._wander = kept * self._wander + step * rng.normal(size=self.n)
        jumps = rng.random(self.n) < self.climate.jump
        fresh = _individual(rng, self.n) - _individual(rng, self.n)
        self._jumped = np.where(jumps, fresh, self._jumped)


def _labels(rng: np.random.Generator, launch: Floats) -> Labels:
    n = len(launch)
    shelf = _codes(rng, len(SHELVES), n)
    median = np.array([entry.price for _, entry in SHELVES])[shelf]
    price = _shelf_price(median * np.exp(PRICE_SIGMA * rng.normal(size=n)))
    return Labels(
        shelf=shelf,
        brand=_codes(rng, len(BRANDS), n),
        seller=_codes(rng, len(SELLERS), n),
        colour=_codes(rng, len(COLOURS), n),
        finish=_codes(rng, len(FINISHES), n),
        noun=_codes(rng, 3, n),
        price=price,
        cost=np.round(price * rng.uniform(0.45, 0.75, n), 2),
        stock=np.ceil(STOCK_MEDIAN * np.exp(0.7 * rng.normal(size=n))),
        launch=launch,
    )


def _quality(rng: np.random.Generator, labels: Labels) -> Floats:
    """What an item shares with its shelf, brand and seller, and what is its own; mean 0."""
    quality = (
        rng.normal(0, SPREAD_SHELF, len(SHELVES))[labels.shelf]
        + rng.normal(0, SPREAD_BRAND, len(BRANDS))[labels.brand]
        + rng.normal(0, SPREAD_SELLER, len(SELLERS))[labels.seller]
        + _individual(rng, len(labels.price))
    )
    return np.asarray(quality - quality.mean())


def _individual(rng: np.random.Generator, n: int) -> Floats:
    hit = rng.random(n) < HITS
    return rng.normal(0, SPREAD_ITEM, n) + hit * (HIT_LIFT + rng.exponential(HIT_LIFT, n))


def _codes(rng: np.random.Generator, kinds: int, n: int) -> NDArray[np.int32]:
    return rng.integers(0, kinds, n).astype(np.int32)


def _shelf_price(price: Floats) -> Floats:
    """As shops write prices: 12.90, 64.90."""
    return np.asarray(np.maximum(1.9, np.floor(price) + 0.9))


def _coin(i: int, share: float) -> bool:
    """A fixed, even pattern over the catalogue, so that a title never needs a generator."""
    return (i * 0.6180339887498949) % 1.0 < share


def _at_least(value: int, least: int, name: str) -> None:
    if value < least:
        raise ValueError(f"{name} is {value}; it must be at least {least}")
