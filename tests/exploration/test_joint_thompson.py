"""Joint Thompson: near the truth by its own standard error, exact as logged, the same again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from equipoise.exploration import JointThompson, Thompson
from equipoise.exploration.policies.best_of import Race
from equipoise.randomness import derive
from equipoise.slates.draw import draw, probability_of
from equipoise.slates.rules import Rules
from equipoise.types import Floats, Scored


def joint(mean: Floats, root: Floats) -> Scored:
    items = np.arange(len(mean), dtype=np.int32)
    return Scored(items, mean, (root**2).sum(axis=1), None, root)


def correlated(seed: int, n: int = 8, k: int = 3) -> Scored:
    rng = derive(seed, "test joint thompson")
    return joint(0.05 * rng.normal(size=n), 0.1 * rng.normal(size=(n, k)))


def everything(of: Scored) -> Floats:
    return np.ones(len(of), dtype=bool)


def test_without_a_root_it_is_thompson_to_the_bit() -> None:
    """Independent beliefs have an integral; nothing is sampled, and the error is 0."""
    of = correlated(0)
    plain = Scored(of.items, of.mean, of.variance)
    chance = JointThompson(draws=10).bind(plain, 0.7)(everything(of))

    np.testing.assert_array_equal(chance, Thompson().bind(plain, 0.7)(everything(of)))
    assert not JointThompson().standard_error(plain, chance).any()


def test_with_a_diagonal_root_it_comes_near_to_the_integral() -> None:
    """A root of independent beliefs: within 4.5 standard errors of exact, and the error is fair."""
    policy, odd = JointThompson(draws=4_000), []
    for seed in range(20):
        rng = derive(seed, "test joint diagonal")
        mean, spread = 0.1 * rng.normal(size=10), rng.uniform(0.05, 0.3, 10)
        of = joint(mean, np.diag(spread))
        chance = policy.bind(of, 1.0)(everything(of))
        exact = Race(mean, spread).chances(everything(of))
        odd.append((chance - exact) / policy.standard_error(of, chance))

    assert np.abs(odd).max() < 4.5
    assert 0.8 < np.std(odd) < 1.2


def test_two_items_have_a_closed_form() -> None:
    """P(1 beats 2) = Φ(gap / |root₁ − root₂|): what they have in common decides nothing."""
    common = np.array([[1.0, 0.1, 0.0], [1.0, 0.0, 0.2]])
    of = joint(np.array([0.1, 0.0]), common)
    policy = JointThompson(draws=20_000)
    chance = policy.bind(of, 1.0)(everything(of))
    error = policy.standard_error(of, chance)

    assert abs(chance[0] - norm.cdf(0.1 / np.hypot(0.1, 0.2))) < 4 * error[0]
    # Taken as independent, the leader would hardly lead.
    apart = Thompson().bind(Scored(of.items, of.mean, of.variance), 1.0)(everything(of))
    assert apart[0] < 0.55 < chance[0]


def test_one_more_draw_is_shared_by_all_that_are_open() -> None:
    """Nothing open has probability 0, however hopeless."""
    of = joint(np.array([10.0, 0.0, 0.0]), 0.01 * np.eye(3))
    open_ = np.array([True, True, True])

    np.testing.assert_allclose(
        JointThompson(draws=9).bind(of, 1.0)(open_), [(9 + 1 / 3) / 10, 1 / 30, 1 / 30]
    )
    open_[2] = False
    np.testing.assert_allclose(JointThompson(draws=9).bind(of, 1.0)(open_), [0.95, 0.05, 0])


def test_twins_share_whatever_the_order() -> None:
    """The same belief twice wins together and shares, to the last bit, also among what is open."""
    of = correlated(1)
    twice = np.array([0, 3, 1, 3, 2, 3])
    twins = joint(of.mean[twice], of.root[twice])  # type: ignore[index]
    chance = JointThompson().bind(twins, 1.0)(everything(twins))

    assert chance[1] == chance[3] == chance[5]
    single = JointThompson().bind(joint(of.mean[:4], of.root[:4]), 1.0)  # type: ignore[index]
    one = single(np.ones(4, dtype=bool))
    # Other beliefs are another seed: the same but for the error of the draws.
    assert 3 * chance[1] == pytest.approx(one[3], abs=5 * np.sqrt(0.5 / 1024))


def test_level_scales_all_spreads_and_0_is_greedy() -> None:
    """Half the level, half the root; without spread, or at 0, the highest mean."""
    of = correlated(2)
    half = JointThompson(draws=4_000).bind(of, 0.5)(everything(of))
    halved = JointThompson(draws=4_000).bind(joint(of.mean, 0.5 * of.root), 1.0)(everything(of))  # type: ignore[operator]
    sure = joint(of.mean, np.zeros((8, 2)))

    np.testing.assert_allclose(half, halved, atol=5 * np.sqrt(0.5 / 4_000))
    for greedy in (JointThompson().bind(of, 0.0), JointThompson().bind(sure, 1.0)):
        assert greedy(everything(of)).tolist() == (of.mean == of.mean.max()).tolist()


def test_a_slate_is_computed_again_to_the_bit() -> None:
    """What was logged is what replay computes from the stored beliefs, slot by slot."""
    of, rules, look = correlated(3), Rules.of(n=8, pins=((1, 2),)), np.ones(5)
    drawn = draw(JointThompson(), of, rules, 5, 1.0, look, derive(0, "luck"))
    copy = joint(of.mean.copy(), of.root.copy())  # type: ignore[union-attr]
    again = probability_of(JointThompson(), copy, rules, drawn.chosen, 1.0)

    assert drawn.propensity.tobytes() == again.tobytes()


def test_it_earns_what_independent_thompson_wastes() -> None:
    """Items share one unknown season: no item's own doubt, so nothing should be tried for it."""
    season = np.full((6, 1), 0.5)
    of = joint(np.linspace(0.0, 0.1, 6), np.column_stack([season, 0.02 * np.eye(6)]))
    cost = []
    for policy in (JointThompson(), Thompson()):
        chance = policy.bind(of, 1.0)(everything(of))
        cost.append(0.1 - chance @ of.mean)

    assert cost[0] < 0.3 * cost[1]


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (np.ones((3, 2)), "the root of 2 beliefs has shape (3, 2); it must be (2, k), and finite"),
        (np.array([1.0, 1.0]), "has shape (2,)"),
        (np.array([[np.nan], [1.0]]), "and finite"),
        (np.array([[1.0], [2.0]]), "candidate 1 has variance 1.0, but its row of the root says 4"),
    ],
)
def test_a_root_that_cannot_be_is_refused(root: Floats, message: str) -> None:
    """Of another shape, not a number, or of another covariance than the variances say."""
    of = Scored(np.arange(2, dtype=np.int32), np.zeros(2), np.ones(2), None, root)
    with pytest.raises(ValueError) as refusal:
        JointThompson().bind(of, 1.0)

    assert message in str(refusal.value)


@pytest.mark.parametrize("draws", [0, 2.5, np.inf, np.nan])
def test_draws_must_be_a_count(draws: float) -> None:
    """From 1, whole; a stored 1024.0 is one."""
    with pytest.raises(ValueError, match="it must be a whole number from 1"):
        JointThompson(draws=draws)  # type: ignore[arg-type]

    assert JointThompson(draws=1024.0) == JointThompson()  # type: ignore[arg-type]
