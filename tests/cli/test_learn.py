"""``train`` and ``evaluate``: what is no worse is published, and a table says how good it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from equipoise.cli import tables
from equipoise.cli.learn import items_of
from equipoise.engine import Engine
from equipoise.log.memory import MemoryLog
from equipoise.recommenders import ALL
from equipoise.settings import Training
from equipoise.state import snapshot
from equipoise.types import Item

Run = Callable[..., Any]

FAST = ("--recommender", "popularity", "--recommender", "item_knn")


@pytest.fixture
def shop(sampled: Run, tmp_path: Path) -> Path:
    """The sample, imported."""
    assert sampled("import", "online-retail").code == 0
    return tmp_path / "equipoise-data"


def test_train_publishes_what_it_fitted(run: Run, shop: Path) -> None:
    """All that the settings name, each with its marks; the report says so in words."""
    answer = run("train", "--json")
    report = answer.json
    arrays, about = snapshot.read(shop / "snapshots", report["snapshot_id"])

    assert answer.code == 0
    assert report["published"]
    assert snapshot.current(shop / "snapshots") == report["snapshot_id"]
    assert sorted(arrays) == sorted(Training().recommenders)
    assert {cls.name for cls in ALL} > set(arrays)
    assert {row["name"] for row in report["rows"] if row["kept"]} == set(arrays)
    assert report["best"] > report["popularity"]
    assert about["items"] == 120
    assert answer.err == ""


def test_train_says_what_it_did(run: Run, shop: Path) -> None:
    """For people: what was learnt from, a row a recommender, and the decision."""
    answer = run("train", *FAST)

    assert answer.out.startswith("Learnt from Interactions(")
    assert "item_knn" in answer.out
    assert "Published popularity, item_knn as snapshot" in answer.out


def test_a_worse_one_is_refused(run: Run, shop: Path) -> None:
    """Exit 1, with the reason; the old snapshot stays."""
    run("train", *FAST)
    before = snapshot.current(shop / "snapshots")
    answer = run("train", "--recommender", "popularity")

    assert answer.code == 1
    assert "Not published: the best, popularity, has nDCG@20" in answer.out
    assert snapshot.current(shop / "snapshots") == before


def test_recommenders_take_their_settings(run: Run, shop: Path) -> None:
    """Keywords of the constructor; one that does not exist is named."""
    (shop / "settings.toml").write_text("[recommenders.item_knn]\nk = 3\n")
    good = run("train", *FAST, "--json")
    (shop / "settings.toml").write_text("[recommenders.item_knn]\nfriends = 3\n")
    bad = run("train", *FAST)

    assert good.code == 0
    assert bad.code == 1
    assert "recommenders.item_knn: " in bad.err
    assert "'friends'; its keywords are k, " in bad.err


def test_settings_name_recommenders(run: Run, shop: Path) -> None:
    """Those of [training] are the default; a name that is none is refused with those that are."""
    (shop / "settings.toml").write_text("[training]\nrecommenders = ['content', 'popularity']\n")
    chosen = run("train", "--json").json
    (shop / "settings.toml").write_text("[training]\nrecommenders = ['contents']\n")
    refused = run("train")

    assert [row["name"] for row in chosen["rows"]] == ["content", "popularity"]
    assert refused.code == 1
    assert "'contents' is no recommender" in refused.err


def test_a_served_snapshot_is_the_trained(run: Run, shop: Path) -> None:
    """A shopper's list comes from it."""
    published = run("train", *FAST, "--json").json["snapshot_id"]
    engine = Engine.open(shop, read_only=True)
    used = engine.snapshot_id
    engine.close()

    assert used == published


def test_evaluate_on_the_log(run: Run, shop: Path) -> None:
    """A row a recommender below each shopper's own most bought, on the days held out."""
    answer = run("evaluate", "--last-days", "14", *FAST, "--json")
    rows = {row["recommender"]: row for row in answer.json["rows"]}

    assert list(rows) == ["personal_frequency", "popularity", "item_knn"]
    assert [row["baseline"] for row in rows.values()] == [True, False, False]
    assert rows["item_knn"]["recall@20"] > rows["popularity"]["recall@20"]
    assert "repeats excluded" in answer.json["note"]


def test_repeats_are_another_question(run: Run, shop: Path) -> None:
    """Allowed, one's own most bought is hard to beat."""
    answer = run("evaluate", "--last-days", "14", "--repeats", *FAST, "--json")
    rows = {row["recommender"]: row for row in answer.json["rows"]}

    assert rows["personal_frequency"]["recall@10"] > 2 * rows["popularity"]["recall@10"]
    assert "repeats allowed" in answer.json["note"]


def test_evaluate_on_a_known_set_needs_no_directory(sampled: Run, tmp_path: Path) -> None:
    """The same figures as from the imported log."""
    known = sampled("evaluate", "--dataset", "online-retail", "--last-days", "14", *FAST, "--json")
    there = (tmp_path / "equipoise-data").exists()
    sampled("import", "online-retail")
    logged = sampled("evaluate", "--last-days", "14", *FAST, "--json")

    assert not there
    assert [figures(row) for row in known.json["rows"]] == [
        figures(row) for row in logged.json["rows"]
    ]


def figures(row: dict[str, Any]) -> dict[str, Any]:
    """Without what the clock measured."""
    return {name: value for name, value in row.items() if "seconds" not in name}


def test_evaluate_on_two_files(run: Run, tmp_path: Path) -> None:
    """Somebody else's split: fitted on the one, judged on the other."""
    rows = [f"u{u},i{(u + k) % 9},{k}\n" for u in range(40) for k in range(4)]
    (tmp_path / "train.csv").write_text("user_id,item_id,timestamp\n" + "".join(rows))
    test = [f"u{u},i{(u + 4) % 9},9\n" for u in range(40)]
    (tmp_path / "test.csv").write_text("user_id,item_id,timestamp\n" + "".join(test))
    answer = run("evaluate", "--train", "train.csv", "--test", "test.csv", *FAST, "--json")

    assert answer.code == 0
    assert "40 users judged" in answer.json["note"]
    assert answer.json["rows"][2]["recall@10"] > 0


def test_one_file_alone_is_bad_usage(run: Run, tmp_path: Path) -> None:
    """Train and test go together."""
    (tmp_path / "train.csv").write_text("user_id,item_id\nu,i\n")

    assert run("evaluate", "--train", "train.csv").code == 2


def test_the_table_can_be_read(run: Run, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe whole, a line a row; in 60 columns in parts, every number whole."""
    piped = run("evaluate", "--last-days", "14", *FAST).out.splitlines()
    monkeypatch.setattr(tables, "out", lambda: Console(width=60))
    narrow = run("evaluate", "--last-days", "14", *FAST).out.splitlines()

    assert piped[1].split()[:3] == ["recommender", "recall@10", "nDCG@10"]
    assert [len(line.split()) for line in piped[2:5]] == [11, 11, 11]
    assert "users judged" in piped[5]
    assert max(map(len, narrow)) <= 60
    assert not any("…" in line for line in narrow)
    assert sum(line.startswith("item_knn") for line in narrow) > 1


def test_a_removed_item_is_not_fitted() -> None:
    """The catalogue as it stands at the end of the log."""
    engine = Engine.in_memory()
    kept, gone = Item(item_id="kept"), Item(item_id="gone")
    engine.store([engine.item_record(gone), engine.item_record(kept)])
    engine.store([engine.item_removal("gone"), engine.item_removal("never")])

    assert isinstance(engine.log, MemoryLog)
    assert items_of(engine.log) == [kept]
