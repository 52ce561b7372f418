"""Session-based nearest neighbours: what was clicked in past sessions like the running one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.recommenders.base import ones_unless
from equipoise.recommenders.session_index import (
    COSINE,
    DOT,
    JACCARD,
    SessionRecommender,
    add,
    backwards,
    compare,
    nearest,
    sharing,
)
from equipoise.types import Floats32, Item, Positions

SIMILARITIES = MappingProxyType({"dot": DOT, "cosine": COSINE, "jaccard": JACCARD})

WEIGHTINGS: Mapping[str, Callable[[Floats32], NDArray[Any]]] = MappingProxyType(
    {
        "same": np.ones_like,
        "div": lambda back: 1 - back / len(back),
        "linear": lambda back: np.maximum(1 - back / 10, 0),
        "log": lambda back: 1 / np.log10(back + 1.7),
        "quadratic": lambda back: (1 - back / len(back)) ** 2,
    }
)
"""What an item of the history counts, ``back`` places before its end, of ``len(back)``."""

SCORE_WEIGHTINGS: Mapping[str, Callable[[Floats32], NDArray[Any]]] = MappingProxyType(
    {
        "same": np.ones_like,
        "div": lambda back: 1 / (back + 1),
        "linear": lambda back: np.maximum(1 - (back + 1) / 10, 0),
        "log": lambda back: 1 / np.log10(back + 2.7),
        "quadratic": lambda back: 1 / (back + 1) ** 2,
    }
)
"""What a neighbour counts whose newest item in common stands ``back`` places before the end."""


class SessionKNN(SessionRecommender):
    """Score of item i = Σ over the ``k`` nearest past sessions n that met i of
    s(n) · λ(n) · (1 + ``idf_weighting`` · ln(S / S_i)).

    V-SKNN of Ludewig, Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 2018.
    Of S sessions S_i met i. Of those that share an item with the history only the ``sample`` newest
    are compared. With w_j what ``weighting`` gives to the j-th of the history's h items (the newest
    1), times its own weight::

        dot      s(n) = Σ_{j ∈ n} w_j / h
        cosine   s(n) = Σ_{j ∈ n} w_j / (|w| √|n|)
        jaccard  s(n) = |h ∩ n| / |h ∪ n|

    λ(n), by ``score_weighting``, lowers neighbours that agree on old items only: with "div" it is 1
    where they share the newest, 1/2 where the one before.

    Published settings: V-SKNN ``similarity="dot", weighting="quadratic"``, the rest as by default;
    its plain form SKNN ``k=100, sample=500, weighting="same", score_weighting="same",
    idf_weighting=0``. The defaults come from a validation week of Diginetica.

    A session is a user of the interactions, a history the running session, newest last; what comes
    next may be what was seen before, so ask with ``repeats``. An item of no neighbour scores NaN,
    and so an empty history gets an empty list. Nothing but the order of sessions is kept of time,
    and of the sessions no ids.

    Fit O(nnz log nnz); memory 8·nnz bytes. A score costs ``sample`` · (log h + log k) + k · the
    length of a session, and I floats to clear; sessions older than the sample cost nothing.
    """

    name = "session_knn"

    def __init__(
        self,
        *,
        k: int = 500,
        sample: int = 5_000,
        similarity: str = "cosine",
        weighting: str = "linear",
        score_weighting: str = "div",
        idf_weighting: float = 10.0,
    ) -> None:
        self.k = k
        self.sample = sample
        self.similarity = similarity
        self.weighting = weighting
        self.score_weighting = score_weighting
        self.idf_weighting = idf_weighting

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self._check()
        self._index(interactions)
        return self

    def prepare(self) -> None:
        super().prepare()
        self._boost = 1 + np.float32(self.idf_weighting) * self._rarity

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        back = backwards(len(codes))
        counts = WEIGHTINGS[self.weighting](back).astype(np.float32) * ones_unless(weights, codes)
        out = np.full(len(self.item_ids_), np.nan, np.float32)
        sessions = (self._item_ptr, self._item_sessions, self.session_ptr_, self.session_items_)
        damping = SCORE_WEIGHTINGS[self.score_weighting](back).astype(np.float32)
        limits = (SIMILARITIES[self.similarity], self.sample, self.k)
        _score(sessions, codes, counts, limits, damping, self._boost, out)
        return out

    def _check(self) -> None:
        self.require("k", self.k >= 1, "at least one neighbour")
        self.require("sample", self.sample >= 1, "at least one session")
        self.require("idf_weighting", self.idf_weighting >= 0, "zero or more")
        for keyword, known in (
            ("similarity", SIMILARITIES),
            ("weighting", WEIGHTINGS),
            ("score_weighting", SCORE_WEIGHTINGS),
        ):
            self.require(keyword, getattr(self, keyword) in known, f"one of {tuple(known)}")


@njit(cache=True, nogil=True)
def _score(sessions, codes, counts, limits, damping, boost, out):  # type: ignore[no-untyped-def]
    item_ptr, item_sessions, session_ptr, session_items = sessions
    similarity, sample, k = limits
    met, shared, strength, newest = sharing(item_ptr, item_sessions, codes, counts, sample)
    compare(session_ptr, met, shared, strength, counts, similarity)
    for n in nearest(strength, k):
        value = strength[n] * damping[newest[n]]
        for at in range(session_ptr[met[n]], session_ptr[met[n] + 1]):
            item = session_items[at]
            add(out, item, value * boost[item])
