"""The Gittins index: against exact indices, and as a policy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from equipoise.exploration import Gittins
from equipoise.exploration.policies.gittins import (
    CAUTION,
    indices,
    optimism,
    raised,
    reach_of,
)
from equipoise.types import Floats, Scored


@njit
def exact_boundary(most: int, horizon: float, low: float, high: float, nodes: int) -> Floats:
    """(most,) For gamma beliefs of shape 1, 2, …: the exposure b at which the index is just 1.

    Clicks come at a rate that is Gamma(a, b); the future counts ``e^(−t / horizon)``. Going on is
    worth V(a, b), stopping a sure rate of 1, that is ``horizon``. Backwards over b, by steps short
    enough for one click at most; far out there is nothing left to learn.
    """
    b = np.exp(np.linspace(math.log(low), math.log(high), nodes))
    after = np.maximum(horizon, horizon * (most + 1.0) / b)
    boundary = np.zeros(most)
    for shape in range(most, 0, -1):
        value = np.empty(nodes)
        value[-1] = max(horizon, horizon * shape / b[-1])
        for i in range(nodes - 2, -1, -1):
            step = b[i + 1] - b[i]
            none = (b[i] / b[i + 1]) ** shape
            kept = math.exp(-step / horizon)
            go_on = shape / b[i] * horizon * (1.0 - kept)
            go_on += kept * (none * value[i + 1] + (1.0 - none) * after[i])
            value[i] = max(go_on, horizon)
            if go_on > horizon * (1.0 + 1e-9) and boundary[shape - 1] == 0.0:
                boundary[shape - 1] = b[i]
        after = value
    return boundary


@pytest.mark.parametrize("horizon", [30.0, 100.0, 1_000.0])
def test_it_is_near_the_exact_index_of_a_rate(horizon: float) -> None:
    """Without caution: within 7 % of dynamic programming, from one click seen to twenty.

    The rate's unit is its own index, so a belief Gamma(a, b*) must be raised to 1.
    """
    boundary = exact_boundary(60, horizon, 0.05, 300.0, 4_000)
    for shape in (1, 2, 3, 5, 10, 20):
        mean = shape / boundary[shape - 1]
        variance = mean / boundary[shape - 1]
        index = raised(mean, reach_of(variance, mean, horizon) / CAUTION, 1.0)

        assert index == pytest.approx(1.0, rel=0.07)


def test_the_approximation_has_no_jumps() -> None:
    """ψ rises with what knowledge is good for; where its pieces meet it steps by .01 at most."""
    x = np.geomspace(1e-4, 1e9, 20_000)
    reach = np.array([optimism(float(v)) for v in x])
    steps = np.diff(reach)

    assert np.abs(steps).max() < 0.01
    assert (steps > 0).mean() > 0.999


def test_knowledge_of_no_use_is_worth_nothing() -> None:
    """As the horizon goes to 0 the index goes to the mean; as it grows the index does."""
    mean, variance = np.array([0.05]), np.array([0.001])
    found = [indices(mean, variance, mean, h, 1.0, 1.0)[0] for h in (1e-9, 10.0, 1e3, 1e5)]

    assert found[0] == pytest.approx(0.05, rel=1e-3)
    assert found == sorted(found)


def test_what_is_known_has_its_mean() -> None:
    """No spread, no reach; and a longer tail only where there is a spread."""
    mean, zero = np.array([0.05, 0.3]), np.zeros(2)

    assert (indices(mean, zero, mean, 1e4, 1.0, 1.0) == mean).all()


def test_noisy_rewards_are_worth_less_to_look_at() -> None:
    """Of two items alike but for the noise of one reward, the quieter is tried first."""
    scored = Scored(
        np.arange(2, dtype=np.int32), np.full(2, 0.05), np.full(2, 1e-3), np.array([0.05, 5.0])
    )
    chance = Gittins(horizon=1_000.0).bind(scored, 1.0)(np.ones(2, dtype=bool))

    assert chance[0] > 0.99


def test_it_finds_the_unseen_and_settles() -> None:
    """A new item among known ones is shown; known to be poorer, it no longer is."""
    items = np.arange(5, dtype=np.int32)
    mean = np.array([0.10, 0.09, 0.08, 0.07, 0.05])
    new = np.array([1e-5, 1e-5, 1e-5, 1e-5, 2e-3])
    policy, open_ = Gittins(horizon=10_000.0), np.ones(5, dtype=bool)
    unseen = policy.bind(Scored(items, mean, new, mean), 1.0)(open_)
    seen = policy.bind(Scored(items, mean, np.full(5, 1e-8), mean), 1.0)(open_)

    assert unseen[4] > 0.9
    assert seen[0] > 0.99


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"horizon": 0.0}, "horizon is 0.0"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"skew": 2.0}, "between 0 and 1"),
    ],
)
def test_nonsense_is_refused(keywords: dict[str, float], message: str) -> None:
    """A parameter out of its range says so."""
    with pytest.raises(ValueError, match=message):
        Gittins(**keywords)
