"""RetailRocket's buyers: what they viewed, put into the cart and bought, each alone and together.

Raw data: RetailRocket recommender system dataset, Kaggle 2017, in the matrices that papers on
several behaviours use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.data import Interactions, readers
from equipoise.evaluation import metrics
from equipoise.intake.data_sets import locate
from equipoise.quality.study import Row, Study
from equipoise.recommenders import ImplicitALS, Popularity, Recommender, UserKNN
from equipoise.types import Floats32

LISTED = 10
CODES: Mapping[str, float] = {"view_item": 1, "add_to_cart": 2, "purchase": 3}
"""How a row of ``Parts.met`` tells what happened."""


class Counts(NamedTuple):
    """What a row of each behaviour counts; 0: it is not there."""

    view: float = 0.0
    cart: float = 0.0
    buy: float = 0.0


@dataclass(frozen=True)
class Weighted:
    """A recommender, and what a behaviour counts in its training and in the histories it reads."""

    recommender: Recommender
    counts: Counts


class Parts(NamedTuple):
    met: Interactions
    """All rows of all behaviours, their values ``CODES``."""
    targets: NDArray[np.int64]
    """(users of ``met``,) the code of the purchase to find; −1 where it is no item of ``met``."""
    asked: NDArray[np.int64]
    """Users of ``met`` who have one."""


def load() -> Parts:
    met, test = readers.behaviours(locate("retailrocket-mb"), CODES)
    code = {id_: place for place, id_ in enumerate(met.item_ids.tolist())}
    bought = dict(zip(test.user_ids[test.user], test.item_ids[test.item], strict=True))
    users = met.user_ids.tolist()
    targets = np.array([code.get(bought.get(user), -1) for user in users], np.int64)
    return Parts(met, targets, np.flatnonzero([user in bought for user in users]))


def weighed(met: Interactions, counts: Counts) -> Interactions:
    """One row a pair met in a way that counts, its value that of the way that counts most."""
    value: Floats32 = np.array([0.0, *counts], np.float32)[met.value.astype(int)]
    pair = met.user.astype(np.int64) * met.n_items + met.item
    order = np.lexsort((value, pair))
    strongest = np.zeros(len(met), np.bool_)
    strongest[order[np.diff(pair[order], append=-1) != 0]] = True
    return replace(met, value=value).take(strongest & (value > 0))


def measure(parts: Parts, weighted: Weighted) -> Mapping[str, float]:
    """HR and nDCG at 10 of the purchase, among all items but those the buyer met in any way."""
    train = weighed(parts.met, weighted.counts)
    model, rows = weighted.recommender.fit(train), train.matrix()
    met = parts.met.matrix()
    hits = np.zeros((len(parts.asked), LISTED), np.bool_)
    for hit, user in zip(hits, parts.asked, strict=True):
        history, allowed = rows[user], np.ones(parts.met.n_items, np.bool_)
        allowed[met[user].indices] = False
        best, _ = model.top_codes(history.indices, history.data, allowed, LISTED)
        hit[: len(best)] = best == parts.targets[user]
    ndcg = metrics.ndcg(hits, np.ones(len(hits), np.int64), LISTED)
    return {"hr@10": float(hits.any(axis=1).mean()), "ndcg@10": float(ndcg.mean())}


def neighbours(counts: Counts) -> Weighted:
    return Weighted(UserKNN(k=50, weighting="tfidf", weighted_votes=True, use_values=True), counts)


CHOSEN = "Weights and method by each buyer's last purchase in the training part."
STUDY = Study(
    name="retailrocket-mb",
    protocol=(
        "RetailRocket, 2,174 buyers: one purchase of each, whose pair stands in no training row,"
        " among all 29,905 items met in training but those the buyer met in any way; HR@10 and"
        " nDCG@10. 211 of the purchases are of other items, and missed. Nobody published this cut:"
        " the question is whether views, carts and purchases together, and weighted, say more than"
        " each alone. A pair counts as its strongest behaviour."
    ),
    metrics=("hr@10", "ndcg@10"),
    lower_is_better=False,
    load=load,
    measure=measure,
    rows=(
        Row("Popularity, all alike", lambda: Weighted(Popularity(), Counts(1, 1, 1))),
        Row("UserKNN, views alone", lambda: neighbours(Counts(view=1))),
        Row("UserKNN, carts alone", lambda: neighbours(Counts(cart=1))),
        Row("UserKNN, purchases alone", lambda: neighbours(Counts(buy=1))),
        Row("UserKNN, all alike", lambda: neighbours(Counts(1, 1, 1))),
        Row("UserKNN, weighted 1 : 2 : 3", lambda: neighbours(Counts(1, 2, 3)), note=CHOSEN),
        Row(
            "ImplicitALS, all alike",
            lambda: Weighted(ImplicitALS(factors=128, random_state=0), Counts(1, 1, 1)),
        ),
    ),
)
