"""Choosing among estimates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.evaluation import off_policy as ope
from equipoise.evaluation.off_policy import Estimate, Logged
from equipoise.randomness import derive

SHAPE = np.tile([-1.0, 1.0], 500)
"""Mean 0, standard deviation 1: its one-sided 95 % bound for 1,000 rows is .0521."""


def _candidate(name, value, width):
    return Estimate(name, value + SHAPE * width / 0.0521, True)


def test_the_narrowest_where_all_agree():
    """Candidates that agree leave no reason to stay wide; their order does not matter."""
    candidates = [_candidate(f"{width}", 1.0, width) for width in (0.2, 0.8, 0.1, 0.4)]

    assert ope.slope(candidates).name == "0.1"
    assert ope.slope(candidates[::-1]).name == "0.1"


def test_stops_before_the_first_that_disagrees():
    """Gaps up to width_i + (√6 − 1) width_j pass; a narrower one behind a biased one is not met."""
    allowed = 0.4 + (math.sqrt(6) - 1) * 0.8
    wide = _candidate("wide", 0.0, 0.8)
    inside, outside = (_candidate("next", allowed + d, 0.4) for d in (-0.01, 0.01))
    narrow = _candidate("narrow", 0.0, 0.1)

    assert ope.slope([wide, inside]).name == "next"
    assert ope.slope([wide, outside]).name == "wide"
    assert ope.slope([wide, outside, narrow]).name == "wide"


def test_the_callers_order_goes_before_widths():
    """With ``ordered`` the walk follows the list."""
    first, second = _candidate("first", 0.0, 0.1), _candidate("second", 0.0, 0.4)

    assert ope.slope([first, second]).name == "first"
    assert ope.slope([first, second], ordered=True).name == "second"


def test_least_error_weighs_bias_against_spread():
    """On paired rows: a bias beyond luck is kept out, a smaller spread without bias is taken."""
    rng = derive(0, "test")
    noise, common = rng.normal(size=(2, 4_000))
    noise -= noise.mean()
    unbiased = Estimate("unbiased", 1 + common + 3 * noise, True)
    better = Estimate("better", 1 + common + noise, True)
    biased = Estimate("biased", 1.5 + 0.1 * common, True)

    assert ope.least_error([unbiased, better, biased], unbiased).name == "better"
    assert ope.least_error([unbiased, biased], unbiased).name == "unbiased"


def test_bernsteins_slack_by_hand():
    """With weights the bias is bounded from above: 2·1·L/n under the root, 2·1·L/3n beside it."""
    terms = np.zeros(100)
    unbiased, off = Estimate("unbiased", terms, True), Estimate("off", terms - 0.01, True)
    noisy = Estimate("noisy", terms + 0.5 * np.tile([-1, 1], 50), True)
    log = math.log(2 / 0.05)
    slack = math.sqrt(2 * log / 100) + 2 * log / 300
    # A candidate's own spread decides once the slack, the same for all, is added to each bias.
    gap = math.sqrt(slack**2 + noisy.error**2) - slack
    nearer = Estimate("nearer", terms - 0.99 * gap, True)
    farther = Estimate("farther", terms - 1.01 * gap, True)
    weight = np.ones(100)

    assert ope.least_error([noisy, nearer], unbiased, weight=weight).name == "nearer"
    assert ope.least_error([noisy, farther], unbiased, weight=weight).name == "noisy"
    assert ope.least_error([off, unbiased], unbiased, weight=weight).name == "unbiased"


def test_choosing_pays_where_shrinking_does(world):
    """q̂ right and weights wild: both rules come far nearer the truth than inverse propensities."""
    off = {"ips": [], "slope": [], "least": []}
    for seed in range(60):
        logged = world.log(300, seed, q=world.q)
        wild = Logged(
            reward=logged.reward, weight=logged.weight**2, model=logged.model,
            predicted=logged.predicted,
        )  # fmt: skip
        grid = [ope.switch_dr(wild, limit, refuse=False) for limit in ope.thresholds(wild)]
        whole = ope.dr(wild, refuse=False)
        off["ips"].append(whole.value - world.truth)
        off["slope"].append(ope.slope(grid).value - world.truth)
        off["least"].append(ope.least_error(grid, whole).value - world.truth)
    error = {name: np.sqrt(np.mean(np.square(values))) for name, values in off.items()}

    assert error["slope"] < 0.6 * error["ips"]
    assert error["least"] < 0.9 * error["ips"]


def test_the_grid_spans_the_weights():
    """From 1 to the largest weight in equal ratios, and on to no limit at all."""
    grid = ope.thresholds(Logged(reward=np.ones(3), weight=np.array([0.5, 4.0, 16.0])), 3)

    assert grid == pytest.approx((1, 4, 16, math.inf))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ope.slope([]), "there are no estimates to choose from"),
        (
            lambda: ope.slope([_candidate("one", 0, 1)], confidence=0.4),
            r"confidence is 0.4; one side's lies between 0.5 and 1",
        ),
        (
            lambda: ope.slope([Estimate("one", np.ones(2), True, np.zeros(2, np.int64))]),
            "one stands on a single cluster and has no width to choose by",
        ),
        (
            lambda: ope.thresholds(Logged(reward=np.ones(1), weight=np.ones(1)), 0),
            "count is 0; it is at least 1",
        ),
    ],
)
def test_refuses(call, text):
    """What was wrong, and what would be right."""
    with pytest.raises(InvalidInput, match=text):
        call()
