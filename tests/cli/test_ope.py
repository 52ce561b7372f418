"""``ope``: the shop's own log says what another policy would have earned, or why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise.clock import ManualClock
from equipoise.engine import Engine
from equipoise.home import Home
from equipoise.simulation.client import InProcess
from equipoise.simulation.run import simulate
from equipoise.simulation.shop import Shop
from equipoise.types import Kind, Record

Run = Callable[..., Any]

SETTINGS = """
[log]
durability = "process"

[exploration]
level_start = 0.3

[placements.home]
policy = "optimism"
floor = 0.1
sources = ["trending", "new"]
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which shoppers were shown 150 lists, five days ago."""
    home = Home(tmp_path_factory.mktemp("ope") / "shop").create()
    home.settings_file.write_text(SETTINGS)
    clock = ManualClock()
    engine = Engine.open(home.folder, clock=clock)
    world = Shop.make(5, n_items=60, launches=5)
    simulate(world, InProcess(engine), decisions=150, seed=1, clock=clock, similar=False)
    later = clock() + 5 * 86_400_000
    engine.store([Record(kind=Kind.TICK, key="", arrived=later, body=b"")])
    engine.close()
    return home.folder


def test_another_policy_beside_the_logged(run: Run, shop: Path) -> None:
    """Value, interval and difference; effective size and support; what was left out."""
    answer = run("ope", "--data", str(shop), "--level", "0.25", "--level", "0.35")

    assert answer.code == 0
    assert answer.out.startswith("What a list of 'home' earns (worth, dr)\n")
    assert [line.split()[:2] for line in answer.out.splitlines()[2:5]] == [
        ["logged", first_figure(answer.out)], ["as", "logged"], ["as", "logged"],
    ]  # fmt: skip
    assert "150 lists." in answer.out
    assert "shoppers." in answer.out
    assert answer.err == ""


def first_figure(out: str) -> str:
    """The logged value of the table."""
    return out.splitlines()[2].split()[1]


def test_the_log_itself_is_its_mean(run: Run, shop: Path) -> None:
    """Asked for nothing else, plain weights give what was earned, with nothing between."""
    told = run("ope", "--data", str(shop), "--estimator", "ips", "--json").json
    (line,) = told["policies"]

    assert line["value"] == pytest.approx(told["logged"]["value"], rel=1e-12)
    assert (line["difference_low"], line["difference_high"]) == (0, 0)
    assert line["effective"] == line["rows"] == 150 * 12
    assert line["mean_weight"] == 1
    assert told["log"]["lists"] == 150


def test_parameters_and_levels_reach_the_policy(run: Run, shop: Path) -> None:
    """A hotter softmax is another question than a cooler one."""
    values = [
        run("ope", "--data", str(shop), "--policy", "plackett_luce", "--parameter", heat,
            "--level", "1", "--json").json["policies"][0]["mean_weight"]
        for heat in ("temperature=3", "temperature=1.5")
    ]  # fmt: skip

    assert values[0] != values[1]


def test_a_refusal_is_in_words(run: Run, shop: Path) -> None:
    """Exit 1; the table stands, without figures, and the reasons go to standard error."""
    answer = run("ope", "--data", str(shop), "--level", "0", "--estimator", "sips")
    as_json = run("ope", "--data", str(shop), "--level", "0", "--estimator", "sips", "--json")

    assert answer.code == as_json.code == 1
    assert "–" in answer.out
    assert answer.err.startswith("error: refused: as logged at level 0: ")
    assert "effective sample size" in answer.err
    assert as_json.json["policies"][0]["value"] is None
    assert as_json.json["answerable"] is False


def test_nothing_is_mature(run: Run, shop: Path) -> None:
    """Nothing to judge is said with its reason."""
    answer = run("ope", "--data", str(shop), "--since", "2030-01-01T00:00:00Z")

    assert answer.code == 1
    assert "no list of 'home' on the log can be judged" in answer.err


def test_levels_and_their_caveat(run: Run, shop: Path) -> None:
    """What each level costs, and that what it buys is not known."""
    words = ("ope", "--data", str(shop), "--levels", "0.1,.35", "--outcome", "click")
    answer = run(*words, "--cap", "0.5")
    told = run(*words, "--cap", "0.5", "--json").json

    assert answer.out.startswith("What each level of exploration costs a list\n")
    assert "What it buys later is not in this log" in answer.out
    assert [row["level"] for row in told["levels"]] == [0.0, 0.1, 0.35]
    assert "What it buys" in told["note"]
    assert told["log"]["lists"] == 150
    for row in told["levels"]:
        assert (row["value"] is None) == bool(row["reasons"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--parameter", "heat"), "--parameter 'heat' is not name=number"),
        (("--levels", "some"), "--levels 'some' is not numbers with commas"),
        (("--cap", ".1"), "--cap goes with --levels"),
    ],
)
def test_bad_usage(run: Run, shop: Path, words: tuple[str, ...], said: str) -> None:
    """Exit 2."""
    answer = run("ope", "--data", str(shop), *words)

    assert answer.code == 2
    assert said in " ".join(answer.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--policy", "oracle"), "there is no policy 'oracle'; the policies are greedy"),
        (("--estimator", "guess"), "estimator 'guess' is none of dr"),
        (("--since", "yesterday"), "--since is 'yesterday'"),
        (("--level", "-1"), "level is -1"),
        (("--placement", "attic"), "'attic' is no placement of this shop"),
    ],
)
def test_what_cannot_be(run: Run, shop: Path, words: tuple[str, ...], said: str) -> None:
    """Exit 1, and what would be right."""
    answer = run("ope", "--data", str(shop), *words)

    assert answer.code == 1
    assert said in answer.err
    assert answer.out == ""


def test_no_directory(run: Run) -> None:
    """It is said how to make one, and none is made."""
    answer = run("ope", "--data", "nowhere")

    assert answer.code == 1
    assert "nowhere is not an Equipoise data directory" in answer.err
