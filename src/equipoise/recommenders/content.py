"""Items like those of the history by what is known of them: before the first sale, too."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders.base import Recommender, ones_unless
from equipoise.recommenders.content_terms import ATTRIBUTE, READERS, bag_of, is_field, tfidf
from equipoise.recommenders.content_vectors import EMBEDDING, is_source, unit_rows, vectors_of
from equipoise.recommenders.inner_product import RECALL_WANTED, InnerProducts
from equipoise.recommenders.top import masked_top
from equipoise.types import Bools, Floats32, Item, Positions


class Content(Recommender):
    """Score of item j = cosine of j's terms and the history's weighted sum of terms, 0..1.

    Terms are a category and each of its parents, a tag, the brand, a word of the title or of the
    description in any of its languages (pairs of characters in Chinese, Japanese and Korean), a
    value of an attribute. Each weighs w_field · (1 + ln tf) · (1 + ln((1 + I) / (1 + df))), items
    have length 1 (Salton, Buckley, "Term-weighting approaches in automatic text retrieval", IPM
    1988, with a smoothed idf). ``fields`` gives w_field by ``categories``, ``tags``, ``brand``,
    ``title``, ``description`` and ``attributes.NAME``; a field left out or at 0 is not read. By
    category alone is ``fields={"categories": 1}``, by tag ``fields={"tags": 1}``.

    Given vectors are compared by their cosine, -1..1, with the weighted sum of the history's
    vectors of length 1: ``vectors="embedding"`` reads the items' embeddings,
    ``vectors="attributes.NAME"`` an attribute, and ``fit(…, vectors={id: array})`` takes them from
    elsewhere, before what the items say. Beside terms the score is the mean of both cosines, that
    of the vectors ``vector_weight`` times as heavy; of an item with only one of them, or for a
    history with only one, it is that one. ``fields={}`` leaves the vectors alone.

    Learns from ``items`` and vectors alone: interactions add nothing but their item ids, and may
    hold none of the items' ids. An item that nothing is known of scores NaN, and so does every item
    for a history of such.

    Fit O(terms + I·d²); a score adds, for each term of the history, all items that bear it, and
    I·d multiplications; of vectors alone the best are searched exactly and most items skipped, more
    with a ``recall`` such as .99, which finds that share (``InnerProducts``). Memory twice the
    number of (item, term) pairs, I·d floats and I·(d/2 + 8) bytes.
    """

    name = "content"
    learned = ("terms_ptr", "terms", "term_weights", "n_terms", "vectors")

    terms_ptr_: NDArray[np.int64]
    terms_: Positions
    term_weights_: Floats32
    """CSR (I, terms), rows of length 1."""
    n_terms_: NDArray[np.int64]
    """(1,) how many terms there are."""
    vectors_: Floats32
    """(I, d) rows of length 1, or of zeros where none was given; d = 0 without any."""

    FIELDS: Mapping[str, float] = MappingProxyType(
        {"categories": 1.0, "tags": 1.0, "brand": 0.7, "title": 0.7}
    )

    def __init__(
        self,
        *,
        fields: Mapping[str, float] = FIELDS,
        vectors: str | None = None,
        vector_weight: float = 1.0,
        recall: float | None = None,
    ) -> None:
        self.fields = dict(fields)
        self.vectors = vectors
        self.vector_weight = vector_weight
        self.recall = recall

    def fit(
        self,
        interactions: Interactions | None = None,
        *,
        items: Iterable[Item] | None = None,
        vectors: Mapping[Hashable, Any] | None = None,
    ) -> Self:
        """Raises InvalidInput with neither ``items`` nor ``vectors`` (they may be empty), for a
        keyword out of range, or for vectors that are none or differ in length.
        """
        self._check()
        if items is None and vectors is None:
            raise InvalidInput(
                "Content learns from items: fit(interactions, items=…), or from vectors of them:"
                " fit(interactions, vectors={id: array})",
                pointer="/items",
            )
        nouns = {item.item_id: item for item in items or ()}
        own = vectors_of(nouns.values(), self.vectors) if self.vectors else {}
        given = {**own, **(vectors or {})}
        met = [] if interactions is None else interactions.item_ids.tolist()
        ids = list(dict.fromkeys([*met, *nouns, *given]))
        self.item_ids_ = np.empty(len(ids), object)
        self.item_ids_[:] = ids
        matrix = tfidf([bag_of(nouns.get(id_), self.fields) for id_ in ids], self.fields)
        self.terms_ptr_, self.terms_ = matrix.indptr.astype(np.int64), matrix.indices
        self.term_weights_, self.n_terms_ = matrix.data, np.array([matrix.shape[1]])
        self.vectors_ = unit_rows(ids, given)
        self.prepare()
        return self

    def prepare(self) -> None:
        shape = (len(self.terms_ptr_) - 1, int(self.n_terms_[0]))
        rows = (self.term_weights_, self.terms_, self.terms_ptr_)
        self._rows = csr_matrix(rows, shape=shape)
        by_term = self._rows.tocsc()
        self._postings = (by_term.indptr, by_term.indices, by_term.data)
        self._wordless = np.diff(self.terms_ptr_) == 0
        self._seen = self.vectors_.any(axis=1)
        search = InnerProducts.of(self.vectors_, recall=self.recall) if self.vectors_.size else None
        self._search = search

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        weights = ones_unless(weights, codes)
        by_terms = self._by_terms(codes, weights)
        by_vectors = self._by_vectors(codes, weights)
        share = np.float32(self.vector_weight / (1 + self.vector_weight))
        both = (1 - share) * by_terms + share * by_vectors
        one = np.where(np.isnan(by_terms), by_vectors, by_terms)
        scores: Floats32 = np.where(np.isnan(both), one, both)
        return scores

    def top_codes(
        self, codes: Positions, weights: Floats32 | None, allowed: Bools, k: int
    ) -> tuple[Positions, Floats32]:
        if self._search is None or self.n_terms_[0]:
            return masked_top(self.score_codes(codes, weights), allowed, k)
        profile = self._profile(codes, ones_unless(weights, codes))
        k = k if profile.any() else 0
        return self._search.top(profile, allowed & self._seen, k)

    def _by_terms(self, codes: Positions, weights: Floats32) -> Floats32:
        """(I,) the cosine of terms; NaN without any on one side."""
        profile = self._rows[codes].T @ weights
        length = np.linalg.norm(profile)
        out = np.full(len(self.item_ids_), 0 if length else np.nan, np.float32)
        if length:
            terms = np.flatnonzero(profile).astype(np.int32)
            _add_postings(self._postings, terms, (profile / length).astype(np.float32), out)
            out[self._wordless] = np.nan
        return out

    def _by_vectors(self, codes: Positions, weights: Floats32) -> Floats32:
        """(I,) the cosine of vectors; NaN without one on either side."""
        profile = self._profile(codes, weights)
        if self._search is None or not profile.any():
            return np.full(len(self.item_ids_), np.nan, np.float32)
        out = self._search.scores(profile)
        out[~self._seen] = np.nan
        return out

    def _profile(self, codes: Positions, weights: Floats32) -> Floats32:
        """(d,) the direction of the history's vectors, or zeros."""
        total: Floats32 = weights @ self.vectors_[codes]
        length = np.linalg.norm(total)
        return total / length if length else total

    def _check(self) -> None:
        known = f"{', '.join(READERS)}, {ATTRIBUTE}NAME"
        self.require("fields", all(map(is_field, self.fields)), f"a mapping of {known} to weights")
        sound = all(map(_is_weight, self.fields.values()))
        self.require("fields", sound, "weights of zero or more")
        source = self.vectors is None or is_source(self.vectors)
        self.require("vectors", source, f"{EMBEDDING}, {ATTRIBUTE}NAME or None")
        heavy = _is_weight(self.vector_weight) and self.vector_weight > 0
        self.require("vector_weight", heavy, "a positive number")
        self.require("recall", InnerProducts.can_find(self.recall), RECALL_WANTED)


def _is_weight(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


@njit(cache=True, nogil=True)
def _add_postings(postings, terms, profile, out):  # type: ignore[no-untyped-def]
    indptr, items, weights = postings
    for term in terms:
        for at in range(indptr[term], indptr[term + 1]):
            out[items[at]] += profile[term] * weights[at]
