"""A disk that fails when told to."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest

from equipoise.log import database


class Disk(apsw.VFS):
    """Stands between SQLite and the system; ``fault`` is asked before each write and sync.

    ``fault(what, name)`` with what = ``write`` or ``sync``; it raises what the disk would say.
    """

    def __init__(self) -> None:
        super().__init__("failing-disk", "cksmvfs", makedefault=True)
        self.fault = lambda what, name: None

    def xOpen(self, name, flags):
        return File(self, name, flags)


class File(apsw.VFSFile):
    def __init__(self, disk: Disk, name, flags) -> None:
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        self._name = path.rsplit("/", 1)[-1]
        super().__init__("cksmvfs", name, flags)

    def xWrite(self, data, offset):
        self._disk.fault("write", self._name)
        return super().xWrite(data, offset)

    def xSync(self, flags):
        # Not passed on: no test here cuts the power, and a real fsync takes its time.
        self._disk.fault("sync", self._name)


@pytest.fixture
def disk() -> Iterator[Disk]:
    database.load_checksums()
    failing = Disk()
    yield failing
    failing.unregister()
