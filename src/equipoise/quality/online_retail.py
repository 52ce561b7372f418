"""UCI Online Retail: the last 28 days of known customers from what went before.

Source: D. Chen, UCI Machine Learning Repository, https://doi.org/10.24432/C5BW33 (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from equipoise.data import Interactions
from equipoise.evaluation import PersonalFrequency, evaluate
from equipoise.intake.data_sets import locate, online_retail
from equipoise.quality.study import Row, Study
from equipoise.recommenders import EASE, Content, ImplicitALS, ItemKNN, Popularity, Recommender
from equipoise.recommenders.next_basket import NextBasket
from equipoise.types import Event, Item


class Parts(NamedTuple):
    train: Interactions
    test: Interactions
    items: list[Item]


def load() -> Parts:
    nouns = list(online_retail(locate("online-retail")))
    items = [noun for noun in nouns if isinstance(noun, Item)]
    bought = [
        noun
        for noun in nouns
        if isinstance(noun, Event) and noun.user_id and noun.event == "purchase"
    ]
    return Parts(*Interactions.from_events(bought).split_temporal(last_days=28), items)


def measure(parts: Parts, model: Any) -> Mapping[str, float]:
    """nDCG at 10 of what is new to the customer, and of what comes next, known or not."""
    figures = {}
    for question, repeats in (("new", False), ("next", True)):
        ours = isinstance(model, Recommender)
        table = evaluate(
            parts.train,
            parts.test,
            {"it": model},
            n=(10,),
            repeats=repeats,
            items=parts.items if ours else None,
            baselines=[],
        )
        figures[f"ndcg@10 {question}"] = table.to_dicts()[0]["ndcg@10"]
    return figures


STUDY = Study(
    name="online-retail",
    protocol=(
        "UCI Online Retail, purchases of known customers, the last 28 days from what went before;"
        " nDCG@10 of what is new to the customer, and of what comes next, known or not. Nobody"
        " published this cut; a wholesaler's customers buy the same again, so that their own most"
        " bought is the line to beat."
    ),
    metrics=("ndcg@10 new", "ndcg@10 next"),
    lower_is_better=False,
    load=load,
    measure=measure,
    rows=(
        Row("Personal frequency", PersonalFrequency),
        Row("Popularity", Popularity),
        Row("Popularity, half-life 30 days", lambda: Popularity(half_life_days=30)),
        Row("ItemKNN", ItemKNN),
        Row("ItemKNN, TF-IDF", lambda: ItemKNN(weighting="tfidf")),
        Row("ImplicitALS", lambda: ImplicitALS(random_state=0)),
        Row("EASE", EASE),
        Row("Content", Content),
        Row("NextBasket", NextBasket, note="Settings from the 28 days before."),
    ),
)
