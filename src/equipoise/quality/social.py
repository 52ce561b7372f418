"""HetRec 2011 Last.fm: do friends help?

Source: Cantador, Brusilovsky, Kuflik, 2nd Workshop on Information Heterogeneity and Fusion in
Recommender Systems, RecSys 2011.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from equipoise.data import Interactions, readers
from equipoise.evaluation import metrics
from equipoise.evaluation.protocol import listed
from equipoise.evaluation.task import Task
from equipoise.intake.data_sets import locate
from equipoise.quality.study import Row, Study
from equipoise.randomness import derive
from equipoise.recommenders import Popularity, Social, UserKNN

LISTED, HELD = 10, 0.2


class Parts(NamedTuple):
    train: Interactions
    task: Task
    links: list[tuple[int, int]]
    """Ids of a user and of a friend."""


def load() -> Parts:
    folder = locate("lastfm-hetrec")
    plays = readers.plays(folder / "ratings.txt")
    held = derive(0, "quality.social").random(len(plays)) < HELD
    train, test = plays.take(~held), plays.take(held)
    rows, columns = readers.friends(folder / "trusts.txt", train).nonzero()
    ids = train.user_ids
    links = list(zip(ids[rows].tolist(), ids[columns].tolist(), strict=True))
    return Parts(train, Task.of(train, test, repeats=False, strangers=False), links)


def measure(parts: Parts, model: Any) -> Mapping[str, float]:
    """Recall and nDCG at 10 of artists not listened to before; ``Social`` is told the links."""
    task = parts.task
    if isinstance(model, Social):
        model.fit(parts.train, friends=parts.links)
        ids = np.full((len(task.users), LISTED), None, object)
        for row, user in zip(ids, task.users, strict=True):
            found, _ = model.recommend_for(user, LISTED)
            row[: len(found)] = found
        lists = task.codes(ids)
    else:
        lists, _ = listed(model.fit(parts.train), task, LISTED, repeats=False)
    hits = task.hits(lists)
    recall, ndcg = metrics.recall(hits, task.relevant), metrics.ndcg(hits, task.relevant)
    return {"recall@10": float(recall.mean()), "ndcg@10": float(ndcg.mean())}


STUDY = Study(
    name="lastfm-hetrec",
    protocol=(
        "Last.fm (HetRec 2011): a fifth of 92,834 listenings held out at random, artists not"
        " listened to before ranked among all; recall@10 and nDCG@10. 25,434 links of friends."
        " Nobody published this cut: the question is whether friends help."
    ),
    metrics=("recall@10", "ndcg@10"),
    lower_is_better=False,
    load=load,
    measure=measure,
    rows=(
        Row("Popularity", Popularity),
        Row("UserKNN", UserKNN),
        Row(
            "Social without its friends",
            lambda: Social(use_values=True, friend_weight=0.0, friend_boost=0.0),
        ),
        Row("Social", lambda: Social(use_values=True)),
    ),
)
