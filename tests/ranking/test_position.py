"""Each place with its own chance of a look: the curve is found, in whatever unit rates are."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.randomness import derive
from equipoise.ranking.position import (
    LEAST,
    REFRESH,
    SLOTS,
    STRENGTH,
    Browsed,
    Position,
    _fixed_point,
    first_guess,
    look_given,
)
from equipoise.types import Floats

PLACES = np.arange(8)
TRUTH = (PLACES + 1.0) ** -0.8


def browsed(clicked: Floats, rates: Floats, weights: Floats | None = None) -> Browsed:
    given = np.ones(len(rates)) if weights is None else weights
    return Browsed(np.arange(len(rates)), clicked.astype(bool), rates, given)


def taught(lists: int, *, unit: float = 1.0, seed: int = 0, low: float = 0.02) -> Position:
    """By clicks of the true curve; rates are believed ``unit`` times what they are."""
    luck, position = derive(seed, "position"), Position()
    for _ in range(lists):
        rates = luck.uniform(low, 0.4, len(PLACES))
        clicked = luck.random(len(PLACES)) < TRUTH * rates
        position.learn(browsed(clicked, rates * unit))
    return position


def test_the_first_guess() -> None:
    """1 for the first, falling, never 0, and its start does not depend on its length."""
    curve = first_guess(100)

    assert curve[0] == 1
    assert (np.diff(curve) < 0).all()
    assert curve[-1] > 0.2
    assert np.array_equal(Position().looks()[:7], first_guess(7))


def test_its_ends_are_no_bias_and_dcg() -> None:
    """Steepness 0 looks at every slot alike, 1 is the discount of DCG."""
    assert first_guess(5, steepness=0.0).tolist() == [1.0] * 5
    assert first_guess(3, steepness=1.0) == pytest.approx([1, 1 / np.log2(3), 1 / 2])


def test_it_is_shared_and_cannot_be_changed() -> None:
    """The same array serves every list."""
    with pytest.raises(ValueError, match="read-only"):
        first_guess(5)[0] = 0.5


@pytest.mark.parametrize("unit", [1.0, 2.0, 0.5])
def test_the_true_curve_is_found(unit: float) -> None:
    """Within its error, in whatever unit rates are believed."""
    lists = 32 * 200
    found = taught(lists, unit=unit).looks()[: len(PLACES)]
    error = TRUTH * np.sqrt(1.0 / (0.21 * lists * TRUTH) + 1.0 / (0.21 * lists))
    shrunk = STRENGTH / (STRENGTH + 0.21 * lists)

    assert found[0] == 1
    assert (np.abs(found - TRUTH) < 3.5 * error + shrunk + 0.02 * (unit != 1)).all()


def test_the_curve_is_where_em_comes_to_rest() -> None:
    """EM itself, run for as long as it takes over the same lists."""
    luck = derive(1, "em")
    rates = luck.uniform(0.1, 0.6, 4_000)
    clicked = luck.random(4_000) < 0.3 * rates
    theta = 0.9
    for _ in range(3_000):
        looked = np.where(clicked, 1.0, theta * (1 - rates) / (1 - theta * rates))
        theta = looked.mean()
    bins = np.floor(np.log2(rates / 1e-4)).astype(int)
    count, total = np.zeros((1, 14)), np.zeros((1, 14))
    np.add.at(count[0], bins[~clicked], 1.0)
    np.add.at(total[0], bins[~clicked], rates[~clicked])
    clicks = np.array([float(clicked.sum())])

    found = _fixed_point(np.array([theta]), clicks, count, total)
    assert found[0] == pytest.approx(theta, rel=5e-3)


def test_a_look_given_what_became_of_it() -> None:
    """Over click and no click its mean is the chance of a look."""
    for look, rate in ((1.0, 0.3), (0.4, 0.2), (0.05, 0.9)):
        chance = look * rate
        assert chance + (1 - chance) * look_given(look, rate) == pytest.approx(look)


def test_harvest_sees_through_wrong_rates() -> None:
    """Items that mostly stand high are believed three times as good as they are: by clicks over
    such expectations the high places look badly seen; with our own draws weighed much less so."""
    luck, weighed, plain = derive(2, "harvest"), Position(), Position()
    rates = np.full(24, 0.2)
    believed = rates * np.where(np.arange(24) < 4, 3.0, 1.0)
    for _ in range(8_000):
        shown, propensity = _favouring_the_first(luck)
        clicked = luck.random(8) < TRUTH * rates[shown]
        weighed.learn(browsed(clicked, believed[shown], 1.0 / propensity))
        plain.learn(browsed(clicked, believed[shown], np.zeros(8)))

    def off(position: Position) -> float:
        return float(np.abs(position.looks()[:8] / TRUTH - 1).mean())

    assert off(weighed) < 0.5 * off(plain)


def _favouring_the_first(luck: np.random.Generator) -> tuple[np.ndarray, Floats]:
    """Eight of 24, drawn place by place, the first four items twelve times as often."""
    weight = np.where(np.arange(24) < 4, 12.0, 1.0)
    shown, propensity = [], []
    for _ in range(8):
        chance = weight / weight.sum()
        item = int(luck.choice(24, p=chance))
        shown.append(item)
        propensity.append(chance[item])
        weight[item] = 0.0
    return np.array(shown), np.array(propensity)


def test_order_does_not_matter_and_what_is_loaded_is_what_was_dumped() -> None:
    """Sums only add up."""
    luck = derive(3, "order")
    lists = [browsed(luck.random(5) < 0.2, luck.uniform(0.01, 0.5, 5)) for _ in range(4 * REFRESH)]
    one, other, loaded = Position(), Position(), Position()
    for given in lists:
        one.learn(given)
    for given in reversed(lists):
        other.learn(given)
    loaded.load(one.arrays())

    assert other.looks() == pytest.approx(one.looks(), rel=1e-12)
    assert np.array_equal(loaded.looks(), one.looks())
    assert loaded.likelihood(lists[0]) == one.likelihood(lists[0])


def test_bounds() -> None:
    """A place that nobody clicks keeps a small chance; none is seen more than the first."""
    position = Position()
    for number in range(20 * REFRESH):
        clicked = np.array([number % 4 == 0, 0, 1])
        position.learn(browsed(clicked, np.array([0.5, 0.9, 0.1])))
    curve = position.looks()

    assert curve[0] == curve[2] == 1.0
    assert curve[1] == pytest.approx(LEAST, abs=0.05)
    assert len(curve) == SLOTS
    assert np.isfinite(position.likelihood(browsed(np.array([1, 1, 0]), np.full(3, 0.9))))
