"""A bank of memories: a mixture whose weights are what each memory foresaw."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from equipoise.exploration import ArmBank, BetaBelief, ContextBank, GaussianBelief, RateBelief
from equipoise.exploration.beliefs import beta_kernels as kernels
from equipoise.exploration.beliefs.bank import STEPS, mixture, reweigh
from equipoise.exploration.beliefs.context_bank import (
    bernoulli_log_chance,
    gaussian_log_chance,
)
from equipoise.randomness import derive
from equipoise.testing.arms import LAWS, Make, adds
from equipoise.testing.beliefs import data
from equipoise.types import Floats

LIVES = (50.0, 400.0, math.inf)


def clicks() -> BetaBelief:
    return BetaBelief(prior_mean=0.1, arm_strength=20.0, refit=0)


def money() -> RateBelief:
    return RateBelief(prior_mean=0.1, prior_variance=0.1, variance_strength=1e12)


def bank(**keywords: float) -> ArmBank:
    return ArmBank(clicks, LIVES, **keywords)


@pytest.mark.parametrize("make", [clicks, money], ids=["clicks", "money"])
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_laws(law: Callable[[Make], None], make: Callable[[], BetaBelief]) -> None:
    """A bank stands where one of its beliefs does: but for what depends on order, as they."""
    law(lambda: ArmBank(make, LIVES))


def test_one_memory_that_never_forgets_is_the_belief() -> None:
    """Mean, variance and chances are those of the belief by itself."""
    single, alone = ArmBank(clicks, (math.inf,)), clicks()
    for add in adds():
        assert single.learn(*add) == pytest.approx(alone.learn(*add), abs=1e-12)

    for a, b in zip(single.predict(np.arange(8)), alone.predict(np.arange(8)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_weights_are_bayes_without_a_share() -> None:
    """Each memory's weight is proportional to the product of the chances that it gave."""
    whole = bank(share=0.0, add_lasts=0.0)
    whole.advance(0.0)
    apart = [clicks() for _ in LIVES]
    total = np.zeros(3)
    for k, add in enumerate(adds()):
        whole.learn(*add)
        total += [belief.learn(*add) for belief in apart]
        if k % 20 == 19:
            whole.advance(30.0)
            for belief, life in zip(apart, LIVES, strict=True):
                belief.decay(0.5 ** (30.0 / life))
    expected = np.exp(total - np.logaddexp.reduce(total))

    np.testing.assert_allclose(whole.weights, expected, rtol=1e-9)


def test_fixed_share_by_hand() -> None:
    """w ← (1 − α) w p / Σ w p + α / R (Herbster & Warmuth 1998)."""
    log_weight = np.log([0.5, 0.3, 0.2])
    reweigh(log_weight, np.log([0.1, 0.2, 0.4]), 0.03)
    posterior = np.array([0.05, 0.06, 0.08]) / 0.19

    np.testing.assert_allclose(np.exp(log_weight), 0.97 * posterior + 0.01)


def test_weights_survive_what_no_float_holds() -> None:
    """After a chance of e⁻⁵⁰⁰⁰ against e⁻⁶⁰⁰⁰ all is well, and the way back is as long."""
    log_weight = np.log([0.5, 0.5])
    reweigh(log_weight, np.array([-6000.0, -5000.0]), 0.0)
    np.testing.assert_allclose(log_weight, [-1000.0, 0.0])
    reweigh(log_weight, np.array([-5000.0, -6000.0]), 0.0)

    np.testing.assert_allclose(log_weight, np.log([0.5, 0.5]))


def test_a_mixture_is_as_wide_as_its_parts_disagree() -> None:
    """Law of total variance, by hand: ¼ of N(0, 1), ¾ of N(2, 3)."""
    mean, variance = mixture(
        np.log([0.25, 0.75]), np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]])
    )

    assert mean[0] == pytest.approx(1.5)
    assert variance[0] == pytest.approx(0.25 * 1.0 + 0.75 * 3.0 + 0.25 * 0.75 * 4.0)


def lived(whole: ArmBank, worlds: list[Floats], looks: int = 4_000) -> ArmBank:
    """Shown at random, ``looks`` times in each world."""
    rng = derive(0, "test bank")
    for truth in worlds:
        for _ in range(looks):
            arm = int(rng.integers(len(truth)))
            whole.add(arm, 1.0, float(rng.random() < truth[arm]))
    return whole


def test_a_settled_world_is_remembered() -> None:
    """Where nothing changes the long memories are trusted, the horizon as old as the bank."""
    whole = lived(bank(), [derive(1, "test bank").beta(2.0, 8.0, size=5)])

    assert whole.weights[2] > 0.8
    assert whole.memory > 1_500.0
    assert whole.memory <= 4_000.0


def test_a_restless_world_is_forgotten() -> None:
    """Where all is redrawn every 150 looks the short memory is trusted, the horizon short."""
    rng = derive(2, "test bank")
    whole = lived(bank(), [rng.beta(1.0, 1.5, size=2) for _ in range(25)], looks=150)

    assert whole.weights[0] > 0.8
    assert whole.memory < 120.0


def test_a_share_swings_back_faster_after_a_shift() -> None:
    """After long peace a share lets the short memories be heard at once; Bayes alone does not."""
    rng = derive(3, "test bank")
    before, after = rng.beta(1.0, 3.0, size=5), rng.beta(1.0, 3.0, size=5)[::-1]
    error = {}
    for share in (0.0, 1e-4):
        whole = lived(lived(bank(share=share), [before]), [after], looks=200)
        error[share] = float(np.abs(whole.predict(np.arange(5))[0] - after).mean())

    assert error[1e-4] < 0.6 * error[0.0]


def test_time_may_be_told() -> None:
    """With ``add_lasts=0`` only ``advance`` lets memories fade: half in a half-life."""
    whole = bank(add_lasts=0.0)
    for _ in range(100):
        whole.add(0, 1.0, 0.0)
    whole.advance(50.0)
    looks = [float(belief.looks[0]) for belief in whole.beliefs if isinstance(belief, BetaBelief)]

    assert looks == pytest.approx([50.0, 100.0 * 0.5 ** (50 / 400), 100.0])


def test_corrections_leave_the_weights_alone() -> None:
    """A click that comes later was foreseen by nobody."""
    whole = lived(bank(), [np.array([0.1, 0.3])], looks=50)
    before = whole.weights
    whole.add(0, 0.0, 1.0)
    whole.add(0, -1.0, 0.0)

    np.testing.assert_array_equal(whole.weights, before)


def test_an_alarm_widens_every_memory() -> None:
    """``decay`` lets all forget at once, with and without context."""
    whole = lived(bank(), [np.array([0.1, 0.3])], looks=200)
    _, before = whole.predict(np.arange(2))
    whole.decay(0.2)
    x, reward, _ = data(3)
    matches = ContextBank(GaussianBelief(3), LIVES).update(x, reward)

    assert (whole.predict(np.arange(2))[1] > before).all()
    assert (matches.decay(0.2).predict(x)[1] > matches.predict(x)[1]).all()


def test_compiled_worlds_may_stack_the_kernels() -> None:
    """All memories in arrays with one axis more, told and mixed by hand: the same bank."""
    arms, slot, groups = np.zeros((3, 7, 4)), np.ones(7, np.int64), np.zeros((3, 2, 3))
    groups[:, :, 2] = 20.0
    top = np.tile([0.0, 0.0, 0.1, 10.0, 50.0, 20.0], (3, 1))
    log_weight, since, whole = np.log(np.full(3, 1 / 3)), np.zeros(3), bank()
    for arm, looks, clicked in adds(200):
        whole.add(arm, looks, clicked)
        chance = [
            kernels.learn(arm, looks, clicked, arms[r], slot, groups[r], top[r]) for r in range(3)
        ]
        reweigh(log_weight, np.array(chance), 1e-4)
        since += 1.0
        for r in np.flatnonzero(since >= np.array(LIVES) / STEPS):
            kernels.fade(0.5 ** (since[r] / LIVES[r]), arms[r], slot, groups[r], top[r])
            since[r] = 0.0
    index = np.arange(5)
    parts = [kernels.predict(index, slot, arms[r], slot, groups[r], top[r]) for r in range(3)]
    stacked = mixture(log_weight, np.array([m for m, _ in parts]), np.array([v for _, v in parts]))

    for a, b in zip(stacked, whole.predict(index), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


# ---------------------------------------------------------------- over features


def test_a_context_bank_of_one_is_the_belief() -> None:
    """One memory that never forgets: the belief by itself; a row without weight teaches none."""
    x, reward, _ = data(3)
    weight = np.repeat([1.0, 0.0], 20)
    single = ContextBank(GaussianBelief(3), (math.inf,)).update(x, reward, weight)
    alone = GaussianBelief(3).update(x[:20], reward[:20])

    for a, b in zip(single.predict(x), alone.predict(x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_context_weights_are_the_evidence_of_each_memory() -> None:
    """One row at a time, the chances multiply to the marginal likelihood of the regression."""
    x, reward, _ = data(3)
    belief, total = GaussianBelief(3, prior_precision=0.5), 0.0
    for row in range(len(x)):
        one = slice(row, row + 1)
        total += gaussian_log_chance(belief, x[one], reward[one], np.ones(1))
        belief = belief.update(x[one], reward[one])
    covariance = np.eye(len(x)) + x @ x.T / 0.5
    _, determinant = np.linalg.slogdet(2 * np.pi * covariance)
    marginal = -0.5 * (determinant + reward @ np.linalg.inv(covariance) @ reward)

    assert total == pytest.approx(marginal, rel=1e-9)


def test_a_context_bank_follows_what_turns() -> None:
    """Weights that change sign every 200 rows: the short memory is trusted and foresees better."""
    rng = derive(4, "test bank")
    whole, alone = ContextBank(GaussianBelief(2), LIVES), GaussianBelief(2)
    error = np.zeros(2)
    for row in range(1_000):
        x = rng.normal(size=(1, 2))
        sign = 1.0 if row // 200 % 2 else -1.0
        reward = sign * x.sum(axis=1) + rng.normal(size=1)
        error += [abs(float(b.predict(x)[0][0] - sign * x.sum())) for b in (whole, alone)]
        whole, alone = whole.update(x, reward), alone.update(x, reward)

    assert whole.weights[0] > 0.9
    assert whole.memory < 80.0
    assert error[0] < 0.7 * error[1]


def test_what_is_awaited_narrows_a_context_bank() -> None:
    """Same mean, less spread where the awaited rows lie."""
    x, reward, _ = data(3)
    whole = ContextBank(GaussianBelief(3), LIVES).update(x[:20], reward[:20])
    mean, variance = whole.predict(x[20:])
    same, narrower = whole.pending(x[20:]).predict(x[20:])

    np.testing.assert_allclose(same, mean, atol=1e-9)
    assert (narrower < variance).all()


def test_chances_of_clicks_weigh_logistic_memories() -> None:
    """Bernoulli by hand; a probability of 0 or 1 is not held against a belief for ever."""

    class Says:
        def __init__(self, *means: float) -> None:
            self.means = np.array(means)

        def predict(self, x: Floats) -> tuple[Floats, Floats]:
            return self.means, np.zeros(len(x))

    x, one = np.zeros((2, 1)), np.ones(2)
    chance = bernoulli_log_chance(Says(0.2, 0.7), x, np.array([1.0, 0.0]), np.array([1.0, 2.0]))
    impossible = bernoulli_log_chance(Says(1.0, 0.0), x, np.array([0.0, 0.0]), one)

    assert chance == pytest.approx(math.log(0.2) + 2.0 * math.log(0.3))
    assert -30.0 < impossible < -20.0


def test_a_context_bank_is_a_value_and_reads_back() -> None:
    """An update leaves the old bank as it was; arrays bring it back to the bit."""
    x, reward, _ = data(3)
    first = ContextBank(GaussianBelief(3), LIVES)
    second = first.update(x, reward)
    again = first.with_arrays(second.arrays(), GaussianBelief.from_arrays)

    assert (first.memory, second.memory) == (
        again.__class__(GaussianBelief(3), LIVES).memory,
        again.memory,
    )
    np.testing.assert_array_equal(first.weights, np.full(3, np.exp(-math.log(3))))
    for name, array in second.arrays().items():
        assert array.tobytes() == again.arrays()[name].tobytes(), name


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: ArmBank(clicks, ()), "half_lives are (); at least one, above 0 and rising"),
        (lambda: ArmBank(clicks, (9.0, 4.0)), "half_lives are (9.0, 4.0)"),
        (lambda: ContextBank(GaussianBelief(1), (0.0, 4.0)), "half_lives are (0.0, 4.0)"),
        (lambda: bank(share=1.0), "share is 1.0; a part of all weight, from 0 to below 1"),
        (lambda: bank(add_lasts=-1.0), "a time of -1.0 is to pass; it must be finite"),
        (lambda: bank().advance(math.inf), "a time of inf is to pass; it must be finite"),
        (lambda: ContextBank(GaussianBelief(1)).advance(-2.0), "a time of -2.0 is to pass"),
        (lambda: bank().add(-1, 1.0, 0.0), "arm -1: arms are numbered from 0"),
    ],
)
def test_refusals(attempt: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt()

    assert message in str(refusal.value)


def test_a_bank_of_clicks_counts_looks_in_view_and_one_of_amounts_does_not() -> None:
    """In every memory; weights stay, since nobody foresaw anything."""
    clicks = ArmBank(lambda: BetaBelief(prior_mean=0.1), LIVES)
    weights = clicks.weights
    clicks.view(0, 5.0, 1)

    assert [belief.in_view[0] for belief in clicks.beliefs] == [5.0] * len(LIVES)
    assert np.array_equal(clicks.weights, weights)
    with pytest.raises(TypeError, match="RateBelief does not count looks in view"):
        ArmBank(RateBelief, LIVES).view(0, 1.0)
