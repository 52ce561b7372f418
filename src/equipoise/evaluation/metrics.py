"""Ranking metrics: the only home of each. One value a user; averaging and intervals are the
caller's.

``hits`` is (U, n), True where the item at that rank (column 0 the first) is relevant to the user,
each item once; ``relevant`` is (U,), how many items are. ``k`` cuts the lists; None takes them
whole. A user with nothing relevant has no recall, nDCG or average precision: NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InvalidInput
from equipoise.types import Bools, Floats

Counts = NDArray[np.int64]


def recall(hits: Bools, relevant: Counts, k: int | None = None) -> Floats:
    """hits@k / |relevant|, as LightGCN and BARS have it: below 1 at best where |relevant| > k."""
    return _divide(_cut(hits, k).sum(axis=1), relevant)


def truncated_recall(hits: Bools, relevant: Counts, k: int | None = None) -> Floats:
    """hits@k / min(k, |relevant|), as Mult-VAE (Liang et al., WWW 2018) and EASE have it."""
    cut = _cut(hits, k)
    return _divide(cut.sum(axis=1), np.minimum(relevant, cut.shape[1]))


def precision(hits: Bools, k: int | None = None) -> Floats:
    """hits@k / k. Also called accuracy@k; a list that came back shorter is still divided by k."""
    share: Floats = _cut(hits, k).mean(axis=1)
    return share


def ndcg(hits: Bools, relevant: Counts, k: int | None = None) -> Floats:
    """DCG@k / ideal DCG@k, DCG = Σ hit_r / log2(r + 1), ideal with min(k, |relevant|) hits first.

    Järvelin, Kekäläinen, TOIS 2002, with binary gains.
    """
    cut = _cut(hits, k)
    discount = _discount(cut.shape[1])
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    return _divide(cut @ discount, ideal[np.minimum(relevant, len(discount))])


def reciprocal_rank(hits: Bools, k: int | None = None) -> Floats:
    """1 / rank of the first hit, 0 without one; its mean is MRR (Voorhees, TREC-8, 1999)."""
    cut = _cut(hits, k)
    reciprocal: Floats = np.asarray(cut.max(axis=1) / (1.0 + cut.argmax(axis=1)))
    return reciprocal


def average_precision(hits: Bools, relevant: Counts, k: int | None = None) -> Floats:
    """Σ over hits of precision at their rank / min(k, |relevant|); its mean over users is MAP@k."""
    cut = _cut(hits, k)
    ranks = np.arange(1, cut.shape[1] + 1)
    total = (cut * np.cumsum(cut, axis=1) / ranks).sum(axis=1)
    return _divide(total, np.minimum(relevant, cut.shape[1]))


def hit_rate(hits: Bools, k: int | None = None) -> Floats:
    """1 if any of the first k is relevant, else 0."""
    return np.asarray(_cut(hits, k).any(axis=1), np.float64)


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


def _cut(hits: Bools, k: int | None) -> Bools:
    if k is None:
        return hits
    if not 1 <= k <= hits.shape[1]:
        raise InvalidInput(f"k is {k}; the lists hold 1..{hits.shape[1]} places", pointer="/k")
    return hits[:, :k]


def _discount(n: int) -> Floats:
    discount: Floats = 1.0 / np.log2(np.arange(2, n + 2))
    return discount


def _divide(over: NDArray[Any], under: NDArray[Any]) -> Floats:
    out: Floats = np.full(len(over), np.nan)
    np.divide(over, under, out=out, where=under > 0)
    return out
