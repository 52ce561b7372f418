"""``recommend``, ``export``, ``rejected``: what the shop would answer, and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from equipoise.engine import Engine

Run = Callable[..., Any]


@pytest.fixture
def shop(sampled: Run, tmp_path: Path) -> Path:
    assert sampled("import", "online-retail").code == 0
    return tmp_path / "equipoise-data"


def test_a_list_is_explained(run: Run, shop: Path) -> None:
    """Item, title, propensity and reasons; best first."""
    answer = run("recommend", "--user", "13089", "-n", "5", "--json").json
    first = answer["items"][0]

    assert [row["rank"] for row in answer["items"]] == [1, 2, 3, 4, 5]
    assert 0 < first["propensity"] <= 1
    assert first["title"].isupper()
    assert first["reasons"]
    assert answer["fallback_level"] in ("session", "popular")
    assert answer["reason"] == ""


def test_a_list_to_read(run: Run, shop: Path) -> None:
    """A line an item, its reasons at the end of it."""
    lines = run("recommend", "--user", "13089", "-n", "3").out.splitlines()

    assert lines[0].startswith("home for 13089 (")
    assert lines[1].split() == ["#", "item", "title", "propensity", "why"]
    assert [line.split()[0] for line in lines[2:]] == ["1", "2", "3"]


def test_a_stranger_and_a_seed(run: Run, shop: Path) -> None:
    """Without a user; the seed item is not listed."""
    answer = run("recommend", "--placement", "product", "--item", "22410", "-n", "100", "--json")

    assert "22410" not in {row["item_id"] for row in answer.json["items"]}
    assert "asked for" in answer.json["reason"] or len(answer.json["items"]) == 100


def test_a_list_leaves_no_trace(run: Run, shop: Path) -> None:
    """Nothing is stored, and a writer may be at work meanwhile."""
    writer = Engine.open(shop)
    before = writer.log.last
    answer = run("recommend")
    after = writer.log.last
    writer.close()

    assert answer.code == 0
    assert after == before


def test_an_unknown_placement_is_told(run: Run, shop: Path) -> None:
    """One line, with those that exist."""
    answer = run("recommend", "--placement", "attic")

    assert answer.code == 1
    assert "cart, feed, home, product" in answer.err


def test_export_is_everything(run: Run, shop: Path) -> None:
    """JSON, with or without asking for it; a stranger has nothing."""
    plain, asked = run("export", "--user", "13089"), run("export", "--user", "13089", "--json")
    held = plain.json

    assert plain.out == asked.out
    assert set(held) == {"user", "events", "profile", "decisions"}
    assert len(held["events"]) == 10
    assert held["profile"]["events"] == 10
    assert run("export", "--user", "nobody").json["events"] == []


def test_dead_letters(run: Run, shop: Path) -> None:
    """What was refused and why, a page at a time; the body for programs."""
    letters = run("rejected", "--json").json
    lines = run("rejected").out.splitlines()

    assert [one["code"] for one in letters] == ["stock_adjustment"]
    assert "lost, damaged or found" in letters[0]["message"]
    assert '"quantity": -20' in letters[0]["body"]
    assert lines[0] == "Dead letters"
    assert "body" not in lines[1]
    assert run("rejected", "--after", "1", "--json").json == []


def test_no_dead_letters(run: Run) -> None:
    """Said, not shown as an empty table."""
    run("init")
    answer = run("rejected")

    assert (answer.out, answer.err) == ("", "No dead letters.\n")
