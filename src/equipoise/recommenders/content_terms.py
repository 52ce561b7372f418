"""What the catalogue says of an item, as terms and their TF-IDF weights."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse import csr_matrix

from equipoise.types import Item

Bag: TypeAlias = Counter[tuple[str, str]]
"""(field, term) → how often."""

ATTRIBUTE = "attributes."
"""``attributes.colour`` is a field, too: each of its values is one term."""

_WORD = re.compile(r"[^\W\d_]+|\d+")
# Han, kana, Hangul: written without spaces, or with spaces that do not part words.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def is_field(name: str) -> bool:
    return name in READERS or (name.startswith(ATTRIBUTE) and name != ATTRIBUTE)


def bag_of(item: Item | None, fields: Mapping[str, float]) -> Bag:
    """The terms of the fields that weigh anything; none of an item that is not there."""
    if item is None:
        return Counter()
    read = (field for field, weight in fields.items() if weight > 0)
    return Counter((field, term) for field in read for term in _reader(field)(item))


def tfidf(bags: list[Bag], fields: Mapping[str, float]) -> csr_matrix:
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


def _reader(field: str) -> Callable[[Item], Iterable[str]]:
    if not field.startswith(ATTRIBUTE):
        return READERS[field]
    name = field.removeprefix(ATTRIBUTE)
    return lambda item: _values(item.attributes.get(name))


def _paths(item: Item) -> Iterator[str]:
    """Each category and its parents, once: Women, Women/Shoes, Women/Shoes/Boots."""
    paths = [path.split("/") for path in item.categories]
    return iter({"/".join(p[:depth]) for p in paths for depth in range(1, len(p) + 1)})


def _words(texts: Mapping[str, str]) -> Iterator[str]:
    """Of all languages together, folded; pairs of characters where no spaces part words."""
    for word in _WORD.findall(" ".join(texts.values()).casefold()):
        if len(word) > 2 and _UNSPACED.search(word):
            yield from (word[start : start + 2] for start in range(len(word) - 1))
        else:
            yield word


def _values(value: Any) -> Iterator[str]:
    """One term a value: of a list each element, of a mapping each ``key=value``."""
    if isinstance(value, Mapping):
        yield from (f"{key}={term}" for key, one in value.items() for term in _values(one))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _values(one)
    elif value is not None and value != "":
        yield str(value).casefold()


READERS: Mapping[str, Callable[[Item], Iterable[str]]] = MappingProxyType(
    {
        "categories": _paths,
        "tags": lambda item: item.tags,
        "brand": lambda item: [item.brand] if item.brand else [],
        "title": lambda item: _words(item.title),
        "description": lambda item: _words(item.description),
    }
)
"""How each field becomes terms."""
