"""Cuts: no validation part knows its future, none touches another."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInput, InvalidInteractions
from equipoise.testing.recommenders import toy
from equipoise.tuning import by_time, by_user


def test_windows_go_back_in_time():
    """Each validates on its own days, from all that went before and nothing later."""
    rows, _ = toy()
    cuts = by_time(rows, days=10, cuts=3)
    newest = rows.timestamp.max()

    for place, (train, test) in enumerate(cuts):
        assert train.timestamp.max() <= newest - (place + 1) * 10 * DAY < test.timestamp.min()
        assert test.timestamp.max() <= newest - place * 10 * DAY
    assert len(cuts[0].train) + len(cuts[0].test) == len(rows)


def test_a_share_of_each_user():
    """Drawn anew for each cut, the same for the same seed; everybody keeps some."""
    rows, _ = toy()
    first, again, other = (by_user(rows, cuts=2, seed=seed) for seed in (1, 1, 2))
    held = [cut.test.item.tolist() for cuts in (first, again, other) for cut in cuts]

    assert held[:2] == held[2:4]
    assert held[0] != held[1]
    assert held[0] != held[4]
    for train, test in first:
        assert np.bincount(test.user).max() == np.bincount(test.user).min() == 1
        assert np.bincount(train.user).min() == 7


def test_refusals():
    """No times; too short a log; users without two items; no cut at all."""
    plain = Interactions.from_columns([1, 2], ["a", "b"])

    with pytest.raises(InvalidInteractions, match="needs timestamps; cut it by user"):
        by_time(plain)
    with pytest.raises(InvalidInteractions, match="too short for 9 validation parts of 28 days"):
        by_time(toy()[0], cuts=9)
    with pytest.raises(InvalidInteractions, match="nobody has items enough to hold one out"):
        by_user(plain)
    with pytest.raises(InvalidInput, match="cuts is 0; at least one validation part"):
        by_user(toy()[0], cuts=0)
