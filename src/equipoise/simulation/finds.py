"""How long a newcomer that deserves it waits until greedy would show it: what exploring is for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import expit

from equipoise.engine import Engine
from equipoise.ranking.value import Worth
from equipoise.simulation.client import Body, InProcess
from equipoise.simulation.shop import Shop
from equipoise.simulation.shoppers import BASE_CART, BASE_CLICK, Shoppers
from equipoise.types import Floats, Query

GREEDY_LIST = "greedy_list"
"""Placement whose list tells what greedy would show a stranger now."""
EVERY = 50
"""Lists between two looks at it: as exact as a wait is."""


class Watched(InProcess):
    """A shopfront that looks at greedy's list now and then, without showing it to anybody."""

    def __init__(self, engine: Engine, n: int) -> None:
        super().__init__(engine)
        self.n, self.lists = n, 0
        self.first_seen: dict[str, int] = {}
        """Item → lists that had been shown when greedy would first have shown it."""

    def recommend(self, query: Body) -> Body:
        answer = super().recommend(query)
        self.lists += 1
        if self.lists % EVERY == 0:
            best = self.engine.recommend(Query(placement=GREEDY_LIST, n=self.n))
            for slot in best.slots:
                self.first_seen.setdefault(slot.item_id, self.lists)
        return answer


def true_worth(shop: Shop, seed: int, ms: float) -> Floats:
    """(items,) expected worth of a look at this time, by a shopper who prefers nothing."""
    worth = Worth()
    cart = expit(BASE_CART + shop.conversion)
    further = worth.add_to_cart + Shoppers(shop, seed).purchase() * worth.purchase
    return np.asarray(expit(BASE_CLICK + shop.appeal(ms)) * (worth.click + cart * further))


def best_sellers(shop: Shop, seed: int, n: int, *, until: float) -> list[int]:
    """Items launched before ``until`` that are among the n best of the shop when they come."""
    found = []
    for item in np.flatnonzero((shop.labels.launch > 0) & (shop.labels.launch < until)).tolist():
        ms = float(shop.labels.launch[item])
        worth = np.where(shop.launched(ms), true_worth(shop, seed, ms), -np.inf)
        if int((worth > worth[item]).sum()) < n:
            found.append(item)
    return found


def waits(
    shop: Shop, items: list[int], first_seen: Mapping[str, int], curve: Mapping[str, Floats]
) -> tuple[float | None, ...]:
    """Lists from each item's launch until greedy would show it; None for those it never would."""
    lists = np.concatenate([[0.0], curve["lists"]])
    launched = np.interp(shop.labels.launch[items], np.concatenate([[0.0], curve["ms"]]), lists)
    seen = [first_seen.get(shop.ids[item]) for item in items]
    return tuple(
        None if at is None else max(0.0, at - float(since))
        for at, since in zip(seen, launched, strict=True)
    )
