"""Simulated shoppers: who comes, what they like, and the true chances of what they do.

Tastes live here and nowhere else; no recommender sees them. Everything that happens whatever is
shown (who arrives when, how tastes move) depends on the seed alone, so that two policies can be
compared on the same visits. Chances are logistic in what is liked::

    P(click | looked at) = σ(BASE_CLICK + appeal + department + shelf + intent + brand
                             − price gap − tired)
    P(cart | click)      = σ(BASE_CART + conversion + ½ (department + shelf + intent))
    P(purchase | cart)   = σ(BASE_BUY − ¼ dearness)

======================  =========================================================================
number                  reason
======================  =========================================================================
BASE_CLICK −4.0         an average item, looked at by an average shopper: 2 or 3 in 100
two departments of 8    people shop for a few things: +.9 there, −.3 elsewhere
INTENT +1               a visit has a purpose, one shelf, unknown until the first click
BASE_CART −2.0          about 1 in 8 product pages leads to a cart
BASE_BUY −.75           7 of 10 carts are abandoned (Baymard Institute's long-standing average)
TIRED .15 a look        an item seen again and again without a click is clicked less: banner
                        blindness; half is forgotten in a week. BOUGHT −2: few buy a lamp twice
RETURNING .6            share of visits by somebody of the last 2,000 visits, each as likely as they
                        came often (a Yule–Simon process): a few regulars, many who come once. At
                        the opening these are 2,000 customers whom the recommender has never met
ABRUPT .02 a visit      a new home, a first child: the two departments are drawn again; besides,
                        taste keeps 98 % of itself from visit to visit
======================  =========================================================================

Arrivals are a Poisson process with no rhythm of the day: nothing here depends on the hour.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from equipoise.clock import DAY
from equipoise.randomness import derive
from equipoise.simulation.shop import DEPARTMENT_OF, PRICE_SIGMA, SHELVES, Shop
from equipoise.simulation.words import BRANDS, DEPARTMENTS
from equipoise.types import Floats, Floats32

BASE_CLICK, BASE_CART, BASE_BUY = -4.0, -2.0, -0.75
FAVOURED, OTHER, INTENT = 0.9, -0.3, 1.0
SHELF_SPREAD, BRAND_LIFT, FAVOURITE_BRANDS = 0.4, 0.4, 3
PRICE_LEVEL_SPREAD, PRICE_GAP, PRICE_GAP_MAX = 0.7, 0.35, 1.5
TIRED, TIRED_HALF_LIFE, BOUGHT = 0.15, 7.0 * DAY, 2.0
RETURNING, REMEMBERED = 0.6, 2_000
TASTE_KEPT, ABRUPT = 0.98, 0.02
LOGS_IN, REFUSES = 0.3, 0.05
"""Chance at each return to be known by name from then on; share who refuse to be personalised."""


class Visit(NamedTuple):
    """Somebody comes."""

    number: int
    ms: float
    """Milliseconds after the opening."""
    shopper: int
    ordinal: int
    """Which visit of this shopper's it is, from 0."""


def timetable(seed: int, visits_per_day: float) -> Iterator[Visit]:
    """All visits for ever, in order of time. Depends on nothing but the two arguments."""
    if not visits_per_day > 0:
        raise ValueError(f"visits_per_day is {visits_per_day}; it must be above 0")
    rng = derive(seed, "simulation.arrivals")
    recent = np.arange(REMEMBERED)
    strangers, number, ms = REMEMBERED, 0, 0.0
    visits: Counter[int] = Counter()
    while True:
        ms += rng.exponential(DAY / visits_per_day)
        if rng.random() < RETURNING:
            shopper = int(recent[rng.integers(REMEMBERED)])
        else:
            shopper, strangers = strangers, strangers + 1
        yield Visit(number, ms, shopper, visits[shopper])
        visits[shopper] += 1
        recent[number % REMEMBERED] = shopper
        number += 1


@dataclass(slots=True)
class Shopper:
    """A person, as only the world knows them."""

    number: int
    department: Floats
    """(departments,) log-odds."""
    shelf: Floats
    """(shelves,) log-odds, beside the department's."""
    brand: Floats
    """(brands,) log-odds."""
    price_level: float
    """Preferred price within a shelf, in standard deviations of its log price."""
    refuses: bool
    logged_in: bool = False
    intent: int = 0
    """The shelf that this visit is about."""
    tired: Floats32 = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    """(items,) log-odds taken off what was seen too often or bought."""
    bought: Floats32 = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    tired_at: float = 0.0

    @property
    def anonymous_id(self) -> str:
        return f"c-{self.number}"

    @property
    def user_id(self) -> str | None:
        return f"u-{self.number}" if self.logged_in else None


class Shoppers:
    """All who have come lately, and the true chances of what they do."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.seed = shop, seed
        self._people: OrderedDict[int, Shopper] = OrderedDict()
        labels = shop.labels
        median = np.array([shelf.price for _, shelf in SHELVES])[labels.shelf]
        self.dearness: Floats = np.log(labels.price / median) / PRICE_SIGMA
        """(items,) price within its shelf, in standard deviations of the log."""

    def arrive(self, visit: Visit) -> Shopper:
        """The shopper as they come in: taste moved on since the last time, a new intent."""
        rng = derive(self.seed, "simulation.taste", f"{visit.shopper}:{visit.ordinal}")
        shopper = self._people.pop(visit.shopper, None) or self._stranger(visit.shopper)
        self._people[visit.shopper] = shopper
        while len(self._people) > REMEMBERED:
            self._people.popitem(last=False)
        if visit.ordinal and self.shop.climate.tastes:
            _move_on(shopper, rng)
        if visit.ordinal:
            shopper.logged_in = shopper.logged_in or bool(rng.random() < LOGS_IN)
        shopper.intent = _intent(shopper, rng)
        _rest(shopper, visit.ms)
        return shopper

    def match(self, shopper: Shopper) -> Floats:
        """(items,) log-odds by department, shelf and intent."""
        shelf = shopper.department[DEPARTMENT_OF] + shopper.shelf
        shelf[shopper.intent] += INTENT
        return np.asarray(shelf[self.shop.labels.shelf])

    def click(self, shopper: Shopper, ms: float) -> Floats:
        """(items,) P(click | looked at) at this time, whether or not the item is in the shop."""
        gap = np.minimum(PRICE_GAP * (self.dearness - shopper.price_level) ** 2, PRICE_GAP_MAX)
        liking = self.match(shopper) + shopper.brand[self.shop.labels.brand] - gap
        worn = shopper.tired + shopper.bought
        chance: Floats = expit(BASE_CLICK + self.shop.appeal(ms) + liking - worn)
        return chance

    def cart(self, shopper: Shopper) -> Floats:
        """(items,) P(cart | click)."""
        chance: Floats = expit(BASE_CART + self.shop.conversion + 0.5 * self.match(shopper))
        return chance

    def purchase(self) -> Floats:
        """(items,) P(purchase | cart)."""
        chance: Floats = expit(BASE_BUY - 0.25 * self.dearness)
        return chance

    def _stranger(self, number: int) -> Shopper:
        rng = derive(self.seed, "simulation.shopper", str(number))
        brand = np.zeros(len(BRANDS))
        brand[rng.choice(len(BRANDS), FAVOURITE_BRANDS, replace=False)] = BRAND_LIFT
        return Shopper(
            number=number,
            department=_favourites(rng),
            shelf=rng.normal(0, SHELF_SPREAD, len(SHELVES)),
            brand=brand,
            price_level=float(rng.normal(0, PRICE_LEVEL_SPREAD)),
            refuses=bool(rng.random() < REFUSES),
            tired=np.zeros(len(self.shop), dtype=np.float32),
            bought=np.zeros(len(self.shop), dtype=np.float32),
        )


def saw(shopper: Shopper, item: int) -> None:
    """The item was looked at and left."""
    shopper.tired[item] += TIRED


def bought(shopper: Shopper, item: int) -> None:
    """The item was bought: it is wanted less from now on."""
    shopper.bought[item] = BOUGHT


def _favourites(rng: np.random.Generator) -> Floats:
    department = np.full(len(DEPARTMENTS), OTHER)
    department[rng.choice(len(DEPARTMENTS), 2, replace=False)] = FAVOURED
    return department


def _move_on(shopper: Shopper, rng: np.random.Generator) -> None:
    noise = SHELF_SPREAD * np.sqrt(1 - TASTE_KEPT**2)
    shopper.shelf = TASTE_KEPT * shopper.shelf + noise * rng.normal(size=len(SHELVES))
    if rng.random() < ABRUPT:
        shopper.department = _favourites(rng)


def _intent(shopper: Shopper, rng: np.random.Generator) -> int:
    weight = np.exp(shopper.department[DEPARTMENT_OF] + shopper.shelf)
    return int(rng.choice(len(SHELVES), p=weight / weight.sum()))


def _rest(shopper: Shopper, ms: float) -> None:
    shopper.tired *= np.float32(0.5 ** ((ms - shopper.tired_at) / TIRED_HALF_LIFE))
    shopper.tired_at = ms
