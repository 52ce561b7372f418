"""Research formats → Interactions. They have no times; row order stands for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from equipoise.data.interactions import Interactions
from equipoise.errors import InvalidInteractions


def adjacency(path: str | Path) -> Interactions:
    """``user item item …``, one user a line (LightGCN's Gowalla; S3-Rec's sequences, newest last).

    A user without items is passed over. Ids are integers if all of them are, else texts.
    """
    users: list[str] = []
    items: list[str] = []
    for fields in _fields(path):
        users.extend(fields[:1] * (len(fields) - 1))
        items.extend(fields[1:])
    return _interactions(path, users, items)


def pairs(path: str | Path) -> Interactions:
    """``user item``, one interaction a line, in time order for each user (SASRec, BERT4Rec).

    InvalidInteractions names the line, counted from 1, that holds more or less than two ids.
    """
    users: list[str] = []
    items: list[str] = []
    for line, fields in enumerate(_fields(path), start=1):
        if len(fields) == 0:
            continue
        if len(fields) != 2:
            raise InvalidInteractions(
                f"line {line} of {Path(path).name} holds {len(fields)} fields; two are wanted:"
                " user and item",
                code="format",
                pointer=f"/{line}",
            )
        users.append(fields[0])
        items.append(fields[1])
    return _interactions(path, users, items)


def _fields(path: str | Path) -> list[list[str]]:
    return [line.split() for line in Path(path).read_text(encoding="utf-8").splitlines()]


def _interactions(path: str | Path, users: list[str], items: list[str]) -> Interactions:
    if not items:
        raise InvalidInteractions(f"{Path(path).name} holds no interactions", code="empty")
    return Interactions.from_columns(_integers(users), _integers(items))


def _integers(ids: list[str]) -> list[Any]:
    return list(map(int, ids)) if all(map(str.isdecimal, ids)) else ids
