"""Several recommenders as one: their standings, weighted as held-out histories teach."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import RandomState, generator
from equipoise.recommenders.base import Recommender
from equipoise.recommenders.blend_lessons import lessons
from equipoise.recommenders.blend_members import together
from equipoise.recommenders.blend_weights import learnt_weights
from equipoise.recommenders.methods import METHODS
from equipoise.recommenders.standings import weighted
from equipoise.types import Arrays, Floats32, Item, Positions

Given: TypeAlias = Recommender | Mapping[str, Any]

DEFAULT: tuple[Mapping[str, Any], ...] = (
    MappingProxyType({"name": "als"}),
    MappingProxyType({"name": "item_knn", "weighting": "tfidf"}),
    MappingProxyType({"name": "rp3beta"}),
)


class Blend(Recommender):
    """Score of item j = Σ_m w_m · standing of j in the list of member m; w ≥ 0, Σ w = 1.

    A standing is how far a score lies from the mean of the list, in standard deviations, the far
    ends drawn in (``standings.py``); the history's own items are left out of both. So members may
    score on any scale. A member that scores an item NaN adds nothing to it: 0, which is where its
    average item stands. A member that says nothing at all about a history is not counted, and the
    others' weights are scaled to the sum 1. An item that no member of positive weight can say
    anything about scores NaN.

    The weights are learned by stacking (Wolpert, "Stacked generalization", Neural Networks 1992)
    for ranking. Each user's pairs are dealt at random into ``folds`` parts; with one part left out
    the members are fitted anew, and score the items left out of the histories and, besides, those
    that stand first in any member's list. The weights are those of the largest mean nDCG@``n`` over
    these users, found by coordinate ascent from equal weights and from each member alone (Metzler,
    Croft, "Linear feature-based models for information retrieval", Information Retrieval 2007), a
    step being taken only if it is more than luck. So no member alone is better on the held-out
    parts. Then the members are fitted on everything. Parts are left out one after another until
    ``users`` users were judged or none is left; where nothing can be judged, weights are equal.
    ``latest`` leaves out the newest 1/``folds`` of each user's pairs instead, once, which is nearer
    to what a shop asks; None does so where the rows have times.

    ``recommenders`` are unfitted recommenders, which stay as they are (copies are fitted), or
    mappings of ``name`` and keywords, as settings have them::

        Blend([EASE(regularization=1320), ImplicitALS(factors=192)])
        Blend([{"name": "ease", "regularization": 1320}, {"name": "als", "factors": 192}])

    To load a blend of methods that are not in ``METHODS``, derive a class whose ``methods`` name
    them. Others' weights may be tried, or adapted while serving, without any new fit:
    ``weighted(model.standings(codes), weights)``.

    Fit: that of the members once, and once more for each part left out; memory that of one fit of
    all members, I floats and a few hundred numbers for each user judged, times the members. A score
    costs the sum of the members', and 3·I operations and I floats a member.
    """

    name = "blend"
    learned = ("weights",)
    methods: ClassVar[tuple[type[Recommender], ...]] = METHODS

    weights_: Floats32
    """(M,) in the order of ``recommenders``."""
    members_: list[Recommender]
    """Fitted."""

    def __init__(
        self,
        recommenders: Sequence[Given] = DEFAULT,
        *,
        n: int = 20,
        folds: int = 5,
        latest: bool | None = None,
        users: int = 2_000,
        random_state: RandomState = None,
    ) -> None:
        self.recommenders = recommenders
        self.n = n
        self.folds = folds
        self.latest = latest
        self.users = users
        self.random_state = random_state

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, and what the members raise."""
        self._check()
        items = None if items is None else list(items)
        taught = lessons(
            interactions,
            lambda kept: self._fitted(kept, items),
            members=len(self.recommenders),
            n=self.n,
            folds=self.folds,
            latest=self._latest(interactions),
            users=self.users,
            rng=generator(self.random_state, "blend"),
        )
        self.weights_ = learnt_weights(taught, self.n)
        self.members_ = self._fitted(interactions, items)
        self.item_ids_, self._joined = together(interactions.item_ids, self.members_)
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        return weighted(self.standings(codes, weights), self.weights_)

    def standings(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        """(M, I) where each member has each item stand for this history; NaN: it cannot say."""
        out = np.empty((len(self.members_), len(self.item_ids_)), np.float32)
        for row, member in zip(out, self._joined, strict=True):
            member.stand(codes, weights, row)
        return out

    def parameters(self) -> dict[str, Any]:
        return {**super().parameters(), "recommenders": list(map(_told, self.recommenders))}

    # ------------------------------------------------------------ to and from arrays

    def arrays(self) -> Arrays:
        """A member's arrays stand under its place: ``0.counts``; ids of its own only if it has."""
        nested = {
            f"{place}.{name}": array
            for place, member in enumerate(self._joined)
            for name, array in member.arrays().items()
        }
        return {**super().arrays(), **nested}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        model = super().from_arrays(arrays)
        shared = {"item_ids": arrays["item_ids"]}
        model.members_ = [
            model._class_of(given["name"]).from_arrays({**shared, **_under(place, arrays)})
            for place, given in enumerate(model.parameters()["recommenders"])
        ]
        model.item_ids_, model._joined = together(model.item_ids_, model.members_)
        return model

    # ------------------------------------------------------------ members

    def _fitted(self, interactions: Interactions, items: list[Item] | None) -> list[Recommender]:
        fresh = map(self._fresh, self.recommenders)
        return [member.fit(interactions, items=items) for member in fresh]

    def _fresh(self, given: Given) -> Recommender:
        """Unfitted, with the same keywords."""
        if isinstance(given, Recommender):
            keywords = inspect.signature(type(given)).parameters
            return type(given)(**{name: getattr(given, name) for name in keywords})
        cls = self._class_of(given.get("name"))
        keywords_given = {name: value for name, value in given.items() if name != "name"}
        try:
            return cls(**keywords_given)
        except TypeError as error:
            known = ", ".join(inspect.signature(cls).parameters)
            raise InvalidInput(
                f"Blend: {cls.name}: {error}; its keywords are {known}", pointer="/recommenders"
            ) from error

    def _class_of(self, name: Any) -> type[Recommender]:
        by_name = {cls.name: cls for cls in (*self.methods, type(self))}
        if name not in by_name:
            raise InvalidInput(
                f"Blend: there is no recommender {name!r}; there are {', '.join(by_name)}",
                pointer="/recommenders",
            )
        return by_name[name]

    def _latest(self, interactions: Interactions) -> bool:
        return interactions.timestamp is not None if self.latest is None else self.latest

    def _check(self) -> None:
        given = isinstance(self.recommenders, Sequence) and len(self.recommenders) > 0
        sound = given and all(isinstance(one, Recommender | Mapping) for one in self.recommenders)
        self.require("recommenders", sound, "at least one, each a recommender or its keywords,")
        self.require("n", self.n >= 1, "at least one")
        self.require("folds", self.folds >= 2, "at least two")
        self.require("users", self.users >= 1, "at least one")


def _told(given: Given) -> dict[str, Any]:
    """As JSON holds it."""
    if isinstance(given, Recommender):
        return {"name": given.name, **given.parameters()}
    return dict(given)


def _under(place: int, arrays: Arrays) -> Arrays:
    """The arrays of the member of this place, under their own names."""
    prefix = f"{place}."
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
