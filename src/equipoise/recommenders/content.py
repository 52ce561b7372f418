"""Items like those of the history by what the catalogue says: before the first sale, too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.recommenders.base import Recommender, ones_unless
from equipoise.types import Floats32, Item, Positions

_WORD = re.compile(r"[^\W\d_]+|\d+")
# Han, kana, Hangul: written without spaces, or with spaces that do not part words.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Content(Recommender):
    """Score of item j = cosine of j's terms and the history's weighted sum of terms, 0..1.

    Terms are a category and each of its parents, a tag, the brand, a word of the title in any of
    its languages (pairs of characters in Chinese, Japanese and Korean). Each weighs w_field · (1 +
    ln tf) · (1 + ln((1 + I) / (1 + df))), items have length 1 (Salton, Buckley, "Term-weighting
    approaches in automatic text retrieval", IPM 1988, with a smoothed idf). ``fields`` gives
    w_field; a field left out or at 0 is not read.

    Learns from ``items`` alone: interactions add nothing but their item ids, and may hold none of
    the items' ids. An item that nothing is known of scores NaN, and so does every item for a
    history of such.

    Fit O(terms); a score adds, for each term of the history, all items that bear it; memory twice
    the number of (item, term) pairs.
    """

    name = "content"
    learned = ("terms_ptr", "terms", "term_weights", "n_terms")

    terms_ptr_: NDArray[np.int64]
    terms_: Positions
    term_weights_: Floats32
    """CSR (I, terms), rows of length 1."""
    n_terms_: NDArray[np.int64]
    """(1,) how many terms there are."""

    FIELDS: Mapping[str, float] = MappingProxyType(
        {"categories": 1.0, "tags": 1.0, "brand": 0.7, "title": 0.7}
    )

    def __init__(self, *, fields: Mapping[str, float] = FIELDS) -> None:
        self.fields = dict(fields)

    def fit(
        self, interactions: Interactions | None = None, *, items: Iterable[Item] | None = None
    ) -> Self:
        """Raises InvalidInput without ``items`` (they may be empty), or for an unknown field."""
        known = ", ".join(READERS)
        self.require("fields", set(self.fields) <= set(READERS), f"a mapping of {known} to weights")
        if items is None:
            raise InvalidInput(
                "Content learns from items: fit(interactions, items=…)", pointer="/items"
            )
        nouns = {item.item_id: item for item in items}
        met = [] if interactions is None else interactions.item_ids.tolist()
        ids = list(dict.fromkeys([*met, *nouns]))
        self.item_ids_ = np.empty(len(ids), object)
        self.item_ids_[:] = ids
        matrix = _vectors([self._terms(nouns.get(id_)) for id_ in ids], self.fields)
        self.terms_ptr_, self.terms_ = matrix.indptr.astype(np.int64), matrix.indices
        self.term_weights_, self.n_terms_ = matrix.data, np.array([matrix.shape[1]])
        self.prepare()
        return self

    def prepare(self) -> None:
        shape = (len(self.terms_ptr_) - 1, int(self.n_terms_[0]))
        vectors = (self.term_weights_, self.terms_, self.terms_ptr_)
        self._vectors = csr_matrix(vectors, shape=shape)
        by_term = self._vectors.tocsc()
        self._postings = (by_term.indptr, by_term.indices, by_term.data)
        self._unknown = np.diff(self.terms_ptr_) == 0

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        rows = self._vectors[codes]
        profile = rows.T @ ones_unless(weights, codes)
        length = np.linalg.norm(profile)
        out = np.full(len(self.item_ids_), 0 if length else np.nan, np.float32)
        if length:
            terms = np.flatnonzero(profile).astype(np.int32)
            _add_postings(self._postings, terms, (profile / length).astype(np.float32), out)
            out[self._unknown] = np.nan
        return out

    def _terms(self, item: Item | None) -> Counter[tuple[str, str]]:
        if item is None:
            return Counter()
        read = (field for field, weight in self.fields.items() if weight > 0)
        return Counter((field, term) for field in read for term in READERS[field](item))


@njit(cache=True, nogil=True)
def _add_postings(postings, terms, profile, out):  # type: ignore[no-untyped-def]
    indptr, items, weights = postings
    for term in terms:
        for at in range(indptr[term], indptr[term + 1]):
            out[items[at]] += profile[term] * weights[at]


def _vectors(bags: list[Counter[tuple[str, str]]], fields: Mapping[str, float]) -> csr_matrix:
    """(I, terms) of float32 rows of length 1, or empty; terms in sorted order."""
    vocabulary = sorted({term for bag in bags for term in bag})
    number = {term: place for place, term in enumerate(vocabulary)}
    lengths = [len(bag) for bag in bags]
    terms = np.fromiter((number[term] for bag in bags for term in bag), np.int32, sum(lengths))
    counts = np.fromiter((count for bag in bags for count in bag.values()), float, sum(lengths))
    by_field = np.array([fields[field] for field, _ in vocabulary])
    borne = np.bincount(terms, minlength=len(vocabulary))
    rarity = 1 + np.log((1 + len(bags)) / (1 + borne))
    weights = (1 + np.log(counts)) * (by_field * rarity)[terms]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    row = np.repeat(np.arange(len(bags)), lengths)
    norms = np.sqrt(np.bincount(row, weights**2, minlength=len(bags)))
    data = (weights / norms[row]).astype(np.float32)
    return csr_matrix((data, terms, indptr), shape=(len(bags), len(vocabulary)))


def _paths(item: Item) -> Iterator[str]:
    """Each category and its parents, once: Women, Women/Shoes, Women/Shoes/Boots."""
    paths = [path.split("/") for path in item.categories]
    return iter({"/".join(p[:depth]) for p in paths for depth in range(1, len(p) + 1)})


def _words(item: Item) -> Iterator[str]:
    for word in _WORD.findall(" ".join(item.title.values()).casefold()):
        if len(word) > 2 and _UNSPACED.search(word):
            yield from (word[start : start + 2] for start in range(len(word) - 1))
        else:
            yield word


READERS: Mapping[str, Callable[[Item], Iterable[Any]]] = MappingProxyType(
    {
        "categories": _paths,
        "tags": lambda item: item.tags,
        "brand": lambda item: [item.brand] if item.brand else [],
        "title": _words,
    }
)
"""How each field becomes terms."""
