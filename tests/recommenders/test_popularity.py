"""Popularity by hand."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.clock import DAY
from equipoise.data import Interactions
from equipoise.errors import InvalidInput, InvalidInteractions
from equipoise.recommenders import Popularity

AGES = np.array([0, 7, 14, 14])
ROWS = Interactions.from_columns(
    ["u", "v", "u", "w"], ["a", "b", "b", "c"], [1, 2, 4, 1], (100 - AGES) * DAY
)


def test_age_halves():
    """Half a life of 7 days: 1, 1/2 + 1/4, 1/4 for ages 0; 7 and 14; 14."""
    model = Popularity(half_life_days=7).fit(ROWS)

    assert dict(zip(model.item_ids_, model.counts_, strict=True)) == {"a": 1, "b": 0.75, "c": 0.25}


def test_values_count_when_asked():
    """With use_values b is worth 2/2 + 4/4; without decay and values rows are counted."""
    assert Popularity(half_life_days=7, use_values=True).fit(ROWS).counts_.tolist() == [1, 2, 0.25]
    assert Popularity().fit(ROWS).counts_.tolist() == [1, 2, 1]


def test_strangers_get_what_is_popular():
    """An empty history is answered; the history's items are left out of a known one's."""
    model = Popularity().fit(ROWS)

    assert model.recommend([], 2)[0].tolist() == ["b", "a"]
    assert model.recommend(["b"], 2)[0].tolist() == ["a", "c"]


def test_refusals():
    """Decay needs times, and a positive half-life."""
    timeless = Interactions.from_columns(["u"], ["a"])

    with pytest.raises(InvalidInteractions, match="needs timestamps"):
        Popularity(half_life_days=7).fit(timeless)
    with pytest.raises(InvalidInput, match=r"half_life_days=0\): a positive number of days"):
        Popularity(half_life_days=0).fit(ROWS)
