"""Ranking metrics: where in a list the relevant items stand. One value a user.

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


accuracy_at_k = precision
"""Another name of it, used where a list is judged as k yes-or-no answers."""


def f1(hits: Bools, relevant: Counts, k: int | None = None) -> Floats:
    """2 · precision · recall / (precision + recall) = 2 hits@k / (k + |relevant|), user by user.

    Published F1@k are as often the harmonic mean of the two *means*: compare like with like. van
    Rijsbergen, "Information Retrieval", 1979, chapter 7, with β = 1. NaN where nothing is relevant.
    """
    cut = _cut(hits, k)
    score = _divide(2 * cut.sum(axis=1), cut.shape[1] + np.asarray(relevant))
    score[np.asarray(relevant) == 0] = np.nan
    return score


def ndcg(hits: Bools, relevant: Counts, k: int | None = None) -> Floats:
    """DCG@k / ideal DCG@k, DCG = Σ hit_r / log2(r + 1), ideal with min(k, |relevant|) hits first.

    Järvelin, Kekäläinen, TOIS 2002, with binary gains.
    """
    cut = _cut(hits, k)
    discount = _discount(cut.shape[1])
    ideal = np.concatenate([[0.0], np.cumsum(discount)])
    return _divide(cut @ discount, ideal[np.minimum(relevant, len(discount))])


def graded_ndcg(
    gains: NDArray[Any],
    ideal: NDArray[Any],
    k: int | None = None,
    *,
    exponential: bool = False,
) -> Floats:
    """nDCG where some items are worth more than others: stars, or cart and purchase.

    DCG = Σ gain_r / log2(r + 1) (Järvelin, Kekäläinen, TOIS 2002), or with ``exponential``
    (2^gain − 1) in place of the gain (Burges et al., ICML 2005). NaN where nothing is worth
    anything. With gains of 0 and 1 it is ``ndcg``.

    Args:
        gains: (U, n) of the item at that rank, 0 or more.
        ideal: (U, m) gains of all that the user wanted, in any order, padded with 0.
    """
    cut = _cut(np.asarray(gains, np.float64), k)
    wanted = np.asarray(ideal, np.float64)
    if (cut < 0).any() or (wanted < 0).any():
        raise InvalidInput("a gain is below 0; nDCG knows gains of 0 or more", pointer="/gains")
    best = -np.sort(-wanted, axis=1)[:, : cut.shape[1]]
    if exponential:
        cut, best = np.exp2(cut) - 1, np.exp2(best) - 1
    discount = _discount(cut.shape[1])
    return _divide(cut @ discount, best @ discount[: best.shape[1]])


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


def auc(scores: NDArray[Any], relevant: Bools, candidates: Bools | None = None) -> Floats:
    """Chance that a relevant item scores above one that is not, a tie being half: the area under
    the ROC curve of each user (Hanley, McNeil, *Radiology* 143, 1982; Rendle et al., UAI 2009).

    It looks at whole rankings, ends included: a list of ten that nobody scrolls beyond is better
    judged by ``ndcg``. NaN where all or none of the candidates are relevant. Cost I log I a user.

    Args:
        scores: (U, I); NaN, *cannot say*, stands below all others.
        relevant: (U, I).
        candidates: (U, I) what is ranked, all by default: leave out what the user knew.
    """
    if scores.shape != relevant.shape:
        raise InvalidInput(
            f"scores have shape {scores.shape}, relevant {relevant.shape}; one (U, I) is wanted",
            pointer="/relevant",
        )
    asked = np.ones(scores.shape, np.bool_) if candidates is None else candidates
    low = np.where(np.isnan(scores), -np.inf, scores)
    return np.array([_auc(*row) for row in zip(low, relevant, asked, strict=True)], np.float64)


def _auc(scores: NDArray[Any], relevant: Bools, asked: Bools) -> float:
    """Mann–Whitney's U by ranks, of one user."""
    scores, relevant = scores[asked], relevant[asked]
    wins, losses = int(relevant.sum()), int((~relevant).sum())
    if not wins or not losses:
        return float("nan")
    _, level, size = np.unique(scores, return_inverse=True, return_counts=True)
    # Ties share the mean of their ranks.
    ranks = (np.cumsum(size) - (size - 1) / 2)[level]
    return float((ranks[relevant].sum() - wins * (wins + 1) / 2) / (wins * losses))


def _cut(hits: NDArray[Any], k: int | None) -> NDArray[Any]:
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
