"""What is logged is what it was drawn with, under masks, pins and limits, for every policy."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from equipoise.exploration import POLICIES
from equipoise.interfaces import Conditional
from equipoise.slates.draw import probability_of
from equipoise.testing.policies import FALSE_ALARM
from equipoise.types import Bools, Floats, Scored

PATH = Path(__file__).parents[2] / "benchmarks" / "exploration" / "propensities.py"
DRAWS = 20_000


def load() -> ModuleType:
    """The benchmark that asks the same with a million draws."""
    spec = importlib.util.spec_from_file_location("propensities", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BENCHMARK = load()
NAMES = [*(policy.name for policy in POLICIES), "thompson with a floor", "mixture"]


@pytest.mark.parametrize("name", NAMES)
def test_slates_are_drawn_as_often_as_their_propensities_say(name: str) -> None:
    """20,000 slates by chi-square, whole and slot by slot; every log equals replay to the bit."""
    row = BENCHMARK.check(name, DRAWS)

    assert row.chance > FALSE_ALARM
    assert row.slot_chance > FALSE_ALARM
    assert row.misquoted == 0
    # The rules do bite: propensities that ignored them would be found out.
    assert row.unheeding < FALSE_ALARM
    assert row.true


@pytest.mark.parametrize("policy", BENCHMARK.policies().values(), ids=BENCHMARK.policies())
def test_the_slates_that_rules_admit_share_all_probability(policy: object) -> None:
    """The 36 of them sum to 1; the masked, the misplaced and the fourth of a kind have none."""
    scored, rules = BENCHMARK.beliefs(), BENCHMARK.RULES
    admitted = [
        slate
        for slate in BENCHMARK.SLATES
        if len(set(slate)) == 4
        and slate[1] == 5
        and 6 not in slate
        and not {3, 4} <= set(slate)
        and not {0, 1, 2} <= set(slate)
    ]
    bound = BENCHMARK.Remembered(policy, scored, 1.0)
    due = {s: probability_of(bound, scored, rules, s, 1.0).prod() for s in BENCHMARK.SLATES}

    assert len(admitted) == 36
    assert sum(due.values()) == pytest.approx(1.0, abs=1e-12)
    assert not any(due[slate] for slate in due if slate not in set(admitted))


def test_a_policy_that_lies_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws by other probabilities than it tells replay: the row says so, in both ways."""

    class Lies:
        name, parameters = "lies", {}

        def __init__(self) -> None:
            self._asked = 0

        def bind(self, scored: Scored, level: float) -> Conditional:
            self._asked += 1
            lean = 0.05 * (self._asked == 1)

            def conditional(open_: Bools) -> Floats:
                weight = open_ * (1.0 + lean * np.arange(len(open_)))
                return np.asarray(weight / weight.sum())

            return conditional

    monkeypatch.setattr(BENCHMARK, "policies", lambda: {"lies": Lies()})
    row = BENCHMARK.check("lies", DRAWS)

    assert row.misquoted == DRAWS
    assert row.chance < FALSE_ALARM
    assert not row.true
    assert "NOT TRUE" in BENCHMARK.line(row)
