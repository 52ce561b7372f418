"""The bound on a sum: right at all times at once, and it finds what is there."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import pytest

from equipoise.exploration.sequence import SumBound, SumState
from equipoise.randomness import derive

BOUND = SumBound(below=0.5, error=0.05)


def fold(values: list[float], bound: SumBound = BOUND) -> SumState:
    state = bound.init()
    for value in values:
        state = bound.update(state, value)
    return state


def test_it_is_seldom_ever_above_the_truth() -> None:
    """Rare gains against small losses, in sum nothing, looked at after every value: of 300 runs of
    400 values that sum is ever refuted in 5 % at most (and 20 runs by luck: 1e-6)."""
    wrong = 0
    for run in range(300):
        gains = derive(run, "test sequence").random(400) < 0.1
        state, refuted = BOUND.init(), False
        for gain in gains:
            state = BOUND.update(state, 4.5 if gain else -0.5)
            refuted |= BOUND.evidence(state, against=0.0) >= BOUND.needed
        wrong += refuted

    assert wrong <= 15 + 20


def test_it_holds_where_the_mean_moves_with_the_past() -> None:
    """Each value's mean depends on the values before it; the sum of those means is bounded."""
    wrong = 0
    for run in range(200):
        rng = derive(run, "test sequence drift")
        state, truth, chance, refuted = BOUND.init(), 0.0, 0.2, False
        for _ in range(300):
            gain = rng.random() < chance
            truth += 1.5 * chance - 0.5
            state = BOUND.update(state, 1.0 if gain else -0.5)
            refuted |= BOUND.evidence(state, against=truth) >= BOUND.needed
            chance = 0.6 if state.total < 0 else 0.2
        wrong += refuted

    assert wrong <= 10 + 17


def test_it_finds_what_is_there() -> None:
    """After 4,000 values of mean 0.1 and spread 0.5 the bound lies within five standard deviations
    of their sum."""
    rng = derive(1, "test sequence")
    values = (0.6 - (rng.random(4_000) < 0.5)).tolist()
    state, spread = fold(values), 0.5 * math.sqrt(4_000)

    assert state.total - 5 * spread < BOUND.lower(state) < state.total


def test_the_bound_is_where_the_evidence_is_just_enough() -> None:
    """``lower`` and ``evidence`` are one thing seen from two sides."""
    state = fold([0.7, -0.3, 1.2, 0.1] * 50)
    bound = BOUND.lower(state)

    assert BOUND.evidence(state, bound) == pytest.approx(BOUND.needed, abs=1e-3)
    assert BOUND.evidence(state, bound + 0.1) < BOUND.needed < BOUND.evidence(state, bound - 0.1)


def test_evidence_against_hand_reckoning() -> None:
    """One value of half the unit: the mean over the bets of ``exp(λ x − ψ(λ) x²)``."""
    bets = [0.5**j for j in range(1, 15)]
    terms = [math.exp(0.5 * b - 0.25 * (-math.log1p(-b) - b)) for b in bets]
    state = fold([0.25])

    assert BOUND.evidence(state) == pytest.approx(math.log(sum(terms) / len(bets)))


def test_scale_does_not_matter() -> None:
    """Money in cents: a hundred times the bound."""
    values = [0.4, -0.2, 0.9] * 30
    cents = SumBound(below=50.0, error=0.05)

    assert cents.lower(fold([100 * v for v in values], cents)) == pytest.approx(
        100 * BOUND.lower(fold(values)), rel=1e-4
    )


def test_pure_and_told_in_json() -> None:
    """Half of it, written and read again, goes on to the same."""
    values = derive(2, "test sequence").random(60).tolist()
    half = msgspec.json.decode(msgspec.json.encode(fold(values[:30])), type=SumState)
    state = half
    for value in values[30:]:
        state = BOUND.update(state, value)

    assert state == fold(values)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: SumBound(below=0.0), "below is 0.0; it must be above 0 and finite"),
        (lambda: SumBound(below=1.0, error=1.0), "error is 1.0; it lies between 0 and 1"),
        (lambda: fold([-0.6]), "the value is -0.6; it must be finite, -0.5 or more"),
        (lambda: fold([math.inf]), "the value is inf; it must be finite, -0.5 or more"),
    ],
)
def test_refusals(attempt: Callable[[], object], message: str) -> None:
    """What cannot be is refused, with the value and what would be right."""
    with pytest.raises(ValueError) as refusal:
        attempt()

    assert message in str(refusal.value)
