"""Clicks by arm, group and all: Beta posteriors, and how much arms differ, from the data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from scipy.special import betaln

from equipoise.exploration import BetaBelief
from equipoise.exploration.beliefs import prior_fit
from equipoise.randomness import derive
from equipoise.testing.arms import LAWS, SUMS, Make, adds, taught
from equipoise.types import Floats


def belief(**keywords: float) -> BetaBelief:
    given = {"prior_mean": 0.1, "arm_strength": 20.0, "group_strength": 30.0, "refit": 0}
    return BetaBelief(**{**given, **keywords})  # type: ignore[arg-type]


@pytest.mark.parametrize("law", [*LAWS, *SUMS], ids=lambda law: law.__name__)
def test_laws(law: Callable[[Make], None]) -> None:
    """Finite, order-free, additive, mergeable; narrowed by what is pending, widened by decay."""
    law(belief)


def test_equals_beta_where_the_prior_is_known() -> None:
    """With the floors above certain, an arm's posterior is Beta(n₀m + C, n₀(1−m) + E − C)."""
    rates = belief(group_strength=1e12, overall_strength=1e12)
    rates.add(0, 30.0, 5.0)
    mean, variance = rates.predict(np.array([0, 1]))
    posterior, prior = stats.beta(20 * 0.1 + 5, 20 * 0.9 + 25), stats.beta(2, 18)

    np.testing.assert_allclose(mean, [posterior.mean(), prior.mean()], rtol=1e-9)
    np.testing.assert_allclose(variance, [posterior.var(), prior.var()], rtol=1e-9)


def quadrature(looks: Floats, clicks: Floats, strength: float) -> tuple[Floats, Floats]:
    """Posterior of arms of one group, whose rate is Beta(3, 27), by 4,000 nodes over that rate."""
    m = (np.arange(4_000) + 0.5) / 4_000
    a, b = strength * m[:, None], strength * (1 - m[:, None])
    evidence = (betaln(a + clicks, b + looks - clicks) - betaln(a, b)).sum(axis=1)
    weight = np.exp(evidence - evidence.max()) * stats.beta.pdf(m, 3, 27)
    weight /= weight.sum()
    each = (a + clicks) / (strength + looks)
    square = each * (a + clicks + 1) / (strength + looks + 1)
    mean = weight @ each
    return mean, weight @ square - mean**2


def test_is_close_to_the_exact_hierarchy() -> None:
    """Where the group's rate is learnt too: mean within a tenth of a spread, spread within 6 %."""
    looks = np.array([3.0, 10.0, 40.0, 200.0, 8.0, 0.0])
    clicks = np.array([1.0, 0.0, 6.0, 21.0, 2.0, 0.0])
    rates = belief(group_strength=30.0, overall_strength=1e12)
    for arm in range(6):
        rates.add(arm, looks[arm], clicks[arm], group=0)
    mean, variance = rates.predict(np.arange(6))
    true_mean, true_variance = quadrature(looks, clicks, 20.0)

    assert (np.abs(mean - true_mean) < 0.1 * np.sqrt(true_variance)).all()
    np.testing.assert_allclose(np.sqrt(variance), np.sqrt(true_variance), rtol=0.06)


def test_one_arm_alone_cannot_make_its_group_certain() -> None:
    """A million looks at one arm tell its group no more than strength + 1 looks could."""
    rates = belief()
    rates.add(0, 1e6, 2e5, group=4)
    mean, variance = rates.predict(np.array([0, 99]), np.array([-1, 4]))
    other = belief()
    for arm in range(21):
        other.add(arm, 1.0, 0.2, group=4)

    assert mean[0] == pytest.approx(0.2, abs=1e-3)
    assert variance[1] > 0.1 * 0.9 / 21
    np.testing.assert_allclose(other.predict(np.array([99]), np.array([4]))[0], mean[1], rtol=1e-3)


def test_a_click_proves_a_look() -> None:
    """Clicks at slots that were hardly looked at: a rate stays below one."""
    rates = belief(overall_strength=0.5, group_strength=0.5, arm_strength=0.5)
    for _ in range(20):
        rates.add(0, 0.1, 1.0)
    mean, variance = rates.predict(np.array([0]))

    assert rates.looks[0] == pytest.approx(2.0)
    assert 0.9 < mean[0] < 1.0
    assert 0.0 < variance[0] < mean[0] * (1 - mean[0])


def test_a_correction_may_take_more_than_decay_has_left() -> None:
    """What was expected, faded, then proved wrong: no clicks, and no error."""
    rates = belief()
    rates.add(0, 10.0, 0.8)
    rates.decay(0.5)
    rates.add(0, 0.0, -0.8)
    none = belief()
    none.add(0, 5.0, 0.0)

    np.testing.assert_allclose(rates.predict(np.arange(2))[0], none.predict(np.arange(2))[0])


def test_pending_looks_count_as_looks_that_agree() -> None:
    """s² n / (n + q), n = m(1−m)/s² − 1."""
    rates = taught(belief, adds())
    (mean,), (variance,) = rates.predict(np.array([2]))
    assert isinstance(rates, BetaBelief)
    rates.pending(2, 12.0)
    n = mean * (1 - mean) / variance - 1

    assert rates.in_flight[2] == 12.0
    assert rates.predict(np.array([2]))[1][0] == pytest.approx(variance * n / (n + 12.0))


def test_learn_gives_the_probability_of_what_was_learnt() -> None:
    """Of one look its mean; of many, in one add or in several, the same product."""
    single, many = (
        belief(group_strength=1e12, overall_strength=1e12),
        belief(group_strength=1e12, overall_strength=1e12),
    )
    chances = [single.learn(0, 1.0, float(k in (2, 5))) for k in range(9)]

    assert chances[0] == pytest.approx(np.log(0.9))
    assert many.learn(0, 9.0, 2.0) == pytest.approx(sum(chances))
    assert single.learn(0, 0.0, 1.0) == 0.0
    assert single.learn(0, -1.0, 0.0) == 0.0


# ---------------------------------------------------------------- how much arms differ


def drawn(
    strength: float, arms: int, looks: int, *, mean: float = 0.05, key: str = ""
) -> tuple[Floats, Floats]:
    rng = derive(0, "test beta", key)
    truth = rng.beta(strength * mean, strength * (1 - mean), size=arms)
    shown = rng.poisson(looks, size=arms)
    return shown.astype(float), rng.binomial(shown, truth).astype(float)


def test_evidence_is_beta_binomial() -> None:
    """Equal to scipy's beta-binomial but for the coefficients, which no strength changes."""
    looks, clicks = drawn(40.0, 50, 60)
    mean, known = np.full(50, 0.05), np.zeros(50)

    def theirs(strength: float) -> float:
        return float(stats.betabinom.logpmf(clicks, looks, strength * 0.05, strength * 0.95).sum())

    ours = [prior_fit.log_evidence(s, looks, clicks, mean, known) for s in (10.0, 80.0)]
    assert ours[1] - ours[0] == pytest.approx(theirs(80.0) - theirs(10.0), rel=1e-9)


def test_the_fitted_strength_is_the_maximum() -> None:
    """With many arms guess and spread matter little: no other strength is more likely."""
    looks, clicks = drawn(40.0, 3_000, 100)
    mean, known = np.full(3_000, 0.05), np.zeros(3_000)
    found = prior_fit.fit_strength(looks, clicks, mean, known, 400.0, 1.5)
    at = [
        prior_fit.log_evidence(found * factor, looks, clicks, mean, known)
        for factor in (0.9, 1.0, 1.1)
    ]

    assert at[1] == max(at)
    assert found == pytest.approx(40.0, rel=0.15)
    assert prior_fit.fit_strength(*np.zeros((4, 0)), 400.0, 1.5) == 400.0


def test_strengths_follow_the_data_a_group_at_a_time() -> None:
    """Alike in one category, spread wide in another: each gets its own width."""
    rates = belief(arm_strength=60.0, refit=256)
    for group, strength in enumerate((400.0, 8.0)):
        for arm, (looks, clicks) in enumerate(zip(*drawn(strength, 150, 200), strict=True)):
            rates.add(150 * group + arm, looks, clicks, group)
    rates.fit()

    assert rates.arm_strength(0) > 100.0
    assert rates.arm_strength(1) < 14.0
    assert rates.arm_strength(77) == rates.strengths[1]


def test_groups_that_differ_widen_the_prior_of_groups() -> None:
    """Categories as far apart as can be: a group's prior is worth few looks; alike: many."""
    apart, alike = belief(refit=64), belief(refit=64)
    for group in range(12):
        for arm in range(10):
            apart.add(10 * group + arm, 300.0, 120.0 if group % 2 else 6.0, group)
            alike.add(10 * group + arm, 300.0, 30.0, group)
    for rates in (apart, alike):
        rates.fit()

    assert apart.strengths[0] < 10.0
    assert alike.strengths[0] > 100.0


def test_a_fit_is_a_function_of_the_sums_alone() -> None:
    """Whatever was fitted on the way: told in another order, and fitted, it is the same belief."""
    looks, clicks = drawn(15.0, 80, 30)
    told = [(arm, looks[arm] / 4, clicks[arm] / 4) for arm in range(80)] * 4
    one, other = belief(refit=64), belief(refit=50)
    for rates, rows in ((one, told), (other, told[::-1])):
        for row in rows:
            rates.add(*row, group=row[0] % 3)
        rates.fit()

    assert one.strengths == pytest.approx(other.strengths, rel=1e-6)
    for a, b in zip(one.predict(np.arange(81)), other.predict(np.arange(81)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_fits_come_at_fixed_counts() -> None:
    """At 256 adds, at each doubling, and then every so many: never between."""
    rates, moved = BetaBelief(refit=1_000), []
    rng, strength = derive(2, "test beta"), 0.0
    for count in range(1, 3_100):
        rates.add(int(rng.integers(60)), 1.0, float(rng.random() < 0.1))
        if rates.strengths[1] != strength:
            moved.append(count)
        strength = rates.strengths[1]

    assert moved == [1, 256, 512, 1_000, 2_000, 3_000]


def test_merged_beliefs_are_fitted_anew() -> None:
    """Two that were fitted on their halves: merged, they are fitted on the whole."""
    looks, clicks = drawn(10.0, 300, 40)
    halves = [belief(refit=256), belief(refit=256)]
    whole = belief(refit=256)
    for arm in range(300):
        for rates in (halves[arm % 2], whole):
            rates.add(arm, looks[arm], clicks[arm], arm % 4)
    halves[0].merge(halves[1])
    whole.fit()

    assert halves[0].strengths == pytest.approx(whole.strengths, rel=1e-9)
    np.testing.assert_allclose(
        halves[0].predict(np.arange(300))[0], whole.predict(np.arange(300))[0]
    )


def test_a_sample_of_many_arms_says_the_same() -> None:
    """Above ``ENOUGH`` arms only every second, third … is looked at: the width is still found."""
    rates = belief(refit=256)
    for arm, (looks, clicks) in enumerate(zip(*drawn(40.0, 9_000, 50), strict=True)):
        rates.add(arm, looks, clicks)
    rates.fit()

    assert rates.strengths[1] == pytest.approx(40.0, rel=0.2)


def test_what_is_in_view_counts_as_looks_without_a_click() -> None:
    """For the arm, its group and all; once it is taken back, nothing is left of it."""
    seen, left, before = belief(), belief(), belief()
    for one in (seen, left, before):
        one.add(0, 30.0, 4.0, 1)
    seen.view(0, 20.0, 1)
    left.add(0, 20.0, 0.0, 1)
    arms, groups = np.array([0, 9]), np.array([1, 1])

    for ours, theirs in zip(seen.predict(arms, groups), left.predict(arms, groups), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12)
    seen.view(0, -20.0)
    assert seen.predict(arms, groups)[0] == pytest.approx(before.predict(arms, groups)[0], rel=1e-9)
    assert seen.in_view[0] == 0.0


def test_clicks_that_come_before_their_zeros_raise_nothing() -> None:
    """An arm is shown 400 times in a window, a twentieth is clicked at once, the rest is known
    later. With what is in view the mean is right; without, the arm seems clicked nearly always."""
    with_view, without = belief(), belief()
    for n in range(400):
        clicked = n % 20 == 0
        with_view.view(0, 1.0)
        if clicked:
            with_view.view(0, -1.0)
            for one in (with_view, without):
                one.add(0, 1.0, 1.0)

    arm = np.array([0])
    assert with_view.predict(arm)[0][0] == pytest.approx(0.05, rel=0.3)
    assert without.predict(arm)[0][0] > 0.25


def test_what_is_in_view_survives_forgetting_and_storing() -> None:
    """It is a fact of now, and comes back as it went in."""
    one, again = belief(), belief()
    one.add(0, 40.0, 2.0)
    one.view(0, 3.0)
    one.decay(0.5)
    again.load(one.arrays())

    assert again.in_view.tolist() == [3.0]
    assert again.predict(np.array([0]))[0] == one.predict(np.array([0]))[0]


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda r: BetaBelief(arm_strength=0.0), "arm_strength is 0.0; it must be above 0"),
        (lambda r: BetaBelief(prior_mean=1.0), "prior_mean is 1.0; a rate is between 0 and 1"),
        (lambda r: BetaBelief(refit=-1), "refit is -1; it is adds between two fits, 0 for never"),
        (lambda r: r.add(-1, 1.0, 0.0), "arm -1: arms are numbered from 0"),
        (lambda r: r.add(0, 1.0, np.nan), "both must be finite"),
        (lambda r: r.add(0, -3.0, 0.0), "arm 0 would be left with -3 looks; 0 is the least"),
        (lambda r: r.pending(0, -2.0), "arm 0 would be left with -2 pending looks"),
        (lambda r: r.pending(0, np.inf), "inf looks are pending; it must be finite"),
        (lambda r: r.view(0, -2.0), "arm 0 would be left with -2 looks in view"),
        (lambda r: r.view(0, np.nan), "nan looks came into view; it must be finite"),
        (lambda r: r.reassign(-1, 0), "arm -1: arms are numbered from 0"),
        (lambda r: r.reassign(0, -2), "group is -2; it must be -1 (none) or more"),
        (lambda r: r.predict(np.array([2, -5])), "arm -5: arms are numbered from 0"),
        (lambda r: r.decay(1.1), "gamma is 1.1; it is what remains, from 0 to 1"),
        (lambda r: r.merge(belief(prior_mean=0.3)), "only when they started from the same prior"),
    ],
)
def test_refusals(attempt: Callable[[BetaBelief], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt(belief())

    assert message in str(refusal.value)
