"""Transitions: the laws, the rules counted by hand and in plain Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.errors import InvalidInput
from equipoise.randomness import derive
from equipoise.recommenders.transitions import RULES, Transitions
from equipoise.testing.recommenders import LAWS, PERSONAL

NAMED = [["tea", "milk", "bread"], ["tea", "milk"], ["milk", "tea"]]


def rows_of(sessions) -> Interactions:
    users = [n for n, session in enumerate(sessions) for _ in session]
    return Interactions.from_columns(users, [item for session in sessions for item in session])


def told(model: Transitions, history) -> dict:
    scores = model.score([history])[0]
    return {
        item: value
        for item, value in zip(model.item_ids_.tolist(), scores.tolist(), strict=True)
        if value == value
    }


def plain(sessions, item, rule, steps):
    counts: Counter = Counter()
    for session in sessions:
        for at, here in enumerate(session):
            for to, other in enumerate(session):
                if here != item or at == to:
                    continue
                if rule == "association":
                    counts[other] += 1
                elif 0 < to - at <= (steps if rule == "sequential" else 1):
                    counts[other] += 1 / (to - at)
    total = sum(counts.values())
    return {other: count / total for other, count in counts.items()}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("rule", RULES)
def test_law(rule, law):
    """The law holds for the recommender."""
    if law in PERSONAL and rule != "association":
        pytest.skip("a board has no order, and these learn nothing but order")
    law(lambda: Transitions(rule=rule, history_decay=0.9, threads=2))


def test_rules_by_hand():
    """After tea came milk twice; beside tea stood milk three times, bread once."""
    rows = rows_of(NAMED)

    markov, sequential, association = (
        told(Transitions(rule=rule).fit(rows), ["tea"]) for rule in RULES
    )

    assert markov == pytest.approx({"milk": 1})
    assert sequential == pytest.approx({"milk": 2 / 2.5, "bread": 0.5 / 2.5}, rel=1e-3)
    assert association == pytest.approx({"milk": 3 / 4, "bread": 1 / 4}, rel=1e-3)


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_brute_force(rule):
    """Random sessions with repeats: every share equals a double loop's."""
    rng = derive(0, "test.transitions")
    sessions = [rng.integers(0, 9, rng.integers(1, 12)).tolist() for _ in range(50)]
    model = Transitions(rule=rule, steps=3).fit(rows_of(sessions))

    for item in range(9):
        assert told(model, [item]) == pytest.approx(plain(sessions, item, rule, 3), rel=2e-3)


def test_shares_sum_to_one_before_the_cut():
    """All that followed an item makes 1; ``top`` keeps the largest."""
    rng = derive(1, "test.transitions")
    sessions = [rng.integers(0, 9, 10).tolist() for _ in range(30)]
    whole, cut = (Transitions(top=top).fit(rows_of(sessions)) for top in (9, 2))

    for item in range(9):
        shares = told(whole, [item])
        largest = sorted(shares.values())[-2:]

        assert sum(shares.values()) == pytest.approx(1, rel=1e-5)
        assert sorted(told(cut, [item]).values()) == pytest.approx(largest)


def test_of_equal_counts_the_fresher_wins():
    """Milk followed once and so did bread, later."""
    model = Transitions(rule="markov").fit(rows_of([["tea", "milk"], ["tea", "bread"]]))

    assert model.recommend(["tea"])[0].tolist() == ["bread", "milk"]


def test_older_items_speak_by_decay():
    """The scores of a history are those of its items, the older ones times the decay."""
    rows = rows_of([["a", "x"], ["b", "y"]])

    last, both = (Transitions(history_decay=d).fit(rows) for d in (0.0, 0.5))

    assert told(last, ["a", "b"]) == pytest.approx({"y": 1})
    assert told(both, ["a", "b"]) == pytest.approx({"y": 1, "x": 0.5})


def test_threads_change_nothing():
    """One thread and three learn the same bytes."""
    rows = rows_of(NAMED * 20)
    one, three = (Transitions(rule="association", threads=t).fit(rows) for t in (1, 3))

    assert np.array_equal(one.shares_, three.shares_)
    assert np.array_equal(one.targets_, three.targets_)


def test_odd_input_has_an_answer():
    """One row; the same row twice; an id of 10⁹; a row taken back; nothing left."""
    twice = Transitions(rule="markov").fit(Interactions.from_columns(["u", "u"], [10**9, 10**9]))
    back = Interactions.from_columns([1, 1, 1], ["a", "b", "c"], [1, -1, 1])
    empty = back.take(np.zeros(3, np.bool_))

    assert twice.recommend([10**9], repeats=True)[0].tolist() == [10**9]
    assert told(Transitions(rule="markov").fit(back), ["a"]) == {"c": 1}
    assert told(Transitions().fit(empty), ["a"]) == {}
    assert told(Transitions().fit(Interactions.from_columns([1], ["a"])), ["a"]) == {}


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"rule": "fp-growth"}, r"rule='fp-growth'\): one of \('markov', 'sequential'"),
        ({"steps": 0}, r"steps=0\): at least one"),
        ({"history_decay": 1.5}, r"history_decay=1.5\): a number in 0..1"),
        ({"top": 0}, r"top=0\): at least one"),
    ],
)
def test_refusals(keywords, message):
    """A keyword out of range is named, with what would be right."""
    with pytest.raises(InvalidInput, match=message):
        Transitions(**keywords).fit(rows_of(NAMED))
