"""What is clicked next: prefixes, hits and refusals, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.evaluation.sessions import NextClicks, next_click
from equipoise.recommenders import Popularity


class Always:
    """Lists the same ids for everybody; remembers what it was asked."""

    def __init__(self, ids):
        self.ids, self.asked = ids, []

    def recommend_batch(self, histories, n, *, repeats):
        self.asked += [(list(history), repeats) for history in histories]
        lists = np.full((len(histories), n), None, dtype=object)
        for row in lists:
            for place, id_ in enumerate(self.ids[:n]):
                row[place] = id_
        return lists, np.zeros(lists.shape, np.float32)


def test_every_prefix_asks_for_its_next_click():
    """A session of three clicks is two questions, one of a single click none."""
    clicks = NextClicks.of([["a", "b", "c"], ["d"], ["e", "e"]])

    assert clicks.prefixes == [["a"], ["a", "b"], ["e"]]
    assert clicks.targets == ["b", "c", "e"]
    assert clicks.session.tolist() == [0, 0, 2]


def test_hits_by_hand():
    """First, second, not listed: HR 2/3, MRR (1 + 1/2 + 0) / 3."""
    answers = next_click(Always(["b", "c"]), [["a", "b", "c"], ["e", "e"]], n=2)

    assert answers.hits.tolist() == [[True, False], [False, True], [False, False]]
    assert answers.hit_rate == pytest.approx(2 / 3)
    assert answers.mrr == pytest.approx(0.5)
    assert answers.session.tolist() == [0, 0, 1]
    assert answers.microseconds > 0


def test_repeats_are_asked_for_unless_told_otherwise():
    """The recommender hears which; padded places are no hits, whatever the target."""
    model = Always([])

    answers = next_click(model, [[None, None]])
    next_click(model, [["a", "b"]], repeats=False)

    assert model.asked == [([None], True), (["a"], False)]
    assert answers.hits.shape == (1, 20)


def test_ids_may_be_tuples():
    """An id that is itself a sequence is one target."""
    answers = next_click(Always([("b", 1)]), [[("a", 0), ("b", 1)], [("a", 0), ("c", 1)]], n=1)

    assert answers.hits[:, 0].tolist() == [True, False]


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), max_size=5), st.integers(1, 4))
def test_hit_rate_is_a_count(sessions, n):
    """HR@n of a fixed list is the share of targets in it, however many batches."""
    targets = [item for session in sessions for item in session[1:]]
    if not targets:
        with pytest.raises(InvalidInput, match="no click to predict"):
            next_click(Always([0, 1, 2, 3]), sessions, n=n)
        return

    answers = next_click(Always([0, 1, 2, 3]), sessions, n=n)

    assert answers.hit_rate == pytest.approx(sum(item < n for item in targets) / len(targets))


def test_a_recommender_of_ours():
    """Popularity, with repeats, over more prefixes than a batch holds."""
    rows = Interactions.from_columns([1, 2, 3], ["a", "a", "b"])
    sessions = [["a", "b"]] * 1_001 + [["b", "a"]]

    answers = next_click(Popularity().fit(rows), sessions, n=1)

    assert answers.hits.sum() == 1
    assert answers.hits[-1, 0]


def test_refusals():
    """No list; nothing to predict; columns of unlike lengths."""
    with pytest.raises(InvalidInput, match="n is 0; at least 1 item"):
        next_click(Always([]), [["a", "b"]], n=0)
    with pytest.raises(InvalidInput, match="a session of two clicks or more is wanted"):
        NextClicks.of([["a"], []])
    with pytest.raises(InvalidInput, match="1 prefixes, 2 targets and 1 sessions; one each"):
        NextClicks([["a"]], ["b", "c"], np.zeros(1, np.int64))
