"""Matrix factorisation for implicit feedback by alternating least squares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.randomness import RandomState, generator
from equipoise.recommenders.als_axes import BLOCK, principal_axes, turn
from equipoise.recommenders.als_blocks import blocks
from equipoise.recommenders.als_cg import conjugate_gradient
from equipoise.recommenders.als_exact import exact
from equipoise.recommenders.als_gather import over_entries
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.recommenders.inner_product import RECALL_WANTED, InnerProducts
from equipoise.types import Bools, Floats32, Item, Positions

SOLVERS: dict[str, Callable[..., None]] = {
    "cg": conjugate_gradient,
    "cholesky": exact,
    "blocks": blocks,
}

UNMET_HISTORIES = 16.0
"""Good, with the default ridge, from .07 % of all pairs met (Gowalla) to 4 % (MovieLens 1M)."""


class ImplicitALS(Recommender):
    """Score of item i = w · h_i, w folded in from the history by one small exact solve.

    iALS of Hu, Koren, Volinsky, ICDM 2008, with the frequency-scaled regularisation and the
    settings of Rendle, Krichene, Zhang, Koren, "Revisiting the Performance of iALS", RecSys 2022.
    Minimises over user vectors w and item vectors h of ``factors`` numbers, S being the pairs met
    and c their weights (1, or with ``use_values`` the summed values)::

        Σ_S c (w_u·h_i − 1)² + a Σ_all (w_u·h_i)² + λ (Σ_u n_u^ν |w_u|² + Σ_i n_i^ν |h_i|²)

    with a = ``unobserved_weight``, λ = ``regularization``, ν = ``frequency_scaling``, n_u = |S_u| +
    a·I and n_i = |S_i| + a·U. Hu et al.'s confidence 1 + α·r is a = 1/α with r for c (all scaled by
    α; ν = 0). ``unobserved_weight=None`` takes a = 16 · nnz / (U·I), at most 1: all that a user did
    not meet together then weighs sixteen mean histories, whatever the size of the catalogue.

    ``log_epsilon`` = ε weighs a value r by c = log(1 + r/ε), the second form of Hu et al.; their α
    is again 1/a.

    Before a half-step both sides are turned to the principal axes of the fixed one, where the pairs
    not met are a diagonal. ``solver="cg"`` then takes ``cg_steps`` warm-started steps of conjugate
    gradients preconditioned by it (``als_cg``), ``"cholesky"`` solves exactly (``als_exact``),
    ``"blocks"`` solves ``block_size`` coordinates after the other, iALS++ (``als_blocks``). All
    lower the loss in every half-step; three steps are near the optimum of a half-step and several
    times faster. The same ``random_state`` gives the same factors on any number of ``threads``.

    An empty history scores NaN throughout, and so gets an empty list. Items never met have the zero
    vector and score 0.

    An epoch costs, in multiplications, cg: nnz·d·(4·``cg_steps`` + 2); cholesky: nnz·d² +
    (U + I)·d³/6, less for rows of n < d entries, n²·d/2 + n³/6; blocks of b: nnz·d·(b + 6) +
    (U + I)·d·b²/6; and for turning 5·(U + I)·d², by BLAS, which is called from ``threads`` and best
    has one of its own (OPENBLAS_NUM_THREADS=1). Memory for fitting: the matrix by users and by
    items, (U + I)·d floats, and at most 16 MiB a thread; kept: I·d floats and I·(d/2 + 8) bytes.
    Folding in costs what a row of cholesky does; the search for the best is exact and skips most
    items, and with a ``recall`` such as .99 skips more and finds that share (``InnerProducts``).
    """

    name = "als"
    learned = ("item_factors", "spectrum", "unobserved")

    item_factors_: Floats32
    """(I, d), in its principal axes."""
    spectrum_: Floats32
    """(d,) the diagonal of Σ h hᵀ over all items; there is nothing beside it."""
    unobserved_: Floats32
    """(1,) the unobserved weight in use."""

    def __init__(
        self,
        *,
        factors: int = 64,
        regularization: float = 0.003,
        unobserved_weight: float | None = None,
        frequency_scaling: float = 1.0,
        epochs: int = 16,
        initial_spread: float = 0.1,
        use_values: bool = False,
        log_epsilon: float | None = None,
        solver: str = "cg",
        cg_steps: int = 3,
        block_size: int = 32,
        recall: float | None = None,
        random_state: RandomState = None,
        threads: int = 1,
    ) -> None:
        self.factors = factors
        self.regularization = regularization
        self.unobserved_weight = unobserved_weight
        self.frequency_scaling = frequency_scaling
        self.epochs = epochs
        self.initial_spread = initial_spread
        self.use_values = use_values
        self.log_epsilon = log_epsilon
        self.solver = solver
        self.cg_steps = cg_steps
        self.block_size = block_size
        self.recall = recall
        self.random_state = random_state
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self._check()
        users = seen(interactions, self.use_values)
        users.data = self._confidence(users.data)
        by_item = users.T.tocsr()
        self.item_ids_ = interactions.item_ids
        self.unobserved_ = self._unobserved(users)
        user_factors, self.item_factors_ = self._initial(users)
        for _ in range(self.epochs):
            self.half_step(users, self.item_factors_, user_factors)
            self.half_step(by_item, user_factors, self.item_factors_)
        self.spectrum_ = _to_axes(self.threads, self.item_factors_)
        self.prepare()
        return self

    def half_step(self, matrix: csr_matrix, fixed: Floats32, moving: Floats32) -> None:
        """Improve ``moving`` (R, d) in place, given ``fixed`` (C, d) and ``matrix`` (R, C).

        Turns both to the principal axes of ``fixed``, in place, which no inner product notices.
        """
        diagonal = _to_axes(self.threads, fixed, moving) * self.unobserved_
        ridge = self._ridge(np.diff(matrix.indptr), len(fixed))
        lists = (matrix.indptr, matrix.indices, matrix.data)
        more = {"cg": (self.cg_steps,), "blocks": (self.block_size,)}.get(self.solver, ())
        kernel, known = SOLVERS[self.solver], (lists, fixed, diagonal, ridge, moving)
        over_entries(kernel, matrix.indptr, self.threads, *known, *more)

    def fold_in(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        """(d,) the best user vector for this history, the item vectors given."""
        counts = self._confidence(ones_unless(weights, codes))
        lists = (np.array([0, len(codes)], np.int32), codes, counts)
        diagonal = self.spectrum_ * self.unobserved_
        ridge = self._ridge(np.array([len(codes)]), len(self.item_ids_))
        vector = np.zeros((1, self.item_factors_.shape[1]), np.float32)
        exact(0, 1, lists, self.item_factors_, diagonal, ridge, vector)
        folded: Floats32 = vector[0]
        return folded

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        if not len(codes):
            return np.full(len(self.item_ids_), np.nan, np.float32)
        return self._search.scores(self.fold_in(codes, weights))

    def top_codes(
        self, codes: Positions, weights: Floats32 | None, allowed: Bools, k: int
    ) -> tuple[Positions, Floats32]:
        k = k if len(codes) else 0
        return self._search.top(self.fold_in(codes, weights), allowed, k)

    def prepare(self) -> None:
        self._search = InnerProducts.of(self.item_factors_, recall=self.recall)

    def _initial(self, users: csr_matrix) -> tuple[Floats32, Floats32]:
        """Normal starting points; rows never met start, and stay, at zero."""
        rng = generator(self.random_state, "als")
        spread = self.initial_spread / np.sqrt(self.factors)
        met = users.getnnz(axis=1) > 0, users.getnnz(axis=0) > 0
        user_factors = _drawn(rng, spread, met[0], self.factors)
        return user_factors, _drawn(rng, spread, met[1], self.factors)

    def _confidence(self, values: Floats32) -> Floats32:
        if self.log_epsilon is None:
            return values
        damped: Floats32 = np.log1p(values / np.float32(self.log_epsilon))
        return damped

    def _unobserved(self, users: csr_matrix) -> Floats32:
        weight = self.unobserved_weight
        if weight is None:
            weight = min(1.0, UNMET_HISTORIES * users.nnz / max(1, np.prod(users.shape)))
        return np.array([weight], np.float32)

    def _ridge(self, met: Positions, others: int) -> Floats32:
        frequency = met + self.unobserved_ * others
        ridge = self.regularization * frequency**self.frequency_scaling
        narrow: Floats32 = ridge.astype(np.float32)
        return narrow

    def _check(self) -> None:
        self.require("factors", self.factors >= 1, "at least one")
        self.require("regularization", self.regularization > 0, "a positive number")
        weight = self.unobserved_weight
        self.require("unobserved_weight", weight is None or weight > 0, "a positive number or None")
        self.require("epochs", self.epochs >= 1, "at least one")
        self.require("solver", self.solver in SOLVERS, f"one of {tuple(SOLVERS)}")
        self.require("cg_steps", self.cg_steps >= 1, "at least one")
        self.require("block_size", self.block_size >= 1, "at least one")
        self.require("recall", InnerProducts.can_find(self.recall), RECALL_WANTED)
        epsilon = self.log_epsilon
        self.require("log_epsilon", epsilon is None or epsilon > 0, "a positive number or None")


def _to_axes(threads: int, fixed: Floats32, *others: Floats32) -> Floats32:
    """Turn all to the principal axes of ``fixed``; (d,) the diagonal of its Gramian there."""
    spectrum, rotation = principal_axes(fixed, threads)
    for factors in (fixed, *others):
        turn(factors, rotation, threads)
    return spectrum


def _drawn(rng: np.random.Generator, spread: float, met: Bools, factors: int) -> Floats32:
    """(n, d) normal numbers, zero where not ``met``; in blocks, so that none is held in float64."""
    out = np.empty((len(met), factors), np.float32)
    for start in range(0, len(met), BLOCK):
        block = out[start : start + BLOCK]
        block[:] = rng.normal(0, spread, block.shape)
    out[~met] = 0
    return out
