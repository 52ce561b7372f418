"""Candidates for protocols that rank a test item among a few others instead of among all."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from equipoise.data.interactions import Interactions
from equipoise.errors import InvalidInteractions
from equipoise.randomness import RandomState, generator

Negatives = dict[Hashable, list[Any]]
"""User id → item ids."""


def sample_negatives(
    train: Interactions,
    test: Interactions,
    n: int = 99,
    *,
    by_popularity: bool = False,
    random_state: RandomState = None,
) -> Negatives:
    """For each user with a test row, ``n`` different items that the user met in neither part.

    Uniform, as He et al., WWW 2017; ``by_popularity``: in proportion to the rows of training, as
    BERT4Rec (Sun et al., CIKM 2019). A user who met nearly all gets those that are left. Such
    figures are not those of the full catalogue, and may even turn the order of methods (Krichene,
    Rendle, KDD 2020). The parts must be of one table (codes that mean the same). Cost: an array of
    items a test user.

    Raises:
        InvalidInteractions: ``n`` below 1, or parts of unlike tables.
    """
    if n < 1:
        raise InvalidInteractions(f"n is {n}; at least 1 negative is wanted", pointer="/n")
    if not _one_table(train, test):
        raise InvalidInteractions(
            "negatives are drawn for two parts of one table; these have other ids", pointer="/test"
        )
    rng = generator(random_state, "sample_negatives")
    chance = np.ones(train.n_items)
    if by_popularity:
        chance = np.bincount(train.item, minlength=train.n_items).astype(float)
    users, items = (
        np.concatenate(parts) for parts in ((train.user, test.user), (train.item, test.item))
    )
    order = np.argsort(users, kind="stable")
    starts = np.searchsorted(users[order], np.arange(train.n_users + 1))
    drawn: Negatives = {}
    for user in np.unique(test.user):
        # The largest of log(u) / w are a draw without replacement (Efraimidis, Spirakis, 2006).
        with np.errstate(divide="ignore"):
            keys = np.log(rng.random(train.n_items)) / chance
        keys[items[order[starts[user] : starts[user + 1]]]] = -np.inf
        best = np.argsort(-keys, kind="stable")[:n]
        drawn[test.user_ids[user]] = train.item_ids[best[np.isfinite(keys[best])]].tolist()
    return drawn


def _one_table(train: Interactions, test: Interactions) -> bool:
    return np.array_equal(train.user_ids, test.user_ids) and np.array_equal(
        train.item_ids, test.item_ids
    )
