"""What levels of exploration cost; what they buy is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.errors import InvalidInput
from equipoise.evaluation import off_policy as ope
from equipoise.evaluation.off_policy import Choices, level_costs
from equipoise.exploration import PlackettLuce
from equipoise.randomness import derive
from equipoise.types import Scored

K = 5


def softmax(mean, variance, level):
    """Plackett–Luce's first place: greedy at level 0."""
    scale = 0.1 * level
    weight = np.exp((mean - mean.max()) / scale) if scale else (mean == mean.max()).astype(float)
    return weight / weight.sum()


def _world(n, seed, level=0.6, misjudged=0.0):
    """A log at a level: beliefs of n contexts, rewards by beliefs that may misjudge, and the true
    value of every level."""
    rng = derive(seed, "test")
    mean = rng.beta(4, 8, size=(n, K))
    truth = (mean + misjudged * rng.normal(size=(n, K))).clip(0, 1)
    chance = np.array([softmax(row, None, level) for row in mean])
    chosen = (rng.random(n)[:, None] > chance.cumsum(axis=1)[:, :-1]).sum(axis=1)
    rows = np.arange(n)
    choices = Choices(
        mean=mean.ravel(),
        variance=np.full(n * K, 0.01),
        start=np.arange(n + 1) * K,
        chosen=chosen,
        propensity=chance[rows, chosen],
        reward=(rng.random(n) < truth[rows, chosen]).astype(float),
    )

    def value(level):
        return np.mean([softmax(m, None, level) @ t for m, t in zip(mean, truth, strict=True)])

    return choices, value


def test_greedy_costs_nothing():
    """The first line is level 0, with cost 0 exactly; levels come in order, each once."""
    table = level_costs(_world(800, 0)[0], softmax, levels=[1.0, 0.5, 0.5])

    assert [row.level for row in table.rows] == [0, 0.5, 1]
    assert (table.rows[0].cost, table.rows[0].cost_low, table.rows[0].cost_high) == (0, 0, 0)
    assert table.rows[0].believed == 0


def test_costs_hold_the_truth():
    """Over 120 logs, 95 % intervals of the cost at level 1 hold the truth 114 ± 10 times, and the
    beliefs' own word is it where they are right."""
    held = 0
    for seed in range(120):
        choices, value = _world(400, seed, misjudged=0.1)
        row = level_costs(choices, softmax, levels=[1.0], refuse=False).rows[1]
        held += row.cost_low <= value(0) - value(1) <= row.cost_high
    choices, value = _world(500, 0)
    right = level_costs(choices, softmax, levels=[1.0]).rows[1]

    assert 104 <= held <= 120
    assert right.believed == pytest.approx(value(0) - value(1))


def test_beliefs_that_misjudge_are_found_out():
    """Beliefs that rank backwards think exploring dear; the log knows that it pays at once."""
    choices, _ = _world(4_000, 3)
    backwards = replace(choices, reward=1.0 - choices.reward)
    row = level_costs(backwards, softmax, levels=[1.0]).rows[1]

    assert row.believed > 0
    assert row.cost_high < 0


def test_pairs_are_surer_than_values():
    """The cost's interval is narrower than the values': what levels share cancels."""
    row = level_costs(_world(2_000, 4)[0], softmax, levels=[0.5]).rows[1]

    assert row.cost_high - row.cost_low < 0.7 * (row.high - row.low)


def test_ragged_candidates():
    """Rows with other numbers of candidates: laid end to end, each judged by its own."""
    choices = Choices(
        mean=np.array([0.5, 0.2, 0.3, 0.9, 0.4]),
        variance=np.ones(5),
        start=np.array([0, 2, 5]),
        chosen=np.array([1, 1]),
        propensity=np.array([0.5, 0.25]),
        reward=np.array([1.0, 0.0]),
    )

    def even(mean, variance, level):
        return np.full(len(mean), 1 / len(mean)) if level else (mean == mean.max()) * 1.0

    table = level_costs(choices, even, levels=[1.0], refuse=False)
    first = 0.35 + 1 * (1 - 0.2)
    second = (0.3 + 0.9 + 0.4) / 3 + (4 / 3) * (0 - 0.9)

    assert table.rows[1].value == pytest.approx((first + second) / 2)
    assert table.rows[0].value == pytest.approx((0.5 + 0.9 - 4 * 0.9) / 2)
    assert table.rows[1].believed == pytest.approx(0.7 - (0.35 + 1.6 / 3) / 2)


def test_the_shops_own_policy_fits():
    """A policy of the house, bound to the beliefs of each row, is a ``probability``."""
    choices, _ = _world(800, 9)

    def probability(mean, variance, level):
        scored = Scored(np.arange(len(mean), dtype=np.int32), mean, variance)
        return PlackettLuce(temperature=1.0).bind(scored, level)(np.ones(len(mean), dtype=bool))

    table = level_costs(choices, probability, levels=[1.0])
    by_hand = level_costs(choices, softmax, levels=[1.0])

    assert table.rows[1].value == pytest.approx(by_hand.rows[1].value)
    assert table.rows[1].cost_low == pytest.approx(by_hand.rows[1].cost_low)


def test_affordable_is_the_merchants_share():
    """A share that covers everything affords the highest level, none affords greedy alone; and the
    answer's true cost is within the share."""
    choices, value = _world(20_000, 5)
    table = level_costs(choices, softmax)
    answer = table.affordable(0.05)

    assert table.affordable(0.5) == 1
    assert table.affordable(0.0) == 0
    assert 0 < answer < 1
    assert value(0) - value(answer) <= 0.05 * value(0)


def test_affordable_seldom_promises_too_much():
    """At 90 % the answer costs more than the share in at most 10 % of 100 logs (and luck)."""
    too_much = 0
    for seed in range(100):
        choices, value = _world(600, seed)
        level = level_costs(choices, softmax, levels=[0.3, 0.6]).affordable(0.04, confidence=0.9)
        too_much += value(0) - value(level) > 0.04 * value(0)

    assert too_much <= 19


def test_a_log_does_not_tell_the_best_level():
    """By its values alone greedy would win; so the question is refused until gains are given."""
    choices, _ = _world(3_000, 6)
    table = level_costs(choices, softmax, levels=[0.5, 1.0])
    told = level_costs(choices, softmax, levels=[0.5, 1.0], bought={0.5: 0.2, 1.0: 0.0})

    assert max(table.rows, key=lambda row: row.value).level == 0
    with pytest.raises(InvalidInput, match="what exploring costs and not what it buys"):
        table.best()
    assert told.best() == 0.5
    assert table.rows[1].bought is None
    assert "unknown" in str(table)
    assert "What it buys later is not in this log" in str(table)


def test_a_greedy_log_tells_nothing_of_other_levels():
    """Hardly any exploring in the log: other levels are NaN, with the reason; greedy is told."""
    choices, _ = _world(3_000, 7, level=0.05)
    table = level_costs(choices, softmax, levels=[1.0])
    nevertheless = level_costs(choices, softmax, levels=[1.0], refuse=False)

    assert np.isnan(table.rows[1].value)
    assert not table.rows[1].diagnosis.answerable
    assert table.affordable(0.5) == 0
    assert "level 1: " in str(table)
    assert np.isfinite(nevertheless.rows[1].value)


def test_greedy_itself_beyond_the_log():
    """Where not even greedy can be told, nothing is compared with it."""
    choices, _ = _world(100, 8)
    table = level_costs(choices, softmax)

    assert np.isnan([row.cost for row in table.rows]).all()
    with pytest.raises(ope.Unanswerable, match="200 are needed"):
        table.affordable(0.1)
    with pytest.raises(ope.Unanswerable, match="200 are needed"):
        table.best()


def _bent(**change):
    return lambda: replace(_world(4, 0)[0], **change)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (_bent(start=np.array([0, 5, 10, 20])), "start has to rise from 0 to 20 over 4 rows"),
        (_bent(start=np.array([0, 5, 5, 10, 20])), "one candidate a row at least"),
        (_bent(chosen=np.array([0, 1, 2, 5])), "chosen has to name one of each row's own"),
        (_bent(mean=np.full(20, np.nan)), "mean of row 0 is not a finite number"),
        (
            lambda: level_costs(_world(4, 0)[0], softmax, levels=[-0.5]),
            "a level is -0.5; levels are at least 0",
        ),
        (
            lambda: level_costs(_world(4, 0)[0], lambda m, v, level: m * 0 + 0.5),
            "at level 0 the probabilities of row 0 sum to 2.5 and not to 1",
        ),
        (
            lambda: level_costs(_world(900, 0)[0], softmax).affordable(-0.1),
            "share is -0.1; it is at least 0",
        ),
    ],
)
def test_refuses(call, text):
    """What was wrong, and what would be right."""
    with pytest.raises(InvalidInput, match=text):
        call()
