"""Reasons: short, true, never none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from equipoise.ranking.features import NAMES
from equipoise.ranking.reasons import BY_SOURCE, reasons
from equipoise.types import Slot


def slot(
    source: str = "als", explored: bool = False, pinned: bool = False, **features: Any
) -> Slot:
    g = tuple(float(features.get(name, 0.0)) for name in NAMES)
    return Slot(item_id="i", position=0, propensity=0.5, explored=explored, pinned=pinned,
                source=source, mean=1.0, variance=1.0, look=1.0, rate=1.0, features=g)  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (slot(pinned=True, explored=True, affinity=1), ["Placed here by the shop"]),
        (slot("new", explored=True), ["New: shown to learn about it"]),
        (slot("new"), ["New in the shop"]),
        (slot("anything"), ["From the whole range"]),
        (slot("als"), ["Fits what you looked at lately"]),
        (slot("trending", affinity=0.5), ["From a category you like", "Popular these days"]),
        (slot("co_viewed", co_viewed=0.9), ["Often viewed together with what you looked at"]),
        (slot("trending", explored=True), ["Shown to learn about it", "Popular these days"]),
        (slot("als", affinity=0.05, repeat=1), ["You looked at it before",
                                                "Fits what you looked at lately"]),
    ],
)  # fmt: skip
def test_what_is_said(shown: Slot, said: list[str]) -> None:
    """From source, features and whether it was explored."""
    assert reasons(shown) == said


@pytest.mark.parametrize("source", [*BY_SOURCE, "ease", "some_other"])
def test_one_to_three_sentences(source: str) -> None:
    """However much holds, a list's line stays short; however little, there is one."""
    everything = dict.fromkeys(NAMES, 1.0)

    for shown in (slot(source), slot(source, explored=True), slot(source, **everything)):
        said = reasons(shown)
        assert 1 <= len(said) <= 3
        assert len(set(said)) == len(said)
        assert all(len(sentence) < 50 for sentence in said)


def test_a_slot_without_features() -> None:
    """Decisions of before a feature existed can still be explained."""
    old = msgspec.structs.replace(slot("trending"), features=())

    assert reasons(old) == ["Popular these days"]
