"""Thompson sampling where beliefs move together: Monte Carlo that can be computed again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.exploration.policies.checks import check_open, check_scored
from equipoise.exploration.policies.greedy import best
from equipoise.exploration.policies.thompson import Thompson
from equipoise.interfaces import Conditional
from equipoise.randomness import derive
from equipoise.types import Bools, Floats, Scored

BLOCK = 128
"""Draws that are computed together: they stay in the fastest memory."""
TOLERANCE = 1e-5
"""Relative: a root and a variance that were stored as float32 still agree."""


@dataclass(frozen=True)
class JointThompson:
    """``p_i`` = share of ``draws`` joint samples in which item i is the best of what is open.

    For beliefs whose covariance is ``root @ root.T``, as a linear belief gives. What all items of
    a kind have in common then decides nothing between them, while ``Thompson`` would take it for
    many separate doubts. Without a root the beliefs are independent, and this *is* ``Thompson``,
    exactly.

    With one, the probabilities are an estimate of Thompson's, and yet what is logged is exact: the
    item is drawn from the estimate itself. Its luck derives from the beliefs alone, whatever
    the candidates' order and the level: the same beliefs give the same probabilities again, after
    any restart. ``standard_error`` says how near they are to the limit.

    One more draw is shared by all that are open (add-one smoothing, one for the whole, as one for
    each would show 500 candidates at random a third of the time): nothing open has probability 0,
    and the least is ``1 / (n_open (draws + 1))``. ``level`` multiplies the spreads. O(draws n k)
    to bind, k columns of the root; O(draws n) a position: a slate of 20 from 500 candidates with
    32 columns takes some 12 ms (``python -m benchmarks exploration speed``).

    Args:
        draws: samples, from 1.
    """

    draws: int = 1024

    name: ClassVar[str] = "joint_thompson"
    version: ClassVar[str] = "1"
    monotone: ClassVar[bool] = True

    def __post_init__(self) -> None:
        # Stored parameters come back as floats.
        if not (1 <= self.draws < 2**31 and self.draws == int(self.draws)):
            raise ValueError(f"draws is {self.draws}; it must be a whole number from 1")

    @property
    def parameters(self) -> dict[str, float]:
        return {"draws": self.draws}

    def bind(self, scored: Scored, level: float) -> Conditional:
        check_scored(scored, level)
        if scored.root is None:
            return Thompson().bind(scored, level)
        _check_root(scored.root, scored.variance)
        if level == 0 or not scored.root.any():
            return _greedy(scored)
        return self._sampled(scored.mean, scored.root, level)

    def standard_error(self, scored: Scored, chance: Floats) -> Floats:
        """(n,) standard error of ``chance`` (n,) about Thompson's own probabilities.

        ``√(q (1 − q) / draws)`` with q the smoothed share, so that a share of 0 is not certain; 0
        everywhere where there is no root, as nothing is then sampled.
        """
        if scored.root is None:
            return np.zeros(len(scored))
        share = (chance * (self.draws + 1) + 1.0) / (self.draws + 3)
        return np.sqrt(share * (1.0 - share) / self.draws)

    def _sampled(self, mean: Floats, root: Floats, level: float) -> Conditional:
        rows = np.ascontiguousarray(np.column_stack([mean, root]))
        order, seed = _canonical(rows)
        luck = derive(0, "joint_thompson", seed).standard_normal((root.shape[1], int(self.draws)))
        rows = rows[order]
        rows[:, 1:] *= level
        twin = np.cumsum(np.append(False, (rows[1:] != rows[:-1]).any(axis=1)))
        worth = _worths(rows[np.append(True, np.diff(twin) > 0)], luck)

        def conditional(open_: Bools) -> Floats:
            check_open(open_, len(mean))
            twins = np.bincount(twin[open_[order]], minlength=len(worth))
            wins = _wins(worth, twins > 0)
            chance = np.zeros(len(mean))
            chance[order] = open_[order] * (wins / np.maximum(twins, 1))[twin]
            chance += open_ / np.count_nonzero(open_)
            chance /= chance.sum()
            return chance

        return conditional


def _greedy(scored: Scored) -> Conditional:
    def conditional(open_: Bools) -> Floats:
        check_open(open_, len(scored))
        return best(scored.mean, open_)

    return conditional


def _check_root(root: Floats, variance: Floats) -> None:
    if root.ndim != 2 or len(root) != len(variance) or not np.isfinite(root).all():
        raise ValueError(
            f"the root of {len(variance)} beliefs has shape {root.shape}; "
            f"it must be ({len(variance)}, k), and finite"
        )
    implied = np.einsum("ij,ij->i", root, root)
    apart = np.abs(implied - variance) > TOLERANCE * variance.max()
    if apart.any():
        at = int(np.argmax(apart))
        raise ValueError(
            f"candidate {at} has variance {variance[at]}, but its row of the root says "
            f"{implied[at]}: root @ root.T must be the covariance of these beliefs"
        )


def _canonical(rows: Floats) -> tuple[NDArray[np.int64], str]:
    """An order of beliefs that does not depend on theirs, and a digest of them in it."""
    key = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    order = np.argsort(key, kind="stable")
    return order, hashlib.blake2b(rows[order].tobytes(), digest_size=16).hexdigest()


@njit(cache=True)
def _worths(rows: Floats, luck: Floats) -> Floats:
    """(m, draws) mean + root · luck. Summed column by column, which no library may reorder."""
    draws = luck.shape[1]
    worth = np.empty((len(rows), draws))
    for start in range(0, draws, BLOCK):
        end = min(start + BLOCK, draws)
        for i in range(len(rows)):
            row = worth[i, start:end]
            row[:] = rows[i, 0]
            for k in range(len(luck)):
                share, column = rows[i, k + 1], luck[k, start:end]
                for d in range(len(row)):
                    row[d] += share * column[d]
    return worth


@njit(cache=True)
def _wins(worth: Floats, inside: Bools) -> Floats:
    """(m,) draws in which each is the best of those inside."""
    draws = worth.shape[1]
    top, leader = np.full(draws, -np.inf), np.zeros(draws, np.int64)
    for i in range(len(worth)):
        if inside[i]:
            for d in range(draws):
                if worth[i, d] > top[d]:
                    top[d], leader[d] = worth[i, d], i
    wins = np.zeros(len(worth))
    for d in range(draws):
        wins[leader[d]] += 1.0
    return wins
