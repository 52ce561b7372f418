"""The arithmetic of the benchmark, on made-up runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "exploration_shop" / "__init__.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("exploration_shop", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def rows(benchmark: ModuleType, rewards: dict[str, list[float]]) -> Any:
    return benchmark.frame(
        [
            benchmark.Row(seed, policy, reward, 0.5, 0.03, 0.2, 10, 2, 30.0, 0.6)
            for policy in benchmark.POLICIES
            for seed, reward in enumerate(rewards.get(policy, [50.0, 60.0, 70.0]))
        ]
    )


def test_score_is_the_paired_gain_over_the_best_rival(benchmark: ModuleType) -> None:
    """The rival with most reward is chosen; the gain is the mean of the seeds' own ratios."""
    df = rows(benchmark, {"default": [110.0, 120.0, 90.0], "epsilon 0.1": [100.0, 80.0, 90.0]})

    assert benchmark.best_rival(df) == "epsilon 0.1"
    assert benchmark.score(df) == pytest.approx((0.10 + 0.50 + 0.0) / 3)


def test_interval_is_students(benchmark: ModuleType) -> None:
    """Against a value from the tables: t(0.975, 2) = 4.303."""
    mean, low, high = benchmark.interval([1.0, 2.0, 3.0], 0.95)

    assert mean == 2.0
    assert high - mean == mean - low == pytest.approx(4.303 / 3**0.5, abs=1e-3)
    assert benchmark.interval([1.0], 0.95) == (1.0, float("-inf"), float("inf"))


def test_the_table_names_every_policy(benchmark: ModuleType) -> None:
    """A line a policy, with its reward; the default gains nothing over itself."""
    text = benchmark.table(rows(benchmark, {}))
    lines = text.splitlines()

    assert [line.split("  ")[0].strip() for line in lines[1:]] == list(benchmark.POLICIES)
    assert "60.00" in lines[1]
    assert "…" not in lines[1]


def test_one_small_run(benchmark: ModuleType) -> None:
    """The engine plays the world; every policy can, and the greedy one spends nothing."""
    environment = benchmark.Environment(decisions=60, n_items=40, launches=5)
    greedy = benchmark.play(0, "greedy", environment)
    default = benchmark.play(0, "default", environment)

    assert greedy.spent == greedy.explored == 0.0
    assert 0 < default.spent < 1
    assert 0 < greedy.share < 1
    assert benchmark.play(0, "default", environment) == default
