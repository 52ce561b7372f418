"""Recommenders side by side over one list of ids, whatever ids each of them learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.recommenders.base import Recommender
from equipoise.recommenders.standings import stand
from equipoise.types import Arrays, Floats32, Positions


@dataclass(frozen=True)
class Member:
    """A fitted recommender, and where its items are among those of all members."""

    recommender: Recommender
    places: Positions | None
    """(its items,) the common code of each of its own; None where both are the same."""
    own: Positions | None
    """(I,) its own code of each common one, −1 where it has none."""

    def stand(self, codes: Positions, weights: Floats32 | None, out: Floats32) -> None:
        """Write to ``out`` (I,) where its items stand for a history of common codes."""
        if self.places is None or self.own is None:
            stand(self.recommender.score_codes(codes, weights), codes, out)
            return
        known = self.own[codes] >= 0
        mine = None if weights is None else weights[known]
        scores = np.full(len(out), np.nan, np.float32)
        scores[self.places] = self.recommender.score_codes(self.own[codes][known], mine)
        stand(scores, codes, out)

    def arrays(self) -> Arrays:
        """Those of the recommender, without the ids where they are the common ones."""
        arrays = self.recommender.arrays()
        if self.places is None:
            del arrays["item_ids"]
        return arrays


def together(
    ids: NDArray[np.object_], recommenders: Sequence[Recommender]
) -> tuple[NDArray[np.object_], list[Member]]:
    """``ids`` and after them what else the recommenders know, and each of them as a member."""
    learnt = [one.item_ids_ for one in recommenders]
    code = {id_: place for place, id_ in enumerate(ids)}
    for theirs in learnt:
        if not _same(theirs, ids):
            for id_ in theirs:
                code.setdefault(id_, len(code))
    union = np.empty(len(code), object)
    union[:] = list(code)
    return union, [_member(one, union, code) for one in recommenders]


def _member(recommender: Recommender, union: NDArray[np.object_], code: dict[Any, int]) -> Member:
    theirs = recommender.item_ids_
    if _same(theirs, union):
        return Member(recommender, None, None)
    places = np.fromiter((code[id_] for id_ in theirs), np.int32, len(theirs))
    own = np.full(len(union), -1, np.int32)
    own[places] = np.arange(len(theirs), dtype=np.int32)
    return Member(recommender, places, own)


def _same(left: NDArray[np.object_], right: NDArray[np.object_]) -> bool:
    return left is right or bool(len(left) == len(right) and (left == right).all())
