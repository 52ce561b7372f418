"""Sessions of clicks, and the prefixes that are tested: SR-GNN's files, as text.

Wu et al., "Session-based Recommendation with Graph Neural Networks", AAAI 2019.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from equipoise.data.interactions import Interactions
from equipoise.data.readers.lines import lines, one, refuse
from equipoise.errors import InvalidInteractions


class Prefixes(NamedTuple):
    """What is tested: after each prefix, its next click. One row a prefix."""

    histories: list[list[int]]
    """Items, newest last; repeats as they were clicked."""
    targets: list[int]
    sessions: list[int]
    """Session of each row: rows of one session depend on one another."""


def sessions(path: str | Path) -> Interactions:
    """``item item …``, one session a line, newest last. A session's id is the number of its line,
    from 1. Without times: the order of lines and of their items stands for it.
    """
    users: list[int] = []
    items: list[int] = []
    for line, fields in lines(path):
        users.extend([line] * len(fields))
        items.extend(one(path, line, field, int) for field in fields)
    return Interactions.from_columns(users, items)


def prefixes(path: str | Path) -> Prefixes:
    """``item item … ⇥ target``, or ``session ⇥ item item … ⇥ target ⇥ time``.

    Without sessions in the file, a row belongs to that of the row before if it is that row's prefix
    cut by one click, as SR-GNN writes them, longest first; sessions then count from 0.
    """
    found = Prefixes([], [], [])
    own: list[int] = []
    for line, fields in lines(path, "\t"):
        if len(fields) not in (2, 4):
            refuse(
                path,
                line,
                f"holds {len(fields)} fields; two are wanted (prefix, target), or four (session,"
                " prefix, target, time)",
            )
        if len(fields) == 4:
            own.append(one(path, line, fields[0], int))
            fields = fields[1:]
        found.histories.append([one(path, line, item, int) for item in fields[0].split()])
        found.targets.append(one(path, line, fields[1], int))
        if len(own) not in (0, len(found.targets)):
            which = ("a", "none") if len(fields) == 3 else ("no", "one")
            refuse(path, line, f"has {which[0]} session, but lines before it have {which[1]}")
    if not found.targets:
        raise InvalidInteractions(f"{Path(path).name} holds no prefixes", code="empty")
    return found._replace(sessions=own or _sessions(found))


def _sessions(found: Prefixes) -> list[int]:
    numbers, before = [-1], list[int]()
    for prefix, target in zip(found.histories, found.targets, strict=True):
        numbers.append(numbers[-1] + ([*prefix, target] != before))
        before = prefix
    return numbers[1:]
