"""Exit 0 on success, 2 on bad usage, 1 on failure with one clear line; and help for everything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from equipoise import __version__
from equipoise.cli.main import COMMANDS

Run = Callable[..., Any]

REPORTING = [
    "doctor",
    "keys",
    "import",
    "train",
    "evaluate",
    "tune",
    "ope",
    "simulate",
    "recommend",
    "export",
    "rejected",
]


@pytest.mark.parametrize("command", [*COMMANDS, ""])
def test_every_command_has_help(run: Run, command: str) -> None:
    """It says what it does and where its data lies; what reports can report to programs."""
    answer = run(*command.split(), "--help")

    assert answer.code == 0
    assert "Usage: equipoise" in answer.out
    # The simulation has no data directory: its shops live in memory.
    assert ("--data" in answer.out) == (command not in ("", "simulate"))
    assert ("--json" in answer.out) == (command in REPORTING)


def test_version(run: Run) -> None:
    """The number, and nothing else."""

    assert run("--version").out == f"equipoise {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("init", "--nonsense"),
        ("export",),
        ("import",),
        ("import", "x.csv", "--format", "nonsense"),
        ("import", "x.csv", "--map", "item_id"),
        ("import", "x.csv", "--set", "=purchase"),
        ("train", "--recommender", "nonsense"),
        ("evaluate", "--recommender", "nonsense"),
        ("evaluate", "--dataset", "nonsense"),
        ("evaluate", "--train", "missing.csv"),
        ("evaluate", "--last-days", "-1"),
        ("recommend", "-n", "0"),
        ("recommend", "-n", "101"),
        ("serve", "--port", "65536"),
        ("serve", "--workers", "2"),
        ("demo", "--data-set", "nonsense"),
        ("demo", "--visitors", "0"),
        ("keys", "create", "--kind", "nonsense"),
    ],
)
def test_bad_usage_is_2(run: Run, words: tuple[str, ...]) -> None:
    """The usage and what was wrong with it; nothing on standard output, nothing done."""
    answer = run(*words)

    assert answer.code == 2
    assert answer.out == ""
    assert "Usage:" in answer.err or "Error" in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ("train",),
        ("evaluate",),
        ("recommend",),
        ("export", "--user", "u-1"),
        ("rejected",),
        ("serve",),
        ("keys",),
        ("import", "missing.csv"),
        ("import", "online-retail"),
        ("init", "--data", "file/inside"),
    ],
)
def test_failure_is_1_and_one_line(run: Run, words: tuple[str, ...], tmp_path: Any) -> None:
    """Here: no data directory, no such file, no archives, a file where a folder should be."""
    (tmp_path / "file").write_text("")
    answer = run(*words)

    assert answer.code == 1
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "equipoise-data").exists()


def test_as_a_module() -> None:
    """``python -m equipoise.cli.main`` is the console script."""
    command = [sys.executable, "-m", "equipoise.cli.main", "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)

    assert answer.stdout == f"equipoise {__version__}\n"
