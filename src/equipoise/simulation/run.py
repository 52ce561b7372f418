"""A run: the shop opens, shoppers come, items are launched, and the world adds up the worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from threading import Event as Signal

import numpy as np

from equipoise import clock as clocks
from equipoise.clock import Clock, ManualClock
from equipoise.randomness import fresh_id
from equipoise.ranking.value import Worth
from equipoise.simulation.agenda import Agenda, Pace, Paced, Stepped
from equipoise.simulation.client import InProcess, OverHTTP, Shopfront
from equipoise.simulation.meter import Meter, Outcome
from equipoise.simulation.shop import Shop
from equipoise.simulation.shoppers import Shoppers, Visit, timetable
from equipoise.simulation.visits import CHECKOUT_MS, Scene, Session

VISITS_PER_DAY = 400.0
"""A small shop."""
TICK_MS = 60_000.0
"""World milliseconds, at least, between two looks at what is due by itself: windows that close."""
FIRST_MINUTES_MS = 120_000.0
FIRST_MINUTES_FACTOR = 12.0
"""``drive`` starts so much faster for the first two minutes: a newcomer is to see it learn."""

DRIVEN_ITEMS = 240
"""A shop that ``drive`` opens: small, so that two minutes' visitors say something of every item."""


def simulate(
    shop: Shop,
    shopfront: Shopfront,
    *,
    decisions: int | None = None,
    seconds: float | None = None,
    seed: int = 0,
    speed: float = 1.0,
    clock: Clock,
    visits_per_day: float = VISITS_PER_DAY,
    n: int = 12,
    similar: bool = True,
    measured: tuple[str, ...] = ("home",),
    worth: Worth | None = None,
    prefix: str = "",
    stop: Signal | None = None,
    checkout_ms: float = CHECKOUT_MS,
    besides: Callable[[Scene], None] = lambda scene: None,
) -> Outcome:
    """Open ``shop`` on ``shopfront`` and let shoppers come until there have been enough.

    Args:
        decisions: lists of the measured placements to end after.
        seconds: of the world, to end after. At least one of the two is given.
        seed: of the shoppers; the shop has its own, and so must the recommender.
        speed: world seconds in a second of the clock. A ManualClock is moved on; for any other the
            run waits, or falls behind if it cannot keep up.
        n: slots of the home page's list.
        similar: whether product pages ask for a list of similar items too.
        worth: of the outcomes, for the true reward; the recommender's defaults if None.
        prefix: of event and order ids, for a second run into one log.
        checkout_ms: median time from a cart to its order.
        besides: puts into the opened world's agenda what is to happen beside the visits.

    Raises:
        ValueError: neither ``decisions`` nor ``seconds``, or a number that cannot be.
        ShopfrontRefused: the recommender refused the catalogue or a query.
    """
    if decisions is None and seconds is None:
        raise ValueError("simulate needs decisions or seconds: else it would never end")
    pace = _pace(clock, speed, stop or Signal())
    scene = _scene(
        shop, shopfront, pace, seed=seed, n=n, similar=similar, measured=measured,
        worth=worth or Worth(), prefix=prefix, checkout_ms=checkout_ms,
    )  # fmt: skip
    _open(scene)
    besides(scene)
    _expect(scene, timetable(seed, visits_per_day))
    return _live(scene, pace, decisions, None if seconds is None else seconds * 1_000.0)


def drive(
    url: str,
    seed: int,
    visitors_per_minute: float,
    stop_event: Signal,
    *,
    key: str | None = None,
    shop: Shop | None = None,
    clock: Clock = clocks.now,
) -> Outcome:
    """Shoppers for a running server until ``stop_event`` is set; for a thread of its own.

    For two minutes they come FIRST_MINUTES_FACTOR times as fast. The world's time runs as fast as
    its visitors, VISITS_PER_DAY of them a day, so at 100 a minute a day passes in four minutes (in
    the first two minutes, in twenty seconds); launches, drift and purchases keep step. Windows of
    attribution should be short in proportion.

    Raises:
        OSError: the server cannot be reached.
        ShopfrontRefused: it refused the catalogue or a query.
    """
    if not visitors_per_minute > 0:
        raise ValueError(f"visitors_per_minute is {visitors_per_minute}; it must be above 0")
    usual = visitors_per_minute * 1_440.0 / VISITS_PER_DAY
    pace = Paced(clock, usual * FIRST_MINUTES_FACTOR, stop_event)
    shopfront = OverHTTP(url, key=key)
    try:
        scene = _scene(
            shop or Shop.make(seed, n_items=DRIVEN_ITEMS, launches=1_000, launch_days=200.0),
            shopfront, pace,
            seed=seed, n=12, similar=True, measured=("home",), worth=Worth(),
            prefix=fresh_id("", clock()) + "-",
        )  # fmt: skip
        _open(scene)
        _expect(scene, timetable(seed, VISITS_PER_DAY))
        scene.agenda.at(FIRST_MINUTES_MS * pace.speed, lambda ms: pace.change(usual, ms))
        return _live(scene, pace, None, None)
    finally:
        shopfront.close()


def _pace(clock: Clock, speed: float, stop: Signal) -> Pace:
    return Stepped(clock, speed) if isinstance(clock, ManualClock) else Paced(clock, speed, stop)


def _scene(
    shop: Shop,
    shopfront: Shopfront,
    pace: Pace,
    *,
    seed: int,
    n: int,
    similar: bool,
    measured: tuple[str, ...],
    worth: Worth,
    prefix: str,
    checkout_ms: float = CHECKOUT_MS,
) -> Scene:
    return Scene(
        seed=seed,
        shop=shop,
        shoppers=Shoppers(shop, seed),
        shopfront=shopfront,
        agenda=Agenda(),
        meter=Meter(measured),
        stamp=pace.stamp,
        opening=pace.stamp(0.0),
        worth=worth,
        stock=shop.labels.stock.copy(),
        prefix=prefix,
        n=n,
        similar=similar,
        checkout_ms=checkout_ms,
    )


def _open(scene: Scene) -> None:
    """Put what is there on the shelves; the rest follows at its launch."""
    shop, there = scene.shop, scene.shop.launched(0.0)
    scene.shopfront.put_items([shop.body(i, scene.opening) for i in np.flatnonzero(there).tolist()])
    for i in np.flatnonzero(~there).tolist():
        scene.agenda.at(shop.labels.launch[i], partial(_launch, scene, i))


def _launch(scene: Scene, item: int, ms: float) -> None:
    scene.shopfront.put_items([scene.shop.body(item, scene.opening)])


def _expect(scene: Scene, visits: Iterator[Visit]) -> None:
    """Have the next visitor in the agenda, always just the next."""
    visit = next(visits)

    def come(ms: float) -> None:
        scene.meter.outcome.visits += 1
        _expect(scene, visits)
        Session(scene, visit).begin(ms)

    scene.agenda.at(visit.ms, come)


def _live(scene: Scene, pace: Pace, decisions: int | None, until: float | None) -> Outcome:
    """Let the agenda happen until there is enough, or the pace says stop."""
    agenda, outcome, ticked = scene.agenda, scene.meter.outcome, 0.0
    while (decisions is None or outcome.lists < decisions) and not _over(agenda, until):
        ms, action = agenda.next()
        if not pace.wait(ms):
            break
        if ms - ticked >= TICK_MS:
            scene.shopfront.tick()
            ticked = ms
        action(ms)
    if isinstance(scene.shopfront, InProcess):
        outcome.spent, outcome.expected = scene.shopfront.spent, scene.shopfront.expected
    return scene.meter.close()


def _over(agenda: Agenda, until: float | None) -> bool:
    return until is not None and agenda.due() > until
