"""Presets: published settings that the constructors take."""

from __future__ import annotations

import pytest

from equipoise.errors import InvalidInput
from equipoise.recommenders import EASE, Content
from equipoise.recommenders.presets import PRESETS, preset
from equipoise.testing.recommenders import toy


@pytest.mark.parametrize("one", PRESETS, ids=lambda one: f"{one.method.name} {one.name}")
def test_each_can_be_fitted(one):
    """Its keywords are the method's, kept as given, and accepted; its source is named."""
    model = preset(one.method, one.name)
    model.fit(toy()[0])

    assert {name: model.parameters()[name] for name in one.keywords} == dict(one.keywords)
    assert one.source
    assert len(model.recommend(["item-00", "item-02"], 3)[0]) == 3


def test_names_differ():
    """A method has one preset of a name."""

    assert len({(one.method, one.name) for one in PRESETS}) == len(PRESETS)


def test_more_keywords():
    """Those given stand over those published."""
    model = preset(EASE, "ml-1m-ncf", threads=2, regularization=7.0)

    assert (model.threads, model.regularization) == (2, 7.0)


def test_refusals():
    """A name that there is not, with those that there are."""
    with pytest.raises(InvalidInput, match="EASE has no preset 'ml-1m'; it has ml-1m-ncf, gowalla"):
        preset(EASE, "ml-1m")
    with pytest.raises(InvalidInput, match="Content has no preset 'any'; it has none"):
        preset(Content, "any")
