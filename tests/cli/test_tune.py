"""``tune``: settings searched on a part of the training part, judged on what nobody looked at."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from equipoise.cli import material
from equipoise.cli.tune import METHODS
from equipoise.data import Interactions
from equipoise.quality import Study
from equipoise.recommenders.presets import PRESETS
from equipoise.testing.recommenders import toy

Run = Callable[..., Any]

FAST = ("--dataset", "online-retail", "--last-days", "14", "--trials", "9")


def test_a_data_set(sampled: Run, tmp_path: Path) -> None:
    """The best trials, what mattered, the test part, and a table for the settings; a drawing."""
    answer = sampled("tune", "item_knn", *FAST, "--svg", "found.svg")
    told = sampled("tune", "item_knn", *FAST, "--json").json

    assert answer.code == 0
    assert answer.out.startswith(
        "The best trials of item_knn (ndcg@10 on the last 14 days of the training part)\n"
    )
    assert "What mattered" in answer.out
    assert "9 trials, 9 judged to the end, 0 given up; the defaults reach 0." in answer.out
    assert "defaults" in told["test"]
    assert told["importance"].keys() == {"k", "shrinkage", "weighting"}
    assert len(told["trials"]) == 9
    assert ElementTree.parse(tmp_path / "found.svg").getroot().tag.endswith("svg")
    assert answer.err == "Drew found.svg.\n"


def test_the_settings_take_the_snippet(sampled: Run, tmp_path: Path) -> None:
    """As it is printed, appended to a shop's settings."""
    told = sampled("tune", "content", *FAST, "--json").json
    sampled("init", "--data", "shop")
    with (tmp_path / "shop" / "settings.toml").open("a") as file:
        file.write("\n" + told["toml"])
    seen = sampled("doctor", "--settings", "--data", "shop")

    assert tomllib.loads(told["toml"])["recommenders"]["content"] == told["keywords"]
    assert told["keywords"]["fields"]["title"] > 0
    assert told["test"]["tuned"]["ndcg@10"] > 0
    assert seen.code == 0


def test_goes_on_from_a_study(sampled: Run, tmp_path: Path) -> None:
    """Five trials, then four more: the same as nine at once."""
    kept = ("--study", "kept.db", "--json")
    sampled("tune", "popularity", *FAST[:4], "--trials", "5", *kept)
    whole = sampled("tune", "popularity", *FAST, *kept).json
    once = sampled("tune", "popularity", *FAST, "--json").json

    assert [t["keywords"] for t in whole["trials"]] == [t["keywords"] for t in once["trials"]]
    assert [t["value"] for t in whole["trials"]] == [t["value"] for t in once["trials"]]


def test_a_file_that_is_no_study(sampled: Run, tmp_path: Path) -> None:
    """Something else, or nowhere: one line with the path, and the file stays as it was."""
    (tmp_path / "notes.db").write_text("not a database, but longer than a header " * 9)
    told = sampled("tune", "popularity", *FAST, "--study", "notes.db")
    lost = sampled("tune", "popularity", *FAST, "--study", "nowhere/kept.db")

    assert told.code == lost.code == 1
    assert "notes.db cannot keep a study: " in told.err
    assert "nowhere/kept.db cannot keep a study: " in lost.err
    assert (tmp_path / "notes.db").read_text().startswith("not a database, but")


def test_two_files(run: Run, tmp_path: Path) -> None:
    """Without times the validation part is of each user; the find is judged on the test file."""
    pairs = [(u, i) for u in range(40) for i in range(20) if (u + i) % 2 == 0 and (u * i) % 7]
    files = {
        "train": [p for p in pairs if sum(p) % 5],
        "test": [p for p in pairs if not sum(p) % 5],
    }
    for name, rows in files.items():
        lines = ["user_id,item_id", *(f"u{u},i{i}" for u, i in rows)]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    words = ("--train", "train.csv", "--test", "test.csv")
    told = run("tune", "ease", *words, "--trials", "3", "--metric", "recall@5", "--json").json
    half = run("tune", "ease", "--train", "train.csv")

    assert told["validation"] == "a random fifth of each user"
    assert told["test"]["defaults"]["recall@5"] > 0.5
    assert half.code == 2
    assert "--train and --test go together" in half.err


def test_a_study(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A published split is tuned on its training part, and judged by its own protocol."""

    class Parts(NamedTuple):
        train: Interactions
        test: Interactions

    def study(name: str, parts: Any) -> Study[Any]:
        return Study(name, "Two toy parts.", ("hits",), False, lambda: parts, judged, ())

    def judged(parts: Parts, model: Any) -> dict[str, float]:
        return {"hits": float(len(model.fit(parts.train).item_ids_))}

    parts = Parts(*toy()[0].split_last(2))
    studies = (study("toy-split", parts), study("toy-folds", [parts, parts]))
    monkeypatch.setattr(material, "STUDIES", studies)
    told = run("tune", "popularity", "--dataset", "toy-split", "--last-days", "9", "--trials", "2",
               "--json").json  # fmt: skip
    folds = run("tune", "popularity", "--dataset", "toy-folds")

    assert told["test"]["defaults"] == {"hits": 30}
    assert folds.code == 2
    assert "has no one training part to be tuned on" in " ".join(folds.err.split())


def test_a_log(sampled: Run) -> None:
    """Without a data set it is the data directory's; several cuts end bad trials early."""
    assert sampled("import", "online-retail").code == 0
    words = ("--last-days", "9", "--cuts", "2", "--trials", "8", "--json")
    told = sampled("tune", "item_knn", *words).json

    assert told["defaults"] > 0
    assert len(told["trials"]) == 8


def test_where_the_defaults_stand(sampled: Run) -> None:
    """With no time to search there is nothing to take over."""
    answer = sampled("tune", "item_knn", *FAST, "--seconds", "0", "--svg", "none.svg")

    assert answer.code == 0
    assert "No trial has a value: none.svg is not drawn." in answer.err
    assert "No trial is better than the defaults: leave them." in answer.err
    assert "[recommenders" not in answer.out


def test_presets(run: Run) -> None:
    """All of them, or a method's, with their sources."""
    every = run("tune", "--presets", "--json").json
    some = run("tune", "ease", "--presets")

    assert len(every) == len(PRESETS)
    assert every[0].keys() == {"recommender", "preset", "keywords", "source"}
    assert "regularization=1320.0" in some.out
    assert "Ferrari Dacrema" in some.out
    assert "item_knn" not in some.out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "RECOMMENDER '' is none of popularity, "),
        (("magic",), "RECOMMENDER 'magic' is none of"),
        (("ease", "--metric", "ndcg"), "metric 'ndcg': one of ndcg, recall"),
        (("ease", "--dataset", "netflix"), "--dataset 'netflix' is none of online-retail"),
    ],
)
def test_bad_usage(run: Run, words: tuple[str, ...], error: str) -> None:
    """Exit 2, with what would be right."""
    answer = run("tune", *words)

    assert answer.code == 2
    assert error.replace(" ", "") in "".join(answer.err.replace("│", "").split())


def test_without_the_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names it, before anything is read."""
    monkeypatch.setattr("equipoise.tuning.study.find_spec", lambda name: None)
    answer = run("tune", "ease", "--dataset", "online-retail")

    assert answer.code == 1
    assert answer.err == (
        "error: tuning needs optuna, which is not installed: pip install 'equipoise[tune]'\n"
    )


def test_names_are_those_of_the_methods() -> None:
    """What is typed is what the settings say."""

    assert all(name == cls.name for name, cls in METHODS.items())
