"""Whole answers: ``recommend(history, 20)`` of fitted models over 100,000 items."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from equipoise.data import Interactions
from equipoise.randomness import derive
from equipoise.recommenders import EASE, ImplicitALS, ItemKNN
from equipoise.recommenders.base import Recommender

USERS, ITEMS, TASTES, OWN, HISTORY = 60_000, 100_000, 400, 4, 40
"""A log of some 2.4 million rows: users of four tastes, items of one, known by a power law."""
ASKED = 300


def methods() -> Mapping[str, Recommender]:
    return {
        "item_knn, k 100": ItemKNN(k=100),
        "ease, neighbours 100": EASE(neighbours=100),
        "als, 64 factors": ImplicitALS(factors=64, epochs=4),
    }


def rows(quick: bool) -> list[dict[str, Any]]:
    """One row a method: milliseconds a list, alone and in a batch."""
    log = generated(ITEMS // 10 if quick else ITEMS)
    histories = log.histories(unique=True)[:ASKED]
    return [_timed(name, model, log, histories) for name, model in methods().items()]


def generated(items: int) -> Interactions:
    """The log; depends on ``items`` only."""
    rng = derive(0, "benchmarks.latency.log", str(items))
    shelf = items // TASTES
    lengths = np.maximum(3, rng.lognormal(np.log(HISTORY), 0.8, USERS * items // ITEMS).astype(int))
    user = np.repeat(np.arange(len(lengths)), lengths)
    tastes = rng.integers(0, TASTES, (len(lengths), OWN))
    taste = tastes[user, rng.integers(0, OWN, len(user))]
    rank = (shelf * rng.random(len(user)) ** 2.5).astype(int)
    return Interactions.from_columns(user, taste * shelf + rank)


def _timed(
    name: str, model: Recommender, log: Interactions, histories: list[Any]
) -> dict[str, Any]:
    start = time.perf_counter()
    model.fit(log)
    fitted = time.perf_counter() - start
    model.recommend_batch(histories[:3])
    wall, busy = [], []
    for history in histories:
        start, worked = time.perf_counter(), time.thread_time()
        model.recommend(history)
        busy.append(time.thread_time() - worked)
        wall.append(time.perf_counter() - start)
    start = time.thread_time()
    model.recommend_batch(histories)
    batch = (time.thread_time() - start) / len(histories)
    row: dict[str, Any] = {"recommender": name, "items": len(log.item_ids), "fit_s": round(fitted)}
    for kind, seconds in (("wall", wall), ("cpu", busy)):
        for share in (50, 99):
            row[f"{kind}_p{share}"] = round(float(np.percentile(seconds, share)) * 1e3, 3)
    return row | {"cpu_in_batch": round(batch * 1e3, 3)}
