"""Snapshots: whole or absent, never silently wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from equipoise.errors import SnapshotError
from equipoise.randomness import derive
from equipoise.state import snapshot
from equipoise.types import Arrays


def arrays(seed: int = 0) -> dict[str, Arrays]:
    rng = derive(seed, "arrays")
    return {
        "als": {
            "factors": rng.normal(size=(7, 3)).astype(np.float32),
            "item_ids": np.array(["ä", "sku-1", "雪"]),
            "nothing": np.empty((0, 4), np.int16),
            "one": np.array(3.5),
        },
        "popularity": {"counts": rng.integers(0, 9, 40)},
    }


def same(one: dict[str, Arrays], other: dict[str, Arrays]) -> bool:
    return {
        (group, name): (array.dtype, array.shape, array.tobytes())
        for group, named in one.items()
        for name, array in named.items()
    } == {
        (group, name): (array.dtype, array.shape, array.tobytes())
        for group, named in other.items()
        for name, array in named.items()
    }


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    """Values, dtypes, shapes and ``about`` come back, and the arrays may be written to."""
    about = {"trained_at": 17, "note": "naïve", "metrics": {"ndcg": 0.125}}
    snapshot_id = snapshot.write(tmp_path, arrays(), about)

    read, told = snapshot.read(tmp_path, snapshot_id)

    assert same(read, arrays())
    assert told == about
    assert all(array.flags.writeable for array in read["als"].values())


def test_files_are_plain_npy(tmp_path: Path) -> None:
    """Anybody can open them with numpy, without us and without pickle."""
    snapshot_id = snapshot.write(tmp_path, arrays(), {})

    factors = np.load(tmp_path / snapshot_id / "als" / "factors.npy", allow_pickle=False)

    assert np.array_equal(factors, arrays()["als"]["factors"])


def test_fortran_order_is_stored_as_c(tmp_path: Path) -> None:
    """The layout in memory is no part of the value."""
    turned = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    snapshot_id = snapshot.write(tmp_path, {"a": {"x": turned}}, {})

    assert np.array_equal(snapshot.read(tmp_path, snapshot_id)[0]["a"]["x"], turned)


def test_nothing_is_current_before_the_first(tmp_path: Path) -> None:
    """A written snapshot serves nobody until it is published."""
    missing = tmp_path / "none-yet"
    assert snapshot.current(missing) is None
    assert snapshot.newest_good(missing) == snapshot.Snapshot()

    written = snapshot.write(tmp_path, arrays(), {})
    assert snapshot.current(tmp_path) is None
    assert snapshot.newest_good(tmp_path).snapshot_id == ""

    snapshot.publish(tmp_path, written)
    assert snapshot.current(tmp_path) == written
    assert same(snapshot.newest_good(tmp_path).arrays, arrays())


def test_ids_rise(tmp_path: Path) -> None:
    """The order of ids is that of writing, whatever the clock says; equal content differs too."""
    ids = [snapshot.write(tmp_path, arrays(), {}) for _ in range(3)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 3


def test_rolling_back_is_publishing_again(tmp_path: Path) -> None:
    """An older snapshot can be made current; the newer one is then what it falls back on."""
    old, new = (snapshot.write(tmp_path, arrays(seed), {}) for seed in (1, 2))
    for snapshot_id in (old, new, old):
        snapshot.publish(tmp_path, snapshot_id)

    assert snapshot.current(tmp_path) == old

    damage(tmp_path / old / "als" / "factors.npy")

    assert snapshot.newest_good(tmp_path).snapshot_id == new


def damage(path: Path, at: int = -1) -> None:
    body = bytearray(path.read_bytes())
    body[at] ^= 1
    path.write_bytes(body)


def test_the_damaged_is_set_aside_and_the_previous_serves(tmp_path: Path) -> None:
    """Damage is told with the file's name and quarantined; what was not published never serves."""
    old, refused, new = (snapshot.write(tmp_path, arrays(seed), {}) for seed in (1, 2, 3))
    snapshot.publish(tmp_path, old)
    snapshot.publish(tmp_path, new)
    assert snapshot.check(tmp_path) == []
    damage(tmp_path / new / "popularity" / "counts.npy")
    assert "counts.npy" in snapshot.check(tmp_path)[0]

    found = snapshot.newest_good(tmp_path)

    assert found.snapshot_id == old
    assert same(found.arrays, arrays(1))
    assert "counts.npy: its bytes are not those that were written" in found.problems[0]
    assert (tmp_path / f"{new}.damaged").is_dir()
    assert (tmp_path / refused).is_dir()
    again = snapshot.newest_good(tmp_path)
    assert again.snapshot_id == old
    assert "CURRENT" in again.problems[0]
    assert snapshot.write(tmp_path, arrays(), {}) > new


def test_all_damaged_leaves_nothing_but_the_reasons(tmp_path: Path) -> None:
    """No crash and no loop: an empty answer that says what was met."""
    only = snapshot.write(tmp_path, arrays(), {})
    snapshot.publish(tmp_path, only)
    (tmp_path / only / "manifest.json").unlink()

    found = snapshot.newest_good(tmp_path)

    assert found.snapshot_id == ""
    assert found.arrays == {}
    assert "manifest.json: No such file" in found.problems[0]


def test_every_flip_and_cut_is_found(tmp_path: Path) -> None:
    """300 random bit flips and truncations, in arrays, manifest and pointer: none goes unseen."""
    old, new = (snapshot.write(tmp_path, arrays(seed), {"k": seed}) for seed in (1, 2))
    snapshot.publish(tmp_path, old)
    snapshot.publish(tmp_path, new)
    files = sorted(path for path in (tmp_path / new).rglob("*") if path.is_file())
    rng = derive(0, "faults")
    unseen = []
    for number in range(300):
        path = files[number % len(files)]
        whole = path.read_bytes()
        where = int(rng.integers(len(whole)))
        if number % 3 == 0:
            path.write_bytes(whole[:where])
        else:
            damage(path, where)
        try:
            snapshot.read(tmp_path, new)
            unseen.append((path.name, where))
        except SnapshotError as error:
            if path.name not in str(error):
                unseen.append((path.name, str(error)))
        path.write_bytes(whole)

    assert unseen == []
    assert same(snapshot.read(tmp_path, new)[0], arrays(2))


def test_every_flip_of_the_pointer_is_found(tmp_path: Path) -> None:
    """CURRENT has no checksum of its own and needs none: a changed id names nothing."""
    old, new = (snapshot.write(tmp_path, arrays(seed), {}) for seed in (1, 2))
    snapshot.publish(tmp_path, old)
    snapshot.publish(tmp_path, new)
    pointer = tmp_path / "CURRENT"
    whole = pointer.read_bytes()
    for at in range(len(new) + 1):
        damage(pointer, at)

        found = snapshot.newest_good(tmp_path)

        assert found.snapshot_id in (old, "")
        assert "is no snapshot of this folder" in found.problems[0]
        pointer.write_bytes(whole)


def test_a_kill_at_any_step_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing and publishing are cut before each call of the system: a reader never sees a half."""
    start = tmp_path / "start"
    old = snapshot.write(start, arrays(1), {})
    snapshot.publish(start, old)
    seen = set()
    for step in range(200):
        folder = shutil.copytree(start, tmp_path / str(step))
        steps = Steps(monkeypatch, step)
        try:
            new = snapshot.write(folder, arrays(2), {})
            snapshot.publish(folder, new)
            snapshot.prune(folder, keep=1)
        except Killed:
            pass
        steps.undo()
        found = snapshot.newest_good(folder)
        assert found.problems == ()
        assert same(found.arrays, arrays(1 if found.snapshot_id == old else 2))
        seen.add(found.snapshot_id == old)
        snapshot.publish(folder, snapshot.write(folder, arrays(3), {}))
        snapshot.prune(folder, keep=1)
        assert not list(folder.glob(".writing-*"))
        if not steps.reached:
            break

    assert seen == {True, False}
    assert not steps.reached, "200 steps were too few to reach the end"


class Killed(BaseException):
    """The process is gone: nothing that handles errors may run after it."""


class Steps:
    """Lets ``step`` calls of the system pass, then kills at each that follows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
        self.left = step
        self.reached = False
        self.context = pytest.MonkeyPatch()
        for module, name in ((os, "fsync"), (Path, "rename"), (Path, "replace"), (Path, "open"),
                             (Path, "mkdir"), (shutil, "rmtree")):  # fmt: skip
            self.context.setattr(module, name, self.wrapped(getattr(module, name)))

    def wrapped(self, call: Any) -> Any:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                self.reached = True
                raise Killed
            return call(*args, **kwargs)

        return guarded

    def undo(self) -> None:
        self.context.undo()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"a": {"x": np.array([{}])}}, "a/x: dtype object is not stored; numbers, booleans"),
        ({"a": {"x": np.zeros(2, [("f", "i4")])}}, "is not stored"),
        ({"../a": {"x": np.zeros(2)}}, "'../a': a name holds letters, digits"),
        ({"a": {"": np.zeros(2)}}, "'': a name holds letters, digits"),
    ],
)
def test_what_cannot_be_stored_safely_is_refused(
    tmp_path: Path, given: dict[str, Arrays], text: str
) -> None:
    """Nothing that needs pickle, no name that leaves the folder; and nothing stays behind."""
    with pytest.raises(SnapshotError, match=text):
        snapshot.write(tmp_path, given, {})

    assert list(tmp_path.iterdir()) == []


def forge(folder: Path, manifest: dict[str, Any], body: bytes = b"") -> str:
    """A snapshot with digests that fit, as an attacker with write access could make it."""
    encoded = msgspec.json.encode(manifest)
    snapshot_id = f"000001-{snapshot.sha256(encoded).hexdigest()[:32]}"
    (folder / snapshot_id / "a").mkdir(parents=True)
    (folder / snapshot_id / "manifest.json").write_bytes(encoded)
    (folder / snapshot_id / "a" / "x.npy").write_bytes(body)
    return snapshot_id


def entry(body: bytes, **changed: Any) -> dict[str, Any]:
    honest = {
        "group": "a",
        "name": "x",
        "dtype": "<f8",
        "shape": [2],
        "size": len(body),
        "sha256": snapshot.sha256(body).hexdigest(),
    }
    return {"version": 1, "files": [{**honest, **changed}], "about": {}}


def npy(array: Any, **keywords: Any) -> bytes:
    stream = snapshot.io.BytesIO()
    np.save(stream, array, **keywords)
    return stream.getvalue()


TWO = npy(np.zeros(2))
HUGE = TWO.replace(b"(2,), }         ", b"(2000000000,), }")


@pytest.mark.parametrize(
    ("manifest", "body", "text"),
    [
        ({"version": 2, "files": [], "about": {}}, b"", "written by version 2, this reads 1"),
        ({"version": 1, "files": []}, b"", "missing required field `about`"),
        (entry(TWO, name="../x"), TWO, r"a/\.\./x is no name of an array"),
        (entry(TWO, size=10**15), TWO, "bytes, 1000000000000000 were written"),
        (entry(TWO, shape=[3]), TWO, r"the manifest says \(3,\)"),
        (entry(TWO, dtype="<i8"), TWO, r"the manifest says \(2,\), int64"),
        (entry(TWO, dtype="no such"), TWO, "not a .npy file"),
        (entry(b"rubbish"), b"rubbish", "not a .npy file"),
        (entry(HUGE, shape=[2_000_000_000]), HUGE, "its size does not fit its shape"),
        (entry(TWO + b"more"), TWO + b"more", "its size does not fit its shape"),
    ],
)
def test_forged_contents_are_refused(
    tmp_path: Path, manifest: dict[str, Any], body: bytes, text: str
) -> None:
    """With digests that fit, sizes, shapes, dtypes and names are still checked against the file."""
    forged = forge(tmp_path, manifest, body)

    with pytest.raises(SnapshotError, match=text):
        snapshot.read(tmp_path, forged)


def test_a_pickle_inside_is_refused(tmp_path: Path) -> None:
    """An object array would run code when loaded; it is not loaded."""
    body = npy(np.array([{}, {}], dtype=object), allow_pickle=True)
    forged = forge(tmp_path, entry(body, dtype="|O"), body)

    with pytest.raises(SnapshotError, match="holds"):
        snapshot.read(tmp_path, forged)


@pytest.mark.parametrize("snapshot_id", ["", "../000001-" + "0" * 32, "000001-" + "0" * 31])
def test_an_id_that_is_none(tmp_path: Path, snapshot_id: str) -> None:
    """An id is a number and a digest, and no path."""
    with pytest.raises(SnapshotError, match="is no snapshot id"):
        snapshot.read(tmp_path, snapshot_id)


def test_a_damaged_snapshot_is_not_published(tmp_path: Path) -> None:
    """Publishing reads back first; the old one stays."""
    old, new = (snapshot.write(tmp_path, arrays(seed), {}) for seed in (1, 2))
    snapshot.publish(tmp_path, old)
    (tmp_path / new / "als" / "one.npy").unlink()

    with pytest.raises(SnapshotError, match=r"one\.npy: No such file"):
        snapshot.publish(tmp_path, new)

    assert snapshot.current(tmp_path) == old


def test_prune_spares_what_may_be_needed(tmp_path: Path) -> None:
    """The current one, those published before it, and the newest stay; the rest goes."""
    ids = [snapshot.write(tmp_path, arrays(), {"n": n}) for n in range(6)]
    for published in (ids[0], ids[2], ids[1]):
        snapshot.publish(tmp_path, published)
    (tmp_path / ".writing-left").mkdir()

    gone = snapshot.prune(tmp_path, keep=2)

    assert sorted(gone) == [ids[0], ids[3], ids[4]]
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted([ids[1], ids[2], ids[5], "CURRENT"])
    assert snapshot.current(tmp_path) == ids[1]
