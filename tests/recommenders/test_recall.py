"""Approximate lists: methods that search by inner product find the share that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders import Content, ImplicitALS, PureSVD

USERS, ITEMS, LISTED, RECALL = 600, 6_000, 20, 0.9


def log():
    """Users of forty tastes, each of which is a stretch of the catalogue."""
    rng = derive(0, "tests.recall")
    user = np.repeat(np.arange(USERS), 60)
    item = (user % 40 * 150 + rng.integers(0, 300, len(user))) % ITEMS
    return Interactions.from_columns(user, item)


def fitted(cls, recall):
    if cls is Content:
        rows = derive(0, "tests.recall.vectors").normal(size=(ITEMS, 24))
        return Content(fields={}, recall=recall).fit(vectors=dict(enumerate(rows)))
    return cls(factors=24, recall=recall, random_state=0).fit(log())


@pytest.mark.parametrize("cls", [ImplicitALS, PureSVD, Content])
def test_lists_hold_the_share_asked_for(cls):
    """On average over histories, with the exact search's very scores; also after a snapshot."""
    exact, near = fitted(cls, None), fitted(cls, RECALL)
    again = cls.from_arrays(near.arrays())
    histories = log().histories()[:100]
    found = []
    for history in histories:
        (wanted, scores), (listed, theirs) = (m.recommend(history, LISTED) for m in (exact, near))
        known = dict(zip(wanted.tolist(), scores.tolist(), strict=True))
        same = [one in known for one in listed.tolist()]
        found.append(sum(same) / LISTED)
        for one, score in zip(listed.tolist(), theirs.tolist(), strict=True):
            assert known.get(one, score) == score
        assert again.recommend(history, LISTED)[0].tolist() == listed.tolist()

    assert np.mean(found) >= RECALL
    assert near.parameters()["recall"] == RECALL


@pytest.mark.parametrize("cls", [ImplicitALS, PureSVD, Content])
@pytest.mark.parametrize("recall", [0.0, 1.0, -1.0, 2.0])
def test_a_recall_that_is_none_is_refused(cls, recall):
    """Before anything is fitted, by its name."""
    with pytest.raises(InvalidInput, match="recall") as refused:
        fitted(cls, recall)

    assert refused.value.pointer == "/recall"
