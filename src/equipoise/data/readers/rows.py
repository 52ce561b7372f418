"""Formats of a row an interaction, with values or times beside the ids."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from equipoise.data.interactions import Interactions
from equipoise.data.readers.lines import Numbered, column, rows
from equipoise.data.weights import WEIGHTS
from equipoise.errors import InvalidInteractions

BEHAVIOURS: Mapping[str, str] = {"view": "view_item", "cart": "add_to_cart", "buy": "purchase"}
"""File of the RetailRocket matrices → event."""


def ratings(path: str | Path, separator: str = "\t") -> Interactions:
    """``user item rating seconds`` without a head: MovieLens 100K's ``u.data`` and its folds, NCF's
    ``*.rating``; with ``separator="::"`` the ``ratings.dat`` of MovieLens 1M and 10M.
    """
    return _rated(path, rows(path, ("user", "item", "rating", "time"), separator))


def movielens(path: str | Path) -> Interactions:
    """``userId,movieId,rating,timestamp`` under a head: ``ratings.csv`` of MovieLens since 20M."""
    return _rated(path, rows(path, ("userId", "movieId", "rating", "timestamp"), ","))


def plays(path: str | Path) -> Interactions:
    """``userID artistID weight``, with a head or without: how often somebody listened
    (``user_artists.dat``). Counts have a long tail: take ``np.log1p`` of them.
    """
    found = rows(path, ("userID", "artistID", "weight"))
    users, items = column(path, found, 0, int), column(path, found, 1, int)
    return Interactions.from_columns(users, items, column(path, found, 2, float))


def friends(path: str | Path, interactions: Interactions) -> csr_matrix:
    """``userID friendID``, with a head or without (``user_friends.dat``): (users, users) 1 where
    the user of the row named the other, by the codes of ``interactions``; friends without a row
    there are left out. HetRec holds each friendship in both directions.
    """
    found = rows(path, ("userID", "friendID"))
    code = {id_: place for place, id_ in enumerate(interactions.user_ids.tolist())}
    named = zip(column(path, found, 0, int), column(path, found, 1, int), strict=True)
    known = [(code[one], code[other]) for one, other in named if one in code and other in code]
    ends = np.array(known, np.int32).reshape(-1, 2)
    shape = (interactions.n_users, interactions.n_users)
    matrix = csr_matrix((np.ones(len(ends), np.float32), (ends[:, 0], ends[:, 1])), shape=shape)
    matrix.data[:] = 1.0
    return matrix


def behaviours(
    folder: Path, weights: Mapping[str, float] = WEIGHTS
) -> tuple[Interactions, Interactions]:
    """(train, test) of ``train_mat_{view,cart,buy}.tsv`` and ``test_mat.tsv``, ``user item
    seconds`` each.

    A training row counts what ``weights`` says of view_item, add_to_cart and purchase: 0 (or no
    word of it) leaves a behaviour out. The test rows are one purchase a user, without a time; both
    parts keep their own ids.
    """
    left = {name: weights.get(event, 0.0) for name, event in BEHAVIOURS.items()}
    tables = [
        (np.array(_columns(folder / f"train_mat_{name}.tsv")), weight)
        for name, weight in left.items()
        if weight
    ]
    if not tables:
        raise InvalidInteractions(
            f"no behaviour is left: weights name none of {', '.join(BEHAVIOURS.values())}",
            code="empty",
        )
    users, items, times = np.concatenate([table for table, _ in tables], axis=1)
    values = np.concatenate([np.full(table.shape[1], weight) for table, weight in tables])
    train = Interactions.from_columns(users, items, values, times * 1_000)
    return train, Interactions.from_columns(*_columns(folder / "test_mat.tsv")[:2])


def _columns(path: Path) -> tuple[list[int], list[int], list[int]]:
    found = rows(path, ("user", "item", "time"))
    users, items, times = (column(path, found, place, int) for place in range(3))
    return users, items, times


def _rated(path: str | Path, found: Numbered) -> Interactions:
    """Rows of user, item, rating and seconds."""
    users, items = column(path, found, 0, int), column(path, found, 1, int)
    seconds = np.array(column(path, found, 3, int), np.int64)
    return Interactions.from_columns(users, items, column(path, found, 2, float), seconds * 1_000)
