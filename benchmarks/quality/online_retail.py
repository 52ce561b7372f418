"""UCI Online Retail: purchases of known customers, the last 28 days from what went before.

Source: D. Chen, UCI Machine Learning Repository, https://doi.org/10.24432/C5BW33 (CC BY 4.0).
"""

from __future__ import annotations

from typing import Any

from equipoise.data import Interactions
from equipoise.evaluation import evaluate
from equipoise.intake.data_sets import locate, online_retail
from equipoise.recommenders import EASE, Content, ImplicitALS, ItemKNN, Popularity
from equipoise.types import Event, Item


def rows(threads: int) -> list[dict[str, Any]]:
    """One row a recommender and question."""
    nouns = list(online_retail(locate("online-retail")))
    items = [noun for noun in nouns if isinstance(noun, Item)]
    events = [noun for noun in nouns if isinstance(noun, Event) and noun.user_id]
    bought = [event for event in events if event.event == "purchase"]
    train, test = Interactions.from_events(bought).split_temporal(last_days=28)
    judged = {
        "popularity": Popularity(),
        "popularity, half-life 30 days": Popularity(half_life_days=30),
        "item_knn": ItemKNN(threads=threads),
        "item_knn tfidf": ItemKNN(weighting="tfidf", threads=threads),
        "als": ImplicitALS(threads=threads),
        "ease": EASE(threads=threads),
        "content": Content(),
    }
    answers = []
    for repeats, question in ((False, "new to them"), (True, "next")):
        table = evaluate(
            train, test, judged, n=(10, 20), repeats=repeats, items=items, confidence=0.95
        )
        answers += [{"question": question} | row for row in table.to_dicts()]
    return answers
