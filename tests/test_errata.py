"""The survey's worked example, right; ``docs/errata.md`` tells the story, and its code runs too."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from equipoise.data import Interactions
from equipoise.recommenders.user_knn import UserKNN

PAGE = (Path(__file__).parent.parent / "docs" / "errata.md").read_text()
SECTIONS = {
    *("1.4.3", "3.1.1", "3.1.2", "3.1.3", "3.2", "3.3", "4.2.2", "4.3.1", "4.3.2", "4.4.3"),
    *("4.5", "5.2", "7.3", "9.3", "10"),
}
PEARSON = {"similarity": "pearson", "use_values": True, "threshold": -1.0}


def worked_example(w):
    """A = (4, 3, 5) and B = (5, 4, 3) on X, Y, Z; and W, which B alone rated."""
    return Interactions.from_columns([*"AAABBBB"], [*"XYZXYZW"], [4.0, 3, 5, 5, 4, 3, w])


def test_the_correlation_is_minus_a_half():
    """A's ratings as a history: B's 1 for W comes with the similarity for its weight."""
    model = UserKNN(**PEARSON).fit(worked_example(1.0))
    xyz = np.array([1, 2, 3], np.int32)

    assert model.item_ids_.tolist() == [*"WXYZ"]
    assert model.score_codes(xyz, np.array([4, 3, 5], np.float32))[0] == pytest.approx(-0.5)


@pytest.mark.parametrize(("w", "expected"), [(5.0, 3.25), (4.0, 4.0), (3.0, 4.75)])
def test_what_the_opposite_likes_counts_against(w, expected):
    """A's mean, 4, less what B's rating of W deviates from B's own mean."""
    model = UserKNN(**PEARSON).fit(worked_example(w))

    assert model.predict("A", "W") == pytest.approx(expected)


def test_a_positive_threshold_silences_the_opposite():
    """Nobody is left to speak: A's mean."""
    model = UserKNN(**PEARSON | {"threshold": 0.0}).fit(worked_example(5.0))

    assert model.predict("A", "W") == 4


def test_the_page_treats_every_section():
    """By its number in a heading."""
    headings = re.findall(r"^## (.*):", PAGE, re.M)
    named = {number for heading in headings for number in re.findall(r"\d+(?:\.\d+)*", heading)}

    assert named == SECTIONS
