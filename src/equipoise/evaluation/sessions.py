"""What is clicked next: the protocol of session-based recommendation.

Every proper prefix of a test session, its first click alone up to all but its last, asks for a
list, and the click that follows is the one relevant item (Hidasi et al., "Session-based
recommendations with recurrent neural networks", ICLR 2016; Wu et al., SR-GNN, AAAI 2019). All items
are ranked; what was seen may be seen again, so repeats are allowed unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import elapsed
from equipoise.errors import InvalidInput
from equipoise.evaluation.metrics import hit_rate, reciprocal_rank
from equipoise.types import Bools, Floats32

BATCH = 1_000


class Lister(Protocol):
    """Whatever answers histories with lists: ours, or somebody else's."""

    def recommend_batch(
        self, histories: Sequence[Sequence[Hashable]], n: int, *, repeats: bool
    ) -> tuple[NDArray[np.object_], Floats32]: ...


@dataclass(frozen=True)
class NextClicks:
    """Prefixes and what was clicked next: the questions."""

    prefixes: Sequence[Sequence[Hashable]]
    """P of them, newest click last, none empty."""
    targets: Sequence[Hashable]
    """(P,) the click that followed."""
    session: NDArray[np.int64]
    """(P,) the session that each was cut from, as intervals over sessions need it."""

    def __post_init__(self) -> None:
        counts = (len(self.prefixes), len(self.targets), len(self.session))
        if len(set(counts)) > 1:
            raise InvalidInput(
                f"{counts[0]} prefixes, {counts[1]} targets and {counts[2]} sessions; one each is"
                " wanted",
                pointer="/targets",
            )
        if not len(self.prefixes):
            raise InvalidInput(
                "no click to predict: a session of two clicks or more is wanted",
                pointer="/prefixes",
            )

    @classmethod
    def of(cls, sessions: Sequence[Sequence[Hashable]]) -> NextClicks:
        """Every proper prefix of every session. Raises InvalidInput where none has two clicks."""
        cuts = [(n, end) for n, session in enumerate(sessions) for end in range(1, len(session))]
        prefixes = [sessions[n][:end] for n, end in cuts]
        targets = [sessions[n][end] for n, end in cuts]
        return cls(prefixes, targets, np.array([n for n, _ in cuts], np.int64))


@dataclass(frozen=True)
class Answers:
    """How the lists were: one row a prefix."""

    hits: Bools
    """(P, n) True at the rank of what was clicked next; a row without it is all False."""
    session: NDArray[np.int64]
    """(P,) as in ``NextClicks``."""
    microseconds: float
    """Of a list, from history to ids."""

    @property
    def hit_rate(self) -> float:
        """HR@n, which with one relevant item is recall@n and, in SR-GNN's words, P@n."""
        return float(hit_rate(self.hits).mean())

    @property
    def mrr(self) -> float:
        """MRR@n: a click that is not listed counts 0."""
        return float(reciprocal_rank(self.hits).mean())


def next_click(
    recommender: Lister,
    clicks: NextClicks | Sequence[Sequence[Hashable]],
    *,
    n: int = 20,
    repeats: bool = True,
) -> Answers:
    """Ask a fitted ``recommender`` for ``n`` items at each prefix of ``clicks``, or of sessions.

    Raises InvalidInput for ``n`` below 1 and where there is nothing to predict.
    """
    if n < 1:
        raise InvalidInput(f"n is {n}; at least 1 item must be asked for", pointer="/n")
    if not isinstance(clicks, NextClicks):
        clicks = NextClicks.of(clicks)
    targets = np.fromiter(clicks.targets, object, len(clicks.targets))
    hits = np.zeros((len(targets), n), np.bool_)
    spent = 0.0
    for start in range(0, len(targets), BATCH):
        part = slice(start, start + BATCH)
        started = elapsed()
        ids, _ = recommender.recommend_batch(clicks.prefixes[part], n, repeats=repeats)
        spent += elapsed() - started
        hits[part] = ids == targets[part, None]
    return Answers(hits, clicks.session, 1e6 * spent / len(targets))
