"""Vectors that somebody else computed for the items: the output of an embedding model, mostly."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from equipoise.errors import InvalidInput
from equipoise.recommenders.content_terms import ATTRIBUTE
from equipoise.types import Floats, Floats32, Item

EMBEDDING = "embedding"


def is_source(name: str) -> bool:
    return name == EMBEDDING or (name.startswith(ATTRIBUTE) and name != ATTRIBUTE)


def vectors_of(items: Iterable[Item], source: str) -> dict[Hashable, Any]:
    """By id, what ``source`` (``embedding`` or ``attributes.NAME``) holds; items without are left
    out."""
    if source == EMBEDDING:
        return {item.item_id: item.embedding for item in items if len(item.embedding)}
    name = source.removeprefix(ATTRIBUTE)
    return {item.item_id: item.attributes[name] for item in items if name in item.attributes}


def unit_rows(ids: Sequence[Hashable], vectors: Mapping[Hashable, Any]) -> Floats32:
    """(I, d) rows of length 1; zeros for an id without a vector, and for a vector of zeros.

    Raises:
        InvalidInput: names the item whose vector is no list of finite numbers, or of another length
            than the first.
    """
    rows: Floats32 = np.zeros((0, 0), np.float32)
    for place, id_ in enumerate(ids):
        if id_ in vectors:
            vector = _checked(id_, vectors[id_], rows.shape[1])
            if not rows.size:
                rows = np.zeros((len(ids), len(vector)), np.float32)
            length = np.linalg.norm(vector)
            rows[place] = vector / length if length else 0
    return rows if rows.size else np.zeros((len(ids), 0), np.float32)


def _checked(id_: Hashable, given: Any, width: int) -> Floats:
    try:
        vector = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        vector = np.empty(0)
    if vector.ndim != 1 or not len(vector) or not np.isfinite(vector).all():
        raise InvalidInput(
            f"the vector of item {id_!r} is no list of finite numbers", pointer="/vectors"
        )
    if width and len(vector) != width:
        raise InvalidInput(
            f"the vector of item {id_!r} has {len(vector)} numbers, those before it {width}",
            pointer="/vectors",
        )
    return vector
