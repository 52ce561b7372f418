"""The reward model: scoring changes nothing, learning is a fold, and both find what is true."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from equipoise.exploration import GaussianBelief, RateBelief
from equipoise.randomness import derive
from equipoise.ranking.examination import first_guess
from equipoise.ranking.features import NAMES, PRIOR_MEAN, PRIOR_PRECISION
from equipoise.ranking.model import LEAST_LIFT, LEAST_RATE, REFRESH, RewardModel
from equipoise.types import Reward, Slot

D = len(NAMES)


WORTH = 0.25
"""Of a click, before any is seen."""


def model(memory_looks: float = 1e6, **clicks: float) -> RewardModel:
    told = {"prior_mean": 0.03, "prior_variance": 0.03, "arm_strength": 60.0}
    worth = RateBelief(prior_mean=WORTH, prior_variance=0.25, arm_strength=40.0)
    lift = GaussianBelief(D, prior_mean=PRIOR_MEAN, prior_precision=PRIOR_PRECISION)
    return RewardModel(RateBelief(**(told | clicks)), worth, lift, memory_looks=memory_looks)


def slot(position: int, *, rate: float = 0.03, look: float = 1.0, **features: float) -> Slot:
    g = tuple(features.get(name, float(name == "base")) for name in NAMES)
    return Slot(item_id=str(position), position=position, propensity=0.1, explored=False,
                pinned=False, source="als", mean=rate, variance=0.0, look=look, rate=rate,
                features=g)  # fmt: skip


def verdict(worth: float, *, first: bool = True) -> Reward:
    outcome = "none" if worth == 0 else "click" if first else "purchase"
    return Reward(decision_id="r", slot=0, outcome=outcome, worth=worth, first=first, ts=0)


def score(m: RewardModel, *items: int, group: int = 3, **features: float) -> Any:
    g = np.array([slot(0, **features).features] * len(items))
    return m.score(np.array(items, np.int32), np.full(len(items), group), g)


def same(one: RewardModel, other: RewardModel) -> bool:
    mine, yours = one.arrays(), other.arrays()
    return mine.keys() == yours.keys() and all(
        mine[name].tobytes() == yours[name].tobytes() for name in mine
    )


def taught(seed: int, n: int = 300) -> RewardModel:
    m, rng = model(), derive(seed, "verdicts")
    for _ in range(n):
        worth = float(rng.choice([0, 0, 0, 0.05, 2.0]))
        shown = slot(int(rng.integers(20)), look=rng.uniform(0.2, 1), affinity=rng.random())
        m.learn(shown, int(rng.integers(-1, 4)), verdict(worth, first=bool(rng.random() < 0.8)))
    return m


def test_untaught() -> None:
    """An item shown to just anybody earns the prior rate; a good match more, a bad one less."""
    rate, scored = score(model(), 1)
    assert rate[0] == pytest.approx(0.03)
    assert scored.mean[0] == pytest.approx(0.03 * WORTH)

    _, liked = score(model(), 1, affinity=1.0)
    _, met = score(model(), 1, repeat=1.0)
    assert liked.mean[0] == pytest.approx(3 * 0.03 * WORTH)
    assert met.mean[0] == pytest.approx(LEAST_LIFT * 0.03 * WORTH)


def test_the_variance_is_that_of_a_product() -> None:
    """Of independent clicks, worth and lift, against sampling."""
    m = taught(0)
    item, group = np.array([2], np.int32), np.array([1])
    parts = [
        m._clicks.predict(item, group),
        m._worth.predict(item, group),
        m._lift.predict(np.array([slot(0, affinity=0.5).features])),
    ]
    luck = derive(0, "product")
    draws = np.prod([luck.normal(mean, np.sqrt(var), 400_000) for mean, var in parts], axis=0)

    _, scored = score(m, 2, group=1, affinity=0.5)

    assert scored.mean[0] == pytest.approx(draws.mean(), rel=0.02)
    assert scored.variance[0] == pytest.approx(draws.var(), rel=0.02)


def test_scoring_changes_nothing() -> None:
    """Not even for groups and items that nobody has named: live equals replay."""
    asked, silent = taught(1), taught(1)
    for group in (0, 5, 700, -1):
        score(asked, 0, 3, 90_000, group=group, affinity=1.0)
    assert same(asked, silent)

    for m in (asked, silent):
        m.learn(slot(77, affinity=0.3), 700, verdict(2.0))
    assert same(asked, silent)


def test_dump_and_load() -> None:
    """What comes back scores and goes on learning to the same bit."""
    m, other = taught(2), model()
    score(m, 50, group=9)
    other.load(m.arrays())
    assert same(m, other)

    for one in (m, other):
        for n in range(REFRESH + 3):
            one.learn(slot(n % 25, affinity=0.5), 2, verdict(0.05))
    assert same(m, other)
    assert np.array_equal(score(m, 1, 24, 60)[1].mean, score(other, 1, 24, 60)[1].mean)


def test_an_unjudged_item_takes_after_its_group() -> None:
    """A group that earns well lends its record to what is new in it, and only to that."""
    m = model()
    for n in range(400):
        m.learn(slot(n % 8), 3, verdict(0.05 if n % 4 == 0 else 0.0))

    _, new = score(m, 999, group=3)
    _, stranger = score(m, 999, group=4)

    assert new.mean[0] > 1.2 * stranger.mean[0]
    assert new.variance[0] / new.mean[0] ** 2 < stranger.variance[0] / stranger.mean[0] ** 2


def test_an_item_that_moves_takes_its_record_along() -> None:
    """From one category to another, as the verdict's group says."""
    m = model()
    for n in range(200):
        m.learn(slot(1), 3 if n < 199 else 4, verdict(0.05))

    assert score(m, 999, group=4)[0][0] > score(m, 999, group=3)[0][0]


def test_later_worth_only_adds() -> None:
    """A click and then a purchase is one look and one click that earned both."""
    at_once, in_turn = model(variance_strength=1e12), model(variance_strength=1e12)
    at_once.learn(slot(1, affinity=0.5), 3, verdict(2.05))
    in_turn.learn(slot(1, affinity=0.5), 3, verdict(0.05))
    in_turn.learn(slot(1, affinity=0.5), 3, verdict(2.0, first=False))

    for m in (at_once, in_turn):
        assert m.summary()["looks"] == 1
    one, two = score(at_once, 1, affinity=0.5)[1], score(in_turn, 1, affinity=0.5)[1]
    assert two.mean[0] == pytest.approx(one.mean[0])


def test_an_order_is_no_click_rate() -> None:
    """However much its one click earned, an item is not thought to be clicked more often."""
    poor, rich = model(), model()
    poor.learn(slot(1), 3, verdict(0.05))
    rich.learn(slot(1), 3, verdict(50.0))

    assert score(poor, 1)[0][0] == score(rich, 1)[0][0]
    assert score(rich, 1)[1].mean[0] > score(poor, 1)[1].mean[0]


def test_what_is_taken_back_is_gone() -> None:
    """A refund leaves the click, and of its worth what the click alone was worth."""
    kept, taken = model(), model()
    for m in (kept, taken):
        m.learn(slot(1), 3, verdict(0.05))
    taken.learn(slot(1), 3, verdict(2.0, first=False))
    taken.learn(slot(1), 3, verdict(-2.0, first=False))

    assert score(taken, 1)[1].mean[0] == pytest.approx(score(kept, 1)[1].mean[0])


def test_rates_and_weights_are_found() -> None:
    """From a shop with known rates, weights and looks: both are recovered.

    Good items are shown low and bad ones high, so that clicks alone would rank them wrongly.
    """
    rng, m = derive(3, "shop"), model(group_strength=5, overall_strength=5, arm_strength=20)
    truth = np.array([0.05, 0.10, 0.20, 0.30])
    weights = PRIOR_MEAN.copy()
    weights[NAMES.index("affinity")], weights[NAMES.index("repeat")] = 0.5, 0.5
    looks = first_guess(20)[[0, 2, 6, 19]]
    for _ in range(12_000):
        item = int(rng.integers(4))
        shown = slot(item, look=float(looks[item]), affinity=float(rng.integers(2)),
                     repeat=float(rng.integers(2)))  # fmt: skip
        rate, _ = score(m, item)
        lift = float(np.array(shown.features) @ weights)
        worth = float(rng.random() < looks[item] * truth[item] * lift)
        m.learn(msgspec.structs.replace(shown, rate=float(rate[0])), 0, verdict(worth))

    told = {row["name"]: row for row in m.summary()["weights"]}
    rates, _ = score(m, 0, 1, 2, 3, group=0)
    assert rates == pytest.approx(truth, rel=0.15)
    assert told["base"]["mean"] == pytest.approx(1.0, abs=0.01)
    # Rates and weights start from wrong guesses of one another, which fade with the looks.
    assert told["affinity"]["mean"] == pytest.approx(0.5, abs=0.25)
    assert told["repeat"]["mean"] == pytest.approx(0.5, abs=0.25)
    assert told["affinity"]["sd"] < 0.1


def test_memory() -> None:
    """With a short memory the weights return to their priors once the matches stop teaching."""
    short, long = model(memory_looks=200), model(memory_looks=1e9)
    for m in (short, long):
        for _ in range(320):
            m.learn(slot(1, affinity=1.0), 3, verdict(0.05))
        for _ in range(3_200):
            m.learn(slot(2), 3, verdict(0.0))

    def off(m: RewardModel) -> float:
        row = next(r for r in m.summary()["weights"] if r["name"] == "affinity")
        return abs(float(row["mean"]) - 2.0)

    assert off(short) < 0.2 * off(long)


def test_a_belief_below_zero_is_no_negative_reward() -> None:
    """However it is taught, what is stored and shown stays above zero."""
    m = model(prior_mean=-1.0)

    rate, scored = score(m, 1)

    assert rate[0] == LEAST_RATE
    assert scored.mean[0] > 0
    assert scored.variance[0] > 0


def test_summary() -> None:
    """Every weight with its spread, looks learnt from, and the rate of an item nobody knows."""
    told = model().summary()

    assert [row["name"] for row in told["weights"]] == list(NAMES)
    assert [row["mean"] for row in told["weights"]] == pytest.approx(PRIOR_MEAN.tolist())
    assert [row["sd"] ** -2 for row in told["weights"]] == pytest.approx(PRIOR_PRECISION.tolist())
    assert told["looks"] == 0
    assert told["click_rate"] == pytest.approx(0.03)
    assert told["click_worth"] == pytest.approx(WORTH)
