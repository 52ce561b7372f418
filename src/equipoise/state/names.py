"""Names ↔ codes: whole numbers from 0 in the order of first mention, which never change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


class Names:
    """A table of names."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names: list[str] = []
        self._codes: dict[str, int] = {}
        for name in names:
            self.intern(name)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, code: int) -> str:
        return self._names[code]

    @property
    def all(self) -> Sequence[str]:
        """The names by code: a view, not a copy."""
        return self._names

    def find(self, name: str) -> int | None:
        return self._codes.get(name)

    def intern(self, name: str) -> int:
        """The name's code; a new one if it has none."""
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = len(self._names)
            self._names.append(name)
        return code


class Paths(Names):
    """Names that are paths (``"Women/Shoes"``): a path's parents are interned before it."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._parents: list[int] = []
        super().__init__(names)

    @property
    def parents(self) -> list[int]:
        """The parent's code by code, always a smaller one; -1 at the top."""
        return self._parents

    def intern(self, name: str) -> int:
        code = self.find(name)
        if code is None:
            above = name.rpartition("/")[0]
            parent = self.intern(above) if above else -1
            code = super().intern(name)
            self._parents.append(parent)
        return code

    def top(self, code: int) -> int:
        """The code of the path's first level."""
        while self._parents[code] >= 0:
            code = self._parents[code]
        return code
