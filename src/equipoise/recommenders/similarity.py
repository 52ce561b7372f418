"""How alike two rows of a sparse matrix are: what the neighbourhood methods weigh and compare.

With x and y two rows (items over users, or users over items), h the shrinkage, which damps what few
entries support, and sums over the n columns that both hold::

    cosine             x·y / (|x| |y| + h)
    asymmetric_cosine  x·y / (|x|^2α |y|^2(1−α) + h), x asking for its neighbours, y being one
                       (Aiolli, RecSys 2013; α = ½ is the cosine)
    jaccard            n / (entries of x + entries of y − n + h), sets only
    pearson            Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² Σ (y − ȳ)²) · n / (n + h), the means too of
                       these n
    adjusted_cosine    Σ xy / √(Σ x² Σ y²) · n / (n + h), each entry less the mean of its column
                       (Sarwar, Karypis, Konstan, Riedl, WWW 2001, for items: less the user's mean)
    euclidean          1 / (1 + √Σ (x − y)²) · n / (n + h)
    msd                1 / (1 + Σ (x − y)² / n) · n / (n + h)

The norms of the first two are of whole rows; the last four look at ratings that both gave and at
nothing else, so they need values. Where a mean or a norm leaves nothing to compare (one common
column, all values alike), Pearson and the adjusted cosine are 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.types import Floats, Floats32, Positions

SIMILARITIES = (
    "cosine",
    "asymmetric_cosine",
    "jaccard",
    "pearson",
    "adjusted_cosine",
    "euclidean",
    "msd",
)
OF_RATINGS = SIMILARITIES[3:]
"""Those that compare values which both rows hold."""
WEIGHTINGS = (None, "tfidf", "bm25")

JACCARD, PEARSON, ADJUSTED_COSINE, EUCLIDEAN = (
    SIMILARITIES.index(name) for name in ("jaccard", "pearson", "adjusted_cosine", "euclidean")
)
K1, B = 1.2, 0.75
"""BM25's saturation, and how much the length of a document counts."""
TINY = np.float32(1e-18)
"""Products of smaller entries would vanish in float32, and with them that two rows met at all."""
FLAT = 1e-12
"""A variance below so much of the mean square is the rounding of none."""

Csr = tuple[NDArray[np.int64], Positions, Floats32]


class Space(NamedTuple):
    """Rows (R) to be compared by their columns (C), laid out for the kernels."""

    by_row: Csr
    by_column: Csr
    """(C, R): who holds a column, and what there."""
    asking: Floats32
    """(R,) what a row contributes to the denominator when its neighbours are asked for."""
    answering: Floats32
    """(R,) the same for a row that may be a neighbour."""
    similarity: int
    """Place in ``SIMILARITIES``."""
    shrinkage: np.float32


def space_of(
    rows: csr_matrix, similarity: str, *, shrinkage: float = 0.0, alpha: float = 0.5
) -> Space:
    """Entries of ``rows`` (R, C) must be positive, unless the similarity is one of ratings."""
    kept = rows.astype(np.float32)
    if similarity not in OF_RATINGS:
        kept.eliminate_zeros()
        kept.data = np.maximum(kept.data, TINY)
    squares = np.asarray(kept.multiply(kept).sum(axis=1), np.float64).ravel()
    return Space(
        by_row=_csr(kept),
        by_column=_csr(kept.tocsc()),
        asking=sizes(squares, similarity, alpha),
        answering=sizes(squares, similarity, 1 - alpha),
        similarity=SIMILARITIES.index(similarity),
        shrinkage=np.float32(shrinkage),
    )


def sizes(squares: Floats, similarity: str, alpha: float) -> Floats32:
    """A row's part of the denominator, from the sum of its squares."""
    powers = {"cosine": 0.5, "asymmetric_cosine": alpha}
    size: Floats32 = (squares ** powers.get(similarity, 1.0)).astype(np.float32)
    return size


def _csr(matrix: csr_matrix) -> Csr:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data


# ---------------------------------------------------------------- what an entry weighs


def weighed(matrix: csr_matrix, weighting: str | None) -> csr_matrix:
    """Rows are terms and columns documents: users and items, as in the framework of Ferrari
    Dacrema et al., TOIS 2021, or the other way round, as ``matrix`` comes.
    """
    if weighting is None:
        return matrix
    weighted = matrix.copy()
    held = np.diff(matrix.indptr)
    totals = np.asarray(matrix.sum(axis=0)).ravel()
    weighted.data = weigh(
        matrix.data,
        np.repeat(rarity(held, matrix.shape[1]), held),
        relative(totals)[matrix.indices],
        weighting,
    )
    return weighted


def weigh(values: Floats32, rare: Floats, length: Floats, weighting: str) -> Floats32:
    """Entries by the rarity of their term and the relative length of their document::

    tfidf  √value · rarity
    bm25   value · (k1 + 1) / (k1 · (1 − b + b · length) + value) · rarity
    """
    frequency = values.astype(np.float64)
    if weighting == "tfidf":
        frequency = np.sqrt(frequency)
    else:
        frequency *= (K1 + 1) / (K1 * (1 - B + B * length) + frequency)
    entries: Floats32 = (frequency * rare).astype(np.float32)
    return entries


def rarity(held: NDArray[np.integer], documents: int) -> Floats:
    """ln(documents / (1 + how many hold the term)), never negative: what nearly all hold tells
    nothing.
    """
    rare: Floats = np.maximum(np.log(documents / (1 + held)), 0.0)
    return rare


def relative(totals: Floats32) -> Floats:
    """Lengths of documents as a share of their mean."""
    mean = totals.mean(dtype=np.float64) if len(totals) else 0.0
    lengths: Floats = totals.astype(np.float64) / max(mean, 1e-12)
    return lengths


# ---------------------------------------------------------------- ratings


def ratings_of(interactions: Interactions) -> csr_matrix:
    """(users, items) ratings as they are, zero and below included; one given twice counts with
    its mean.
    """
    matrix = interactions.matrix()
    ones = (np.ones(len(interactions), np.float32), (interactions.user, interactions.item))
    times = csr_matrix(ones, shape=matrix.shape)
    matrix.data /= times.data
    return matrix


def less_column_means(matrix: csr_matrix) -> tuple[csr_matrix, Floats32]:
    """Each entry less the mean of its column, and these means (C,)."""
    count = np.bincount(matrix.indices, minlength=matrix.shape[1])
    sums = np.bincount(matrix.indices, matrix.data, minlength=matrix.shape[1])
    means = (sums / np.maximum(count, 1)).astype(np.float32)
    centred = matrix.copy()
    centred.data = matrix.data - means[matrix.indices]
    return centred, means


# ---------------------------------------------------------------- kernels


@njit(cache=True, nogil=True, error_model="numpy")
def workspace(rows, of_ratings):  # type: ignore[no-untyped-def]
    """Zeroed sums and moments of each row, and room for the rows met and their similarities."""
    sums = np.zeros(0 if of_ratings else rows, np.float32)
    moments = np.zeros((rows if of_ratings else 0, 6))
    # One place more than there are rows: the kernels write before they know whether it counts.
    return sums, moments, np.empty(rows + 1, np.int32), np.empty(rows + 1, np.float32)


@njit(cache=True, nogil=True, error_model="numpy")
def similar(space, columns, values, size, work):  # type: ignore[no-untyped-def]
    """Compare one row, given by its entries and its part of the denominator, with all that share a
    column: their codes in ``work[2]``, similarities in ``work[3]``; returns how many.
    """
    sums, moments, met, strengths = work
    if space.similarity >= PEARSON:
        count = _moments(space.by_column, columns, values, moments, met)
        for at in range(count):
            strengths[at] = _of_moments(space.similarity, moments[met[at]], space.shrinkage)
            moments[met[at]] = 0
        return count
    count = _products(space.by_column, columns, values, sums, met)
    either = space.similarity == JACCARD
    for at in range(count):
        row = met[at]
        answering = space.answering[row]
        both = size + answering - sums[row] if either else size * answering
        strengths[at] = sums[row] / (both + space.shrinkage)
        sums[row] = 0
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _products(by_column, columns, values, sums, met):  # type: ignore[no-untyped-def]
    pointers, rows, entries = by_column
    count = 0
    for at in range(len(columns)):
        value = values[at]
        for place in range(pointers[columns[at]], pointers[columns[at] + 1]):
            row = rows[place]
            before = sums[row]
            # No branch on whether it is new, which no processor could foresee.
            met[count] = row
            count += before == 0
            sums[row] = before + value * entries[place]
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _moments(by_column, columns, values, moments, met):  # type: ignore[no-untyped-def]
    """Per row met: n, Σx, Σy, Σx², Σy², Σxy over the common columns."""
    pointers, rows, entries = by_column
    count = 0
    for at in range(len(columns)):
        x = np.float64(values[at])
        for place in range(pointers[columns[at]], pointers[columns[at] + 1]):
            row, y = rows[place], np.float64(entries[place])
            met[count] = row
            count += moments[row, 0] == 0
            moments[row, 0] += 1
            moments[row, 1] += x
            moments[row, 2] += y
            moments[row, 3] += x * x
            moments[row, 4] += y * y
            moments[row, 5] += x * y
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _of_moments(similarity, moments, shrinkage):  # type: ignore[no-untyped-def]
    n, x, y = moments[0], moments[1], moments[2]
    xx, yy, xy = moments[3], moments[4], moments[5]
    damped = n / (n + shrinkage)
    if similarity in (PEARSON, ADJUSTED_COSINE):
        if similarity == PEARSON:
            xx, yy, xy = xx - x * x / n, yy - y * y / n, xy - x * y / n
        flat = xx <= FLAT * moments[3] or yy <= FLAT * moments[4]
        return 0.0 if flat else damped * xy / np.sqrt(xx * yy)
    distance = max(xx + yy - 2 * xy, 0.0)
    return damped / (1 + (np.sqrt(distance) if similarity == EUCLIDEAN else distance / n))
