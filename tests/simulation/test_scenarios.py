"""What each scenario changes in the world, and what it leaves alone."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from equipoise.clock import DAY, ManualClock
from equipoise.codec import decode
from equipoise.engine import Engine
from equipoise.settings import build
from equipoise.simulation.client import InProcess
from equipoise.simulation.run import simulate
from equipoise.simulation.scenarios import SCENARIOS, WEEKS_DAYS, Scenario
from equipoise.simulation.shop import USUAL, Shop
from equipoise.types import Kind, Stored


def moved(name: str) -> tuple[float, float]:
    """Spread of what appeal has gained after a week, and after two."""
    shop = SCENARIOS[name].shop(3, 400)
    first = shop.appeal(0.0)
    week, two = (float((shop.appeal(days * DAY) - first).std()) for days in (7, 14))
    return week, two


def test_nothing_moves_where_it_is_stationary() -> None:
    """Appeal is the same for ever, nothing is launched, and nobody's taste moves."""
    shop = SCENARIOS["stationary"].shop(3, 100)

    assert np.array_equal(shop.appeal(0.0), shop.appeal(300 * DAY))
    assert shop.launched(0.0).all()
    assert not shop.climate.tastes


def test_launches_is_the_usual_shop() -> None:
    """The default shop, one item in five launched within the four weeks."""
    shop = SCENARIOS["launches"].shop(3, 100)

    assert shop.climate == USUAL
    assert shop.launched(0.0).sum() == 80
    assert shop.launched(WEEKS_DAYS * DAY).sum() == 100
    assert np.array_equal(shop.quality, Shop.make(3, n_items=80, launches=20).quality)


def test_drifting_moves_most() -> None:
    """An item's appeal moves more than twice as far in a week as usual."""
    assert moved("drifting")[0] > 2 * moved("launches")[0] > 0


def test_seasons_come_back() -> None:
    """Whole departments swing: far after two weeks, and after four they are where they were."""
    shop = SCENARIOS["seasonal"].shop(3, 400)

    assert moved("seasonal")[1] > 1.0
    assert shop.appeal(28 * DAY) == pytest.approx(shop.appeal(0.0))


def played(scenario: Scenario, decisions: int = 120) -> list[Stored]:
    """The log of a short run."""
    clock = ManualClock()
    engine = Engine.in_memory(clock=clock, seed=5)
    simulate(
        scenario.shop(5, 60), InProcess(engine), decisions=decisions, seed=5, clock=clock,
        similar=False, checkout_ms=scenario.checkout_ms,
        besides=partial(scenario.besides, engine, WEEKS_DAYS * DAY / decisions),
        visits_per_day=decisions / WEEKS_DAYS / 0.9,
    )  # fmt: skip
    return list(engine.log.read())


def test_attackers_ask_for_a_fifth_of_the_lists() -> None:
    """They come evenly between the shoppers, always for the worst item, and put it on top."""
    scenario = SCENARIOS["adversarial"]
    records = [stored.record for stored in played(scenario)]
    lists = [
        decode(record.kind, record.key, record.body)
        for record in records
        if record.kind is Kind.DECISION
    ]
    theirs = [one for one in lists if one.query.boosts]
    shop = scenario.shop(5, 60)
    worst = shop.ids[int(np.argmin(shop.appeal(0.0)[shop.launched(0.0)]))]

    assert 0.14 < len(theirs) / len(lists) < 0.26
    assert {one.query.boosts[0]["filter"]["item_id"] for one in theirs} == {worst}
    assert all(one.slots[0].item_id == worst for one in theirs)


def test_nobody_attacks_elsewhere() -> None:
    """Without a forged share the agenda holds visits and launches alone."""
    scenario = SCENARIOS["launches"]
    records = played(scenario, 40)

    assert not any("x" in record.record.shopper for record in records)


def test_orders_come_late() -> None:
    """Most orders come more than a day after their cart, and the window is wide enough for them."""
    scenario = SCENARIOS["delayed"]
    window = build(dict(scenario.settings)).attribution.purchase_window_s

    assert scenario.checkout_ms > DAY
    assert window * 1_000 >= 5 * scenario.checkout_ms
