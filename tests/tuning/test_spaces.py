"""Spaces: what may be tuned is a keyword, and its ends are accepted."""

from __future__ import annotations

from inspect import signature

import pytest

from equipoise.recommenders import ALL, Trending
from equipoise.testing.recommenders import toy
from equipoise.tuning.spaces import SPACES
from equipoise.tuning.spans import OneOf, Real, Whole, nested, suggested


def ends(span):
    return span.values if isinstance(span, OneOf) else (span.low, span.high)


@pytest.mark.parametrize("cls", SPACES, ids=lambda cls: cls.name)
def test_keywords_exist_and_ends_are_accepted(cls):
    """Each end of each span, the others at their defaults, is fitted on a toy without refusal."""
    rows, items = toy()
    quick = {"epochs": 2} if "epochs" in signature(cls).parameters else {}
    if cls is Trending:
        quick = {"half_life_days": 0.1, "past_half_life_days": 1_000}
    for name, span in SPACES[cls].items():
        for value in ends(span):
            keywords = nested({name: value})
            assert set(keywords) <= set(signature(cls).parameters)
            if name != "epochs":
                cls(**{**quick, **keywords}).fit(rows, items=items)


def test_every_method_can_be_tuned():
    """But those named here; and names differ, since a person types them."""
    untuned = {cls.name for cls in ALL} - {cls.name for cls in SPACES}

    assert len({cls.name for cls in SPACES}) == len(SPACES)
    # Nothing to choose; friends that no data set on the command line brings; members to choose.
    assert untuned == {"slope_one", "social", "blend"}


class Recorded:
    """A trial that says what it was asked."""

    def __init__(self):
        self.asked = []

    def suggest_float(self, name, low, high, *, log=False):
        self.asked.append((name, low, high, log))
        return low

    def suggest_int(self, name, low, high, *, log=False):
        self.asked.append((name, low, high, log))
        return high

    def suggest_categorical(self, name, choices):
        self.asked.append((name, choices))
        return choices[0]


def test_spans_ask_for_their_kind():
    """Numbers by their ends and scale, values by name."""
    trial = Recorded()
    space = {"a": Real(0.1, 1), "b": Whole(2, 8, log=False), "c.d": OneOf((None, "x"))}

    assert suggested(trial, space) == {"a": 0.1, "b": 8, "c.d": None}
    assert trial.asked == [("a", 0.1, 1, True), ("b", 2, 8, False), ("c.d", (None, "x"))]


def test_dots_are_mappings():
    """What stands behind the dot is a key of the keyword before it."""

    assert nested({"a": 1, "f.x": 2, "f.y": 3}) == {"a": 1, "f": {"x": 2, "y": 3}}
