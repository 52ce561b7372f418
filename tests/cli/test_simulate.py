"""``equipoise simulate``."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from equipoise.cli.chart import Series, line_chart, ticks

SVG = "{http://www.w3.org/2000/svg}"
QUICK = ("--decisions", "100", "--seeds", "2", "--processes", "1")


def test_a_table_a_policy(run: Callable[..., Any]) -> None:
    """One row for each policy, and what the columns mean."""
    answer = run("simulate", *QUICK, "--policy", "greedy", "--policy", "thompson")

    assert answer.code == 0
    assert "launches: 100 home lists in a shop of 40 items, 2 shops" in answer.out
    assert [line.split()[0] for line in answer.out.splitlines()[2:4]] == ["greedy", "thompson"]
    assert "Gain: over greedy" in answer.out
    assert answer.err == ""


def test_json_holds_every_run_and_the_curves(run: Callable[..., Any]) -> None:
    """What the table says can be computed again from it."""
    told = run("simulate", *QUICK, "--policy", "greedy", "--scenario", "stationary", "--json").json
    (line,) = told["policies"]
    rewards = [one["reward"] for one in told["runs"]]

    assert (told["scenario"], told["decisions"], told["items"]) == ("stationary", 100, 40)
    assert line["reward"] == pytest.approx(sum(rewards) / 2)
    assert line["spent"] == 0.0
    assert line["launched"] == 0
    assert line["wait"] is None
    assert told["regret"]["greedy"]["lists"] == [0, 50, 100]


def test_the_budget_binds(run: Callable[..., Any]) -> None:
    """A budget of 0 never explores."""
    told = run("simulate", *QUICK, "--policy", "thompson", "--budget", "0", "--json").json

    assert told["budget"] == 0.0
    assert all(one["explored"] == 0.0 for one in told["runs"])


def test_a_drawing(run: Callable[..., Any], tmp_path: Any) -> None:
    """A line and a band for each policy, with its name, in well-formed SVG."""
    answer = run(
        "simulate", *QUICK, "--policy", "greedy", "--policy", "thompson", "--svg", "regret.svg"
    )
    root = ET.parse(tmp_path / "regret.svg").getroot()
    words = [element.text for element in root.iter(f"{SVG}text")]

    assert "Drew regret.svg." in answer.err
    assert len(list(root.iter(f"{SVG}polyline"))) == len(list(root.iter(f"{SVG}polygon"))) == 2
    assert {"greedy", "thompson", "home lists shown"} <= set(words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--policy", "greedi"), "there is no policy 'greedi'"),
        (("--policy", "greedy", "--policy", "greedy"), "the same twice"),
        (("--scenario", "calm"), "'calm' is none of stationary, drifting"),
        (("--budget", "1"), "1.0 is no share from 0 to below 1"),
        (("--decisions", "10"), "--decisions"),
    ],
)
def test_bad_usage(run: Callable[..., Any], words: tuple[str, ...], message: str) -> None:
    """Exit 2, with what would be right, before anything is played."""
    answer = run("simulate", *words)

    assert answer.code == 2
    assert message in " ".join(answer.err.replace("│", " ").split())


def test_a_drawing_that_cannot_be_written(run: Callable[..., Any]) -> None:
    """Exit 1, one line."""
    answer = run("simulate", *QUICK, "--policy", "greedy", "--svg", "no/such/folder.svg")

    assert answer.code == 1
    assert "No such file or directory" in answer.err


# ---------------------------------------------------------------- the chart


def test_points_lie_where_the_numbers_say() -> None:
    """The first x at the left edge, 0 at the bottom, the highest band at the top; names escaped."""
    one = Series("a<b", [0.0, 10.0], [1.0, 3.0], [0.5, 2.0], [1.5, 4.0])
    root = ET.fromstring(line_chart("t", [one], x_label="x", y_label="y"))
    line = next(root.iter(f"{SVG}polyline")).attrib["points"].split()
    band = next(root.iter(f"{SVG}polygon")).attrib["points"].split()

    assert line == ["64.0,303.0", "610.0,133.0"]
    assert band == ["64.0,260.5", "610.0,48.0", "610.0,218.0", "64.0,345.5"]
    assert "a<b" in [element.text for element in root.iter(f"{SVG}text")]


def test_a_chart_of_nothing_is_refused() -> None:
    """No series, or a single point."""
    with pytest.raises(ValueError, match="at least one series, each of two points at least"):
        line_chart("t", [], x_label="x", y_label="y")
    with pytest.raises(ValueError, match="each of two points at least"):
        line_chart("t", [Series("a", [0], [0], [0], [0])], x_label="x", y_label="y")


def test_a_flat_line_has_room() -> None:
    """All zeros: an axis from 0 to 1."""
    flat = Series("a", [0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0])

    assert 'points="64.0,388.0 610.0,388.0"' in line_chart("t", [flat], x_label="", y_label="")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.0, 3_000.0, [0.0, 1_000.0, 2_000.0, 3_000.0]),
        (-0.4, 1.3, [0.0, 0.5, 1.0]),
    ],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    """1, 2 or 5 times a power of ten apart, all within the axis."""
    assert ticks(low, high) == pytest.approx(expected)
