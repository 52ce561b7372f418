"""Matrix factorisation for implicit feedback by alternating least squares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Self

import numpy as np
from scipy.sparse import csr_matrix

from equipoise.data import Interactions
from equipoise.randomness import RandomState, generator
from equipoise.recommenders.als_kernels import conjugate_gradient, exact
from equipoise.recommenders.base import Recommender, ones_unless, seen
from equipoise.recommenders.inner_product import InnerProducts
from equipoise.recommenders.threads import over_rows
from equipoise.types import Bools, Floats32, Item, Positions

SOLVERS: dict[str, Callable[..., None]] = {"cg": conjugate_gradient, "cholesky": exact}

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

    ``solver="cholesky"`` solves each half-step exactly, ``"cg"`` takes ``cg_steps`` warm-started
    steps of conjugate gradients (Takács, Pilászy, Tikk, RecSys 2011), several times faster with
    many factors; both lower the loss in every half-step. The same ``random_state`` gives the same
    factors on any number of ``threads``.

    An empty history scores NaN throughout, and so gets an empty list. Items never met have the zero
    vector and score 0.

    An epoch costs, in multiplications, cg: ``cg_steps`` · (2·nnz·d + (U + I)·d²); cholesky: nnz·d²
    + (U + I)·d³/6. Memory (U + I)·d floats for fitting, 2·I·d kept. Folding in costs h·d²/2 + d³/6;
    the search for the best is exact and skips most items (``InnerProducts``).
    """

    name = "als"
    learned = ("item_factors", "gram", "unobserved")

    item_factors_: Floats32
    """(I, d)"""
    gram_: Floats32
    """(d, d) Σ h hᵀ over all items."""
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
        solver: str = "cg",
        cg_steps: int = 3,
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
        self.solver = solver
        self.cg_steps = cg_steps
        self.random_state = random_state
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self._check()
        users = seen(interactions, self.use_values)
        by_item = users.T.tocsr()
        self.item_ids_ = interactions.item_ids
        self.unobserved_ = self._unobserved(users)
        user_factors, self.item_factors_ = self._initial(users)
        for _ in range(self.epochs):
            self.half_step(users, self.item_factors_, user_factors)
            self.half_step(by_item, user_factors, self.item_factors_)
        self.gram_ = _gram(self.item_factors_)
        self.prepare()
        return self

    def half_step(self, matrix: csr_matrix, fixed: Floats32, moving: Floats32) -> None:
        """Improve ``moving`` (R, d) in place, given ``fixed`` (C, d) and ``matrix`` (R, C)."""
        lists = (matrix.indptr, matrix.indices, matrix.data)
        gram = _gram(fixed) * self.unobserved_
        ridge = self._ridge(np.diff(matrix.indptr), len(fixed))
        steps = (self.cg_steps,) if self.solver == "cg" else ()
        kernel = SOLVERS[self.solver]
        over_rows(kernel, len(moving), self.threads, lists, fixed, gram, ridge, moving, *steps)

    def fold_in(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        """(d,) the best user vector for this history, the item vectors given."""
        lists = (np.array([0, len(codes)], np.int32), codes, ones_unless(weights, codes))
        gram = self.gram_ * self.unobserved_
        ridge = self._ridge(np.array([len(codes)]), len(self.item_ids_))
        vector = np.zeros(self.item_factors_.shape[1], np.float32)
        exact(0, 1, lists, self.item_factors_, gram, ridge, vector[None])
        return vector

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
        self._search = InnerProducts.of(self.item_factors_)

    def _initial(self, users: csr_matrix) -> tuple[Floats32, Floats32]:
        """Normal starting points; rows never met start, and stay, at zero."""
        rng = generator(self.random_state, "als")
        spread = self.initial_spread / np.sqrt(self.factors)
        sizes = users.getnnz(axis=1), users.getnnz(axis=0)
        drawn = (rng.normal(0, spread, (len(met), self.factors)) for met in sizes)
        moving = [start * (met > 0)[:, None] for start, met in zip(drawn, sizes, strict=True)]
        return moving[0].astype(np.float32), moving[1].astype(np.float32)

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


def _gram(factors: Floats32) -> Floats32:
    """(d, d), summed in float64 so that it does not lose small items beside large ones."""
    wide = factors.astype(np.float64)
    gram: Floats32 = (wide.T @ wide).astype(np.float32)
    return gram
