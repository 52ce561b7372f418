"""Three steps of a random walk, popular items held back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.recommenders.neighbours import best_of_rows, csr_arrays, nearest
from equipoise.recommenders.rows import sum_rows
from equipoise.recommenders.similarity import SIMILARITIES, TINY, Space
from equipoise.types import Floats32, Item, Positions


class RP3Beta(Recommender):
    """Score of item j = sum over the history's items i of w(i, j), how likely a walk from item to
    user to item leads from i to j.

    Paudel, Christoffel, Newell, Bernstein, "Updatable, Accurate, Diverse, and Scalable
    Recommendations for Interactive Applications", TiiS 2017: P(i→u→j) with each step's chance to
    the power ``alpha``, over the popularity of j to the power ``beta``::

        w(i, j) = Σ_u (1 / n_i)^α (x_uj / Σ x_u)^α / n_j^β

    n_i being how many users met i, and x 1, or with ``use_values`` the summed value.

    As in the framework of Ferrari Dacrema et al., TOIS 2021, only the ``k`` largest w(i, ·) of an
    item stand, are scaled to the sum 1 (unless ``normalize`` is False), and of these the ``k``
    largest w(·, j). Ways from an item to itself are left out. The history's items count alike.

    An item that no walk from the history reaches scores NaN, so an empty history gets an empty
    list.

    Fit: Σ over users of (history length)² multiplications, on ``threads`` threads with equal
    results; memory 4·nnz + 2·I·k entries at most, and 3·I a thread. A score costs h·k additions and
    I floats to clear.
    """

    name = "rp3beta"
    learned = ("indptr", "targets", "chances")

    indptr_: NDArray[np.int64]
    targets_: Positions
    chances_: Floats32
    """CSR (I, I), row i: the items j that i leads to, and w(i, j)."""

    def __init__(
        self,
        *,
        k: int = 100,
        alpha: float = 1.0,
        beta: float = 0.6,
        normalize: bool = True,
        use_values: bool = False,
        threads: int = 1,
    ) -> None:
        self.k = k
        self.alpha = alpha
        self.beta = beta
        self.normalize = normalize
        self.use_values = use_values
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self._check()
        space = self._walks(seen(interactions, self.use_values))
        lists = nearest(space, self.k, 0.0, self.threads)
        if self.normalize:
            lists.data /= np.repeat(lists.sum(axis=1).A1, np.diff(lists.indptr))
        lists = best_of_rows(lists.T.tocsr(), self.k)
        self.item_ids_ = interactions.item_ids
        self.indptr_, self.targets_, self.chances_ = csr_arrays(lists.T.tocsr())
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        rows = (self.indptr_, self.targets_, self.chances_)
        return sum_rows(*rows, codes, ones_unless(weights, codes))

    def _walks(self, users: csr_matrix) -> Space:
        """The walk as a product of rows: w is a cosine whose norms are powers of popularity."""
        lengths, totals = np.diff(users.indptr), np.asarray(users.sum(axis=1)).ravel()
        step = csr_matrix(users)
        step.data = (users.data / np.repeat(totals, lengths)) ** self.alpha
        step.data = np.maximum(step.data, TINY, dtype=np.float32)
        items = users.T.tocsr()
        items.data = np.ones_like(items.data)
        met = np.diff(items.indptr).astype(np.float64)
        return Space(
            by_row=csr_arrays(items),
            by_column=csr_arrays(step),
            asking=(met**self.alpha).astype(np.float32),
            answering=(met**self.beta).astype(np.float32),
            similarity=SIMILARITIES.index("cosine"),
            shrinkage=np.float32(0),
        )

    def _check(self) -> None:
        self.require("k", self.k >= 1, "at least one item")
        # Beyond, the powers of a few million leave float32; nobody tunes there.
        self.require("alpha", 0 < self.alpha <= 3, "a number above 0 and up to 3")
        self.require("beta", 0 <= self.beta <= 2, "a number from 0 to 2")
