"""What every log of ours offers beyond the ``Log`` protocol: dead letters, sealing, checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from equipoise.interfaces import Log
from equipoise.types import Milliseconds, Rejected


class EventLog(Log, Protocol):
    """``MemoryLog`` and ``SQLiteLog``, as the engine and the faces see them."""

    def reject(self, rejected: Sequence[Rejected]) -> None:
        """Keep dead letters; each is given the next ``rejected_id``."""

    def rejected(self, after: int = 0, limit: int = 100) -> list[Rejected]:
        """Dead letters with ``rejected_id > after``, oldest first, at most ``limit``."""

    def forget_rejected(self, ids: Iterable[int]) -> None:
        """Drop dead letters; an unknown id is no error."""

    def seal(self, before: Milliseconds) -> list[Path]:
        """Move whole UTC days that ended by ``before`` out of the database; the files written."""

    def check(self) -> list[str]:
        """Problems in words; none if all is well."""

    def close(self) -> None: ...
