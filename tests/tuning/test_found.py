"""What was found, in words: ranks, and a table that the settings read."""

from __future__ import annotations

import tomllib

import pytest

from equipoise.recommenders import Content, ItemKNN
from equipoise.tuning.found import Found, Tried, _literal
from equipoise.tuning.goals import Goal


def found(method=ItemKNN, goal="ndcg@10", defaults=0.2, values=(0.1, None, 0.3, 0.3), **keywords):
    trials = tuple(
        Tried(number, keywords or {"k": 5 + number, "shrinkage": 0.123456, "weighting": None},
              value, 1.0, "" if value else "refused")
        for number, value in enumerate(values)
    )  # fmt: skip
    return Found(method, Goal(goal), trials, defaults, {"k": 1.0})


def test_the_best_is_the_first_of_equals():
    """Failed trials have no rank; where small is good, the order turns."""

    assert [one.number for one in found().ranked()] == [2, 3, 0]
    assert found().best.number == 2
    assert found(goal="rmse").best.number == 0
    assert found(defaults=0.3).best is None
    assert found(defaults=None).best.number == 2
    assert found(values=(None,)).best is None


def test_settings_read_what_is_written():
    """By a TOML reader, and the constructor takes it: rounded, nothing for None, tables within."""
    flat = tomllib.loads(found().toml())["recommenders"]["item_knn"]
    deep = found(Content, **{"fields.tags": 0.5, "fields.title": 0.25, "vectors": "embedding"})
    table = tomllib.loads(deep.toml())["recommenders"]["content"]

    assert flat == {"k": 7, "shrinkage": 0.1235}
    assert table == {"vectors": "embedding", "fields": {"tags": 0.5, "title": 0.25}}
    assert Content(**table).parameters()["fields"] == {"tags": 0.5, "title": 0.25}


@pytest.mark.parametrize("value", [True, 1, 0.25, 1e-7, "text", [1, 2.5], ("a", False)])
def test_literals_are_toml(value):
    """Each kind of value comes back as it was."""
    read = tomllib.loads(f"x = {_literal(value)}")["x"]

    assert read == (list(value) if isinstance(value, tuple) else value)


def test_json():
    """All trials, and what the constructor takes."""
    told = found().to_dict()

    assert told["keywords"] == {"k": 7, "shrinkage": 0.1235, "weighting": None}
    assert [one["value"] for one in told["trials"]] == [0.1, None, 0.3, 0.3]
