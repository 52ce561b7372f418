"""equipoise.intake.data_sets: real sets, counted on the real archives."""

from __future__ import annotations

import tarfile
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from equipoise.errors import InvalidInput
from equipoise.intake import data_sets
from equipoise.intake.data_sets import locate
from equipoise.types import Event, Item

Folder = Callable[[str], Path]


def archive(folder: Path, name: str, text: str) -> None:
    inside = folder / "inside" / name
    inside.mkdir(parents=True, exist_ok=True)
    (inside / "data.txt").write_text(text)
    with tarfile.open(folder / f"{name}.tar.xz", "w:xz") as tar:
        tar.add(inside, arcname=name)


def test_a_set_is_unpacked_once(tmp_path: Path) -> None:
    """The second time nothing is written; another archive of the name is another version."""
    archive(tmp_path, "toy", "one")
    cache = tmp_path / "cache"
    folder = locate("toy", archives=tmp_path, cache=cache)
    (folder / "mark").touch()

    assert (folder / "data.txt").read_text() == "one"
    assert (locate("toy", archives=tmp_path, cache=cache) / "mark").exists()
    archive(tmp_path, "toy", "something else" * 100)
    assert not (locate("toy", archives=tmp_path, cache=cache) / "mark").exists()


def test_a_broken_archive_leaves_nothing(tmp_path: Path) -> None:
    """A folder appears whole or not at all."""
    (tmp_path / "toy.tar.xz").write_bytes(b"no archive")
    cache = tmp_path / "cache"
    with pytest.raises(tarfile.ReadError):
        locate("toy", archives=tmp_path, cache=cache)

    assert list(cache.iterdir()) == []


def test_whoever_is_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that unpacks beside us does no harm; a rename that fails for good is told."""
    archive(tmp_path, "toy", "ours")
    folder = tmp_path / "cache" / "toy-1"

    def other_first(unpacking: Path, target: Path) -> None:
        target.mkdir()
        raise OSError("not empty")

    monkeypatch.setattr(Path, "rename", other_first)
    data_sets._unpack(tmp_path / "toy.tar.xz", folder)
    assert list(folder.parent.iterdir()) == [folder]

    folder.rmdir()
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError("read-only")))
    with pytest.raises(OSError, match="read-only"):
        data_sets._unpack(tmp_path / "toy.tar.xz", folder)


def test_places_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EQUIPOISE_DATA_SETS and EQUIPOISE_CACHE; else ../shared/data, where there is one."""
    archive(tmp_path, "toy", "one")
    monkeypatch.setenv("EQUIPOISE_DATA_SETS", str(tmp_path))
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path / "elsewhere"))

    assert locate("toy").is_relative_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match=r"no data set 'none': .*none.tar.xz does not exist"):
        locate("none")
    monkeypatch.delenv("EQUIPOISE_DATA_SETS")
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    with pytest.raises(InvalidInput, match="EQUIPOISE_DATA_SETS is not set"):
        locate("toy")
    (tmp_path / "shared" / "data").mkdir(parents=True)
    (tmp_path / "toy.tar.xz").rename(tmp_path / "shared" / "data" / "toy.tar.xz")

    assert locate("toy").is_relative_to(tmp_path / "elsewhere")


def test_retailrocket_has_its_counts(data_set: Folder) -> None:
    """2,174 buyers, 30,113 items, 75,374 views, 12,456 carts, 9,551 purchases, in time order."""
    folder = data_set("retailrocket-mb")
    nouns = list(data_sets.retailrocket(folder))
    events = [noun for noun in nouns if isinstance(noun, Event)]

    assert Counter(event.event for event in events) == {
        "view_item": 75_374,
        "add_to_cart": 12_456,
        "purchase": 9_551,
    }
    assert all(isinstance(noun, Item) for noun in nouns[:30_113])
    assert len(nouns) - len(events) == 30_113
    assert len({event.user_id for event in events}) == 2_174
    assert len({event.event_id for event in events}) == len(events)
    assert all(one.ts <= two.ts for one, two in pairwise(events))
    assert events == [noun for noun in data_sets.retailrocket(folder) if isinstance(noun, Event)]


def test_retailrocket_holds_out_one_purchase_a_buyer(data_set: Folder) -> None:
    """And the pair is in no behaviour of the training part."""
    folder = data_set("retailrocket-mb")
    test = data_sets.retailrocket_test(folder)
    known = {
        (noun.user_id, noun.items[0].item_id)
        for noun in data_sets.retailrocket(folder)
        if isinstance(noun, Event)
    }

    assert len(test) == len({user for user, _ in test}) == 2_174
    assert not known & set(test)


def test_movielens_has_its_counts(data_set: Folder) -> None:
    """100,000 ratings of 943 users and 1,682 films with title, genres and year."""
    nouns = list(data_sets.movielens_100k(data_set("ml-100k")))
    items = [noun for noun in nouns if isinstance(noun, Item)]
    events = [noun for noun in nouns if isinstance(noun, Event)]

    assert (len(items), len(events)) == (1_682, 100_000)
    assert len({event.user_id for event in events}) == 943
    assert items[0].title == {"en": "Toy Story"}
    assert items[0].categories == ("Animation", "Children's", "Comedy")
    assert items[0].attributes == {"year": 1995}
    assert Counter(event.attributes["rating"] for event in events)[5] == 21_201
    assert all(one.ts <= two.ts for one, two in pairwise(events))


def test_sets_are_known_by_their_archives(
    data_set: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the command line offers leads to the functions."""
    data_set("ml-100k")
    monkeypatch.setattr(data_sets, "locate", data_set)

    assert set(data_sets.DATA_SETS) == {"online-retail", "retailrocket-mb", "ml-100k"}
    assert isinstance(next(data_sets.DATA_SETS["ml-100k"]()), Item)
