"""Tables with a row a user and a column an item."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from equipoise.data.interactions import Interactions
from equipoise.data.readers.lines import lines, one, refuse
from equipoise.errors import InvalidInteractions
from equipoise.types import Floats


class Coat(NamedTuple):
    """Schnabel et al., "Recommendations as Treatments", ICML 2016."""

    train: Interactions
    """Ratings 1..5 of coats that 290 people chose themselves, 24 each."""
    test: Interactions
    """Ratings of coats drawn uniformly at random, 16 each."""
    propensities: Floats
    """(users, items) chance that a pair is in ``train``, as the authors estimated it; users and
    items by their numbers, from 0."""


def coat(folder: Path) -> Coat:
    """``train.ascii``, ``test.ascii`` and ``propensities.ascii`` of the folder.

    Codes mean the same in both parts, and are the rows and columns of the matrices, from 0.

    Raises:
        InvalidInteractions: matrices of unlike shapes, or a propensity outside 0..1.
    """
    train, test = dense(folder / "train.ascii"), dense(folder / "test.ascii")
    propensities = dense(folder / "propensities.ascii")
    for name, other in (("test", test), ("propensities", propensities)):
        if other.shape != train.shape:
            raise InvalidInteractions(
                f"{name}.ascii has shape {other.shape}, train.ascii {train.shape}", code="length"
            )
    if not ((propensities > 0) & (propensities <= 1)).all():
        raise InvalidInteractions("propensities.ascii: above 0 and at most 1 are wanted")
    return Coat(_rated(train), _rated(test), propensities)


def dense(path: str | Path) -> Floats:
    """(rows, columns) numbers of a file with white space between them, all lines alike long."""
    found: list[list[float]] = []
    for line, fields in lines(path):
        if found and len(fields) != len(found[0]):
            refuse(
                path,
                line,
                f"holds {len(fields)} numbers; those before hold {len(found[0])}",
            )
        found.append([one(path, line, field, float) for field in fields])
    if not found:
        raise InvalidInteractions(f"{Path(path).name} holds no rows", code="empty")
    return np.array(found)


def _rated(matrix: Floats) -> Interactions:
    """What is not 0, with codes that are places in the matrix."""
    user, item = (codes.astype(np.int32) for codes in np.nonzero(matrix))
    users, items = (np.array(range(n), dtype=object) for n in matrix.shape)
    value = matrix[user, item].astype(np.float32)
    return Interactions(user, item, value, None, users, items)
