"""What follows what: Markov chain, association rules and sequential rules of two items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.recommenders.base import Recommender, ones_unless
from equipoise.recommenders.rows import keep_best, sum_rows
from equipoise.recommenders.threads import over_rows
from equipoise.recommenders.top import offer, pack
from equipoise.types import Floats32, Item, Positions

RULES = ("markov", "sequential", "association")
FRESHER = 1e-3


class Transitions(Recommender):
    """Score of item j = the share of what came with the history's last item that was j.

    The three rules of size two of Ludewig, Jannach, "Evaluation of session-based recommendation
    algorithms", UMUAI 2018 (equations 1 to 4). What comes with a row of item i in a session is

    - ``"markov"`` (MC): the row after it;
    - ``"sequential"`` (SR): the ``steps`` rows after it, the d-th counting 1/d;
    - ``"association"`` (AR): all other rows of the session, before and after.

    ``history_decay`` lets older items speak too: the d-th before the last counts
    ``history_decay``^d; 0 is as published. Of each item the ``top`` largest shares are kept.

    A session is a user of the interactions, all its rows in their order, repeats too; rows whose
    value is zero or less are left out. The newest row of all counts a thousandth more than the
    oldest, the others in between, so that of equal counts the fresher wins. A history is the
    running session; where people go back, ask with ``repeats``. An item that did not come with the
    history's scores NaN, so an empty history gets an empty list.

    Fit: nnz, nnz · ``steps``, or Σ (session length)² additions, on ``threads`` threads with equal
    results; memory 20·nnz bytes and I · ``top`` entries, and I floats a thread. A score costs
    ``top`` additions an item of the history and I floats to clear.
    """

    name = "transitions"
    learned = ("indptr", "targets", "shares")

    indptr_: NDArray[np.int64]
    targets_: Positions
    shares_: Floats32
    """CSR (I, I), row i: what came with i, and how often, all together 1 before the cut."""

    def __init__(
        self,
        *,
        rule: str = "sequential",
        steps: int = 10,
        history_decay: float = 0.0,
        top: int = 100,
        threads: int = 1,
    ) -> None:
        self.rule = rule
        self.steps = steps
        self.history_decay = history_decay
        self.top = top
        self.threads = threads

    def fit(self, interactions: Interactions, *, items: Iterable[Item] | None = None) -> Self:
        """Raises InvalidInput for a keyword out of range, naming it."""
        self.require("rule", self.rule in RULES, f"one of {RULES}")
        self.require("steps", self.steps >= 1, "at least one")
        self.require("history_decay", 0 <= self.history_decay <= 1, "a number in 0..1")
        self.require("top", self.top >= 1, "at least one")
        n = len(interactions.item_ids)
        sessions = _sessions(interactions)
        shape = (n, min(self.top, n))
        answer = (np.zeros(shape, np.int32), np.zeros(shape, np.float32), np.zeros(n, np.int64))
        longest = len(interactions)
        window = {
            "markov": (0, 1, False),
            "sequential": (0, self.steps, True),
            "association": (longest, longest, False),
        }[self.rule]
        over_rows(_count, n, self.threads, sessions, window, answer)
        self.item_ids_ = interactions.item_ids
        targets, shares, counts = answer
        stands = np.arange(shape[1]) < counts[:, None]
        self.indptr_ = np.concatenate([[0], np.cumsum(counts)])
        self.targets_, self.shares_ = targets[stands], shares[stands]
        return self

    def score_codes(self, codes: Positions, weights: Floats32 | None = None) -> Floats32:
        fading = np.float32(self.history_decay) ** np.arange(len(codes) - 1, -1, -1)
        counts = (ones_unless(weights, codes) * fading).astype(np.float32)
        heard = counts > 0
        rows = (self.indptr_, self.targets_, self.shares_)
        return sum_rows(*rows, codes[heard], counts[heard])


Sessions = tuple[
    NDArray[np.int64], Positions, Positions, Floats32, NDArray[np.int64], NDArray[np.int64]
]


def _sessions(interactions: Interactions) -> Sessions:
    """Where each session starts (S + 1,), of each row its item, session and worth, and the rows by
    item: where each item's start (I + 1,), and the rows.
    """
    in_time = np.argsort(interactions.user, kind="stable")
    in_time = in_time[interactions.value[in_time] > 0]
    session, items = interactions.user[in_time], interactions.item[in_time]
    starts = np.searchsorted(session, np.arange(interactions.n_users + 1))
    worth = (1 + FRESHER * in_time / len(interactions)).astype(np.float32)
    rows = np.argsort(items, kind="stable")
    bounds = np.searchsorted(items[rows], np.arange(interactions.n_items + 1))
    return starts, items, session, worth, bounds, rows


@njit(cache=True, nogil=True)
def _count(start, stop, sessions, window, answer):  # type: ignore[no-untyped-def]
    starts, items, session, worths, bounds, rows = sessions
    before, after, fades = window
    targets, shares, counts = answer
    n, k = targets.shape
    heap, share = np.empty(k, np.uint64), np.zeros(n, np.float32)
    touched, met = np.empty(n, np.int32), np.full(n, -1, np.int32)
    bits = share.view(np.uint32)
    for i in range(start, stop):
        found, total, size = 0, 0.0, 0
        for row in rows[bounds[i] : bounds[i + 1]]:
            first = max(starts[session[row]], row - before)
            last = min(starts[session[row] + 1] - 1, row + after)
            for other in range(first, last + 1):
                if other == row:
                    continue
                j = items[other]
                if met[j] != i:
                    met[j], share[j] = i, 0
                    touched[found] = j
                    found += 1
                worth = worths[max(row, other)] / (other - row if fades else 1)
                share[j] += worth
                total += worth
        for j in touched[:found]:
            share[j] /= total
            size = offer(heap, size, pack(bits[j], j))
        counts[i] = keep_best(heap, size, share, targets[i], shares[i])
