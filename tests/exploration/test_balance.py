"""The balance: it holds the target, stays in bounds, forgets nothing that JSON would lose."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.exploration import (
    Balance,
    BalanceState,
    EpsilonGreedy,
    Move,
    PlackettLuce,
    Thompson,
)
from equipoise.interfaces import Policy
from equipoise.randomness import derive
from equipoise.types import Scored

Spend = Callable[[float, np.random.Generator], tuple[float, float]]


def shop(policy: Policy, heavy: bool) -> Spend:
    """A stationary world: 20 fresh beliefs a decision, costs by the policy's own belief."""
    items, open_ = np.arange(20, dtype=np.int32), np.ones(20, dtype=bool)

    def spend(level: float, rng: np.random.Generator) -> tuple[float, float]:
        worth = float(np.exp(rng.normal())) if heavy else 1.0
        mean = worth * rng.normal(0.05, 0.02, 20)
        spread = worth * rng.uniform(0.005, 0.03, 20)
        chance = policy.bind(Scored(items, mean, spread**2), level)(open_)
        return float(mean.max() - chance @ mean), float(mean.max())

    return spend


def run(
    balance: Balance, spend: Spend, seed: int, decisions: int, state: BalanceState | None = None
) -> tuple[BalanceState, list[Move], np.ndarray]:
    """Final state, moves, and (decisions, 3): cost, expected, level at each."""
    rng, moves, rows = derive(seed, "test balance"), [], []
    state = balance.init() if state is None else state
    for ts in range(decisions):
        level = balance.level(state)
        cost, expected = spend(level, rng)
        state, move = balance.update(state, cost=cost, expected=expected, ts=ts)
        moves += [] if move is None else [move]
        rows.append((cost, expected, level))
    return state, moves, np.array(rows)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("heavy", [False, True], ids=["even worth", "heavy-tailed worth"])
@pytest.mark.parametrize("policy", [Thompson(), PlackettLuce(), EpsilonGreedy()], ids=repr)
def test_the_target_is_held(policy: Policy, heavy: bool, seed: int) -> None:
    """After warm-up the share spent is within 10 % of the target (measured: within 1 %)."""
    balance = Balance(target=0.05, half_life=500.0, step=0.005, level_max=10.0)
    state, _, rows = run(balance, shop(policy, heavy), seed, 3_000)
    cost, expected, _ = rows[1_000:].sum(axis=0)

    assert cost / expected == pytest.approx(0.05, rel=0.1)
    assert balance.measured(state) == pytest.approx(0.05, rel=0.1)


def test_the_target_is_held_again_after_the_world_changed() -> None:
    """Five times as costly to explore: the share comes back by itself."""
    balance = Balance(target=0.05, half_life=500.0, step=0.005, level_max=10.0)
    state, _, _ = run(balance, lambda level, rng: (0.05 * level, 1.0), 0, 2_000)
    state, _, rows = run(balance, lambda level, rng: (0.25 * level, 1.0), 0, 3_000, state)

    assert rows[0, 0] > 0.2
    assert rows[1_500:, 0].mean() == pytest.approx(0.05, rel=0.1)


def test_a_budget_is_a_cap() -> None:
    """Where the highest level spends less than the target, the level rests there."""
    balance = Balance(target=0.05, level_max=1.0)
    state, moves, _ = run(balance, lambda level, rng: (0.01 * level, 1.0), 0, 3_000)

    assert balance.level(state) == 1.0
    assert moves == []
    assert balance.measured(state) == pytest.approx(0.01)


def test_a_floor_is_reached_above_the_natural_level() -> None:
    """Spending 1 % at the natural level, asked for at least 3 %: the level rises beyond 1, and says
    why; at 20 times as costly it comes down again, to the target."""
    balance = Balance(target=0.05, floor=0.03, half_life=500.0, step=0.005)
    state, moves, rows = run(balance, lambda level, rng: (0.01 * level, 1.0), 0, 4_000)

    assert rows[2_000:, 0].mean() == pytest.approx(0.03, rel=0.1)
    assert balance.level(state) == pytest.approx(3.0, rel=0.1)
    assert "floor 3 %: exploring more" in moves[-1].reason
    state, moves, rows = run(balance, lambda level, rng: (0.2 * level, 1.0), 0, 4_000, state)
    assert rows[2_000:, 0].mean() == pytest.approx(0.05, rel=0.1)
    assert moves[0].reason.endswith("exploring less")


def test_between_floor_and_target_the_level_rests() -> None:
    """2 % at the natural level lies between 1 and 5 %: the level stays at it, whatever the luck."""
    balance = Balance(target=0.05, floor=0.01, half_life=500.0, step=0.002)
    _, moves, rows = run(balance, lambda level, rng: (0.04 * level * rng.random(), 1.0), 0, 3_000)

    assert np.median(rows[:, 2]) == pytest.approx(1.0, rel=0.05)
    assert moves == []


def test_a_floor_that_cannot_be_reached_is_tried_up_to_the_lift() -> None:
    """A policy that has no way to spend is not driven to infinity."""
    balance = Balance(target=0.05, floor=0.03, step=0.05, lift=4.0)
    state, _, _ = run(balance, lambda level, rng: (0.0, 1.0), 0, 2_000)

    assert balance.level(state) == pytest.approx(4.0)


def test_the_words_say_of_what() -> None:
    """The same mechanism for another share."""
    balance = Balance(target=0.05, step=0.01, of="the looks that exploring gave")
    _, moves, _ = run(balance, lambda level, rng: (0.2, 1.0), 0, 100)

    assert moves[0].reason.startswith("spent 20 % of the looks that exploring gave over the last")


def test_target_0_never_explores() -> None:
    """No budget, no exploring, nothing to tell."""
    balance = Balance(target=0.0)
    state, moves, rows = run(balance, lambda level, rng: (0.3, 1.0), 0, 500)

    assert balance.level(state) == 0.0
    assert not rows[:, 2].any()
    assert moves == []


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    spent=st.lists(st.tuples(st.floats(-1e3, 1e6), st.floats(-1e3, 1e6)), min_size=1, max_size=60),
    level_max=st.sampled_from([0.5, 1.0, 8.0]),
)
def test_the_level_stays_in_bounds(spent: list[tuple[float, float]], level_max: float) -> None:
    """Whatever is spent, in whatever order: 0 < level ≤ level_max, all finite."""
    balance = Balance(step=5.0, level_max=level_max)
    state = balance.init()
    for cost, expected in spent:
        state, _ = balance.update(state, cost=cost, expected=expected, ts=0)

        assert 0 < balance.level(state) <= level_max * (1 + 1e-12)
        assert all(np.isfinite(value) for value in msgspec.structs.astuple(state))


def test_pure_and_told_in_json() -> None:
    """From a state written as JSON in the midst, the rest is the same to the bit."""
    balance, spend = Balance(step=0.01), shop(PlackettLuce(), heavy=True)
    rng = derive(5, "test balance")
    outcomes = [spend(1.0, rng) for _ in range(400)]

    def fold(state: BalanceState, rows: list[tuple[float, float]]) -> BalanceState:
        for ts, (cost, expected) in enumerate(rows):
            state, _ = balance.update(state, cost=cost, expected=expected, ts=ts)
        return state

    start = balance.init()
    half = fold(start, outcomes[:200])
    reread = msgspec.json.decode(msgspec.json.encode(half), type=BalanceState)

    assert fold(reread, outcomes[200:]) == fold(start, outcomes)
    assert start == balance.init()


def test_every_move_is_told_and_explained() -> None:
    """Moves chain, are not smaller than ``tell``, and their reason agrees with their numbers."""
    balance = Balance(target=0.05, step=0.005, level_max=2.0, tell=0.2)
    _, moves, rows = run(balance, shop(Thompson(), heavy=False), 0, 2_000)

    assert moves
    levels = [1.0, *(move.after for move in moves)]
    for before, move in zip(levels, moves, strict=False):
        assert move.before == pytest.approx(before, rel=1e-12)
        assert abs(move.after - move.before) >= 0.2 * move.before
        assert (move.after < move.before) == (move.measured > 0.05)
        assert move.reason.endswith("less" if move.after < move.before else "more")
    first = moves[0]
    cost, expected, _ = rows[: first.ts + 1].sum(axis=0)
    assert first.measured == pytest.approx(cost / expected)
    assert f"over the last {first.ts + 1} decisions, target 5 %" in first.reason


def test_a_reason_in_words() -> None:
    """The sentence that the console shows."""
    balance = Balance(target=0.05, step=0.0001, tell=0.1)
    _, moves, _ = run(balance, lambda level, rng: (0.071, 1.0), 0, 4_000)

    assert moves[0].reason == (
        "spent 7.1 % of expected reward over the last 2,509 decisions, target 5 %: exploring less"
    )


def test_what_explains_a_move_starts_where_the_level_last_rested() -> None:
    """A long rest at the cap does not dilute the overspending that ends it."""
    balance = Balance(target=0.05, step=0.01)
    state, _, _ = run(balance, lambda level, rng: (0.0, 1.0), 0, 1_000)
    _, moves, _ = run(balance, lambda level, rng: (0.1, 1.0), 0, 20, state)

    assert moves[0].measured == pytest.approx(0.1)
    assert moves[0].reason.startswith("spent 10 % of expected reward over the last 11 decisions")


def test_nothing_expected_moves_nothing() -> None:
    """A shop whose beliefs expect nothing yet, or a loss, keeps its level."""
    balance = Balance()
    for expected in (0.0, -1.0):
        state, move = balance.update(balance.init(), cost=0.0, expected=expected, ts=0)

        assert balance.level(state) == 1.0
        assert move is None
        assert balance.measured(state) == 0.0


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: Balance(target=1.0), "target is 1.0; it is a share from 0 to below 1"),
        (lambda: Balance(floor=0.06), "floor is 0.06; it is a share from 0 to 0.05"),
        (lambda: Balance(lift=0.5), "lift is 0.5; it must be 1 or more, and finite"),
        (lambda: Balance(half_life=0.0), "half_life is 0.0; it must be above 0"),
        (lambda: Balance(level_max=np.inf), "level_max is inf; it must be above 0 and finite"),
        (
            lambda: Balance().update(Balance().init(), cost=np.nan, expected=1.0, ts=0),
            "cost is nan and expected 1.0; both must be finite",
        ),
    ],
)
def test_refusals(attempt: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value, the place and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt()

    assert message in str(refusal.value)
