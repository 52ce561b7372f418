"""What every recommender is: two methods to write, the rest given.

A recommender scores a *history* (the items that somebody met, newest last), never a trained user
id: an anonymous visitor's first click changes the next list. Methods learn from ``fit``, answer in
``score_codes``, keep what they learnt in attributes ending in ``_`` and their keywords unchanged.
"""

from __future__ import annotations

import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.errors import InvalidInput, NotFitted, SnapshotError
from equipoise.recommenders.top import masked_top
from equipoise.types import Arrays, Bools, Floats32, Item, Positions

History = Sequence[Hashable]


class Recommender(ABC):
    """History → a score per item.

    Codes are places in ``item_ids_``. A score is comparable within one list of one recommender
    only; NaN says *cannot say*, and such an item is never recommended.
    """

    name: ClassVar[str]
    """In settings, tables and the command line."""
    learned: ClassVar[tuple[str, ...]]
    """The array attributes, without their final ``_``, that make up a fitted model."""

    item_ids_: NDArray[np.object_]
    """(I,) the caller's ids."""

    # ------------------------------------------------------------ to write

    @abstractmethod
    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Learn; sets ``item_ids_`` and what ``learned`` names. Some methods read ``items``."""

    @abstractmethod
    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        """(I,) scores for one history: ``codes`` (h,) newest last, each item once, and how much
        each counts.

        h may be 0. Weights are positive; None means 1 for all.
        """

    def prepare(self) -> None:  # noqa: B027 - most methods derive nothing
        """Compute what follows from the learnt arrays and is not stored; also on loading."""

    # ------------------------------------------------------------ given

    def top_codes(
        self, codes: Positions, weights: Floats32 | None, allowed: Bools, k: int
    ) -> tuple[Positions, Floats32]:
        """The at most ``k`` best codes where ``allowed`` (I,), and their scores, best first.

        The history is not left out unless ``allowed`` says so. Ties go to the smaller code.
        """
        return masked_top(self.score_codes(codes, weights), allowed, k)

    def score(self, histories: Sequence[History]) -> Floats32:
        """(B, I) scores, row by row what ``score_codes`` gives; unknown ids are ignored."""
        scores = np.empty((len(histories), len(self.item_ids_)), np.float32)
        for row, history in zip(scores, histories, strict=True):
            row[:] = self.score_codes(*self.encode(history))
        return scores

    def recommend(
        self, history: History, n: int = 20, *, repeats: bool = False
    ) -> tuple[NDArray[np.object_], Floats32]:
        """Ids and scores, best first, of at most ``n`` items, those of the history only with
        ``repeats``.

        Shorter where the method cannot say enough; empty for an empty history unless the class says
        otherwise. Raises InvalidInput if ``n`` is less than 1.
        """
        if n < 1:
            raise InvalidInput(f"n is {n}; at least 1 item must be asked for", pointer="/n")
        codes, weights = self.encode(history)
        allowed = np.ones(len(self.item_ids_), np.bool_)
        if not repeats:
            allowed[codes] = False
        best, scores = self.top_codes(codes, weights, allowed, n)
        return self.item_ids_[best], scores

    def recommend_batch(
        self, histories: Sequence[History], n: int = 20, *, repeats: bool = False
    ) -> tuple[NDArray[np.object_], Floats32]:
        """Two arrays (B, n), row by row what ``recommend`` gives, padded with None and NaN."""
        ids = np.full((len(histories), n), None, dtype=object)
        scores = np.full((len(histories), n), np.nan, np.float32)
        for row, history in enumerate(histories):
            best, best_scores = self.recommend(history, n, repeats=repeats)
            ids[row, : len(best)], scores[row, : len(best)] = best, best_scores
        return ids, scores

    def encode(self, history: History) -> tuple[Positions, Floats32 | None]:
        """Codes for ``score_codes``: each known item once, at its latest place."""
        code = self._code_of
        latest = dict.fromkeys(code[i] for i in reversed(history) if i in code)
        return np.fromiter(reversed(latest), np.int32, len(latest)), None

    def parameters(self) -> dict[str, Any]:
        """The constructor's keywords and their values, as JSON holds them (a generator: None)."""
        values = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        if isinstance(values.get("random_state"), np.random.Generator):
            values["random_state"] = None
        return values

    # ------------------------------------------------------------ to and from arrays

    def arrays(self) -> Arrays:
        """All that ``from_arrays`` needs, as plain arrays (text and numbers, no objects).

        Raises InvalidInput for ids that are neither all texts nor all integers.
        """
        learnt = {name: getattr(self, name + "_") for name in self.learned}
        parameters = np.array(json.dumps(self.parameters()))
        return {"item_ids": _plain(self.item_ids_), "parameters": parameters, **learnt}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """The fitted model that ``arrays`` came from. Raises SnapshotError if one is missing."""
        missing = {"item_ids", "parameters", *cls.learned} - set(arrays)
        if missing:
            raise SnapshotError(f"{cls.name}: the snapshot lacks {', '.join(sorted(missing))}")
        model = cls(**json.loads(str(arrays["parameters"])))
        model.item_ids_ = arrays["item_ids"].astype(object)
        for name in cls.learned:
            setattr(model, name + "_", arrays[name])
        model.prepare()
        return model

    # ------------------------------------------------------------ for the methods

    def require(self, keyword: str, holds: bool, wanted: str) -> None:
        """Refuse a constructor keyword's value in words. Raises InvalidInput."""
        if not holds:
            value = getattr(self, keyword)
            message = f"{type(self).__name__}({keyword}={value!r}): {wanted} is wanted"
            raise InvalidInput(message, pointer=f"/{keyword}")

    @property
    def _code_of(self) -> dict[Hashable, int]:
        known = self.__dict__.get("_codes")
        if known is None or known[0] is not self.item_ids_:
            known = (self.item_ids_, {id_: code for code, id_ in enumerate(self.item_ids_)})
            self._codes = known
        table: dict[Hashable, int] = known[1]
        return table

    if not TYPE_CHECKING:

        def __getattr__(self, attribute: str) -> Any:
            if attribute.endswith("_") and not attribute.startswith("_"):
                raise NotFitted(f"{type(self).__name__} has learnt nothing yet: call fit first")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {attribute!r}")


def seen(interactions: Interactions, use_values: bool) -> csr_matrix:
    """(users, items) 1 for each pair met, or with ``use_values`` its summed value if positive."""
    matrix = interactions.matrix(binary=not use_values)
    matrix.data[matrix.data < 0] = 0
    matrix.eliminate_zeros()
    return matrix


def ones_unless(weights: Floats32 | None, codes: Positions) -> Floats32:
    """``weights``, or 1 for each of ``codes``."""
    return np.ones(len(codes), np.float32) if weights is None else weights


def _plain(ids: NDArray[np.object_]) -> NDArray[Any]:
    kinds = {type(id_) for id_ in ids}
    if kinds <= {str}:
        return ids.astype(np.str_)
    if kinds <= {int}:
        return ids.astype(np.int64)
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise InvalidInput(
        f"item ids are {names}; to be stored they must be all text or all integers",
        pointer="/item_ids",
    )
