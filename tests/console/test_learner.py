"""Balances, moves and weights in words."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.clock import ManualClock
from equipoise.console.learner import FEATURES, balance, learner, moves, spent, weights
from equipoise.engine import Engine
from equipoise.exploration import BalanceState, Move
from equipoise.ranking.features import NAMES
from equipoise.settings import Settings, build


def engine_of(clock: ManualClock, **home: Any) -> Engine:
    return Engine.in_memory(clock=clock, settings=build({"placements": {"home": home}}))


def test_every_feature_has_words() -> None:
    """A new feature of the lift model must be named for people."""
    assert set(FEATURES) == set(NAMES)


@pytest.mark.parametrize(
    ("home", "budget", "stands"),
    [
        ({"budget": 0.0}, "0.0 %", "never explores"),
        ({"policy": "greedy"}, "8.0 %", "never explores"),
        ({"fixed_level": 0.5}, "none", "fixed; no budget is kept"),
        ({}, "8.0 %", "no list yet"),
    ],
)
def test_how_a_balance_stands(
    clock: ManualClock, home: dict[str, Any], budget: str, stands: str
) -> None:
    row = balance(engine_of(clock, **home), "home")

    assert row["stands"] == stands
    assert row["budget"] == budget


@pytest.mark.parametrize(
    ("multiplier", "cost", "stands"),
    [
        (0.0, 1.0, "the most it may; the budget allows more"),
        (0.0, 9.0, "over budget: exploring less and less"),
        (1.0, 9.0, "over budget: exploring less and less"),
        (1.0, 8.3, "held at the budget"),
        (1.0, 6.4, "below budget: exploring more and more"),
    ],
)
def test_how_a_balance_moves(
    clock: ManualClock, multiplier: float, cost: float, stands: str
) -> None:
    """By what is spent against the budget of 8 %, and by whether the level could still rise."""
    engine = engine_of(clock)
    engine.knowledge.balances["home"] = BalanceState(
        cost=cost, expected=100.0, decisions=9.0, multiplier=multiplier
    )
    row = balance(engine, "home")

    assert row["stands"] == stands
    assert row["spent"] == f"{cost:.1f} %"


def test_spent_is_never_negative() -> None:
    assert spent(-0.001) == "nothing"
    assert spent(-0.0001) == "0.0 %"
    assert spent(0.05) == "5.0 %"


def test_moves_are_the_newest_of_the_placements_asked(clock: ManualClock) -> None:
    engine = engine_of(clock)
    for number, name in enumerate(["home", "cart"] * 9):
        move = Move(ts=clock() + number, before=1.0, after=0.9 if number % 4 else 1.1, target=0.05,
                    measured=-0.001 if number % 4 == 0 else 0.06, reason="")  # fmt: skip
        engine.knowledge.moves.setdefault(name, []).append(move)
    found = moves(engine, ["cart", "home"], most=9)

    assert [one["ts"] for one in found] == sorted((one["ts"] for one in found), reverse=True)
    assert len(found) == 9
    assert {one["placement"] for one in moves(engine, ["cart"], most=99)} == {"cart"}
    assert {(one["direction"], one["spent"]) for one in found} == {
        ("more", "nothing"), ("less", "6.0 %"),
    }  # fmt: skip


def test_weights_share_one_scale() -> None:
    """Equal weights stand at equal places, zero lies between minus and plus."""
    rows = [
        {"name": "repeat", "mean": -1.0, "sd": 0.5},
        {"name": "affinity", "mean": 2.0, "sd": 1.0},
        {"name": "stranger", "mean": 2.0, "sd": 0.0},
    ]
    drawn = weights(rows)

    assert drawn[1].middle == drawn[2].middle
    assert drawn[0].middle < drawn[0].zero < drawn[1].middle
    assert drawn[0].low == 4.0
    assert drawn[1].high == 96.0
    assert drawn[0].mean == "−1.00"
    assert drawn[2].name == "stranger"


def test_weights_of_nothing_are_in_the_middle() -> None:
    assert weights([{"name": "base", "mean": 0.0, "sd": 0.0}])[0].middle == 50.0


def test_all_placements_or_one(busy: Engine, settings: Settings) -> None:
    assert [row["placement"] for row in learner(busy, "")["balances"]] == sorted(
        settings.placements
    )
    assert [row["placement"] for row in learner(busy, "cart")["balances"]] == ["cart"]
