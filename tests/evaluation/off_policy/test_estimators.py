"""Estimators: laws between them, the truth recovered, intervals that hold."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.errors import InvalidInput
from equipoise.evaluation import off_policy as ope
from equipoise.evaluation.off_policy import Logged
from equipoise.randomness import derive

ALL = {
    "ips": ope.ips,
    "clipped_ips": partial(ope.clipped_ips, limit=2.0),
    "tempered_ips": partial(ope.tempered_ips, correction=0.1),
    "snips": ope.snips,
    "dm": ope.dm,
    "dr": ope.dr,
    "clipped_dr": partial(ope.clipped_dr, limit=2.0),
    "tempered_dr": partial(ope.tempered_dr, correction=0.1),
    "sndr": ope.sndr,
    "switch_dr": partial(ope.switch_dr, threshold=2.0),
    "dros": partial(ope.dros, shrinkage=3.0),
}
WITH_MODEL = ("dm", "dr", "clipped_dr", "tempered_dr", "sndr", "switch_dr", "dros")
NEARLY_UNBIASED = ("ips", "snips", "dr", "sndr")
ROUGH = np.full((3, 6), 0.3)
"""A reward model that knows nothing but about how much is earned."""


@pytest.mark.parametrize("name", ALL)
def test_under_its_own_policy_it_is_the_mean(name, world):
    """Weights of 1 and a model without a word: every estimator is the mean reward."""
    reward = world.rows(500, 0)["reward"]
    logged = Logged(reward=reward, weight=np.ones(500), model=reward, predicted=reward)
    silent = Logged(reward=reward, weight=np.ones(500), model=0 * reward, predicted=0 * reward)

    used = logged if name == "dm" else silent
    tamed = 0.75 if name == "dros" else 1.0
    assert ALL[name](used).value == pytest.approx(tamed * reward.mean())


@pytest.mark.parametrize("name", ALL)
def test_order_of_rows_does_not_matter(name, world):
    """Shuffled rows give the same value and error."""
    logged = world.log(400, 1, q=ROUGH)
    order = derive(0, "test").permutation(400)
    columns = ("reward", "weight", "model", "predicted")
    shuffled = Logged(**{column: getattr(logged, column)[order] for column in columns})
    one, other = ALL[name](logged, refuse=False), ALL[name](shuffled, refuse=False)

    assert one.value == pytest.approx(other.value)
    assert one.error == pytest.approx(other.error)
    assert one.terms[order] == pytest.approx(other.terms)


@pytest.mark.parametrize("name", ALL)
@given(st.floats(0.1, 10))
@settings(max_examples=10, deadline=None)
def test_the_unit_does_not_matter(name, unit):
    """Rewards in cents, q̂ with them, give estimates and errors in cents."""
    rng = derive(1, "test")
    reward, weight, q = rng.random(50), rng.gamma(1.0, 1.0, 50), rng.random(50)
    one = ALL[name](Logged(reward=reward, weight=weight, model=q, predicted=q), refuse=False)
    scaled = Logged(reward=unit * reward, weight=weight, model=unit * q, predicted=unit * q)
    other = ALL[name](scaled, refuse=False)

    assert other.value == pytest.approx(unit * one.value)
    assert other.error == pytest.approx(unit * one.error)


def test_the_terms_average_to_the_formula(world):
    """Written out once more, with sums instead of terms."""
    logged = world.log(1_000, 2, q=ROUGH)
    w, r, m, q = logged.weight, logged.reward, logged.model, logged.predicted

    assert ope.snips(logged).value == pytest.approx((w * r).sum() / w.sum())
    assert ope.sndr(logged).value == pytest.approx(m.mean() + (w * (r - q)).sum() / w.sum())
    assert ope.dr(logged).value == pytest.approx(m.mean() + (w * (r - q)).mean())
    within = w <= 2
    assert ope.switch_dr(logged, 2.0).value == pytest.approx(
        m[~within].sum() / 1_000 + (m + w * (r - q))[within].sum() / 1_000
    )


def test_limits_meet(world):
    """At their limits the tamed forms are doubly robust, the direct method, or plain."""
    logged = world.log(1_000, 3, q=ROUGH)
    whole, direct = ope.dr(logged).value, ope.dm(logged).value

    assert ope.switch_dr(logged, math.inf).value == pytest.approx(whole)
    assert ope.switch_dr(logged, 1e-9).value == pytest.approx(direct)
    assert ope.dros(logged, math.inf).value == pytest.approx(whole)
    assert ope.dros(logged, 0).value == pytest.approx(direct)
    assert ope.clipped_dr(logged, math.inf).value == pytest.approx(whole)
    assert ope.tempered_dr(logged, 0).value == pytest.approx(whole)
    assert ope.clipped_ips(logged, math.inf).value == pytest.approx(ope.ips(logged).value)


def test_a_constant_moves_self_normalised_estimates_by_itself(world):
    """10 added to every reward adds 10 to SNIPS, whatever the weights' mean; not so to IPS."""
    logged = world.log(1_000, 4)
    moved = Logged(reward=logged.reward + 10, weight=logged.weight)

    assert ope.snips(moved).value - ope.snips(logged).value == pytest.approx(10)
    assert abs(ope.ips(moved).value - ope.ips(logged).value - 10) > 0.01


def test_a_perfect_model_leaves_no_weight(world):
    """With q̂ right and no noise, every estimate with a model is the direct one."""
    logged = world.log(1_000, 5, q=world.q)
    quiet = Logged(
        reward=logged.predicted, weight=logged.weight, model=logged.model,
        predicted=logged.predicted,
    )  # fmt: skip

    for name in WITH_MODEL:
        assert ALL[name](quiet).value == pytest.approx(logged.model.mean())


@pytest.mark.parametrize("name", NEARLY_UNBIASED)
def test_recovers_the_truth_and_says_how_surely(name, world):
    """Over 300 logs of 1,500 rows the mean is the truth within 4 errors, the stated error is the
    true spread within 15 %, and 95 % intervals hold the truth 285 ± 15 times."""
    made = [ALL[name](world.log(1_500, seed, q=ROUGH), refuse=False) for seed in range(300)]
    values = np.array([one.value for one in made])
    spread = values.std(ddof=1)
    held = sum(low <= world.truth <= high for low, high in (one.interval() for one in made))

    assert abs(values.mean() - world.truth) < 4 * spread / np.sqrt(300)
    assert np.mean([one.error for one in made]) == pytest.approx(spread, rel=0.15)
    assert 270 <= held <= 299


def test_the_ratio_has_its_own_error(world):
    """SNIPS' error is not that of IPS: for rewards that hardly vary it is far smaller."""
    logged = world.log(2_000, 6)
    level = Logged(reward=5 + 0.1 * logged.reward, weight=logged.weight)

    assert ope.snips(level).error < 0.1 * ope.ips(level).error
    assert not ope.snips(level).exact
    assert ope.ips(level).exact


def test_a_wrong_model_does_not_bias_what_is_doubly_robust(world):
    """q̂ a third of what is right: the direct method is far off, doubly robust is not."""
    wrong = world.q / 3
    made = [world.log(2_000, seed, q=wrong) for seed in range(40)]
    robust = np.array([ope.dr(one, refuse=False).value for one in made])
    direct = np.array([ope.dm(one, refuse=False).value for one in made])

    assert abs(robust.mean() - world.truth) < 4 * robust.std() / np.sqrt(40)
    assert abs(direct.mean() - world.truth) > 0.1


@pytest.mark.parametrize("name", WITH_MODEL)
def test_no_model_no_estimate(name, world):
    """An estimator that needs q̂ says so."""
    with pytest.raises(InvalidInput, match="this estimator needs a reward model"):
        ALL[name](world.log(100, 0), refuse=False)


@pytest.mark.parametrize("name", ALL)
def test_every_estimator_refuses(name):
    """A log that cannot answer is refused by all, and answered by all on demand."""
    poor = Logged(reward=np.ones(50), weight=np.ones(50), model=np.ones(50), predicted=np.zeros(50))

    with pytest.raises(ope.Unanswerable, match=r"effective sample size is 50\.0 of 50 rows"):
        ALL[name](poor)
    assert np.isfinite(ALL[name](poor, refuse=False).value)


def test_nothing_to_divide_by():
    """A ratio of nothing is no number, asked for or not."""
    with pytest.raises(InvalidInput, match="every weight is 0: nothing that the target shows"):
        ope.snips(Logged(reward=np.ones(3), weight=np.zeros(3)), refuse=False)
