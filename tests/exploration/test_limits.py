"""Money for exploring, and items that are held back."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.clock import DAY
from equipoise.exploration import (
    EpsilonGreedy,
    Floored,
    Limit,
    LimitState,
    Move,
    Optimism,
    PlackettLuce,
    Restrained,
    Thompson,
)
from equipoise.interfaces import Policy
from equipoise.randomness import derive
from equipoise.types import Scored

START = 1_700_000_000_000


def spend(limit: Limit, cost: float, lists: int, gap_ms: int) -> tuple[LimitState, list[Move]]:
    """Lists that explore whenever they may, each at the same cost, so many milliseconds apart."""
    state, moves = limit.init(), []
    for n in range(lists):
        ts = START + n * gap_ms
        paid = cost if limit.allows(state, ts) else 0.0
        state, move = limit.update(state, cost=paid, ts=ts)
        moves += [] if move is None else [move]
    return state, moves


def test_money_a_day_is_all_that_is_spent() -> None:
    """Thirty days of lists that would cost 10 a day: 1 a day, and 3 days' worth saved at first."""
    limit, a_day = Limit(day=1.0, saved=3.0), 1_000
    state, _ = spend(limit, cost=0.01, lists=30 * a_day, gap_ms=DAY // a_day)

    assert state.spent == pytest.approx(3.0 + 30.0, rel=0.02)


def test_it_is_spread_over_the_day() -> None:
    """On the tenth day no quarter of it has less than a sixth of the day's money."""
    limit, state = Limit(day=1.0, saved=0.5), Limit(day=1.0, saved=0.5).init()
    quarters = np.zeros(4)
    for n in range(10 * 1_000):
        ts = START + n * DAY // 1_000
        paid = 0.005 if limit.allows(state, ts) else 0.0
        state, _ = limit.update(state, cost=paid, ts=ts)
        if n >= 9_000:
            quarters[(n - 9_000) * 4 // 1_000] += paid

    assert quarters.min() > 1 / 6
    assert quarters.sum() == pytest.approx(1.0, rel=0.12)


def test_no_more_than_so_many_days_are_saved() -> None:
    """After a year without a list there are three days' worth, not a year's."""
    limit = Limit(day=2.0, saved=3.0)
    state, _ = limit.update(limit.init(), cost=5.0, ts=START)

    assert limit.tokens(state, START) == pytest.approx(1.0)
    assert limit.tokens(state, START + 365 * DAY) == pytest.approx(6.0)


def test_money_in_all_is_spent_once() -> None:
    """After 2.5 nothing is explored any more, however long one waits."""
    limit = Limit(total=2.5)
    state, moves = spend(limit, cost=0.1, lists=500, gap_ms=DAY)

    assert state.spent == pytest.approx(2.5)
    assert [move.reason for move in moves] == [
        "the 2.50 that exploring may cost in all are spent: greedy"
    ]


def test_moves_say_why_it_stopped_and_that_it_goes_on() -> None:
    """In turn, and few of them a day."""
    _, moves = spend(Limit(day=1.0, saved=1.0), cost=0.01, lists=3_000, gap_ms=DAY // 1_000)

    assert moves[0].reason == "the 1.00 that exploring may cost a day are spent: greedy"
    assert moves[1].reason == "money has come in: exploring again"
    assert [move.after for move in moves] == [float(n % 2) for n in range(len(moves))]
    assert len(moves) <= 2 * 3 * 12


def test_without_limits_nothing_is_limited() -> None:
    """The default never says no."""
    state, moves = spend(Limit(), cost=100.0, lists=50, gap_ms=1)

    assert (state.spent, moves) == (5_000.0, [])


def test_a_clock_that_jumps_back_brings_no_money() -> None:
    """Nor does its way forward again, but for what it goes beyond."""
    limit = Limit(day=1.0, saved=1.0)
    state, _ = limit.update(limit.init(), cost=1.0, ts=START)
    state, _ = limit.update(state, cost=0.0, ts=START - 5 * DAY)

    assert limit.tokens(state, START) == pytest.approx(0.0)
    assert limit.tokens(state, START + DAY // 2) == pytest.approx(0.5)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.floats(-1.0, 5.0), st.integers(0, DAY)), max_size=40))
def test_the_bucket_stays_within_its_bounds(rows: list[tuple[float, int]]) -> None:
    """At most what may be saved; overdrawn by no more than the lists cost; told in JSON."""
    limit, ts = Limit(day=1.0, saved=2.0), START
    state = limit.init()
    for cost, gap in rows:
        ts += gap
        state, _ = limit.update(state, cost=cost, ts=ts)
        state = msgspec.json.decode(msgspec.json.encode(state), type=LimitState)

        assert limit.tokens(state, ts) <= 2.0
        assert limit.tokens(state, ts) >= 2.0 - sum(max(cost, 0.0) for cost, _ in rows) - 1e-9


# ---------------------------------------------------------------- items held back


def beliefs(held: int = 3) -> Scored:
    """Twelve, the last three of which nothing is to be learnt."""
    rng = derive(1, "test limits")
    variance = np.full(12, 0.01**2)
    variance[12 - held :] = 0.0
    return Scored(np.arange(12, dtype=np.int32), rng.normal(0.05, 0.01, 12), variance)


POLICIES = [Thompson(), PlackettLuce(), Optimism(), EpsilonGreedy(0.3), Floored(Thompson(), 0.2)]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_what_is_held_back_is_shown_by_greed_alone(policy: Policy) -> None:
    """Slot after slot: a held item has a chance only where its mean is the best that is open."""
    scored, open_ = beliefs(), np.ones(12, dtype=bool)
    conditional = Restrained(policy).bind(scored, 1.0)
    for _ in range(12):
        chance = conditional(open_)
        best = scored.mean[open_].max()
        behind = (scored.variance == 0) & (scored.mean < best)

        assert chance.sum() == pytest.approx(1.0)
        assert not chance[behind].any()
        assert not chance[~open_].any()
        open_[int(np.argmax(np.where(open_, scored.mean, -1.0)))] = False


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_the_others_keep_their_proportions(policy: Policy) -> None:
    """What the held would have had goes to all others alike."""
    scored, open_ = beliefs(), np.ones(12, dtype=bool)
    alone = policy.bind(scored, 1.0)(open_)
    chance = Restrained(policy).bind(scored, 1.0)(open_)
    rest = chance > 0

    np.testing.assert_allclose(chance[rest], alone[rest] / alone[rest].sum())
    assert Restrained(policy).name == policy.name
    assert Restrained(policy).parameters == policy.parameters
    assert Restrained(policy).version == getattr(policy, "version", "1")


def test_where_nothing_else_may_be_the_best_is_shown() -> None:
    """All are held back: greedy."""
    scored = beliefs(held=12)
    chance = Restrained(EpsilonGreedy(1.0)).bind(scored, 1.0)(np.ones(12, dtype=bool))

    assert chance[int(np.argmax(scored.mean))] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: Limit(day=-1.0), "day is -1.0; it is an amount of money, 0 for no limit"),
        (lambda: Limit(total=np.inf), "total is inf; it is an amount of money"),
        (lambda: Limit(saved=0.0), "saved is 0.0; it is a number of days, 0.1 or more"),
        (
            lambda: Limit().update(LimitState(), cost=np.nan, ts=0),
            "cost is nan; it must be finite",
        ),
    ],
)
def test_refusals(attempt: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt()

    assert message in str(refusal.value)
