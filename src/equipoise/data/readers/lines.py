"""Lines of a text file, numbered from 1, and what is said of one that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from equipoise.errors import InvalidInteractions

Number = TypeVar("Number", int, float)
Numbered = list[tuple[int, list[str]]]


def lines(path: str | Path, separator: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of each line that is not empty; fields are split at any white space, or at
    ``separator``.
    """
    for number, line in enumerate(text(path).split("\n"), start=1):
        if line.strip():
            yield number, line.split(separator)


def text(path: str | Path) -> str:
    """The whole file, as UTF-8, a byte order mark taken off."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        refuse(path, line, f"holds bytes that are no UTF-8 text: {error.reason}")


def rows(path: str | Path, names: Sequence[str], separator: str | None = None) -> Numbered:
    """The lines, each of which has one field a name. A first line that is a head, starting with
    the first of ``names``, is passed over.
    """
    found = []
    for number, fields in lines(path, separator):
        if len(fields) != len(names):
            refuse(
                path,
                number,
                f"holds {len(fields)} fields; {len(names)} are wanted: {', '.join(names)}",
            )
        if number > 1 or fields[0] != names[0]:
            found.append((number, fields))
    if not found:
        raise InvalidInteractions(f"{Path(path).name} holds no rows", code="empty")
    return found


def column(
    path: str | Path, rows: Numbered, place: int, kind: Callable[[str], Number]
) -> list[Number]:
    """One field of each row as ``int`` or ``float``."""
    try:
        return [kind(fields[place]) for _, fields in rows]
    except ValueError:
        for number, fields in rows:
            one(path, number, fields[place], kind)
        raise


def one(path: str | Path, number: int, field: str, kind: Callable[[str], Number]) -> Number:
    """A field as ``int`` or ``float``."""
    try:
        return kind(field)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        refuse(path, number, f"holds {field.strip()!r}; {wanted} is wanted")


def refuse(path: str | Path, line: int, what: str) -> NoReturn:
    """Raises InvalidInteractions."""
    raise InvalidInteractions(
        f"line {line} of {Path(path).name} {what}", code="format", pointer=f"/{line}"
    )


def whole(ids: list[str]) -> list[Any]:
    """Integers if all of the ids are, else texts as they stand."""
    return list(map(int, ids)) if all(map(str.isdecimal, ids)) else ids
