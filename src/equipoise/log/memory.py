"""A log that lives as long as its process: for a shop's own tests, and for the simulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock

from msgspec.structs import replace

from equipoise.errors import LogError
from equipoise.log.rows import kept, marks, settle
from equipoise.types import Kind, Milliseconds, Receipt, Record, Rejected, Stored


class MemoryLog:
    """The ``Log`` protocol over a list: same laws as ``SQLiteLog``, no durability.

    Appending costs O(1) a record, ``find`` O(1), ``of_shopper`` O(the whole log). Safe from any
    thread.
    """

    def __init__(self) -> None:
        self._records: list[Stored] = []
        self._ids: dict[bytes, int] = {}
        self._newest: dict[tuple[str, str], Stored] = {}
        self._rejected: dict[int, Rejected] = {}
        self._rejections = 0
        self._lock = Lock()
        self._closed = False

    def append(self, records: Sequence[Record]) -> list[Receipt]:
        """As ``Log.append``. Raises InvalidInput for a record that no log could hold."""
        checked = marks(records)
        with self._lock:
            self._open()
            receipts = settle(checked, self._ids, self.last)
            for receipt, record in zip(receipts, records, strict=True):
                if not receipt.duplicate:
                    self._keep(kept(receipt.seq, record))
        return receipts

    def _keep(self, stored: Stored) -> None:
        self._records.append(stored)
        self._newest[stored.record.kind, stored.record.key] = stored

    def read(self, after: int = 0, *, kinds: Iterable[Kind] = ()) -> Iterator[Stored]:
        """As ``Log.read``; what is appended meanwhile is read too."""
        wanted = frozenset(kinds)
        place = max(after, 0)
        while place < len(self._open()):
            stored = self._records[place]
            place += 1
            if not wanted or stored.record.kind in wanted:
                yield stored

    def find(self, kind: Kind, key: str) -> Stored | None:
        self._open()
        return self._newest.get((kind, key))

    def of_shopper(self, shopper: str) -> Iterator[Stored]:
        return (stored for stored in self.read() if stored.record.shopper == shopper)

    @property
    def last(self) -> int:
        return len(self._records)

    def reject(self, rejected: Sequence[Rejected]) -> None:
        """Keep dead letters; each is given the next ``rejected_id``."""
        with self._lock:
            self._open()
            for letter in rejected:
                self._rejections += 1
                named = replace(letter, rejected_id=self._rejections)
                self._rejected[self._rejections] = named

    def rejected(self, after: int = 0, limit: int = 100) -> list[Rejected]:
        """Dead letters with ``rejected_id > after``, oldest first, at most ``limit``."""
        self._open()
        return [letter for number, letter in self._rejected.items() if number > after][:limit]

    def forget_rejected(self, ids: Iterable[int]) -> None:
        """Drop dead letters; an unknown id is no error."""
        self._open()
        for number in ids:
            self._rejected.pop(number, None)

    def seal(self, before: Milliseconds) -> list[Path]:
        """Nothing to do: memory has no files."""
        self._open()
        return []

    def check(self) -> list[str]:
        """Nothing to find: there are no stored bytes that could have changed."""
        self._open()
        return []

    def close(self) -> None:
        self._closed = True

    def __enter__(self) -> MemoryLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self) -> list[Stored]:
        if self._closed:
            raise LogError("this log is closed: open another")
        return self._records
