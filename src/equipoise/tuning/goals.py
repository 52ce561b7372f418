"""What a trial is judged by: one number, from one fit on one cut of the training part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation import evaluate, evaluate_ratings
from equipoise.recommenders.base import Recommender
from equipoise.recommenders.rating import RatingRecommender
from equipoise.types import Item

OF_LISTS = ("ndcg", "recall", "hit_rate", "precision", "map")
"""With a length: ``ndcg@10``."""
OF_RATINGS = ("rmse", "mae")


@dataclass(frozen=True)
class Goal:
    """A metric by its name: ``ndcg@10``, ``recall@20``, ``mrr@10``; ``rmse``, ``mae`` of ratings.

    ``repeats`` lets lists hold what the user knows, and counts it.
    """

    metric: str = "ndcg@10"
    repeats: bool = False

    def __post_init__(self) -> None:
        name, _, length = self.metric.partition("@")
        listed = name in (*OF_LISTS, "mrr") and length.isdecimal() and int(length) > 0
        if not listed and self.metric not in OF_RATINGS:
            raise InvalidInput(
                f"metric {self.metric!r}: one of {', '.join((*OF_LISTS, 'mrr'))} with a length, as"
                f" in ndcg@10, or {' or '.join(OF_RATINGS)} is wanted",
                pointer="/metric",
            )

    @property
    def lower_is_better(self) -> bool:
        return self.metric in OF_RATINGS

    def better(self, left: float, right: float) -> bool:
        return left < right if self.lower_is_better else left > right

    def measure(
        self,
        model: Recommender,
        train: Interactions,
        test: Interactions,
        items: Sequence[Item] | None = None,
    ) -> float:
        """Fit ``model`` on ``train`` and judge it on ``test``.

        Raises InvalidInput where ratings are to be judged and the method predicts none.
        """
        if self.lower_is_better:
            return self._error(model, train, test, items)
        name, _, length = self.metric.partition("@")
        table = evaluate(
            train, test, [model], n=(int(length),), repeats=self.repeats, items=items,
            strangers=False, baselines=[], beyond_accuracy=name in ("precision", "map"),
        )  # fmt: skip
        (row,) = table.to_dicts()
        return float(row[name if name == "mrr" else self.metric])

    def _error(
        self,
        model: Recommender,
        train: Interactions,
        test: Interactions,
        items: Sequence[Item] | None,
    ) -> float:
        if not isinstance(model, RatingRecommender):
            raise InvalidInput(
                f"{type(model).__name__} predicts no ratings, which {self.metric} is about;"
                " ndcg@10 judges its lists",
                pointer="/metric",
            )
        (row,) = evaluate_ratings(train, test, [model], items=items, baselines=[]).to_dicts()
        return float(row[self.metric])
