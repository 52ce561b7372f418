"""Rates by arm, group and all: the exact posterior of a two-floor Gaussian model, kept in O(1)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from equipoise.exploration import RateBelief
from equipoise.randomness import derive
from equipoise.types import Floats

STRENGTHS = {"arm_strength": 7.0, "group_strength": 20.0, "overall_strength": 3.0}
GROUPS = np.array([0, 0, 1, 1, 1, 2, -1])


def belief(**keywords: float) -> RateBelief:
    given = {"prior_mean": 0.2, "prior_variance": 0.5, "variance_strength": 1e12}
    return RateBelief(**{**given, **STRENGTHS, **keywords})


def stocked(**keywords: float) -> RateBelief:
    rates = belief(**keywords)
    for arm, group in enumerate(GROUPS):
        rates.reassign(arm, int(group))
    return rates


def adds(n: int = 200) -> list[tuple[int, float, float]]:
    rng = derive(0, "test rates")
    return [
        (int(rng.integers(5)), float(rng.uniform(0, 1)), float(rng.normal(0.3, 1)))
        for _ in range(n)
    ]


def learnt(rates: RateBelief, rows: list[tuple[int, float, float]]) -> RateBelief:
    for row in rows:
        rates.add(*row)
    return rates


def exact(rates: RateBelief) -> tuple[Floats, Floats]:
    """The posterior by one dense solve over all nodes: overall, four groups, seven arms."""
    sigma2, arm0 = 0.5, 5
    precision, moment = np.zeros((12, 12)), np.zeros(12)
    precision[0, 0], moment[0] = 3.0, 3.0 * 0.2

    def tie(child: int, parent: int, strength: float) -> None:
        for one, other in ((child, parent), (parent, child)):
            precision[one, one] += strength
            precision[one, other] -= strength

    for group in range(4):
        tie(1 + group, 0, 20.0)
    for arm, group in enumerate(GROUPS):
        tie(arm0 + arm, 1 + group % 4, 7.0)
        precision[arm0 + arm, arm0 + arm] += rates.looks[arm]
        moment[arm0 + arm] += rates.rewards[arm]
    covariance = np.linalg.inv(precision)
    return (covariance @ moment)[arm0:], sigma2 * np.diag(covariance)[arm0:]


def test_equals_the_exact_posterior() -> None:
    """Mean and variance of every arm, seen and unseen, from the dense joint Gaussian."""
    rates = learnt(stocked(), adds())
    mean, variance = rates.predict(np.arange(7))
    true_mean, true_variance = exact(rates)

    np.testing.assert_allclose(mean, true_mean, rtol=1e-9)
    np.testing.assert_allclose(variance, true_variance, rtol=1e-6)


def test_a_new_arm_is_its_group_and_less_certain() -> None:
    """An item nobody has seen starts at its category's rate, with the widest belief in it."""
    rates = learnt(stocked(), adds())
    rates.reassign(7, 1)
    mean, variance = rates.predict(np.array([2, 3, 4, 7]))
    strange, _ = rates.predict(np.array([999]))

    assert variance[3] > variance[:3].max()
    assert min(mean[:3]) < mean[3] < max(mean[:3])
    assert strange[0] == rates.predict(np.array([6]))[0][0]


def test_one_arm_alone_cannot_make_its_group_certain() -> None:
    """A million looks at one item leave its neighbours about as unknown as items differ."""
    rates = stocked()
    rates.add(0, 1e6, 1e5)
    mean, variance = rates.predict(np.array([0, 1]))

    assert mean[0] == pytest.approx(0.1, abs=1e-4)
    assert variance[0] < 1e-6
    assert variance[1] > 0.5 / 7.0


def test_order_does_not_matter() -> None:
    """The same adds in another order give the same belief, to rounding."""
    rows = adds()
    one, other = learnt(stocked(), rows), learnt(stocked(), rows[::-1])

    for a, b in zip(one.predict(np.arange(7)), other.predict(np.arange(7)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_negative_looks_undo() -> None:
    """What is taken away was never there, σ² included."""
    rows = adds()
    rates = learnt(stocked(variance_strength=5.0), rows)
    for arm, looks, reward in rows[50:]:
        rates.add(arm, -looks, -reward)
    never = learnt(stocked(variance_strength=5.0), rows[:50])

    for a, b in zip(rates.predict(np.arange(7)), never.predict(np.arange(7)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_a_reassigned_arm_takes_its_sums_along() -> None:
    """Moved after learning is the same as being there from the start."""
    moved = learnt(stocked(), adds())
    moved.reassign(2, 0)
    there = stocked()
    there.reassign(2, 0)
    learnt(there, adds())

    for a, b in zip(moved.predict(np.arange(7)), there.predict(np.arange(7)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_variance_never_grows_with_looks() -> None:
    """With σ² known, a look at any arm widens no belief about any."""
    rates = stocked()
    _, before = rates.predict(np.arange(7))
    for row in adds(60):
        rates.add(*row)
        _, after = rates.predict(np.arange(7))

        assert (after <= before * (1 + 1e-12)).all()
        before = after


def test_variance_of_a_look_is_found() -> None:
    """σ² goes from the prior's to the data's: clicks of worth 2 at a rate of 10 %."""
    rates = RateBelief(prior_variance=9.0, variance_strength=50.0)
    rng = derive(1, "test rates")

    assert rates.variance == 9.0
    for _ in range(20_000):
        rates.add(0, 1.0, 2.0 * (rng.random() < 0.1))
    assert rates.variance == pytest.approx(4 * 0.1 * 0.9, rel=0.1)


def test_part_of_a_look_says_the_same_of_variance() -> None:
    """Looks of 0.4, clicked 0.4 as often: the same σ² as whole looks."""
    rates = RateBelief(variance_strength=50.0, prior_variance=0.1)
    rng = derive(2, "test rates")
    for _ in range(30_000):
        rates.add(0, 0.4, float(rng.random() < 0.04))

    assert rates.variance == pytest.approx(0.1 * 0.9, rel=0.1)


def test_worth_may_come_later() -> None:
    """A purchase after its click: reward without a look."""
    rates = stocked()
    rates.add(0, 1.0, 0.05)
    rates.add(0, 0.0, 2.0)

    assert (rates.looks[0], rates.rewards[0]) == (1.0, 2.05)


def test_learn_gives_the_density_of_what_was_learnt() -> None:
    """One look after another, the densities multiply to the marginal normal of them all."""
    rates, rewards = belief(), np.array([0.1, 0.9, -0.3, 0.4])
    log = sum(rates.learn(0, 1.0, float(reward)) for reward in rewards)
    spread = 0.5 * (1 / 3 + 1 / 20 + 1 / 7)
    covariance = 0.5 * np.eye(4) + spread
    _, determinant = np.linalg.slogdet(2 * np.pi * covariance)
    away = rewards - 0.2

    assert log == pytest.approx(
        -0.5 * (determinant + away @ np.linalg.inv(covariance) @ away), rel=1e-6
    )
    assert rates.record(0) == (4.0, pytest.approx(1.1))
    assert rates.record(9) == (0.0, 0.0)
    assert rates.learn(0, 0.0, 5.0) == 0.0


def test_decay_forgets_towards_the_prior() -> None:
    """All forgotten is the prior; half forgotten is the exact posterior of half the sums."""
    rates = learnt(stocked(), adds())
    looks = rates.looks
    rates.decay(0.5)
    true_mean, _ = exact(rates)

    np.testing.assert_allclose(rates.looks, looks / 2)
    np.testing.assert_allclose(rates.predict(np.arange(7))[0], true_mean, rtol=1e-9)
    rates.decay(0.0)
    np.testing.assert_allclose(rates.predict(np.arange(7))[0], 0.2)


def test_load_continues_to_the_bit() -> None:
    """Saved and loaded in the midst: what follows is the same as without, bit for bit."""
    rows = adds()
    straight = learnt(stocked(), rows)
    first = learnt(stocked(), rows[:90])
    second = belief()
    second.load(first.arrays())
    learnt(second, rows[90:])

    for name, array in straight.arrays().items():
        assert array.tobytes() == second.arrays()[name].tobytes(), name


def test_predicting_changes_nothing() -> None:
    """Arms that were only asked about do not enter the state."""
    rates = stocked()
    before = {name: array.tobytes() for name, array in rates.arrays().items()}
    mean, _ = rates.predict(np.array([3, 500]))

    assert np.isfinite(mean).all()
    assert {name: array.tobytes() for name, array in rates.arrays().items()} == before
    assert rates.predict(np.array([], dtype=np.int32))[0].shape == (0,)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda r: RateBelief(arm_strength=0.0), "arm_strength is 0.0; it must be above 0"),
        (lambda r: RateBelief(prior_variance=np.nan), "prior_variance is nan"),
        (lambda r: r.add(-1, 1.0, 0.0), "arm -1: arms are numbered from 0"),
        (lambda r: r.add(0, 1.0, np.nan), "both must be finite"),
        (lambda r: r.add(0, -3.0, 0.0), "arm 0 would be left with -3 looks"),
        (lambda r: r.reassign(-1, 0), "arm -1: arms are numbered from 0"),
        (lambda r: r.reassign(0, -2), "group is -2; it must be -1 (none) or more"),
        (lambda r: r.predict(np.array([2, -5])), "arm -5: arms are numbered from 0"),
        (lambda r: r.decay(-0.1), "gamma is -0.1; it is what remains"),
    ],
)
def test_refusals(attempt: Callable[[RateBelief], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt(belief())

    assert message in str(refusal.value)


def test_pending_looks_narrow_the_variance_as_if_they_agreed_with_the_mean() -> None:
    """``var · n / (n + q)``: the exact posterior variance after q looks, before any is heard."""
    waiting, heard = learnt(stocked(), adds()), learnt(stocked(), adds())
    mean, before = waiting.predict(np.arange(7))
    waiting.pending(2, 3.5)
    _, during = waiting.predict(np.arange(7))
    heard.add(2, 3.5, 3.5 * float(mean[2]))
    after_mean, after = heard.predict(np.array([2]))

    assert during[2] == pytest.approx(before[2] * 0.5 / (0.5 + 3.5 * before[2]))
    assert during[2] == pytest.approx(after[0], rel=1e-3)
    assert after_mean[0] == pytest.approx(mean[2])
    others = np.array([0, 1, 3, 4, 5, 6])
    assert np.array_equal(during[others], before[others])


def test_pending_looks_leave_nothing_behind() -> None:
    """Nor do they change the mean, and they are dumped and loaded; also of an arm without looks."""
    rates, loaded = learnt(stocked(), adds()), belief()
    before = rates.predict(np.arange(40))
    for arm in (2, 30):
        rates.pending(arm, 2.0)
    during = rates.predict(np.arange(40))
    loaded.load(rates.arrays())
    after_load = loaded.predict(np.arange(40))
    for arm in (2, 30):
        rates.pending(arm, -2.0)
    after = rates.predict(np.arange(40))

    assert np.array_equal(during[0], before[0])
    assert (during[1][[2, 30]] < before[1][[2, 30]]).all()
    assert np.array_equal(during[1], after_load[1])
    assert np.array_equal(after[1], before[1])


def test_pending_looks_that_cannot_be() -> None:
    """More than are under way, none that can be counted, an arm that is none."""
    rates = belief()
    with pytest.raises(ValueError, match="arm 3 would be left with -1 pending looks; 0 is the"):
        rates.pending(3, -1.0)
    with pytest.raises(ValueError, match="nan looks are pending; it must be finite"):
        rates.pending(3, float("nan"))
    with pytest.raises(ValueError, match="arm -1: arms are numbered from 0"):
        rates.pending(-1, 1.0)
