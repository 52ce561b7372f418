"""The laws of beliefs about arms: each catches who breaks it, and says how."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from equipoise.exploration import BetaBelief, RateBelief
from equipoise.testing import check_arm_belief
from equipoise.testing.arms import coverage
from equipoise.types import Arrays, Floats, Positions


def predict(change: Any) -> dict[str, Any]:
    """A prediction with something done to it."""

    def changed(self: BetaBelief, arms: Positions, groups: Any = None) -> tuple[Floats, Floats]:
        mean, variance = BetaBelief.predict(self, arms, groups)
        return change(self, arms, mean, variance)  # type: ignore[no-any-return]

    return {"predict": changed}


def notes(self: BetaBelief, arms: Positions, mean: Floats, variance: Floats) -> Any:
    self._adds += 1
    return mean, variance


def forgetful(self: BetaBelief, arrays: Arrays) -> None:
    BetaBelief.load(self, {**arrays, "adds": np.array([0])})


def moves_bare(self: BetaBelief, arm: int, group: int) -> None:
    if self._group_of(arm) is not None:
        self.add(arm, -float(self._arms[arm, 0]), -float(self._arms[arm, 1]))
    BetaBelief.reassign(self, arm, group)


def recent(self: BetaBelief, arm: int, looks: float, reward: float, group: Any = None) -> None:
    if looks > 0:
        self.decay(0.95)
    self.learn(arm, looks, reward, group)


def once(self: BetaBelief, arm: int, looks: float, reward: float, group: Any = None) -> None:
    self.learn(arm, looks - float(looks == 6.0), reward, group)


def for_good(self: BetaBelief, arm: int, looks: float, reward: float, group: Any = None) -> None:
    if looks > 0:
        self.learn(arm, looks, reward, group)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (predict(lambda s, a, m, v: (m[:1], v)), "one mean and one variance an arm"),
        (predict(lambda s, a, m, v: (m / 0.0, v)), "a mean is not finite"),
        (predict(lambda s, a, m, v: (m, -v)), "a variance is not above 0"),
        (predict(notes), "a prediction changed the belief"),
        ({"load": forgetful}, "a loaded belief goes on otherwise"),
        (predict(lambda s, a, m, v: (m, v + 0.0 * a + 1.0 - a / 99)), "surer than seen ones"),
        (predict(lambda s, a, m, v: (m + (a > 6), v)), "is outside its group's"),
        (predict(lambda s, a, m, v: (m + 0.5, v)), "spreads away after 4,000 looks"),
        ({"pending": lambda s, arm, looks: s.learn(arm, looks, 0.0)}, "under way move a mean"),
        ({"pending": lambda s, arm, looks: None}, "they narrow another belief"),
        (
            {"pending": lambda s, arm, looks: BetaBelief.pending(s, arm, abs(looks))},
            "they leave something behind",
        ),
        ({"decay": lambda s, gamma: BetaBelief.decay(s, 0.9 * gamma)}, "not the same belief"),
        ({"decay": lambda s, gamma: None}, r"decay\(0\) is not the prior"),
        (
            {"decay": lambda s, gamma: BetaBelief.decay(s, float(gamma > 0))},
            "forgetting half does not widen",
        ),
        ({"add": recent}, "the order of adds matters"),
        ({"add": once}, "parts do not add up"),
        ({"add": for_good}, "a negative add does not undo"),
        ({"reassign": moves_bare}, "a record stays behind when its arm moves"),
        ({"merge": lambda s, other: None}, "merging is not learning from both"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_broken_belief_is_caught(methods: dict[str, Any], message: str) -> None:
    """Whatever is wrong with a belief about arms, some law says so in words."""
    wrong = type("Wrong", (BetaBelief,), methods)

    with pytest.raises(AssertionError, match=message):
        check_arm_belief(lambda: wrong(refit=0))


def test_the_laws_hold_for_rates_of_money_too() -> None:
    """``RateBelief`` with a known variance keeps all that binds it."""
    check_arm_belief(lambda: RateBelief(prior_variance=0.1, variance_strength=1e12))


def test_order_may_matter_where_that_is_said() -> None:
    """A belief that fades with each add is held to what still binds it, and keeps that."""
    check_arm_belief(lambda: type("Recent", (BetaBelief,), {"add": recent})(refit=0), sums=False)


def test_coverage_by_hand() -> None:
    """Beta(1, 1): the middle half of all ranks lies inside its 50 % interval."""
    truth = (np.arange(100) + 0.5) / 100
    mean, variance = np.full(100, 0.5), np.full(100, 1 / 12)

    assert coverage(truth, mean, variance, 0.5) == 0.5
    assert coverage(truth, mean, variance, 0.95) == pytest.approx(0.95, abs=0.011)
