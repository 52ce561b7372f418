"""Top-two: the rival's chance by closing each first in turn, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from equipoise.exploration import Thompson, TopTwo
from equipoise.exploration.policies.best_of import Race
from equipoise.randomness import derive
from equipoise.types import Bools, Floats, Scored


def scored(mean: Floats, spread: Floats) -> Scored:
    return Scored(np.arange(len(mean), dtype=np.int32), mean, spread**2)


def closing_each(race: Race, open_: Bools) -> Floats:
    """Σ_j P(j best) P(i best without j), a race for each j."""
    first, second = race.chances(open_), np.zeros(len(open_))
    for j in np.flatnonzero(open_):
        rest = open_.copy()
        rest[j] = False
        second += first[j] * race.chances(rest)
    return second


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 9),
    ratio=st.sampled_from([1.0, 10.0, 1e3, 1e6]),
    width=st.sampled_from([0.1, 1.0, 5.0]),
    known=st.booleans(),
)
def test_second_is_what_closing_each_gives(
    seed: int, n: int, ratio: float, width: float, known: bool
) -> None:
    """All firsts at once on one grid, or one race for each: the same (measured 5e-10)."""
    rng = derive(seed, "test top two")
    spread = np.exp(rng.uniform(0, np.log(ratio), n))
    mean = width * np.median(spread) * rng.normal(size=n)
    if known:
        mean, spread = np.round(mean, 1), np.where(rng.random(n) < 0.5, 0.0, spread)
    race, open_ = Race(mean, spread), rng.random(n) < 0.8
    open_[:2] = True
    first, second = race.top_two(open_)

    np.testing.assert_array_equal(first, race.chances(open_))
    np.testing.assert_allclose(second, closing_each(race, open_), rtol=0, atol=1e-8)
    assert abs(second.sum() - 1.0) < 1e-12
    assert not second[~open_].any()


def test_three_by_hand() -> None:
    """With the leader certain, the rival's share is a race of two: Φ(gap / √(s² + s²))."""
    rivals = norm.cdf(0.2 / np.hypot(0.3, 0.5))
    policy = TopTwo(beta=0.6)
    chance = policy.bind(scored(np.array([100.0, 0.2, 0.0]), np.array([0.1, 0.3, 0.5])), 1.0)(
        np.ones(3, dtype=bool)
    )

    np.testing.assert_allclose(chance, [0.6, 0.4 * rivals, 0.4 * (1 - rivals)], atol=1e-8)


def test_level_scales_the_rivals_share_up_to_1() -> None:
    """At level ½ half of it; above 1 the share stays, and the spreads grow."""
    certain = scored(np.array([100.0, 0.0]), np.array([0.1, 0.1]))
    for level, rival in [(0.0, 0.0), (0.5, 0.25), (1.0, 0.5), (4.0, 0.5)]:
        chance = TopTwo().bind(certain, level)(np.ones(2, dtype=bool))

        np.testing.assert_allclose(chance, [1 - rival, rival], atol=1e-12)


def test_beta_1_is_thompson_and_one_open_is_certain() -> None:
    """The rival's share is what sets them apart."""
    beliefs = scored(np.array([0.3, 0.2, 0.25]), np.array([0.1, 0.2, 0.05]))
    open_ = np.ones(3, dtype=bool)

    np.testing.assert_array_equal(
        TopTwo(beta=1.0).bind(beliefs, 1.0)(open_), Thompson().bind(beliefs, 1.0)(open_)
    )
    assert TopTwo().bind(beliefs, 1.0)(np.array([False, False, True])).tolist() == [0, 0, 1]


def test_it_finds_the_best_sooner_than_thompson() -> None:
    """What it is for: after 400 looks at five items, .1 of σ apart, the belief in the best."""
    truth = np.array([0.0, 0.0, 0.0, 0.2, 0.3])
    sure = {TopTwo(): 0.0, Thompson(): 0.0}
    for policy in sure:
        for seed in range(12):
            rng, looks, total = derive(seed, "test top two finds"), np.ones(5), np.zeros(5)
            for _ in range(400):
                beliefs = scored(total / looks, 1 / np.sqrt(looks))
                chance = policy.bind(beliefs, 1.0)(np.ones(5, dtype=bool))
                arm = int(rng.choice(5, p=chance))
                total[arm] += truth[arm] + rng.normal()
                looks[arm] += 1
            last = Race(total / looks, 1 / np.sqrt(looks)).chances(np.ones(5, dtype=bool))
            sure[policy] += float(last[4]) / 12

    assert sure[TopTwo()] > sure[Thompson()]


def test_refusal() -> None:
    """A beta that is no share."""
    with pytest.raises(ValueError, match=r"beta is 1\.5; it is a share"):
        TopTwo(beta=1.5)
