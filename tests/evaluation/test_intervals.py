"""Intervals: they hold what they promise, by shopper and for ratios."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InvalidInput
from equipoise.evaluation import bootstrap
from equipoise.evaluation.intervals import (
    adaptive,
    bootstrap_t,
    empirical_bernstein,
    hall,
    student,
)
from equipoise.randomness import derive

KINDS = (hall, student, bootstrap_t, bootstrap)
CLOSED = (hall, student)


@pytest.mark.parametrize("kind", KINDS)
def test_many_rows_alike_give_the_normal_interval(kind) -> None:
    """For many even rows every kind is the mean ± 1.96 standard errors."""
    values = derive(0, "test").random(4_000)
    error = values.std() / np.sqrt(len(values))
    more = {} if kind in CLOSED else {"samples": 2_000}

    low, high = kind(values, **more)

    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)


def test_covers_the_truth_as_often_as_said() -> None:
    """90 % intervals of 300 samples hold the true mean 270 times, give or take four deviations."""
    rng = derive(1, "test")
    held = 0
    for _ in range(300):
        low, high = bootstrap(rng.random(60), confidence=0.9, samples=200, random_state=rng)
        held += low <= 0.5 <= high

    assert abs(held - 270) < 4 * np.sqrt(300 * 0.9 * 0.1) + 5


def test_skewness_is_corrected() -> None:
    """On 25 log-normal rows Hall's interval and bootstrap-t hold the mean more often than the
    normal one, by far more than 2,000 samples leave to luck (half a point)."""
    rng = derive(2, "test")
    truth = math.exp(0.5)
    held = dict.fromkeys((student, hall, bootstrap_t), 0)
    for _ in range(2_000):
        sample = np.exp(rng.normal(size=25))
        for kind in held:
            low, high = kind(sample, **({"samples": 400} if kind is bootstrap_t else {}))
            held[kind] += low <= truth <= high

    assert held[student] / 2_000 < 0.90
    assert held[hall] - held[student] > 0.025 * 2_000
    assert held[bootstrap_t] - held[student] > 0.025 * 2_000


@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_a_row_say_nothing_new(kind) -> None:
    """Every shopper's row three times over gives the interval of one row each; rows alone do not.

    Labels may be any, in any order.
    """
    rng = derive(3, "test")
    values = rng.exponential(size=200)
    shoppers = np.array([f"shopper {number:03}" for number in range(200)])
    order = rng.permutation(600)

    once = kind(values)
    thrice = kind(np.tile(values, 3)[order], np.tile(shoppers, 3)[order])
    ignored = kind(np.tile(values, 3))

    assert thrice == pytest.approx(once, rel=1e-9)
    assert ignored[1] - ignored[0] < 0.7 * (once[1] - once[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_ratio_is_that_of_its_sums(kind) -> None:
    """With denominator Σw the interval lies about Σwr/Σw; scaling both changes nothing."""
    rng = derive(4, "test")
    weight = np.exp(rng.normal(size=500))
    reward = (rng.random(500) < 0.3).astype(float)

    interval = kind(weight * reward, denominator=weight)
    scaled = kind(7 * weight * reward, denominator=7 * weight)

    assert interval[0] < (weight @ reward) / weight.sum() < interval[1]
    assert scaled == pytest.approx(interval, rel=1e-9)
    assert kind(weight * 2.5, denominator=weight) == pytest.approx((2.5, 2.5), rel=1e-9)


@pytest.mark.parametrize("kind", CLOSED)
def test_linearised_terms_say_the_same_as_the_ratio(kind) -> None:
    """θ + w(r − θ)/mean w, what estimators give for a ratio, has the interval of Σwr/Σw."""
    rng = derive(5, "test")
    weight, reward = np.exp(rng.normal(size=400)), rng.random(400)
    shoppers = rng.integers(100, size=400)
    ratio = weight @ reward / weight.sum()
    terms = ratio + weight * (reward - ratio) / weight.mean()

    assert kind(terms, shoppers) == pytest.approx(
        kind(weight * reward, shoppers, denominator=weight), rel=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
def test_moves_with_the_values(kind) -> None:
    """a + b·x has the interval a + b·(that of x), b > 0."""
    values = derive(6, "test").exponential(size=80)
    low, high = kind(values)

    assert kind(3 + 2 * values) == pytest.approx((3 + 2 * low, 3 + 2 * high), rel=1e-9)


@given(st.floats(-3.0, 3.0), st.floats(-0.9, 0.9))
@settings(max_examples=50, deadline=None)
def test_halls_cubic_is_turned_back(y: float, skewness: float) -> None:
    """y ↦ t ↦ t + g t²/3 + g² t³/27 + g/6 is the identity, towards no skewness as well."""
    from equipoise.evaluation.intervals import _turned_back

    for g in (skewness, skewness * 1e-6, 0.0):
        t = _turned_back(y, g)

        assert t + g * t**2 / 3 + g**2 * t**3 / 27 + g / 6 == pytest.approx(y, abs=1e-7)


def test_hall_reaches_further_where_the_tail_is() -> None:
    """Right-skewed rows: more room above the mean than below; mirrored rows, mirrored interval."""
    values = derive(7, "test").exponential(size=60)
    low, high = hall(values)

    assert high - values.mean() > 1.1 * (values.mean() - low)
    assert hall(-values) == pytest.approx((-high, -low))


def test_few_rewards_have_no_upper_end() -> None:
    """Two clicks in 500 looks: redrawn logs have none every seventh time, so none is excluded."""
    clicks = np.zeros(500)
    clicks[[7, 300]] = 1
    low, high = bootstrap_t(clicks)

    assert high == math.inf
    assert low < 2 / 500


def test_seed_decides() -> None:
    """Same seed, same interval; NaN users are left out; one user says nothing."""
    values = np.array([0.0, 1, 1, 0, np.nan])

    assert bootstrap(values, random_state=3) == bootstrap(values[:4], random_state=3)
    assert bootstrap_t(values, random_state=3) == bootstrap_t(values[:4], random_state=3)
    assert bootstrap(np.ones(5)) == (1, 1)
    for kind in KINDS:
        assert np.isnan(kind(values[3:])).all()
        assert np.isnan(kind(np.ones(4), np.zeros(4))).all()
        assert np.isnan(kind(np.array([np.nan]), np.zeros(1))).all()
        assert kind(np.full(9, 0.25)) == pytest.approx((0.25, 0.25))


def test_a_redrawn_log_without_weight_moves_nothing() -> None:
    """One row of ten has weight, so a third of redrawn logs have none: the ratio stays finite."""
    weight = np.eye(1, 10)[0]

    assert bootstrap(3 * weight, denominator=weight) == (3, 3)
    assert bootstrap_t(3 * weight, denominator=weight) == (3, 3)


def test_empirical_bernstein_is_the_formula() -> None:
    """100 zeros and ones in halves, δ = .025 a side, by hand."""
    values = np.tile([0.0, 1.0], 50)
    log = math.log(2 / 0.025)
    reach = math.sqrt(2 * (25 / 99) * log / 100) + 7 * log / (3 * 99)

    assert empirical_bernstein(values, low=0, high=1) == pytest.approx((0.5 - reach, 0.5 + reach))
    assert np.isnan(empirical_bernstein(values[:1], low=0, high=1)).all()


def test_empirical_bernstein_holds_where_the_normal_interval_cannot() -> None:
    """Weights of 50, one row in a hundred: at least 95 % of 400 logs of 100 rows hold the mean."""
    rng = derive(8, "test")
    held = np.zeros(2)
    for _ in range(400):
        terms = 50.0 * (rng.random(100) < 0.01)
        for number, (low, high) in enumerate(
            (empirical_bernstein(terms, low=0, high=50), student(terms))
        ):
            held[number] += low <= 0.5 <= high

    assert held[0] / 400 >= 0.95
    assert held[1] / 400 < 0.80


def test_adaptive_with_even_weights_is_the_normal_interval() -> None:
    """h = 1 gives mean ± 1.96 · sd/√n, and h does not feel its scale."""
    terms = derive(9, "test").exponential(size=300)
    error = terms.std() / math.sqrt(300)
    estimate, (low, high) = adaptive(terms, np.ones(300))

    assert estimate == pytest.approx(terms.mean())
    assert (low, high) == pytest.approx(
        (estimate - 1.959964 * error, estimate + 1.959964 * error), rel=1e-6
    )
    assert adaptive(terms, np.full(300, 5.0))[1] == pytest.approx((low, high))


def test_refusals() -> None:
    """What cannot be meant is refused in words."""
    ones = np.ones(5)
    for kind in (*KINDS, lambda x, confidence: adaptive(x, x, confidence=confidence)):
        with pytest.raises(InvalidInput, match="confidence is 95; it lies between 0 and 1"):
            kind(ones, confidence=95)
    with pytest.raises(InvalidInput, match=r"clusters has shape \(4,\); the terms have \(5,\)"):
        hall(ones, np.zeros(4))
    with pytest.raises(InvalidInput, match=r"denominator has shape \(1,\); the terms have \(5,\)"):
        hall(ones, denominator=np.ones(1))
    with pytest.raises(InvalidInput, match="finite terms, and a denominator of 0 or more"):
        student(ones, denominator=np.zeros(5))
    with pytest.raises(InvalidInput, match="finite terms, and a denominator of 0 or more"):
        student(np.array([1.0, np.inf]))
    with pytest.raises(
        InvalidInput, match=r"terms go from 1.0 to 1.0; the range given is 0 to 0.5"
    ):
        empirical_bernstein(ones, low=0, high=0.5)
    for weights in (np.ones(4), -ones, np.zeros(5)):
        with pytest.raises(InvalidInput, match="one a term, 0 or more, and not all 0"):
            adaptive(ones, weights)


# ---------------------------------------------------------------- on logs of real policies


def test_the_value_of_another_policy_is_inside() -> None:
    """Logs of Thompson sampling, asked about other policies: 95 % intervals hold the truth in 200
    logs as often as that allows (four standard errors), and by row they are narrower than is true.
    """
    coverage = pytest.importorskip(
        "benchmarks.exploration.coverage", reason="needs python -m pytest at the root"
    )
    for name in ("near", "far"):
        found = coverage.nominal(name, 500, range(200), 0, ("hall", "student", "student, rows"))
        truth = coverage.world(name).truth
        for estimator in coverage.ESTIMATORS:
            figures = {
                kind: coverage.figure(found[estimator, kind], truth)
                for kind in ("hall", "student", "student, rows")
            }

            assert abs(figures["hall"].covered - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 200)
            assert abs(figures["student"].covered - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 200)
            assert figures["student, rows"].width < 0.97 * figures["student"].width


def test_a_log_that_learns() -> None:
    """200 logs of a learning policy: the arm's own mean is low, adaptive weights put that right,
    and the sequences hold the truth at all times."""
    coverage = pytest.importorskip(
        "benchmarks.exploration.coverage", reason="needs python -m pytest at the root"
    )
    found = coverage.learning(600, range(200))
    figures = {kind: coverage.figure(held, coverage.RATE) for kind, held in found.items()}

    assert figures["student of its rows"].under > 3 * figures["student of its rows"].over
    assert abs(figures["adaptive"].covered - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 200)
    assert figures["sequence, betting"].covered >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / 200)
    assert figures["sequence, bernstein"].covered >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / 200)
