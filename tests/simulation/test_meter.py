"""The true worth of lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.randomness import derive
from equipoise.simulation.meter import CURVE_EVERY, Meter, oracle_worth, slate_worth
from equipoise.simulation.visits import look


@settings(derandomize=True, max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), items=st.integers(1, 30), slots=st.integers(1, 14))
def test_no_list_beats_the_oracle(seed: int, items: int, slots: int) -> None:
    """Whatever is shown in whatever order earns no more than the oracle's list."""
    rng = derive(seed, "test")
    worth = rng.exponential(1.0, items)
    shown = rng.permutation(items)[:slots]

    assert slate_worth(worth[shown], look(slots)) <= oracle_worth(worth, look(slots)) + 1e-12


def test_the_oracle_is_the_best_of_all_lists() -> None:
    """On a catalogue small enough to try every order, the oracle's worth is reached by one."""
    from itertools import permutations

    worth = derive(1, "test").exponential(1.0, 6)
    best = max(slate_worth(np.array(order), look(3)) for order in permutations(worth, 3))

    assert oracle_worth(worth, look(3)) == pytest.approx(best)


def test_adds_up_what_is_measured_and_nothing_else() -> None:
    """Lists and outcomes of other placements leave no trace; the curve is cumulative."""
    meter, worth = Meter(("home",)), np.array([3.0, 2.0, 1.0])
    for _ in range(2 * CURVE_EVERY):
        meter.list("home", 5.0, [2, 0], 1, worth, look(2), np.ones(3, dtype=bool))
    meter.list("product", 5.0, [0], 0, worth, look(2), np.ones(3, dtype=bool))
    meter.happened("home", "orders", 20.0)
    meter.happened("product", "orders", 50.0)
    meter.happened(None, "clicks")
    outcome = meter.close()

    assert outcome.lists == outcome.explored == 2 * CURVE_EVERY
    assert outcome.reward == pytest.approx(2 * CURVE_EVERY * (1.0 + 3.0 * look(2)[1]))
    assert outcome.oracle == pytest.approx(2 * CURVE_EVERY * (3.0 + 2.0 * look(2)[1]))
    assert (outcome.orders, outcome.revenue, outcome.clicks) == (1, 20.0, 0)
    assert outcome.curve["reward"].tolist() == pytest.approx([outcome.reward / 2, outcome.reward])
    assert outcome.regret == pytest.approx(outcome.oracle - outcome.reward)
    assert 0 < outcome.share < 1


def test_the_oracle_shows_nothing_that_is_not_there() -> None:
    """What is sold out or not yet launched is beyond the oracle too."""
    meter = Meter(("home",))
    there = np.array([False, True])
    meter.list("home", 0.0, [1], 0, np.array([9.0, 1.0]), look(1), there)

    assert meter.outcome.oracle == meter.outcome.reward == 1.0
