"""Formats without values or times; the order of the file stands for time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from equipoise.data.interactions import Interactions
from equipoise.data.negatives import Negatives
from equipoise.data.readers.lines import lines, one, refuse, rows, text, whole
from equipoise.errors import InvalidInteractions

HEAD = ["org_id", "remap_id"]
"""Of the id lists."""


def adjacency(path: str | Path) -> Interactions:
    """``user item item …``, one user a line (LightGCN, NGCF, KGAT; S3-Rec's sequences, newest
    last).

    A user without items is passed over. Ids are integers if all of them are, else texts.
    """
    users: list[str] = []
    items: list[str] = []
    for _, fields in lines(path):
        users.extend(fields[:1] * (len(fields) - 1))
        items.extend(fields[1:])
    return _interactions(path, users, items)


def pairs(path: str | Path) -> Interactions:
    """``user item``, one interaction a line, in time order for each user (SASRec, BERT4Rec).

    Ids are integers if all of them are, else texts.
    """
    users: list[str] = []
    items: list[str] = []
    for line, fields in lines(path):
        if len(fields) != 2:
            refuse(path, line, f"holds {len(fields)} fields; two are wanted: user and item")
        users.append(fields[0])
        items.append(fields[1])
    return _interactions(path, users, items)


def negatives(path: str | Path) -> Negatives:
    """``user item item …`` as lists to rank a test item among (S3-Rec's ``*_sample.txt``)."""
    found: Negatives = {}
    for line, fields in lines(path):
        user, *items = (one(path, line, field, int) for field in fields)
        if user in found:
            refuse(path, line, f"gives user {user} a second list")
        found[user] = items
    return found


def id_list(path: str | Path) -> dict[int, str]:
    """``org_id remap_id``, under a head: the original id by the number that the other files use
    (LightGCN, NGCF; KGAT, whose third column is passed over).
    """
    names = next(lines(path), (1, HEAD))[1]
    if names[:2] != HEAD:
        refuse(path, 1, f"is {' '.join(names)!r}; the head {' '.join(HEAD)!r} is wanted")
    return {one(path, line, fields[1], int): fields[0] for line, fields in rows(path, names)}


def attributes(path: str | Path) -> dict[int, list[int]]:
    """S3-Rec's ``*_item2attributes.json``: item id → attribute ids, each once, as they come."""
    try:
        table: Any = json.loads(text(path))
    except json.JSONDecodeError as error:
        refuse(path, error.lineno, f"is no JSON: {error.msg}")
    try:
        return {int(item): list(dict.fromkeys(map(int, ids))) for item, ids in table.items()}
    except (AttributeError, TypeError, ValueError) as error:
        refuse(path, 1, f'does not read {{"item": [attribute, …]}}, all of them numbers: {error}')


def _interactions(path: str | Path, users: list[str], items: list[str]) -> Interactions:
    if not items:
        raise InvalidInteractions(f"{Path(path).name} holds no interactions", code="empty")
    return Interactions.from_columns(whole(users), whole(items))
