"""The laws themselves: each catches who breaks it, and says how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from equipoise.exploration import GaussianBelief, Greedy, LogisticBelief, PlackettLuce
from equipoise.interfaces import Conditional
from equipoise.testing.beliefs import LOGISTIC, check_belief
from equipoise.testing.policies import LAWS, check_policy, chi_square
from equipoise.types import Bools, Floats, Scored

BY_NAME = {law.__name__: law for law in LAWS}
Change = Callable[[Floats, Bools, Scored, float], Floats]


@dataclass(frozen=True)
class Broken:
    """Plackett–Luce with something done to its probabilities."""

    change: Change
    parameters: dict[str, float] = field(default_factory=dict)
    name: str = "broken"

    def bind(self, scored: Scored, level: float) -> Conditional:
        true = PlackettLuce().bind(scored, level)
        return lambda open_: self.change(true(open_), open_, scored, level)


def drift() -> Change:
    asked = [0]

    def change(chance: Floats, open_: Bools, scored: Scored, level: float) -> Floats:
        asked[0] += 1
        share = min(level, asked[0] / 10_000)
        return (1 - share) * chance + share * open_ / open_.sum()

    return change


def first_is_favoured(chance: Floats, open_: Bools, scored: Scored, level: float) -> Floats:
    first = np.zeros(len(open_))
    first[np.argmax(open_)] = 1.0
    return chance if level == 0 else 0.5 * chance + 0.5 * first


def scribbles(chance: Floats, open_: Bools, scored: Scored, level: float) -> Floats:
    open_[:] = False
    return chance


@pytest.mark.parametrize(
    ("law", "change", "message"),
    [
        ("probabilities_sum_to_one", lambda p, *_: p[:1], "shape"),
        ("probabilities_sum_to_one", lambda p, *_: p - 1e-3, "a probability below 0"),
        ("probabilities_sum_to_one", lambda p, *_: p * 0.999, "the sum is"),
        ("probabilities_sum_to_one", lambda p, *_: p * 0 + 1 / len(p), "a closed item has"),
        ("level_0_is_greedy", lambda p, o, *_: o / o.sum(), "level 0 is not greedy"),
        ("order_of_candidates_is_meaningless", first_is_favoured, "the order of candidates"),
        ("same_question_same_answer", drift(), "an answer depends on the questions before"),
        ("inputs_are_left_alone", scribbles, "it changed its input"),
        ("floor_is_kept", lambda p, *_: p, "is below the floor"),
    ],
)
def test_a_broken_policy_is_caught(law: str, change: Change, message: str) -> None:
    """Whatever is wrong with a policy, its law says so in words."""
    with pytest.raises(AssertionError, match=message):
        BY_NAME[law](Broken(change, {"floor": 0.5}))


def test_draws_that_ignore_the_propensities_are_caught() -> None:
    """A policy that draws by other probabilities than it logs fails the chi-square law."""
    asked = [0]

    def change(chance: Floats, open_: Bools, scored: Scored, level: float) -> Floats:
        # The draw asks first, 8,000 times; what is logged for comparison is asked later.
        asked[0] += 1
        return chance if asked[0] > 8_000 else open_ / open_.sum()

    with pytest.raises(AssertionError, match="draws do not follow the propensities"):
        BY_NAME["draws_follow_propensities"](Broken(change))


def test_a_policy_that_takes_nonsense_is_caught() -> None:
    """NaN in, probabilities out: refused by law."""

    class Trusting(Greedy):
        def bind(self, scored: Scored, level: float) -> Conditional:
            safe = Scored(scored.items, np.nan_to_num(scored.mean), scored.variance)
            return super().bind(safe, level)

    with pytest.raises(AssertionError, match="a mean that is NaN is not refused"):
        check_policy(Trusting())


def test_chi_square_by_hand() -> None:
    """Counts 8, 12 of a fair coin: statistic 0.8, p = 0.371; impossible counts give 0."""
    assert chi_square(np.array([8, 12]), np.array([0.5, 0.5])) == pytest.approx(0.3711, abs=1e-4)
    assert chi_square(np.array([9, 1]), np.array([1.0, 0.0])) == 0.0
    assert chi_square(np.array([10, 0]), np.array([1.0, 0.0])) == 1.0


class _Wrong(GaussianBelief):
    """A belief that a test breaks in one place."""

    def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Any:
        return super().update(x, reward, weight)


def breaks(**methods: Any) -> type[GaussianBelief]:
    return type("Wrong", (_Wrong,), methods)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"predict": lambda s, x: (x[:, 0] * 0, -np.ones(len(x)))}, "variance is not above 0"),
        ({"update": lambda s, x, r, w=None: s._with(s._of(x[:1], r[:1], None))}, "order"),
        ({"update": lambda s, x, r, w=None: GaussianBelief.update(s, x, r)}, "weight of 2"),
        (
            {"update": lambda s, x, r, w=None: GaussianBelief.update(s, x, -r, w)},
            "the truth is",
        ),
        (
            {"update": lambda s, x, r, w=None: GaussianBelief.update(s.decay(0.9), x, r, w)},
            "order of updates matters",
        ),
        ({"merge": lambda s, other: other}, "merging is not learning from both"),
        ({"subtract": lambda s, x, r: s}, "subtracting does not undo"),
        ({"decay": lambda s, gamma: s}, r"decay\(0\) is not the prior"),
        ({"decay": lambda s, gamma: type(s)(3)}, r"decay\(1\) is not the same belief"),
        ({"pending": lambda s, x: s.update(x, np.ones(3))}, "what is awaited moves a mean"),
        ({"pending": lambda s, x: s}, "what is awaited does not narrow"),
        ({"covariance_root": lambda s, x: x}, "the root is not of the variance"),
        ({"covariance_root": lambda s, x: x[:2]}, "the root has not one row a place"),
        (
            {"covariance_root": lambda s, x: np.diag(np.sqrt(s.predict(x)[1]))},
            "equal rows do not go together",
        ),
        ({"arrays": lambda s: GaussianBelief(3).arrays()}, "arrays are not all of it"),
    ],
)
def test_a_broken_belief_is_caught(methods: dict[str, Any], message: str) -> None:
    """Whatever is wrong with a belief, some law says so in words."""
    with pytest.raises(AssertionError, match=message):
        check_belief(lambda: breaks(**methods)(3), 3)


def test_a_belief_that_changes_when_asked_is_caught() -> None:
    """To be asked must not show, not even in the last bit."""

    class Curious(_Wrong):
        asked = 0.0

        def predict(self, x: Floats) -> tuple[Floats, Floats]:
            self.asked += 1e-14
            return super().predict(x)

        def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> Any:
            return super().update(x, reward + self.asked, weight)

    with pytest.raises(AssertionError, match="to be asked changes what is learnt"):
        check_belief(lambda: Curious(3), 3)


def test_an_approximation_states_how_good_it_is() -> None:
    """A belief whose order matters a little passes with its tolerance, and not without."""
    check_belief(lambda: LogisticBelief(3), 3, world=LOGISTIC, tolerance=0.5)

    with pytest.raises(AssertionError, match="the order of updates matters"):
        check_belief(lambda: LogisticBelief(3), 3, world=LOGISTIC, tolerance=0.01)


def test_a_belief_that_widens_is_caught() -> None:
    """With noise estimated from a surprise, more data can widen a belief: not for these laws."""
    with pytest.raises(AssertionError, match="widens the belief"):
        check_belief(lambda: GaussianBelief(3, noise=0.01, noise_strength=1.0), 3)


def test_an_update_in_place_is_caught() -> None:
    """A belief that changes under its reader is no value."""

    class InPlace:
        def __init__(self) -> None:
            self.belief = GaussianBelief(3)

        def predict(self, x: Floats) -> tuple[Floats, Floats]:
            return self.belief.predict(x)

        def update(self, x: Floats, reward: Floats, weight: Floats | None = None) -> InPlace:
            self.belief = self.belief.update(x, reward, weight)
            return self

    with pytest.raises(AssertionError, match="changed the belief it was called on"):
        check_belief(InPlace, 3)
