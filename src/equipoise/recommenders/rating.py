"""Recommenders that also say how somebody would rate an item: for stars, not for clicks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.errors import InvalidInput, NotFitted
from equipoise.recommenders.base import Recommender
from equipoise.types import Arrays, Floats32, Positions

UNKNOWN = -1
"""The code of a user or an item without a row in training."""


class RatingRecommender(Recommender):
    """Users and items with a rating for some of the pairs → a rating for any pair.

    Training users are known by their ids as long as the fitted object lives. ``arrays`` stores
    none of them: a model that was loaded answers histories, as all recommenders do, and predicts
    for nobody.
    """

    name: ClassVar[str]
    user_ids_: NDArray[np.object_]
    """(U,) the caller's ids; set by ``fit``, not stored."""
    scale_: Floats32
    """(2,) the lowest and the highest rating in training."""

    @abstractmethod
    def predict_codes(self, users: Positions, items: Positions) -> Floats32:
        """(n,) ratings of pairs, by codes; ``UNKNOWN`` where there was nothing to learn from.

        Finite for every pair: with nothing known of one side, what is known of the other is said,
        and the mean of all where neither is. Not yet cut to ``scale_``.
        """

    def predict(self, user: Hashable, item: Hashable) -> float:
        """The rating that ``user`` would give to ``item``, within ``scale_``. Any ids."""
        return float(self.predict_pairs([user], [item])[0])

    def predict_pairs(self, users: Sequence[Hashable], items: Sequence[Hashable]) -> Floats32:
        """(n,) ``predict``, pair by pair.

        Raises:
            InvalidInput: other numbers of users than of items.
            NotFitted: ``fit`` was not called, or the model came from arrays.
        """
        if len(users) != len(items):
            raise InvalidInput(
                f"{len(users)} users and {len(items)} items; a pair has one of each",
                pointer="/items",
            )
        asked = (_codes(users, self._user_code), _codes(items, self._code_of))
        low, high = self.scale_
        return np.clip(self.predict_codes(*asked), low, high)

    def _know(self, interactions: Interactions) -> None:
        """Set the ids of both sides and the scale: for ``fit``. Raises InvalidInput for no rows."""
        if not len(interactions):
            raise InvalidInput(
                f"{type(self).__name__}: no ratings; at least one row is wanted", code="empty"
            )
        self.item_ids_, self.user_ids_ = interactions.item_ids, interactions.user_ids
        ends = (interactions.value.min(initial=np.inf), interactions.value.max(initial=-np.inf))
        self.scale_ = np.array(ends, np.float32)

    @property
    def _user_code(self) -> dict[Hashable, int]:
        if "user_ids_" not in self.__dict__:
            if "item_ids_" in self.__dict__:
                raise NotFitted(
                    f"this {type(self).__name__} was loaded, and no user ids are stored with a"
                    " model: fit it to predict ratings of users, or score a history"
                )
            raise NotFitted(f"{type(self).__name__} has learnt nothing yet: call fit first")
        known = self.__dict__.get("_users")
        if known is None or known[0] is not self.user_ids_:
            known = (self.user_ids_, {id_: code for code, id_ in enumerate(self.user_ids_)})
            self._users: tuple[Any, dict[Hashable, int]] = known
        return known[1]


class RatesAnyone(RatingRecommender):
    """Also rates for somebody from outside, from the ratings they gave.

    A history without ratings is read as liked: each of its items rated with the top of the scale,
    counting as much as its weight says. Where everybody's values are the same, nothing can be
    learnt from them.
    """

    @abstractmethod
    def rate_codes(
        self, codes: Positions, ratings: Floats32, weights: Floats32 | None = None
    ) -> Floats32:
        """(I,) ``rate``, by codes (h,), each once, and not cut to the scale."""

    def rate(self, history: Mapping[Hashable, float]) -> Floats32:
        """(I,) how somebody who gave these ratings would rate each item, within ``scale_``.

        Unknown ids are ignored. Raises InvalidInput for a rating that is not finite.
        """
        code = self._code_of
        known = {code[id_]: rating for id_, rating in history.items() if id_ in code}
        codes = np.fromiter(known, np.int32, len(known))
        ratings = np.fromiter(known.values(), np.float32, len(known))
        if not np.isfinite(ratings).all():
            place = int(codes[~np.isfinite(ratings)][0])
            raise InvalidInput(
                f"the rating of {self.item_ids_[place]!r} is not a finite number",
                pointer="/history",
            )
        return np.clip(self.rate_codes(codes, ratings), *self.scale_)

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        liked = np.full(len(codes), self.scale_[1], np.float32)
        return self.rate_codes(codes, liked, weights)


def mean_of_ratings(values: Floats32, codes: Positions, n: int) -> tuple[float, Arrays]:
    """The mean of all, and by code (n,) ``mean`` (that of all where nothing is known) and
    ``count``."""
    overall = float(values.mean(dtype=np.float64)) if len(values) else 0.0
    count = np.bincount(codes, minlength=n)
    sums = np.bincount(codes, values, minlength=n)
    mean = np.where(count > 0, sums / np.maximum(count, 1), overall)
    return overall, {"mean": mean.astype(np.float32), "count": count}


def by_code(codes: Positions, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows in the order of their codes, earlier ones first, and where each of n codes starts.

    (rows,) and (n + 1,): the rows of code c are ``order[indptr[c] : indptr[c + 1]]``.
    """
    counts = np.bincount(codes, minlength=n)
    return np.argsort(codes, kind="stable"), np.concatenate([[0], np.cumsum(counts)])


def _codes(ids: Sequence[Hashable], code_of: dict[Hashable, int]) -> Positions:
    return np.fromiter((code_of.get(id_, UNKNOWN) for id_ in ids), np.int32, len(ids))
