"""Published arrays: fitted recommenders, and checkpoints of the folds. Never pickle.

::

    folder/
      CURRENT                      ids that were published, newest first
      000007-1f0c…/                a snapshot: a number that rises, and the digest of its manifest
        manifest.json              every file's SHA-256, size, dtype and shape; ``about``
        als/item_factors.npy       plain .npy, one array a file
      000006-77ab….damaged/        failed a check, set aside for a person to look at

A snapshot is whole or absent: files are written and synced under another name, then the folder is
renamed. The id carries the digest of the manifest, the manifest that of every file, so a flipped
bit anywhere is found, in CURRENT too: it then names nothing that exists.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from equipoise.errors import SnapshotError
from equipoise.types import Arrays

VERSION = 1
CURRENT = "CURRENT"
MANIFEST = "manifest.json"
_ID = re.compile(r"\d{6}-[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_KINDS = "biufSUmM"
"""Booleans, numbers, fixed-width text and times; neither objects nor records."""


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    group: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    size: int
    sha256: str


class _Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    files: tuple[_File, ...]
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was found good: empty, with an empty id, where nothing was."""

    snapshot_id: str = ""
    arrays: dict[str, Arrays] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """What was met on the way and set aside, in words."""


def write(folder: Path, arrays: dict[str, Arrays], about: dict[str, Any]) -> str:
    """Store arrays (by group, by name) durably and return the new id. Nothing serves it yet.

    ``about`` is anything JSON can hold. Raises SnapshotError for a name that is no plain file name
    and for a dtype that no plain file holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    under_way = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
    try:
        files = tuple(
            _write_array(under_way, group, name, array)
            for group, named in sorted(arrays.items())
            for name, array in sorted(named.items())
        )
        body = msgspec.json.encode(_Manifest(VERSION, files, about))
        _write_synced(under_way / MANIFEST, body)
        for inner in sorted({under_way / file.group for file in files}):
            _sync_folder(inner)
        _sync_folder(under_way)
        snapshot_id = f"{_next_number(folder):06d}-{_digest(body)}"
        under_way.rename(folder / snapshot_id)
    except BaseException:
        shutil.rmtree(under_way, ignore_errors=True)
        raise
    _sync_folder(folder)
    return snapshot_id


def publish(folder: Path, snapshot_id: str) -> None:
    """Make a snapshot the current one, after reading it back whole.

    Those published before stay to fall back on. SnapshotError if this one is not whole.
    """
    read(folder, snapshot_id)
    earlier = [other for other in _published(folder) if other != snapshot_id]
    kept = [other for other in earlier if (folder / other).is_dir()]
    beside = folder / f".{CURRENT}-writing"
    _write_synced(beside, "".join(f"{line}\n" for line in (snapshot_id, *kept)).encode())
    beside.replace(folder / CURRENT)
    _sync_folder(folder)


def current(folder: Path) -> str | None:
    """The newest published id that is still there, or None. Cheap: looks at names, not at contents.

    Should CURRENT be damaged, it is the one published before; ``newest_good`` tells what is wrong.
    """
    return next((one for one in _published(folder) if (folder / one).is_dir()), None)


def read(folder: Path, snapshot_id: str) -> tuple[dict[str, Arrays], dict[str, Any]]:
    """Arrays (writable, by group, by name) and ``about``; no byte is believed unchecked.

    Raises SnapshotError naming the file that is damaged, missing or not what the manifest says.
    """
    if not _ID.fullmatch(snapshot_id):
        raise SnapshotError(f"{snapshot_id!r} is no snapshot id")
    home = folder / snapshot_id
    manifest = _read_manifest(home)
    arrays: dict[str, Arrays] = {}
    for file in manifest.files:
        arrays.setdefault(file.group, {})[file.name] = _read_array(home, file)
    return arrays, manifest.about


def newest_good(
    folder: Path,
    *,
    accept: Callable[[dict[str, Arrays]], object] = lambda arrays: None,
    set_aside: bool = True,
) -> Snapshot:
    """The current snapshot or, where it is damaged, the newest published before it that is not.

    ``accept`` may look at the arrays and raise SnapshotError, if they are whole but not usable.
    What fails is told in ``problems``, never silently, and (unless this is a mere reader,
    ``set_aside=False``) renamed to ``….damaged``, so that it is never met twice.
    """
    problems = list(_problems_of_current(folder))
    for snapshot_id in _published(folder):
        if not (folder / snapshot_id).is_dir():
            continue
        try:
            arrays, about = read(folder, snapshot_id)
            accept(arrays)
        except SnapshotError as error:
            if set_aside:
                quarantine(folder, snapshot_id)
            problems.append(str(error))
        else:
            return Snapshot(snapshot_id, arrays, about, tuple(problems))
    return Snapshot(problems=tuple(problems))


def check(folder: Path) -> list[str]:
    """What is wrong with CURRENT and with the published snapshots, in words; changes nothing."""
    problems = list(_problems_of_current(folder))
    for snapshot_id in _published(folder):
        if (folder / snapshot_id).is_dir():
            try:
                read(folder, snapshot_id)
            except SnapshotError as error:
                problems.append(str(error))
    return problems


def quarantine(folder: Path, snapshot_id: str) -> Path:
    """Set a damaged snapshot aside, where a person can look at it and nothing reads it again."""
    aside = folder / f"{snapshot_id}.damaged"
    shutil.rmtree(aside, ignore_errors=True)
    (folder / snapshot_id).rename(aside)
    _sync_folder(folder)
    return aside


def prune(folder: Path, keep: int = 3) -> list[str]:
    """Delete all but ``keep`` snapshots and return what went.

    Those published last stay first, then the newest; the current and the newest in any case. To be
    called by the folder's only writer: what a killed writer left unfinished goes too.
    """
    newest_first = sorted((p.name for p in folder.iterdir() if _ID.fullmatch(p.name)), reverse=True)
    published = [snapshot_id for snapshot_id in _published(folder) if snapshot_id in newest_first]
    worth = list(dict.fromkeys(published + newest_first))
    spared = {*worth[: max(keep, 1)], *newest_first[:1]}
    gone = [snapshot_id for snapshot_id in newest_first if snapshot_id not in spared]
    for snapshot_id in gone:
        # Renamed first, so that a kill in between leaves no half snapshot under a good name.
        (folder / snapshot_id).rename(folder / f".writing-{snapshot_id}")
    for leftover in folder.glob(".writing-*"):
        shutil.rmtree(leftover)
    return gone


# ---------------------------------------------------------------- one file


def _write_array(home: Path, group: str, name: str, array: NDArray[Any]) -> _File:
    for part in (group, name):
        if not _NAME.fullmatch(part):
            raise SnapshotError(f"{part!r}: a name holds letters, digits, '_', '-' and inner dots")
    if array.dtype.kind not in _KINDS:
        raise SnapshotError(
            f"{group}/{name}: dtype {array.dtype} is not stored; "
            "numbers, booleans, times and fixed-width text are"
        )
    stream = io.BytesIO()
    np.save(stream, np.asarray(array, order="C"), allow_pickle=False)
    body = stream.getvalue()
    (home / group).mkdir(exist_ok=True)
    _write_synced(home / group / f"{name}.npy", body)
    return _File(group, name, array.dtype.str, array.shape, len(body), sha256(body).hexdigest())


def _read_array(home: Path, file: _File) -> NDArray[Any]:
    path = home / file.group / f"{file.name}.npy"
    body = _read_checked(path, file)
    stream = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(stream)
        header = _HEADERS[version](stream)
        dtype = np.dtype(file.dtype)
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{path}: not a .npy file ({error})") from None
    if dtype.kind not in _KINDS or header != (file.shape, False, dtype):
        raise SnapshotError(f"{path}: holds {header}, the manifest says {file.shape}, {dtype}")
    if stream.tell() + dtype.itemsize * int(np.prod(file.shape, dtype=object)) != len(body):
        raise SnapshotError(f"{path}: its size does not fit its shape {file.shape}")
    return np.ndarray(file.shape, dtype, buffer=body, offset=stream.tell())


_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def _read_checked(path: Path, file: _File) -> bytearray:
    """The file's bytes. Its size is compared before memory is taken, its digest before use."""
    try:
        with path.open("rb", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size != file.size:
                raise SnapshotError(f"{path}: {size} bytes, {file.size} were written")
            body = bytearray(size)
            _fill(stream, body)
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror}") from None
    if sha256(body).hexdigest() != file.sha256:
        raise SnapshotError(f"{path}: its bytes are not those that were written (SHA-256 differs)")
    return body


def _fill(stream: io.FileIO, body: bytearray) -> None:
    """One read of the system gives at most 2 GiB; a file cut meanwhile is left to the digest."""
    view, done = memoryview(body), 0
    while done < len(body) and (count := stream.readinto(view[done:])):
        done += count


def _read_manifest(home: Path) -> _Manifest:
    path = home / MANIFEST
    try:
        body = path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror}") from None
    if home.name.split("-")[1] != _digest(body):
        raise SnapshotError(f"{path}: its bytes are not those that were written (digest differs)")
    try:
        manifest = msgspec.json.decode(body, type=_Manifest)
    except msgspec.DecodeError as error:
        raise SnapshotError(f"{path}: {error}") from None
    if manifest.version != VERSION:
        raise SnapshotError(f"{path}: written by version {manifest.version}, this reads {VERSION}")
    for file in manifest.files:
        if not (_NAME.fullmatch(file.group) and _NAME.fullmatch(file.name)):
            raise SnapshotError(f"{path}: {file.group}/{file.name} is no name of an array")
    return manifest


# ---------------------------------------------------------------- the folder


def _published(folder: Path) -> list[str]:
    return [line for line in _lines(folder) if _ID.fullmatch(line)]


def _lines(folder: Path) -> list[str]:
    path = folder / CURRENT
    return path.read_bytes().decode("ascii", "replace").split("\n") if path.is_file() else []


def _problems_of_current(folder: Path) -> Iterator[str]:
    """Earlier ones may have been pruned; only the first line must name what exists."""
    first = next(iter(_lines(folder)), None)
    if first is not None and not (_ID.fullmatch(first) and (folder / first).is_dir()):
        yield f"{folder / CURRENT}: {first!r} is no snapshot of this folder"


def _next_number(folder: Path) -> int:
    taken = (re.match(r"(\d{6})-", path.name) for path in folder.iterdir())
    return 1 + max((int(match[1]) for match in taken if match), default=0)


def _digest(manifest: bytes) -> str:
    return sha256(manifest).hexdigest()[:32]


def _write_synced(path: Path, body: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
