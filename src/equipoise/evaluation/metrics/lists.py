"""What lists are made of, beside their hits: how much of the catalogue, how well known, how varied,
how like the user's own mixture, and how much of it nobody needed to be told.

``lists`` is (U, n) codes below I, −1 for none. What is said of single items is (I,) or (I, d).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.errors import InvalidInput
from equipoise.types import Bools, Floats

Lists = NDArray[np.int32]
MIXED = 0.01
"""Share of the wanted mixture that Steck adds to the list's, so that KL stays finite."""


def coverage(lists: NDArray[np.int32], items: int) -> float:
    """Share of a catalogue of ``items`` in any of ``lists``: (U, n) codes, −1 for none."""
    return float(len(np.unique(lists[lists >= 0])) / items) if items else 0.0


def gini(lists: NDArray[np.int32], items: int) -> float:
    """Gini index of how often each item was listed: 0 all alike, towards 1 a few take all.

    Σ (2j − I − 1) c_j / (I Σ c), c rising (Fleder, Hosanagar, Management Science 2009). ``lists``
    (U, n) codes below ``items``, −1 for none. NaN for no lists.
    """
    counts = np.sort(np.bincount(lists[lists >= 0], minlength=items))
    if not counts.sum():
        return float("nan")
    rank = np.arange(1, items + 1)
    return float(((2 * rank - items - 1) * counts).sum() / (items * counts.sum()))


def novelty(lists: NDArray[np.int32], popularity: Floats) -> float:
    """Mean of −log2 of the share of users who met the item, over all places (Zhou et al., PNAS
    2010).

    ``popularity`` (I,) in 0..1. Items that nobody met are left out; NaN where nothing is left.
    """
    share = popularity[lists[lists >= 0]]
    met = share[share > 0]
    return float(-np.log2(met).mean()) if len(met) else float("nan")


def intra_list_diversity(lists: Lists, vectors: NDArray[Any] | csr_matrix) -> Floats:
    """(U,) mean of 1 − cosine over all pairs of a list (Smyth, McClave, ICCBR 2001; intra-list
    similarity of Ziegler et al., WWW 2005, turned round).

    An item whose vector is 0 is like no other. NaN for lists of fewer than two.

    Args:
        vectors: (I, d) what an item is: categories, tags, an embedding; dense or sparse.
    """
    unit = _unit(vectors)
    values = np.full(len(lists), np.nan)
    for row, chosen in enumerate(lists):
        some = unit[chosen[chosen >= 0]]
        n = some.shape[0]
        if n > 1:
            # Σ over pairs = (|Σ v|² − Σ |v|²) / 2: no n × n table.
            total = np.asarray(some.sum(axis=0)).ravel()
            own = float((some.multiply(some)).sum())
            values[row] = 1 - (float(total @ total) - own) / (n * (n - 1))
    return values


def serendipity(lists: Lists, hits: Bools, expected: Lists) -> Floats:
    """(U,) share of the places with an item that is relevant *and* was not to be expected.

    Unexpected is what a primitive recommender (popularity, the user's own most bought) does not
    list for the same user: Ge, Delgado-Battenfeld, Jannach, "Beyond accuracy", RecSys 2010, with
    relevance for usefulness.

    Args:
        hits: (U, n) of ``lists``.
        expected: (U, m) the primitive's lists.
    """
    if hits.shape != lists.shape or len(expected) != len(lists):
        raise InvalidInput(
            f"lists have shape {lists.shape}, hits {hits.shape}, expected {expected.shape}; (U, n)"
            " twice and (U, m) are wanted",
            pointer="/expected",
        )
    foreseen = (lists[:, :, None] == expected[:, None, :]).any(axis=2)
    share: Floats = (hits & (lists >= 0) & ~foreseen).mean(axis=1)
    return share


def calibration(
    lists: Lists, wanted: Floats, categories: NDArray[Any], *, mixed: float = MIXED
) -> Floats:
    """(U,) C_KL: how far the list's mixture of categories is from the user's own; 0 is the same.

    Σ_g p(g) ln(p(g) / q̃(g)), q̃ = (1 − α) q + α p: Steck, "Calibrated recommendations", RecSys 2018,
    all places weighing alike. NaN where the user or the list has no category at all.

    Args:
        wanted: (U, G) p, each row of sum 1 (``category_shares`` of the histories), or 0.
        categories: (I, G) p(g | item), each row of sum 1, or 0 for an item without any.
        mixed: α.
    """
    needed = (len(lists), categories.shape[1])
    if wanted.shape != needed:
        raise InvalidInput(
            f"wanted has shape {wanted.shape}; {needed} is needed: a row a list, a column a"
            " category",
            pointer="/wanted",
        )
    table = np.vstack([np.asarray(categories, np.float64), np.zeros(categories.shape[1])])
    shown = table[lists].sum(axis=1)
    got = _shares(shown)
    mixture = (1 - mixed) * got + mixed * wanted
    terms = np.zeros(wanted.shape)
    some = wanted > 0
    terms[some] = wanted[some] * np.log(wanted[some] / mixture[some])
    values: Floats = terms.sum(axis=1)
    values[(shown.sum(axis=1) == 0) | ~some.any(axis=1)] = np.nan
    return values


def category_shares(met: csr_matrix, categories: NDArray[Any]) -> Floats:
    """(U, G) each user's mixture of categories: Σ_i w(u, i) p(g | i), rows summing to 1, or 0.

    Args:
        met: (U, I) weights of 0 or more: ``interactions.matrix(binary=True)``.
        categories: (I, G) p(g | item).
    """
    return _shares(np.asarray(met @ categories, np.float64))


def average_popularity(lists: Lists, counts: NDArray[Any]) -> Floats:
    """(U,) mean of how many users met the listed items; its mean is ARP (Yin et al., VLDB 2012;
    Abdollahpouri, Burke, Mobasher, FLAIRS 2019). NaN for an empty list.

    Args:
        counts: (I,) users, or a share of them.
    """
    table = np.append(np.asarray(counts, np.float64), 0.0)
    places = (lists >= 0).sum(axis=1)
    sums = table[lists].sum(axis=1)
    mean: Floats = np.divide(sums, places, out=np.full(len(lists), np.nan), where=places > 0)
    return mean


def popularity_lift(lists: Lists, met: csr_matrix, counts: NDArray[Any]) -> Floats:
    """(U,) by how much more popular the list is than what the user met before, relative: 0.5 is
    half as much again, below 0 is less popular.

    Abdollahpouri, Mansoury, Burke, Mobasher, RecSys 2020, who take it over groups, with the mean of
    lists over the mean of profiles: for that, average both with ``groups.by_group`` first. NaN
    without a list or a history.

    Args:
        met: (U, I) with an entry for each item met.
        counts: (I,) users who met each.
    """
    known = met != 0
    sums = np.asarray(known @ np.asarray(counts, np.float64)).ravel()
    profile = np.full(len(lists), np.nan)
    np.divide(sums, np.diff(known.indptr), out=profile, where=sums > 0)
    lift: Floats = average_popularity(lists, counts) / profile - 1
    return lift


def _unit(vectors: NDArray[Any] | csr_matrix) -> csr_matrix:
    """Rows of length 1, or 0."""
    rows = csr_matrix(vectors, dtype=np.float64)
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    rows.data = rows.data / np.repeat(np.where(length > 0, length, 1.0), np.diff(rows.indptr))
    return rows


def _shares(sums: Floats) -> Floats:
    total = sums.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(sums, total, out=np.zeros_like(sums), where=total > 0)
    return shares
