"""Policies side by side."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.errors import SettingsError
from equipoise.simulation.contest import DEFAULT, USUAL, Entry, Result, Terms, contest, play
from equipoise.simulation.finds import best_sellers, true_worth, waits
from equipoise.simulation.scenarios import SCENARIOS
from equipoise.simulation.standings import ordered, regret_bands, standings

TERMS = Terms(scenario=SCENARIOS["launches"], decisions=100)


def result(policy: str, seed: int, reward: float, **fields: object) -> Result:
    """A made-up run whose oracle earns 100."""
    run = Result(
        policy=policy, seed=seed, reward=reward, oracle=100.0, spent=0.02, explored=0.1, clicks=1,
        orders=0, revenue=0.0, lists=np.array([0.0, 50.0, 100.0]),
        earned=np.array([0.0, 0.4, 1.0]) * reward, possible=np.array([0.0, 50.0, 100.0]), waits=(),
    )  # fmt: skip
    return replace(run, **fields)  # type: ignore[arg-type]


def test_an_entry_reads_policy_parameters_and_level() -> None:
    """NAME:parameter=value,…; ``level`` fixes the level and is no parameter of the policy."""
    entry = Entry.of("epsilon_greedy:epsilon=0.05,level=1")
    settings = TERMS.settings(entry).placements["home"]

    assert settings.policy == "epsilon_greedy"
    assert settings.parameters == {"epsilon": 0.05}
    assert settings.fixed_level == 1.0
    assert Entry.of(DEFAULT).placement == {}


def test_whoever_plays_by_default_can() -> None:
    """Each of the usual entries makes settings, and the first of them is the home page's own."""
    for text in USUAL:
        assert TERMS.settings(Entry.of(text)).placements["home"].sources

    assert USUAL[0] == DEFAULT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("greedi", "there is no policy 'greedi'"),
        ("thompson:sharp=1", "its parameters are"),
        ("thompson:sharpness", "'sharpness' is not name=number"),
        ("thompson:sharpness=high", "'sharpness=high' is not name=number"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(text: str, message: str) -> None:
    """With what would be right."""
    with pytest.raises(SettingsError, match=message):
        Entry.of(text)


def test_terms_hold_for_all() -> None:
    """The budget is every home page's; a shop has one item for every twenty lists."""
    terms = Terms(scenario=SCENARIOS["delayed"], decisions=2_000, budget=0.01)
    settings = terms.settings(Entry.of("thompson"))

    assert terms.size == 100
    assert settings.placements["home"].budget == 0.01
    assert settings.attribution.purchase_window_s > 86_400

    with pytest.raises(ValueError, match="0 decisions in a shop of 40 items"):
        Terms(scenario=SCENARIOS["launches"], decisions=0)


def test_one_run_is_the_same_however_it_is_played() -> None:
    """Alone or beside others, in this process or in another: the same to the last bit."""
    entries = [Entry.of("greedy"), Entry.of("thompson")]
    beside = ordered(list(contest(entries, TERMS, [1], processes=2)), ["greedy", "thompson"])
    alone = play(entries[1], TERMS, 1)

    assert [run.policy for run in beside] == ["greedy", "thompson"]
    assert beside[1].reward == alone.reward
    assert np.array_equal(beside[1].earned, alone.earned)
    assert beside[1].waits == alone.waits


def test_sums_of_a_run_agree() -> None:
    """Curves end where the sums do, greedy spends nothing, and nobody beats the oracle."""
    (run,) = contest([Entry.of("greedy")], TERMS, [2])

    assert run.earned[-1] == pytest.approx(run.reward)
    assert run.possible[-1] == pytest.approx(run.oracle)
    assert run.spent == run.explored == 0.0
    assert 0 < run.reward < run.oracle
    assert run.regret == pytest.approx(run.oracle - run.reward)


def test_a_policy_that_cannot_be_is_refused_before_anything_is_played() -> None:
    """``Entry`` itself takes any placement; the settings do not."""
    with pytest.raises(SettingsError, match=r"placements\.home"):
        list(contest([Entry("odd", {"budget": 2.0})], TERMS, [0]))


# ---------------------------------------------------------------- best-sellers


def test_best_sellers_are_the_best_of_what_is_there() -> None:
    """Launched, in time, and no more than n - 1 items of the shop are worth more at that moment."""
    shop = SCENARIOS["launches"].shop(4, 100)
    found = best_sellers(shop, 4, 10, until=20 * DAY)

    assert found
    for item in range(80, 100):
        ms = float(shop.labels.launch[item])
        worth = true_worth(shop, 4, ms)
        better = (worth[shop.launched(ms)] > worth[item]).sum()
        assert (item in found) == (better < 10 and ms < 20 * DAY)


def test_waits_count_lists_from_the_launch() -> None:
    """By the curve's own clock; never negative; None for what greedy never showed."""
    shop = SCENARIOS["launches"].shop(4, 100)
    one, two, three = 80, 90, 99
    day = float(shop.labels.launch[two]) / DAY
    curve = {"ms": np.array([0.0, 28.0]) * DAY, "lists": np.array([0.0, 2_800.0])}
    seen = {shop.ids[one]: 0, shop.ids[two]: 2_500}
    first, second, third = waits(shop, [one, two, three], seen, curve)

    assert first == 0.0
    assert second == pytest.approx(2_500 - 100 * day)
    assert third is None


# ---------------------------------------------------------------- standings


def test_gains_are_paired_with_the_first_policy() -> None:
    """Mean of the shops' own ratios, with Student's interval: t(0.975, 2) = 4.303."""
    runs = [result("a", seed, reward) for seed, reward in enumerate((50.0, 60.0, 80.0))]
    runs += [result("b", seed, reward) for seed, reward in enumerate((55.0, 60.0, 96.0))]
    first, second = standings(runs[::-1][3:] + runs[::-1][:3])

    assert (first.policy, first.gain, first.gain_low, first.gain_high) == ("a", 0.0, 0.0, 0.0)
    assert second.gain == pytest.approx((0.1 + 0.0 + 0.2) / 3)
    assert second.gain_high - second.gain == pytest.approx(4.303 * 0.1 / 3**0.5, abs=1e-4)
    assert first.regret == pytest.approx((50 + 40 + 20) / 3)


def test_the_median_wait_counts_what_was_never_found() -> None:
    """Two of three found: the median is theirs to tell; one of three: it is infinite."""
    two = result("a", 0, 50.0, waits=(10.0, None, 30.0))
    one = result("b", 0, 50.0, waits=(10.0, None, None))
    first, second = standings([two, one])

    assert (first.found, first.launched, first.wait) == (2, 3, 30.0)
    assert second.wait == math.inf
    assert second.to_dict()["wait"] is None


def test_one_shop_has_no_interval() -> None:
    """Nothing is said of a spread that was not seen."""
    (line,) = standings([result("a", 0, 50.0)])

    assert math.isnan(line.reward_error)
    assert math.isnan(line.gain_low)
    assert line.to_dict()["reward_error"] is None


def test_bands_hold_mean_and_spread() -> None:
    """Cumulative regret as a share of what the oracle earns in the end."""
    band = regret_bands([result("a", 0, 50.0), result("a", 1, 70.0)])["a"]

    assert band.mean.tolist() == pytest.approx([0.0, 0.26, 0.4])
    assert (band.high - band.mean)[-1] == pytest.approx(0.2 / 2**0.5)
    assert np.allclose(band.high - band.mean, band.mean - band.low)


def test_last_quarter() -> None:
    """What was earned in the last quarter of the points, of what was possible there."""
    points = np.arange(5.0)
    run = result("a", 0, 3.0, lists=points, possible=points, earned=np.array([0, 0, 0, 1, 1.5]))

    assert run.last_quarter == pytest.approx(0.5)
    assert result("a", 0, 30.0, lists=np.array([])).last_quarter == pytest.approx(0.3)
