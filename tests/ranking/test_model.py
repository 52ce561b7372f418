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
from equipoise.types import Slot

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


def teach(m: RewardModel, shown: Slot, group: int, worth: float, **looked: float) -> None:
    """A verdict whose worth is known at once."""
    m.learn(shown, group, worth > 0, **looked)
    m.match(shown, worth > 0, **looked)
    if worth > 0:
        m.earn(shown.position, group, 1.0, worth)


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
        group = int(rng.integers(-1, 4))
        teach(m, shown, group, worth)
        if rng.random() < 0.2:
            m.earn(shown.position, group, 0.5, worth)
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
        teach(m, slot(77, affinity=0.3), 700, 2.0)
    assert same(asked, silent)


def test_dump_and_load() -> None:
    """What comes back scores and goes on learning to the same bit."""
    m, other = taught(2), model()
    score(m, 50, group=9)
    other.load(m.arrays())
    assert same(m, other)

    for one in (m, other):
        for n in range(REFRESH + 3):
            teach(one, slot(n % 25, affinity=0.5), 2, 0.05)
    assert same(m, other)
    assert np.array_equal(score(m, 1, 24, 60)[1].mean, score(other, 1, 24, 60)[1].mean)


def test_an_unjudged_item_takes_after_its_group() -> None:
    """A group that earns well lends its record to what is new in it, and only to that."""
    m = model()
    for n in range(400):
        teach(m, slot(n % 8), 3, 0.05 if n % 4 == 0 else 0.0)

    _, new = score(m, 999, group=3)
    _, stranger = score(m, 999, group=4)

    assert new.mean[0] > 1.2 * stranger.mean[0]
    assert new.variance[0] / new.mean[0] ** 2 < stranger.variance[0] / stranger.mean[0] ** 2


def test_an_item_that_moves_takes_its_record_along() -> None:
    """From one category to another, as the verdict's group says."""
    m = model()
    for n in range(200):
        teach(m, slot(1), 3 if n < 199 else 4, 0.05)

    assert score(m, 999, group=4)[0][0] > score(m, 999, group=3)[0][0]


def test_worth_that_comes_by_degrees_adds_up() -> None:
    """A click that is heard in parts is, in the end, one click that earned it all."""
    at_once, in_turn = model(variance_strength=1e12), model(variance_strength=1e12)
    teach(at_once, slot(1, affinity=0.5), 3, 2.05)
    in_turn.learn(slot(1, affinity=0.5), 3, True)
    in_turn.match(slot(1, affinity=0.5), True)
    in_turn.earn(1, 3, 0.25, 0.01)
    in_turn.earn(1, 3, 0.75, 2.04)

    for m in (at_once, in_turn):
        assert m.summary()["looks"] == 1
    one, two = score(at_once, 1, affinity=0.5)[1], score(in_turn, 1, affinity=0.5)[1]
    assert two.mean[0] == pytest.approx(one.mean[0])


def test_an_order_is_no_click_rate() -> None:
    """However much its one click earned, an item is not thought to be clicked more often."""
    poor, rich = model(), model()
    teach(poor, slot(1), 3, 0.05)
    teach(rich, slot(1), 3, 50.0)

    assert score(poor, 1)[0][0] == score(rich, 1)[0][0]
    assert score(rich, 1)[1].mean[0] > score(poor, 1)[1].mean[0]


def test_what_is_taken_back_is_gone() -> None:
    """A refund leaves the click, and of its worth what the click alone was worth."""
    kept, taken = model(), model()
    for m in (kept, taken):
        teach(m, slot(1), 3, 0.05)
    taken.earn(1, 3, 0.0, 2.0)
    taken.earn(1, 3, 0.0, -2.0)

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
        shown = msgspec.structs.replace(shown, rate=float(rate[0]))
        m.learn(shown, 0, worth > 0)
        m.match(shown, worth > 0)

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
            teach(m, slot(1, affinity=1.0), 3, 0.05)
        for _ in range(3_200):
            teach(m, slot(2), 3, 0.0)

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


def test_a_slot_that_was_left_counts_as_the_look_it_may_have_had() -> None:
    """``θ (1 − r) / (1 − θ r)`` of one, unless it is known better; a click is a whole one."""
    theta, rate = 0.4, 0.25
    left, told, clicked = model(), model(), model()
    left.learn(slot(1, rate=rate, look=theta), 3, False)
    told.learn(slot(1, rate=rate, look=theta), 3, False, looked=0.9)
    clicked.learn(slot(1, rate=rate, look=theta), 3, True)

    looks = [float(m.arrays()["clicks.arms"][1, 0]) for m in (left, told, clicked)]
    assert looks == pytest.approx([theta * (1 - rate) / (1 - theta * rate), 0.9, 1.0])


def test_the_noise_is_the_variance_of_one_look() -> None:
    """A click or none, and what it earns, against simulated looks; wherever a slot stands."""
    m = model(prior_mean=0.2)
    luck = derive(5, "noise")
    for _ in range(6_000):
        teach(m, slot(1, rate=0.2), 3, float(luck.choice([0, 0, 0, 0.05, 2.05])))
    rate, scored = score(m, 1)
    clicks = luck.random(400_000) < rate[0]
    rewards = clicks * luck.choice([0.05, 2.05], 400_000)

    assert scored.noise is not None
    assert scored.noise[0] == pytest.approx(rewards.var(), rel=0.08)


def test_noise_is_above_zero() -> None:
    """Even where a click is taken for certain, and always earns the same."""
    m = model(prior_mean=3.0)
    rate, scored = score(m, 1, 2, affinity=1.0)

    assert (rate > 1).all()
    assert scored.noise is not None
    assert (scored.noise > 0).all()


def test_what_is_under_way_narrows_the_spread_and_nothing_else() -> None:
    """Looks, and clicks whose orders may still come; when it is over nothing is left of it."""
    m, untouched = taught(4), taught(4)
    before = score(m, 2, 3, 60, group=1)[1]
    shown = [slot(item, look=look, affinity=0.3) for item in (2, 60) for look in (1.0, 0.37, 0.11)]
    looks = [m.looks_of(one) for one in shown]
    for one, under_way in zip(shown, looks, strict=True):
        m.await_looks(one.position, under_way)
    m.await_worth(3, 1.0)
    during = score(m, 2, 3, 60, group=1)[1]
    for one, under_way in zip(reversed(shown), reversed(looks), strict=True):
        m.await_looks(one.position, -under_way)
    for part in (0.25, 0.125, 0.625):
        m.await_worth(3, -part)
    after = score(m, 2, 3, 60, group=1)[1]

    assert np.array_equal(during.mean, before.mean)
    assert (during.variance < before.variance).all()
    assert np.array_equal(after.variance, before.variance)
    assert m.arrays()["clicks.pending"].sum() == m.arrays()["worth.pending"].sum() == 0
    assert np.array_equal(m.arrays()["clicks.arms"][:20], untouched.arrays()["clicks.arms"])


def test_summary() -> None:
    """Every weight with its spread, looks learnt from, and the rate of an item nobody knows."""
    told = model().summary()

    assert [row["name"] for row in told["weights"]] == list(NAMES)
    assert [row["mean"] for row in told["weights"]] == pytest.approx(PRIOR_MEAN.tolist())
    assert [row["sd"] ** -2 for row in told["weights"]] == pytest.approx(PRIOR_PRECISION.tolist())
    assert told["looks"] == 0
    assert told["click_rate"] == pytest.approx(0.03)
    assert told["click_worth"] == pytest.approx(WORTH)
