"""Ranking a test item among a few others instead of among all: for published figures only."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.clock import elapsed
from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation import metrics
from equipoise.evaluation.rows import fit_seconds, named, summary
from equipoise.evaluation.table import Table
from equipoise.randomness import RandomState
from equipoise.types import Bools, Floats, Floats32, Item

BATCH = 500


class Scores(Protocol):
    """Whatever fits interactions and scores histories, as ``Recommender`` does."""

    @property
    def name(self) -> str: ...

    item_ids_: NDArray[np.object_]

    def fit(self, interactions: Interactions) -> Any: ...

    def score(self, histories: Sequence[Sequence[Hashable]]) -> Floats32: ...


def evaluate_sampled(
    train: Interactions,
    test: Interactions,
    recommenders: Mapping[str, Scores] | Sequence[Scores],
    negatives: Mapping[Hashable, Sequence[Hashable]],
    *,
    n: Sequence[int] = (10,),
    items: Iterable[Item] | None = None,
    confidence: float | None = None,
    random_state: RandomState = None,
) -> Table:
    """Rank each user's test items among the user's ``negatives`` (user id → item ids): the
    leave-one-out protocol of NCF (He et al., WWW 2017), BERT4Rec and others.

    Figures are *not* those of the full catalogue, are not comparable with them, and may turn the
    order of two methods (Krichene, Rendle, "On Sampled Metrics for Item Recommendation", KDD 2020):
    the table's note says so. ``evaluate`` ranks all.

    A negative that is a test item of the user counts as that; no item stands twice. What the method
    cannot score stands last. Half of the negatives that tie with a test item (rounded down) come
    before it. Test users without negatives are left out and counted.

    Raises:
        InvalidInput: nobody can be judged, or a list length below 1.
    """
    if not n or min(n) < 1:
        raise InvalidInput(f"n is {tuple(n)}; at least one list length, from 1 up", pointer="/n")
    asked = _Asked.of(train, test, negatives)
    extra = {} if items is None else {"items": list(items)}
    rows, per_user = [], {}
    for name, recommender, _ in named([], recommenders):
        seconds = fit_seconds(recommender, train, extra)
        started = elapsed()
        wanted, others = asked.scored(recommender)
        spent = 1e6 * (elapsed() - started) / len(asked.users)
        per_user[name] = values = _judge(wanted, others, n)
        row: dict[str, Any] = {"recommender": name, "baseline": False}
        row |= summary(values, confidence, random_state)
        rows.append(row | {"fit_seconds": seconds, "list_microseconds": spent})
    return Table(rows, asked.note(train), per_user, asked.users)


@dataclass(frozen=True)
class _Asked:
    """Who is judged: ids of the wanted and of the other candidates, a list a user."""

    users: list[Hashable]
    histories: list[list[Any]]
    wanted: list[list[Hashable]]
    others: list[list[Hashable]]
    left_out: int

    @classmethod
    def of(
        cls,
        train: Interactions,
        test: Interactions,
        negatives: Mapping[Hashable, Sequence[Hashable]],
    ) -> _Asked:
        known = dict(zip(train.user_ids.tolist(), train.histories(), strict=True))
        matrix = test.matrix(binary=True)
        starts, ids = matrix.indptr.tolist(), test.item_ids[matrix.indices].tolist()
        found = cls([], [], [], [], 0)
        left_out = 0
        for row, user in enumerate(test.user_ids.tolist()):
            wanted = ids[starts[row] : starts[row + 1]]
            others = [id_ for id_ in dict.fromkeys(negatives.get(user, ())) if id_ not in wanted]
            if wanted and others:
                found.users.append(user)
                found.histories.append(known.get(user, []))
                found.wanted.append(wanted)
                found.others.append(others)
            else:
                left_out += bool(wanted)
        if not found.users:
            raise InvalidInput("no test user is left to be judged: nobody has negatives")
        return cls(found.users, found.histories, found.wanted, found.others, left_out)

    def scored(self, recommender: Scores) -> tuple[Floats32, Floats32]:
        """(U, R) scores of the wanted and (U, C) of the others: −∞ where the method cannot say,
        NaN where a user has fewer."""
        ids: list[Hashable] = recommender.item_ids_.tolist()
        code_of = {id_: code for code, id_ in enumerate(ids)}
        parts = [_padded(lists, code_of) for lists in (self.wanted, self.others)]
        found = [np.empty(codes.shape, np.float32) for codes in parts]
        for start in range(0, len(self.users), BATCH):
            batch = slice(start, start + BATCH)
            scores = recommender.score(self.histories[batch])
            scores = np.where(np.isnan(scores), -np.inf, scores)
            edges = np.tile(np.array([np.nan, -np.inf], np.float32), (len(scores), 1))
            table = np.hstack([scores, edges])
            for codes, part in zip(parts, found, strict=True):
                part[batch] = np.take_along_axis(table, codes[batch] % table.shape[1], axis=1)
        return found[0], found[1]

    def note(self, train: Interactions) -> str:
        sizes = np.fromiter(map(len, self.others), np.int64, len(self.others))
        span = f"{sizes.min():,}" if np.ptp(sizes) == 0 else f"{sizes.min():,} to {sizes.max():,}"
        return (
            f"SAMPLED: {len(self.users):,} users judged, each test item ranked among {span} given"
            f" negatives instead of all {train.n_items:,} items, so that no figure here may be"
            f" compared with one of the full catalogue; {self.left_out:,} test users without"
            " negatives left out"
        )


def _padded(lists: list[list[Hashable]], code_of: dict[Hashable, int]) -> NDArray[np.int64]:
    """(U, longest) codes: −1 for an id that the method does not know, −2 beyond the end."""
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    codes = np.full((len(lists), int(lengths.max())), -2, np.int64)
    flat = map(code_of.get, chain.from_iterable(lists), repeat(-1))
    codes[np.arange(codes.shape[1]) < lengths[:, None]] = np.fromiter(flat, np.int64, lengths.sum())
    return codes


def _judge(wanted: Floats32, others: Floats32, n: Sequence[int]) -> dict[str, Floats]:
    hits, relevant = _hits(wanted, others), (~np.isnan(wanted)).sum(axis=1)
    values: dict[str, Floats] = {}
    for k in sorted(n):
        cut = min(k, hits.shape[1])
        values[f"hit_rate@{k}"] = metrics.hit_rate(hits, cut)
        values[f"recall@{k}"] = metrics.recall(hits, relevant, cut)
        values[f"ndcg@{k}"] = metrics.ndcg(hits, relevant, cut)
    values["mrr"] = metrics.reciprocal_rank(hits)
    table = np.hstack([wanted, others])
    mask = np.arange(table.shape[1]) < wanted.shape[1]
    relevance = np.broadcast_to(mask, table.shape)
    values["auc"] = metrics.auc(table, relevance, ~np.isnan(table))
    return values


def _hits(wanted: Floats32, others: Floats32) -> Bools:
    """(U, R + C) True at the places of the wanted, best first."""
    hits = np.zeros((len(wanted), wanted.shape[1] + others.shape[1]), np.bool_)
    # NaN sorts last and is neither above nor equal: what pads a row has no place.
    for nth, score in enumerate(-np.sort(-wanted, axis=1).T):
        above = (others > score[:, None]).sum(axis=1)
        beside = (others == score[:, None]).sum(axis=1)
        real = np.flatnonzero(~np.isnan(score))
        hits[real, (above + beside // 2 + nth)[real]] = True
    return hits
