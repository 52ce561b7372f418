"""Who is judged, on what: the test part seen from the histories of the training part."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.types import Bools


@dataclass(frozen=True)
class Task:
    """Histories, and what followed them."""

    histories: list[list[Any]]
    """One a judged user, newest last; empty for a stranger."""
    code_of: dict[Hashable, int]
    """Every item id of the training and the test part."""
    pairs: NDArray[np.int64]
    """Judged user · items + code of a relevant item."""
    relevant: NDArray[np.int64]
    """(judged users,) how many items are relevant, 1 or more."""
    note: str
    """Who was judged and who was left out."""

    @classmethod
    def of(cls, train: Interactions, test: Interactions, *, repeats: bool, strangers: bool) -> Task:
        """``evaluate`` says how. Raises InvalidInput where nobody is left."""
        known = dict(zip(train.user_ids.tolist(), train.histories(), strict=True))
        judged, exhausted = [], 0
        followed = _followed(test)
        for user, ids in followed.items():
            history = known.get(user, [])
            wanted = ids if repeats else ids - set(history)
            exhausted += not wanted
            if wanted and (history or strangers):
                judged.append((history, wanted))
        if not judged:
            raise InvalidInput("no test user is left to be judged: nobody has a relevant item")
        code_of = {id_: code for code, id_ in enumerate({**_ids(train), **_ids(test)})}
        pairs = [u * len(code_of) + code_of[i] for u, (_, ids) in enumerate(judged) for i in ids]
        counts = np.array([len(wanted) for _, wanted in judged])
        without = sum(not known.get(user) for user in followed)
        note = (
            f"{len(judged):,} users judged; {without:,} test users without a history"
            f" {'answered from an empty one' if strangers else 'left out'};"
            f" {exhausted:,} left out who knew all their test items;"
            f" {_unmet(train, [wanted for _, wanted in judged]):.1%} of the relevant items"
            f" never met in training; repeats {'allowed' if repeats else 'excluded'}"
        )
        histories = [history for history, _ in judged]
        return cls(histories, code_of, np.array(pairs, np.int64), counts, note)

    def hits(self, lists: NDArray[np.int32]) -> Bools:
        """(U, n) True where the listed code (−1 for none) is relevant to the user of its row."""
        keys = np.arange(len(lists))[:, None] * len(self.code_of) + lists
        return np.isin(keys, self.pairs) & (lists >= 0)


def _ids(interactions: Interactions) -> dict[Hashable, None]:
    return dict.fromkeys(interactions.item_ids.tolist())


def _followed(test: Interactions) -> dict[Hashable, set[Any]]:
    """The test items of each user who has any whose values sum to more than zero."""
    matrix = test.matrix(binary=True)
    ids = test.item_ids[matrix.indices].tolist()
    spans = zip(test.user_ids.tolist(), matrix.indptr[:-1], matrix.indptr[1:], strict=True)
    return {user: set(ids[start:stop]) for user, start, stop in spans if stop > start}


def _unmet(train: Interactions, relevant: list[set[Any]]) -> float:
    """Share of the relevant items that nobody met in training."""
    met = set(train.item_ids[np.unique(train.item)].tolist())
    return sum(len(ids - met) for ids in relevant) / sum(map(len, relevant))
